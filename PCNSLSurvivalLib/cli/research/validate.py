"""``pcnsl-survival validate``: a finished model on the patients of another cohort."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from PCNSLSurvivalLib.cli.options.case import add_inference_device
from PCNSLSurvivalLib.cli.options.numbers import MOST_JOBS, whole_number
from PCNSLSurvivalLib.core.terms import RESEARCH_USE_ONLY

if TYPE_CHECKING:
    from PCNSLSurvivalLib.cohorts.prepared_cohort import PreparedCohort
    from PCNSLSurvivalLib.models.model_folder import ModelFolder

RESULTS, PREPARED = "results", "prepared"


def add_validate_command(commands: argparse._SubParsersAction) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "validate",
        help="external validation of a model on another cohort",
        description="Predict every patient of a cohort with a finished model and evaluate the predictions: "
        "discrimination, calibration, net benefit, survival of the predicted groups, subgroups, and the difference "
        "from the clinical score, the lesion volume or a second model. A cohort with training patients of the model is "
        f"rejected. {RESEARCH_USE_ONLY}",
    )
    parser.add_argument("model", metavar="MODEL", help="model folder or name of an installed model")
    parser.add_argument(
        "cohort",
        type=Path,
        metavar="COHORT",
        help="prepared cohort, or a cohort as 'preprocess' reads it, which is then prepared",
    )
    parser.add_argument("--against", metavar="MODEL", help="second model, compared on the same patients")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="output folder for report and tables")
    parser.add_argument(
        "--name", default="another cohort", metavar="TEXT", help="name of the cohort in the methods paragraph"
    )
    parser.add_argument("--use-brain-masks", action="store_true", help="use the brain masks of an unprepared cohort")
    parser.add_argument(
        "--jobs", type=whole_number(1, MOST_JOBS), default=1, metavar="N", help="cases prepared in parallel"
    )
    parser.add_argument(
        "--resamples",
        type=whole_number(100, 1_000_000),
        default=2000,
        metavar="N",
        help="bootstrap samples of every interval",
    )
    add_inference_device(parser)
    parser.add_argument(
        "--runtime", choices=("auto", "torch", "onnx"), default="auto", help="inference runtime: torch or ONNX Runtime"
    )
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    parser.set_defaults(run=run_validate)


def run_validate(args: argparse.Namespace) -> int:
    """Prepare the cohort if it is not, predict, evaluate, and print where the report is."""
    from tqdm import tqdm

    from PCNSLSurvivalLib.core.storage.files import claim_folder
    from PCNSLSurvivalLib.experiment.validation import validate
    from PCNSLSurvivalLib.models.installed_models import find_model
    from PCNSLSurvivalLib.reports.experiment.tables import interval
    from PCNSLSurvivalLib.reports.validation.report import refuse_foreign_report, write_validation_report

    models = [find_model(choice) for choice in (args.model, args.against) if choice is not None]
    out = args.out.absolute()
    claim_folder(out, is_ours=any((out / name).is_dir() for name in (RESULTS, PREPARED)))
    refuse_foreign_report(out / RESULTS)
    cohort = _prepared(args, models)
    with tqdm(desc="Predictions", unit="exam", file=sys.stderr, disable=args.quiet) as bar:

        def on_exam(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        content = validate(
            models,
            cohort,
            name=args.name,
            device=args.device,
            runtime=args.runtime,
            resamples=args.resamples,
            on_exam=on_exam,
        )
    report = write_validation_report(out / RESULTS, content, resamples=args.resamples)
    counts = content.counts
    print(
        f"{counts['cases']} exams of {counts['patients']} patients evaluated, {counts['censored']} censored, "
        f"{counts['excluded']} excluded."
    )
    for one in content.results:
        print(f"{one.label}: AUC {interval(one.out_of_fold['auc'])}, Brier score {interval(one.out_of_fold['brier'])}")
    for model in content.models:
        if not model.knows_training_patients:
            print(f"! {model.arm} does not list its training patients: shared patients were not detected.")
    print(f"Report: {report}")
    print(RESEARCH_USE_ONLY)
    return 0


def _prepared(args: argparse.Namespace, models: list[ModelFolder]) -> PreparedCohort:
    """The cohort, prepared under ``--out`` if it comes as scans."""
    from PCNSLSurvivalLib.cohorts.cohort import find_cohort
    from PCNSLSurvivalLib.cohorts.cohort_preparation import PreparationOptions, prepare_cohort
    from PCNSLSurvivalLib.cohorts.prepared_cohort import COHORT_FILE, read_prepared_cohort
    from PCNSLSurvivalLib.reports.cohort.contact_picture import draw_contact_picture

    path = args.cohort.absolute()
    # The cohorts of phantom hold a file of the same name.
    if (path / COHORT_FILE).is_file() and (path / "cases").is_dir():
        return read_prepared_cohort(path)
    found = find_cohort(path)
    sequences = tuple(dict.fromkeys(sequence for model in models for sequence in model.sequences))

    def report(outcome: object, done: int, total: int) -> None:
        if not args.quiet:
            print(f"{done}/{total} prepared", file=sys.stderr, flush=True)

    prepare_cohort(
        found,
        args.out.absolute() / PREPARED,
        PreparationOptions(sequences=sequences, use_brain_masks=args.use_brain_masks, recipe=models[0].recipe),
        draw=draw_contact_picture,
        jobs=args.jobs,
        report=report,
    )
    return read_prepared_cohort(args.out.absolute() / PREPARED)
