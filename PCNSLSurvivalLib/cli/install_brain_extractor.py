"""``pcnsl-survival install-brain-extractor``: get the networks that outline the brain."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_install_brain_extractor_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command to the command line."""
    parser = commands.add_parser(
        "install-brain-extractor", help="get the networks that outline the brain (deepbet 1.0.2, MIT, 10 MB)"
    )
    parser.add_argument(
        "--wheels", type=Path, default=None, help="folder that holds the deepbet wheel; without it pip downloads it"
    )
    parser.set_defaults(run=run_install_brain_extractor)


def run_install_brain_extractor(args: argparse.Namespace) -> int:
    """Install the networks, or find them in place."""
    from PCNSLSurvivalLib.preprocessing.steps.brain_extractor_files import install_brain_extractor

    install_brain_extractor(args.wheels)
    print("The brain extraction networks are in place.")
    return 0
