"""``pcnsl-survival install-brain-extractor``: download the brain extraction model."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_install_brain_extractor_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command to the command line."""
    parser = commands.add_parser(
        "install-brain-extractor", help="download the brain extraction model (deepbet 1.0.2, MIT, 10 MB)"
    )
    parser.add_argument(
        "--wheels", type=Path, default=None, help="folder that contains the deepbet wheel; pip downloads it if left out"
    )
    parser.set_defaults(run=run_install_brain_extractor)


def run_install_brain_extractor(args: argparse.Namespace) -> int:
    """Install the networks, or find them in place."""
    from PCNSLSurvivalLib.preprocessing.steps.brain_extraction import brain_extractor

    brain_extractor().install(args.wheels)
    print("The brain extraction model is installed.")
    return 0
