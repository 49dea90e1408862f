"""``pcnsl-survival preprocess``: prepare the scans of a cohort for training."""

from __future__ import annotations

import argparse
import json
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PCNSLSurvivalLib.cli.display.progress import stderr_is_terminal
from PCNSLSurvivalLib.cli.options.numbers import LONGEST_DAYS, MOST_JOBS, decimal_number, whole_number
from PCNSLSurvivalLib.core.terms import ONE_YEAR_DAYS, MRSequence

if TYPE_CHECKING:
    from PCNSLSurvivalLib.cohorts.case_preparation import CaseStatus


def add_preprocess_command(commands: argparse._SubParsersAction) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "preprocess",
        help="prepare all patients of a cohort for training",
        description="Prepare all patients of a cohort for training: brain extraction, bias field correction, "
        "registration to T1Gd, normalization, resampling. An interrupted run resumes with the same command.",
    )
    parser.add_argument(
        "cohort",
        type=Path,
        metavar="COHORT",
        help="CSV or TSV table with paths; folder in BIDS or another known layout (docs/cohorts.md); folder with one "
        "folder per patient",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="output folder of the prepared cohort")
    parser.add_argument(
        "--sequences",
        type=_sequences,
        metavar="LIST",
        help="comma-separated sequences to use, such as t1gd,t1,t2; all available sequences if left out",
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--jobs",
        type=whole_number(1, MOST_JOBS),
        default=1,
        metavar="N",
        help="number of cases processed in parallel, about 1.2 GB each",
    )
    where.add_argument("--scheduler", metavar="ADDRESS", help="Dask scheduler whose workers see the same folders")
    parser.add_argument(
        "--use-brain-masks", action="store_true", help="use the brain masks of the cohort; this is recorded"
    )
    parser.add_argument(
        "--override-quality", action="store_true", help="keep cases that fail quality checks; the override is recorded"
    )
    parser.add_argument(
        "--keep-intermediate",
        action="store_true",
        help="keep the bias-corrected scans of finished cases (about 20 MB per scan)",
    )
    parser.add_argument("--dry-run", action="store_true", help="list what is found and what is missing, then stop")
    parser.add_argument(
        "--threshold-days",
        type=decimal_number(1, LONGEST_DAYS),
        default=ONE_YEAR_DAYS,
        metavar="DAYS",
        help="threshold of the OS classes in the report",
    )
    parser.add_argument(
        "--progress",
        choices=("auto", "json", "none"),
        default="auto",
        help="progress bar, one JSON object per case, or nothing",
    )
    parser.set_defaults(run=run_preprocess)


def run_preprocess(args: argparse.Namespace) -> int:
    """Prepare the remaining cases, and report the status of every case."""
    from PCNSLSurvivalLib.cohorts.cohort import find_cohort
    from PCNSLSurvivalLib.cohorts.cohort_preparation import PreparationOptions, prepare_cohort
    from PCNSLSurvivalLib.cohorts.data_report import data_report
    from PCNSLSurvivalLib.core.errors import CohortError
    from PCNSLSurvivalLib.core.messages import Message
    from PCNSLSurvivalLib.reports.cohort.contact_picture import draw_contact_picture
    from PCNSLSurvivalLib.reports.cohort.contact_sheet import write_contact_sheet, write_data_report

    begin = time.perf_counter()
    found = find_cohort(args.cohort.absolute())
    talk = args.progress != "json"
    if talk:
        first = data_report(found, threshold_days=args.threshold_days)
        print("\n".join(first.lines()), flush=True)
        if args.dry_run:
            print("\n".join((*first.left_out_lines(), *first.unlabeled_lines(), *first.remark_lines())))
    if args.dry_run:
        return 0
    options = PreparationOptions(
        sequences=args.sequences,
        use_brain_masks=args.use_brain_masks,
        override_quality=args.override_quality,
        keep_intermediate=args.keep_intermediate,
    )
    with _Progress(args.progress) as progress:
        cases = prepare_cohort(
            found,
            args.out,
            options,
            draw=draw_contact_picture,
            jobs=args.jobs,
            scheduler=args.scheduler,
            report=progress,
        )
    report = data_report(found, cases, threshold_days=args.threshold_days)
    write_contact_sheet(cases, args.out)
    write_data_report(report, args.out)
    if talk:
        print("\n".join(report.left_out_lines()))
        print(
            f"{progress.counts['prepared']} prepared, {progress.counts['cached']} already prepared (skipped), "
            f"{progress.counts['failed']} failed, in {time.perf_counter() - begin:.0f} s."
        )
        print(f"Review {args.out / 'contact_sheet.html'} before training.")
    if not any(case["state"] == "prepared" for case in cases):
        raise CohortError(Message("prepared_cohort.no_case_prepared"))
    return 0


class _Progress:
    """Finished cases with the time left on a terminal, one line per case elsewhere, or JSON lines."""

    def __init__(self, choice: str) -> None:
        from tqdm import tqdm

        self.counts = {"prepared": 0, "cached": 0, "failed": 0}
        self._choice = choice
        self._new_bar = partial(tqdm, desc="Cases", unit="case", file=sys.stderr)
        self._bar: tqdm | None = None

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *problem: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def __call__(self, outcome: CaseStatus, done: int, total: int) -> None:
        """Show one outcome."""
        self.counts[outcome.state] += 1
        if self._choice == "json":
            event = {"type": "case", "name": outcome.name, "state": outcome.state, "reason": outcome.reason}
            print(json.dumps(event | {"done": done, "total": total, "seconds": round(outcome.seconds, 2)}), flush=True)
        elif self._choice == "auto" and stderr_is_terminal():
            self._show(outcome, total)
        elif self._choice == "auto":
            print(f"{done}/{total} {outcome.name} {outcome.state} {outcome.seconds:.1f} s", file=sys.stderr, flush=True)

    def _show(self, outcome: CaseStatus, total: int) -> None:
        if self._bar is None:
            self._bar = self._new_bar(total=total)
        if outcome.state == "cached":
            # What an earlier run had finished must not count as speed, or the time left would be too short.
            self._bar.initial += 1
        if outcome.state == "failed":
            self._bar.write(f"{outcome.name}: {outcome.reason}", file=sys.stderr)
        self._bar.update(1)


def _sequences(text: str) -> tuple[MRSequence, ...]:
    words = [word.strip().lower() for word in text.split(",") if word.strip()]
    if not words or any(word not in list(MRSequence) for word in words):
        raise argparse.ArgumentTypeError(f"must be a comma-separated list of {', '.join(MRSequence)}")
    return tuple(MRSequence(word) for word in words)
