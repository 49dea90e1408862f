"""``pcnsl-survival predict-cohort``: predict every patient of a cohort with one loaded model."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from PCNSLSurvivalLib.cli.clinic.predict import add_model_option
from PCNSLSurvivalLib.cli.options.case import add_case_options, case_options
from PCNSLSurvivalLib.core.terms import ONE_YEAR_DAYS, RESEARCH_USE_ONLY

_NO_CASE_PREDICTED = 3
"""Exit code if every case failed, as for an error with a sentence."""


def add_predict_cohort_command(commands: argparse._SubParsersAction) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "predict-cohort",
        help="predict every patient of a cohort",
        description="Predict every patient of a cohort with a model that is loaded once. Writes one result folder "
        "per patient and a table of all, predictions.csv. A failed case does not stop the others. An interrupted run "
        f"resumes with the same command. {RESEARCH_USE_ONLY}",
    )
    parser.add_argument(
        "cohort",
        type=Path,
        metavar="COHORT",
        help="CSV or TSV table with paths; folder in BIDS or another known layout (docs/cohorts.md); folder with one "
        "folder per patient",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="output folder for the result folders")
    add_model_option(parser)
    add_case_options(parser, "predict-cohort")
    parser.add_argument(
        "--use-brain-masks", action="store_true", help="use the brain masks of the cohort; this is recorded"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="list the scans found and, of several, the one that is used, then stop"
    )
    parser.add_argument(
        "--progress",
        choices=("auto", "json", "none"),
        default="auto",
        help="progress bar, one JSON object per case, or nothing",
    )
    parser.set_defaults(run=run_predict_cohort)


def run_predict_cohort(args: argparse.Namespace) -> int:
    """Predict the remaining cases, and report the status of every case."""
    from tqdm import tqdm

    from PCNSLSurvivalLib.cohorts.cohort import find_cohort
    from PCNSLSurvivalLib.cohorts.data_report import data_report
    from PCNSLSurvivalLib.models.installed_models import find_model

    begin = time.perf_counter()
    cohort = find_cohort(args.cohort.absolute())
    if args.dry_run:
        report = data_report(cohort, threshold_days=ONE_YEAR_DAYS)
        print("\n".join((*report.lines(), *report.left_out_lines(), *report.remark_lines())))
        return 0
    cases = cohort.cases
    model = find_model(args.model)

    from PCNSLSurvivalLib.reports.case.report import case_report_html
    from PCNSLSurvivalLib.results.cohort_prediction import (
        TABLE,
        PredictedCase,
        name_shared_scans,
        predict_cohort,
        write_prediction_table,
    )

    options = case_options(args)
    out = args.out.absolute()
    done: list[PredictedCase] = []
    bar = tqdm(total=len(cases), desc="Cases", unit="case", file=sys.stderr, disable=args.progress != "auto")
    try:
        for each in predict_cohort(
            cases, model, options, out, page=case_report_html, use_brain_masks=args.use_brain_masks
        ):
            done.append(each)
            if each.state == "cached" and not bar.disable:
                # What an earlier run had finished must not count as speed, or the time left would be too short.
                bar.initial += 1
            bar.update()
            if args.progress == "json":
                event: dict[str, object] = {
                    "type": "case",
                    "name": each.case.name,
                    "state": each.state,
                    "reason": each.reason,
                }
                event |= {"done": len(done), "total": len(cases), "seconds": round(each.seconds, 2)}
                print(json.dumps(event), flush=True)
    finally:
        bar.close()
        # The table lists all patients of the cohort, however the run ended.
        left = (
            PredictedCase(case=case, state="failed", reason="The run ended before this case.")
            for case in cases[len(done) :]
        )
        write_prediction_table([*done, *left], out, without_scan=cohort.without_scan)
    exit_code = 0 if any(each.state != "failed" for each in done) else _NO_CASE_PREDICTED
    if args.progress == "json":
        return exit_code
    if model.warning:
        print(f"! {model.warning}")
    counts = {state: sum(each.state == state for each in done) for state in ("predicted", "cached", "failed")}
    for each in name_shared_scans(done):
        if each.reason:
            print(f"! {each.case.name}: {each.reason}")
    print(
        f"{counts['predicted']} predicted, {counts['cached']} already predicted (skipped), {counts['failed']} failed, "
        f"in {time.perf_counter() - begin:.0f} s. Table: {args.out / TABLE}"
    )
    for name, reason in sorted(cohort.without_scan.items()):
        print(f"! {name}: {reason}")
    print(f"Model: {model.name} {model.version}. {RESEARCH_USE_ONLY}")
    return exit_code
