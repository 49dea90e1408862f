"""Options shared by the commands that train one network."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from PCNSLSurvivalLib.cli.options.device import WORDS, device_name
from PCNSLSurvivalLib.core.terms import MRSequence

if TYPE_CHECKING:
    from PCNSLSurvivalLib.experiment.plan import ExperimentPlan


def add_training_options(parser: argparse.ArgumentParser, *, out: str) -> None:
    """Add the options; ``out`` says what --out is."""
    parser.add_argument("cohort", type=Path, metavar="COHORT", help="prepared cohort")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help=out)
    parser.add_argument(
        "--sequence",
        choices=[str(s) for s in MRSequence],
        default=str(MRSequence.T1GD),
        help="input sequence of the network",
    )
    parser.add_argument(
        "--plan", type=Path, metavar="PLAN", help="experiment file with network and settings; defaults if left out"
    )
    parser.add_argument(
        "--device", type=device_name, default="auto", metavar="DEVICE", help=f"device for training: {WORDS}"
    )
    parser.add_argument("--quiet", action="store_true", help="show no progress")


def plan_of(args: argparse.Namespace) -> ExperimentPlan:
    """The experiment file that was given, or the default plan."""
    from PCNSLSurvivalLib.experiment.plan import ExperimentPlan, read_plan

    return read_plan(args.plan) if args.plan else ExperimentPlan()


def sequence_of(args: argparse.Namespace) -> MRSequence:
    """The sequence that was chosen."""
    return MRSequence(args.sequence)
