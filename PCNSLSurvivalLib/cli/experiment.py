"""``pcnsl-survival experiment``: the paper's grid on your own cohorts, from folds to tables, figures and a model."""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from PCNSLSurvivalLib.cli.display.training import UnitProgress
from PCNSLSurvivalLib.cli.options.device import WORDS, device_name
from PCNSLSurvivalLib.cli.options.numbers import whole_number

if TYPE_CHECKING:
    from PCNSLSurvivalLib.experiment.plan import ExperimentPlan


def add_experiment_command(commands: argparse._SubParsersAction) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "experiment",
        help="the paper's grid of networks and baselines on your own cohorts",
        description="Cross-validate every arm of an experiment file, compare the arms, and pack a model. Stopped at "
        "any point, the same command goes on there and repeats nothing that is finished.",
    )
    parser.add_argument("plan", type=Path, metavar="PLAN", help="experiment file (YAML); see Resources/experiments")
    parser.add_argument(
        "--cohort", type=Path, required=True, metavar="DIR", help="prepared cohort that is cross-validated"
    )
    add_run_options(parser)
    parser.set_defaults(run=run_experiment)


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Options of every command that runs units."""
    before = parser.add_mutually_exclusive_group()
    before.add_argument(
        "--brats", type=Path, metavar="DIR", help="prepared cohort to pre-train on; transfer needs it or --start"
    )
    before.add_argument(
        "--start",
        type=Path,
        nargs="+",
        default=[],
        metavar="START",
        help="what 'pretrain' made, one a sequence, or MedicalNet's file for all of them",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of all results")
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--jobs", type=whole_number(1), default=1, metavar="N", help="units at the same time on this computer"
    )
    where.add_argument("--scheduler", metavar="ADDRESS", help="Dask scheduler whose workers see the same folders")
    parser.add_argument(
        "--device", type=device_name, default="auto", metavar="DEVICE", help=f"of the networks: {WORDS}"
    )
    parser.add_argument("--dry-run", action="store_true", help="tell the arms, the folds and who is left out, and stop")
    parser.add_argument("--quiet", action="store_true", help="no progress")


def run_experiment(args: argparse.Namespace) -> int:
    """Run what is missing of the experiment, write its results, and say where they are."""
    from PCNSLSurvivalLib.experiment.plan import read_plan

    return run_plan(read_plan(args.plan), args)


def run_plan(plan: ExperimentPlan, args: argparse.Namespace) -> int:
    """Run what is missing of a plan with the options of ``add_run_options``."""
    from PCNSLSurvivalLib.cohorts.prepared_cohort import read_prepared_cohort
    from PCNSLSurvivalLib.core.errors import ExperimentError
    from PCNSLSurvivalLib.experiment.initial_weights import read_start
    from PCNSLSurvivalLib.experiment.results import MODEL, refuse_foreign_results, write_results
    from PCNSLSurvivalLib.experiment.run import Experiment, folder_at_work, run_units

    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise ExperimentError(
            "torchrun trains one network on several devices: use it with 'pretrain' or 'finetune'. Units of an "
            "experiment are run side by side with --jobs or --scheduler."
        )
    begin = time.perf_counter()
    cohort = read_prepared_cohort(args.cohort.absolute())
    plan = plan.on(cohort)
    experiment = Experiment(
        plan=plan,
        cohort=cohort,
        second=read_prepared_cohort(args.brats.absolute()) if args.brats else None,
        out=args.out.absolute(),
        starts=tuple(read_start(folder) for folder in args.start),
    )
    grid = experiment.grid
    people = grid.patients
    print(
        f"{len(plan.arm_names)} arms, {plan.splits} folds x {plan.repeats}, {len(grid.units)} units. "
        f"{len(people.labeled)} patients with an OS class, {len(people.censored)} censored before the threshold, "
        f"{len(people.left_out)} left out.",
        flush=True,
    )
    if plan.virtual_patients:
        print("The patients are virtual: the report says so, and a model is a demonstration.", flush=True)
    if plan.model_arm is not None and not plan.makes_model:
        print(
            f"No model folder will be made: it can say OS over one year only, and 'threshold_days' is "
            f"{plan.threshold_days:g}.",
            flush=True,
        )
    if not plan.makes_model and (experiment.out / MODEL).exists():
        print(f"This run makes no model: {MODEL}/ in the output folder is of an earlier one.", flush=True)
    refuse_foreign_results(experiment)
    if args.dry_run:
        print(f"Arms: {', '.join(plan.arm_names)}.")
        for title, group in (("In no fold", people), ("Not in the pre-training, or without OS class", grid.second)):
            if group is not None and group.without_class:
                print("\n".join((f"{title}:", *(f"  {name}: {why}" for name, why in group.without_class.items()))))
        return 0
    with folder_at_work(experiment.out):
        with UnitProgress(plan, len(grid.units), quiet=args.quiet) as progress:
            work = run_units(
                experiment,
                jobs=args.jobs,
                scheduler=args.scheduler,
                device=args.device,
                report=progress.on_outcome,
                on_epoch=progress.on_epoch,
            )
        counts = work.counts
        print(
            f"{counts['done']} units done now, {counts['found']} found finished, {counts['failed']} failed, "
            f"in {time.perf_counter() - begin:.0f} s.",
            flush=True,
        )
        report = write_results(experiment, work, tell=print)
        if report is not None:
            print(f"Report: {report}")
    work.raise_if_failed()
    return 0
