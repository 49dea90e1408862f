"""``pcnsl-survival experiment``: the paper's experiment on your own cohorts: folds, tables, figures and a model."""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from PCNSLSurvivalLib.cli.display.training import JobProgress
from PCNSLSurvivalLib.cli.options.device import WORDS, device_name
from PCNSLSurvivalLib.cli.options.numbers import MOST_JOBS, whole_number

if TYPE_CHECKING:
    from PCNSLSurvivalLib.experiment.jobs.table import JobTable
    from PCNSLSurvivalLib.experiment.plan import ExperimentPlan


def add_experiment_command(commands: argparse._SubParsersAction) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "experiment",
        help="the paper's networks and baselines, cross-validated on your own cohorts",
        description="Cross-validate every arm of an experiment file, compare the arms, and pack a model. An "
        "interrupted run resumes with the same command and repeats no finished job.",
    )
    parser.add_argument("plan", type=Path, metavar="PLAN", help="experiment file (YAML); see Resources/experiments")
    parser.add_argument(
        "--cohort", type=Path, required=True, metavar="DIR", help="prepared cohort for cross-validation"
    )
    add_run_options(parser)
    parser.set_defaults(run=run_experiment)


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Options of every command that runs jobs."""
    before = parser.add_mutually_exclusive_group()
    before.add_argument(
        "--pretrain-cohort",
        type=Path,
        metavar="DIR",
        help="prepared cohort for pre-training; transfer arms need it or --init-weights",
    )
    before.add_argument(
        "--init-weights",
        type=Path,
        nargs="+",
        default=[],
        metavar="PATH",
        help="initial weights: one folder of 'pretrain' per sequence, or for all sequences a file of MedicalNet or "
        "BrainIAC, or the word deepbet",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="output folder for all results")
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--jobs",
        type=whole_number(1, MOST_JOBS),
        default=1,
        metavar="N",
        help="number of jobs run in parallel on this computer",
    )
    where.add_argument("--scheduler", metavar="ADDRESS", help="Dask scheduler whose workers see the same folders")
    parser.add_argument(
        "--device", type=device_name, default="auto", metavar="DEVICE", help=f"device for training: {WORDS}"
    )
    parser.add_argument("--dry-run", action="store_true", help="list arms, folds and excluded patients, then stop")
    parser.add_argument("--quiet", action="store_true", help="show no progress")


def run_experiment(args: argparse.Namespace) -> int:
    """Run the unfinished jobs of the experiment, write its results, and print where they are."""
    from PCNSLSurvivalLib.experiment.plan import read_plan

    return run_plan(read_plan(args.plan), args)


def _folds_in_words(plan: ExperimentPlan, job_table: JobTable) -> str:
    if plan.split_by == "year":
        return "the latest years held out"
    if plan.split_by == "site":
        return f"{len({(job.fold.repeat, job.fold.fold) for job in job_table.folds if job.fold})} folds, one per site"
    return f"{plan.splits} folds x {plan.repeats}"


def run_plan(plan: ExperimentPlan, args: argparse.Namespace) -> int:
    """Run the unfinished jobs of a plan with the options of ``add_run_options``."""
    from PCNSLSurvivalLib.cohorts.prepared_cohort import read_prepared_cohort
    from PCNSLSurvivalLib.core.errors import ExperimentError
    from PCNSLSurvivalLib.core.messages import Message
    from PCNSLSurvivalLib.experiment.initial_weights import read_initial_weights
    from PCNSLSurvivalLib.experiment.jobs.table import refuse_too_few
    from PCNSLSurvivalLib.experiment.results import MODEL, refuse_foreign_results, write_results
    from PCNSLSurvivalLib.experiment.run import Experiment, lock_experiment_folder, run_jobs

    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise ExperimentError(Message("experiment.no_torchrun"))
    begin = time.perf_counter()
    cohort = read_prepared_cohort(args.cohort.absolute())
    plan = plan.on(cohort)
    experiment = Experiment(
        plan=plan,
        cohort=cohort,
        second=read_prepared_cohort(args.pretrain_cohort.absolute()) if args.pretrain_cohort else None,
        out=args.out.absolute(),
        initial_weights=tuple(read_initial_weights(folder) for folder in args.init_weights),
    )
    job_table = experiment.job_table
    _announce(plan, job_table, makes_none_beside=not plan.makes_model and (experiment.out / MODEL).exists())
    refuse_foreign_results(experiment)
    if args.dry_run:
        _list_participants(plan, job_table)
    refuse_too_few(plan, job_table)
    if args.dry_run:
        return 0
    with lock_experiment_folder(experiment.out):
        with JobProgress(plan, len(job_table.jobs), quiet=args.quiet) as progress:
            summary = run_jobs(
                experiment,
                parallel=args.jobs,
                scheduler=args.scheduler,
                device=args.device,
                report=progress.on_outcome,
                on_epoch=progress.on_epoch,
            )
        counts = summary.counts
        print(
            f"{counts['done']} jobs finished, {counts['cached']} already finished (skipped), "
            f"{counts['failed']} failed, in {time.perf_counter() - begin:.0f} s.",
            flush=True,
        )
        report = write_results(experiment, summary, tell=print)
        if report is not None:
            print(f"Report: {report}")
    summary.raise_if_failed()
    return 0


def _announce(plan: ExperimentPlan, job_table: JobTable, *, makes_none_beside: bool) -> None:
    """What will be done, and whether a model comes out of it."""
    from PCNSLSurvivalLib.experiment.results import MODEL

    people = job_table.patients
    print(
        f"{len(plan.arm_names)} arms, {_folds_in_words(plan, job_table)}, {len(job_table.jobs)} jobs. "
        f"{len(people.labeled)} patients with an OS class, {len(people.censored)} censored before the threshold, "
        f"{len(people.left_out)} excluded.",
        flush=True,
    )
    if plan.virtual_patients:
        print("The patients are virtual: the report says so, and a model is a demonstration.", flush=True)
    if plan.split_by != "random" and plan.model_arm is not None:
        print(f"No model folder will be made: 'split_by' is {plan.split_by}.", flush=True)
    elif plan.model_arm is not None and not plan.makes_model:
        print(
            f"No model folder will be made: a model predicts one-year OS only, and 'threshold_days' is "
            f"{plan.threshold_days:g}.",
            flush=True,
        )
    if makes_none_beside:
        print(f"This run makes no model: {MODEL}/ in the output folder belongs to an earlier run.", flush=True)


def _list_participants(plan: ExperimentPlan, job_table: JobTable) -> None:
    """Arms, what the cohort is large enough for, and who takes no part."""
    from PCNSLSurvivalLib.evaluation.baselines.clinical import IELSG_VARIABLES
    from PCNSLSurvivalLib.evaluation.sample_size import plan_in_words

    people = job_table.patients
    print(f"Arms: {', '.join(plan.arm_names)}.")
    over = sum(bool(exam.os_class(plan.threshold_days)) for exam in people.labeled)
    clinical = any(arm.sequence is None and not arm.score_only for arm in plan.baseline_arms)
    predictors = len(IELSG_VARIABLES) if clinical else 0
    print(plan_in_words(over, len(people.labeled) - over, plan.splits, clinical_predictors=predictors))
    for title, group in (
        ("In no fold", people),
        ("Not in the pre-training, or without OS class", job_table.second),
    ):
        reasons = group.in_no_fold(learns_from_time=plan.learns_from_time) if group is not None else {}
        if reasons:
            print("\n".join((f"{title}:", *(f"  {name}: {why}" for name, why in reasons.items()))))
