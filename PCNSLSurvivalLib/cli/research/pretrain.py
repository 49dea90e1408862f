"""``pcnsl-survival pretrain``: train one network on a full cohort, as initial weights for other trainings."""

from __future__ import annotations

import argparse

from PCNSLSurvivalLib.cli.display.training import EpochProgress, what_came_out
from PCNSLSurvivalLib.cli.options.training import add_training_options, plan_of, sequence_of


def add_pretrain_command(commands: argparse._SubParsersAction) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "pretrain",
        help="train a network for OS class on a large cohort, as initial weights for others",
        description="Train one network for OS class on a full prepared cohort, such as BraTS2020. Pass its folder to "
        "finetune, cross-validate or experiment with --init-weights. An interrupted run resumes with the same command. "
        "Run the command with torchrun to use several GPUs.",
    )
    add_training_options(parser, out="output folder of the pre-training")
    parser.set_defaults(run=run_pretrain)


def run_pretrain(args: argparse.Namespace) -> int:
    """Train, or find the training finished, and print the result."""
    from PCNSLSurvivalLib.cohorts.prepared_cohort import read_prepared_cohort
    from PCNSLSurvivalLib.experiment.full_cohort import FullCohortJob, train_on_full_cohort
    from PCNSLSurvivalLib.training.processes import training_processes

    with training_processes(args.device) as processes:
        plan, sequence = plan_of(args), sequence_of(args)
        with EpochProgress(plan.settings_of("pretraining"), quiet=args.quiet) as progress:
            job = train_on_full_cohort(
                plan,
                read_prepared_cohort(args.cohort.absolute()),
                FullCohortJob(sequence=sequence, training="pretraining", arm=f"{sequence}_pretraining"),
                out=args.out.absolute(),
                processes=processes,
                on_epoch=progress,
            )
        if processes.first:
            print(what_came_out(job))
            print(
                f"Pre-trained weights: {args.out}. Use them with finetune, cross-validate or experiment "
                "--init-weights.",
                flush=True,
            )
    return 0
