"""``pcnsl-survival pretrain``: one network on everybody of a cohort, as the start of other trainings."""

from __future__ import annotations

import argparse

from PCNSLSurvivalLib.cli.display.training import EpochProgress, what_came_out
from PCNSLSurvivalLib.cli.options.training import add_training_options, plan_of, sequence_of


def add_pretrain_command(commands: argparse._SubParsersAction) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "pretrain",
        help="train a network for OS class on a large cohort, as a start for others",
        description="Train one network for OS class on everybody of a prepared cohort, such as BraTS2020. Its folder "
        "is what --start of finetune, cross-validate and experiment takes. Stopped at any point, the same command goes "
        "on there. Started by torchrun, several GPUs train it together.",
    )
    add_training_options(parser, out="folder of the start")
    parser.set_defaults(run=run_pretrain)


def run_pretrain(args: argparse.Namespace) -> int:
    """Train, or find it done, and say what came out."""
    from PCNSLSurvivalLib.cohorts.prepared_cohort import read_prepared_cohort
    from PCNSLSurvivalLib.experiment.full_cohort import train_on_everybody
    from PCNSLSurvivalLib.training.processes import training_processes

    with training_processes(args.device) as processes:
        plan, sequence = plan_of(args), sequence_of(args)
        with EpochProgress(plan.settings_of("pretraining"), quiet=args.quiet) as progress:
            unit = train_on_everybody(
                plan,
                read_prepared_cohort(args.cohort.absolute()),
                sequence,
                training="pretraining",
                arm=f"{sequence}_pretraining",
                out=args.out.absolute(),
                processes=processes,
                on_epoch=progress,
            )
        if processes.first:
            print(what_came_out(unit))
            print(f"Start: {args.out}. Give it to finetune, cross-validate or experiment with --start.", flush=True)
    return 0
