"""``pcnsl-survival baselines``: clinical and radiomics baselines on the same folds as the networks."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PCNSLSurvivalLib.cli.options.numbers import HIGHEST_SEED, LONGEST_DAYS, MOST_JOBS, decimal_number, whole_number
from PCNSLSurvivalLib.core.terms import ONE_YEAR_DAYS

if TYPE_CHECKING:
    from PCNSLSurvivalLib.cohorts.case import CohortCase
    from PCNSLSurvivalLib.cohorts.prepared_cohort import PreparedExam
    from PCNSLSurvivalLib.cohorts.splits import Fold


def add_baselines_command(commands: argparse._SubParsersAction) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "baselines",
        help="clinical and radiomics baselines by cross-validation",
        description="Cross-validate linear SVM and logistic regression on the IELSG variables and score and, where the "
        "cohort is prepared, SVM on radiomics. Write predictions.csv, every table and every figure.",
    )
    parser.add_argument(
        "cohort",
        type=Path,
        metavar="COHORT",
        help="cohort as for preprocess; ignored with --prepared, which contains survival and clinical variables",
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="output folder for results and cached features"
    )
    parser.add_argument(
        "--prepared", type=Path, metavar="DIR", help="prepared cohort; without it, only clinical baselines are run"
    )
    parser.add_argument(
        "--folds", type=whole_number(2, 1000), default=5, metavar="K", help="number of folds (default 5)"
    )
    parser.add_argument(
        "--repeats", type=whole_number(1, 1000), default=2, metavar="R", help="number of repetitions (default 2)"
    )
    parser.add_argument(
        "--seed", type=whole_number(0, HIGHEST_SEED), default=12, help="random seed of the folds (default 12)"
    )
    parser.add_argument(
        "--threshold-days",
        type=decimal_number(1, LONGEST_DAYS),
        default=ONE_YEAR_DAYS,
        metavar="DAYS",
        help="threshold of the OS classes",
    )
    parser.add_argument(
        "--radiomics-region",
        choices=("auto", "lesion", "brain"),
        default="auto",
        help="region for radiomics, the same in all patients (default: lesion if all patients have a lesion mask, "
        "brain if none has)",
    )
    parser.add_argument(
        "--jobs",
        type=whole_number(1, MOST_JOBS),
        default=1,
        metavar="N",
        help="number of scans processed in parallel for radiomics",
    )
    parser.set_defaults(run=run_baselines)


def run_baselines(args: argparse.Namespace) -> int:
    """Cross-validate every baseline that the cohort allows, and write the report."""
    from PCNSLSurvivalLib.cohorts.cohort import find_cohort
    from PCNSLSurvivalLib.cohorts.prepared_cohort import read_prepared_cohort
    from PCNSLSurvivalLib.core.errors import EvaluationError
    from PCNSLSurvivalLib.evaluation.baselines.arms import CLINICAL_ARMS, RADIOMICS_ARMS, baseline_table
    from PCNSLSurvivalLib.evaluation.baselines.extraction import extract_radiomics
    from PCNSLSurvivalLib.evaluation.baselines.radiomics import RadiomicsStep
    from PCNSLSurvivalLib.evaluation.baselines.region import radiomics_region
    from PCNSLSurvivalLib.evaluation.baselines.run import run_baseline
    from PCNSLSurvivalLib.models.networks.time_head import TimeHead
    from PCNSLSurvivalLib.reports.experiment.facts import ExperimentFacts, outcomes_of
    from PCNSLSurvivalLib.reports.experiment.methods.baselines import baselines_in_words, clinical_predictors
    from PCNSLSurvivalLib.reports.experiment.report import ArmsShown, refuse_foreign_report, write_experiment_report

    out, days = args.out.absolute(), args.threshold_days
    refuse_foreign_report(out / "results")
    cohort = read_prepared_cohort(args.prepared) if args.prepared else None
    prepared = cohort.exams if cohort is not None else ()
    found = None if prepared else find_cohort(args.cohort.absolute())
    with_survival = tuple(one for one in (prepared if found is None else found.cases) if one.os_days is not None)
    folds = _folds(with_survival, args)
    curve_days = tuple(sorted({*TimeHead().limits_days, float(days)}))
    sequences = [
        arm.sequence
        for arm in RADIOMICS_ARMS
        if arm.sequence is not None and prepared and all(arm.sequence in one.sequences for one in prepared)
    ]
    patients = tuple(one for one in prepared if one in with_survival)
    step = RadiomicsStep(region=radiomics_region(patients, args.radiomics_region)) if sequences else None
    if step is not None:
        extract_radiomics(patients, sequences, out / "radiomics", step, jobs=args.jobs, report=_scans_done)
    predictions, judged = [], []
    for arm in (*CLINICAL_ARMS, *(arm for arm in RADIOMICS_ARMS if arm.sequence in sequences)):
        try:
            table = baseline_table(arm, with_survival, cache=out / "radiomics", threshold_days=days, step=step)
            of_arm = [
                run_baseline(
                    arm.name, arm.classifier, table, fold, seed=args.seed, days=curve_days, class_days=float(days)
                )
                for fold in folds
            ]
        except EvaluationError as problem:
            if arm.sequence is not None:
                raise
            print(f"{arm.label} is excluded. {problem}", file=sys.stderr)
            continue
        predictions += of_arm
        judged.append(arm)
        print(f"{arm.label}: {len(folds)} folds done", file=sys.stderr, flush=True)
    report = write_experiment_report(
        out / "results",
        predictions,
        outcomes=outcomes_of(with_survival),
        facts=ExperimentFacts(
            virtual=any(one is not None and one.virtual for one in (cohort, found)),
            threshold_days=days,
            seed=args.seed,
            learns_from_time=any(arm.classifier == "cox" for arm in judged),
            learns_classes=any(arm.classifier != "cox" for arm in judged),
            predictors=(*(sequence.label for sequence in sequences), *clinical_predictors(judged)),
            baselines=baselines_in_words(judged, "lesion" if step is None else step.region),
        ),
        shown=ArmsShown(labels={arm.name: arm.label for arm in judged}),
        overwrite=True,
    )
    print(f"Results: {report}")
    return 0


def _scans_done(done: int, total: int) -> None:
    print(f"Radiomics: {done}/{total} scans", file=sys.stderr, flush=True)


def _folds(with_survival: Sequence[PreparedExam | CohortCase], args: argparse.Namespace) -> tuple[Fold, ...]:
    """The splits of the patients with known survival, as the options say."""
    from PCNSLSurvivalLib.cohorts.splits import add_censored, repeated_stratified_folds

    # Censored patients enter the survival analysis; patients without known survival do not.
    classes = {one.name: c for one in with_survival if (c := one.os_class(args.threshold_days)) is not None}
    labeled = [one for one in with_survival if one.name in classes]
    folds = repeated_stratified_folds(
        [one.name for one in labeled],
        [one.patient_id for one in labeled],
        [int(classes[one.name]) for one in labeled],
        splits=args.folds,
        repeats=args.repeats,
        seed=args.seed,
    )
    return add_censored(
        folds,
        {one.name: one.patient_id for one in with_survival if one.name not in classes},
        {one.name: one.patient_id for one in labeled},
        seed=args.seed,
    )
