"""``pcnsl-survival finetune``: one network on everybody of a cohort, packed as a model folder."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from PCNSLSurvivalLib.cli.display.training import EpochProgress, what_came_out
from PCNSLSurvivalLib.cli.options.training import add_training_options, plan_of, sequence_of

if TYPE_CHECKING:
    from PCNSLSurvivalLib.experiment.plan import Training


def add_finetune_command(commands: argparse._SubParsersAction) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "finetune",
        help="train a network on everybody of a cohort, from a start, and pack it as a model",
        description="Train one network on everybody of a prepared cohort, from what 'pretrain' made, and pack it as a "
        "model folder. Nobody is held back, so nothing is known of how well it does: cross-validate tells that. "
        "Stopped at any point, the same command goes on there. Started by torchrun, several GPUs train it together.",
    )
    parser.add_argument(
        "--start", type=Path, metavar="START", help="what 'pretrain' made, or MedicalNet's file; else from scratch"
    )
    add_training_options(parser, out="folder to make: training/ and model/")
    parser.set_defaults(run=run_finetune)


def run_finetune(args: argparse.Namespace) -> int:
    """Train, or find it done; pack the model, and say where it is."""
    from PCNSLSurvivalLib.cohorts.prepared_cohort import read_prepared_cohort
    from PCNSLSurvivalLib.core.errors import ExperimentError
    from PCNSLSurvivalLib.core.terms import ONE_YEAR_DAYS
    from PCNSLSurvivalLib.experiment.finetuned_model import write_finetuned_model
    from PCNSLSurvivalLib.experiment.full_cohort import train_on_everybody
    from PCNSLSurvivalLib.experiment.initial_weights import read_start
    from PCNSLSurvivalLib.models.write_model_folder import refuse_foreign_model
    from PCNSLSurvivalLib.training.processes import training_processes

    with training_processes(args.device) as processes:
        plan, sequence = plan_of(args), sequence_of(args)
        cohort = read_prepared_cohort(args.cohort.absolute())
        plan = plan.on(cohort)
        start = read_start(args.start) if args.start else None
        if start is not None:
            start.refuse_unfit(plan, cohort)
            if start.sequence not in (sequence, None):
                raise ExperimentError(
                    f"The start looks at {start.sequence.label}, the training at {sequence.label}. Choose the same "
                    "with --sequence."
                )
        if plan.threshold_days != ONE_YEAR_DAYS:
            raise ExperimentError(
                "A model folder gives the probability of OS over one year, and 'threshold_days' is "
                f"{plan.threshold_days:g}: finetune would leave nothing that can be used. Leave 'threshold_days' out "
                "of the experiment file, or judge such networks with cross-validate."
            )
        out = args.out.absolute()
        refuse_foreign_model(out / "model")
        training: Training = "training" if start is None else "finetuning"
        with EpochProgress(plan.settings_of(training), quiet=args.quiet) as progress:
            unit = train_on_everybody(
                plan,
                cohort,
                sequence,
                training=training,
                arm=f"{sequence}_{'scratch' if start is None else 'transfer'}",
                out=out / "training",
                start=None if start is None else start.tensors(plan),
                start_trained_on=None if start is None else start.trained_on,
                processes=processes,
                on_epoch=progress,
            )
        if processes.first:
            print(what_came_out(unit))
            write_finetuned_model(plan, cohort, unit, start, out / "model")
            print(f"Model: {args.out / 'model'}. Give it to predict with --model.", flush=True)
    return 0
