"""``pcnsl-survival finetune``: train one network on a full cohort and pack it as a model folder."""

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
        help="train a network on a full cohort and pack it as a model",
        description="Train one network on a full prepared cohort, from initial weights or from scratch, and pack it as "
        "a model folder. Without a held-out set, no performance estimate is available; cross-validate gives one. An "
        "interrupted run resumes with the same command. Run the command with torchrun to use several GPUs.",
    )
    parser.add_argument(
        "--init-weights",
        type=Path,
        metavar="PATH",
        help="initial weights: a folder of 'pretrain', a file of MedicalNet or BrainIAC, or the word deepbet; random "
        "if left out",
    )
    add_training_options(parser, out="output folder: training/ and model/")
    parser.set_defaults(run=run_finetune)


def run_finetune(args: argparse.Namespace) -> int:
    """Train, or find the training finished; pack the model, and print where it is."""
    from PCNSLSurvivalLib.cohorts.prepared_cohort import read_prepared_cohort
    from PCNSLSurvivalLib.core.errors import ExperimentError
    from PCNSLSurvivalLib.core.messages import Message
    from PCNSLSurvivalLib.core.terms import ONE_YEAR_DAYS
    from PCNSLSurvivalLib.experiment.full_cohort import FullCohortJob, train_on_full_cohort
    from PCNSLSurvivalLib.experiment.initial_weights import read_initial_weights
    from PCNSLSurvivalLib.experiment.model.finetuned import write_finetuned_model
    from PCNSLSurvivalLib.models.write_model_folder import refuse_foreign_model
    from PCNSLSurvivalLib.training.job import FROM_SCRATCH, StartingPoint
    from PCNSLSurvivalLib.training.processes import training_processes

    with training_processes(args.device) as processes:
        plan, sequence = plan_of(args), sequence_of(args)
        cohort = read_prepared_cohort(args.cohort.absolute())
        plan = plan.on(cohort)
        weights = read_initial_weights(args.init_weights) if args.init_weights else None
        if weights is not None:
            weights.refuse_unfit(plan, cohort)
            if weights.sequence not in (sequence, None):
                raise ExperimentError(
                    Message("initial_weights.other_sequence", trained=weights.sequence, sequence=sequence)
                )
        if plan.threshold_days != ONE_YEAR_DAYS:
            raise ExperimentError(Message("experiment.finetune_other_threshold", days=plan.threshold_days))
        out = args.out.absolute()
        refuse_foreign_model(out / "model")
        training: Training = "training" if weights is None else "finetuning"
        arm = f"{sequence}_{'scratch' if weights is None else 'transfer'}"
        with EpochProgress(plan.settings_of(training), quiet=args.quiet) as progress:
            job = train_on_full_cohort(
                plan,
                cohort,
                FullCohortJob(sequence=sequence, training=training, arm=arm),
                out=out / "training",
                start=FROM_SCRATCH
                if weights is None
                else StartingPoint(weights=weights.tensors(plan), trained_on=weights.trained_on),
                processes=processes,
                on_epoch=progress,
            )
        if processes.first:
            print(what_came_out(job))
            write_finetuned_model(plan, cohort, job, weights, out / "model")
            print(f"Model: {args.out / 'model'}. Use it with predict --model.", flush=True)
    return 0
