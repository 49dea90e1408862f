"""``pcnsl-survival cross-validate``: one method by repeated cross-validation, as an experiment of a single arm."""

from __future__ import annotations

import argparse
from pathlib import Path

from PCNSLSurvivalLib.cli.research.experiment import add_run_options, run_plan


def add_cross_validate_command(commands: argparse._SubParsersAction) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "cross-validate",
        help="cross-validate one network or baseline, repeatedly",
        description="Cross-validate one arm on a prepared cohort. Writes the report, the tables and, for a network, "
        "the model folder. An interrupted run resumes with the same command.",
    )
    parser.add_argument("cohort", type=Path, metavar="COHORT", help="prepared cohort")
    parser.add_argument(
        "--arm",
        default="t1gd_scratch",
        metavar="NAME",
        help="such as t1gd_scratch (the default), t1gd_transfer, t2_scratch, svm_clinical, svm_t1gd_radiomics",
    )
    parser.add_argument(
        "--plan",
        type=Path,
        metavar="PLAN",
        help="experiment file with folds, network and settings; defaults if left out",
    )
    add_run_options(parser)
    parser.set_defaults(run=run_cross_validate)


def run_cross_validate(args: argparse.Namespace) -> int:
    """Run the unfinished jobs of the arm, write its results, and print where they are."""
    from PCNSLSurvivalLib.experiment.plan import ExperimentPlan, read_plan

    plan = read_plan(args.plan) if args.plan else ExperimentPlan()
    return run_plan(plan.of_arm(args.arm), args)
