"""``pcnsl-survival model``: see, check, install and make model folders."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add_model_command(commands: Any) -> None:
    """Add ``model`` and its subcommands to the command line."""
    parser = commands.add_parser("model", help="see, check, install and make model folders")
    actions = parser.add_subparsers(title="actions", dest="action", required=True, metavar="ACTION")

    untrained = actions.add_parser("untrained", help="make a model folder with random weights, for trying the software")
    untrained.add_argument("--out", type=Path, required=True, help="folder to make; its name names the model")
    untrained.add_argument("--depth", type=int, default=10, choices=(10, 18, 34, 50), help="ResNet depth")
    untrained.add_argument("--width", type=float, default=0.25, help="share of the usual number of planes")
    untrained.add_argument("--conv1-stride", type=int, default=1, choices=(1, 2))
    untrained.add_argument(
        "--sequences", nargs="+", default=["t1gd"], choices=("t1gd", "t1", "t2"), help="input channels in order"
    )
    untrained.add_argument("--members", type=int, default=1, help="number of networks")
    untrained.add_argument("--seed", type=int, default=None)
    untrained.add_argument("--overwrite", action="store_true", help="replace a folder that holds files")
    untrained.set_defaults(run=run_model_untrained)


def run_model_untrained(args: argparse.Namespace) -> int:
    """Make an untrained model folder."""
    from PCNSLSurvivalLib.models.architecture import ResNetArchitecture
    from PCNSLSurvivalLib.models.untrained import SEED, write_untrained_model
    from PCNSLSurvivalLib.terms import Sequence

    architecture = ResNetArchitecture(
        depth=args.depth,
        channels=len(args.sequences),
        conv1_stride=args.conv1_stride,
        widen_factor=args.width,
    )
    write_untrained_model(
        args.out,
        architecture=architecture,
        sequences=tuple(Sequence(name) for name in args.sequences),
        members=args.members,
        seed=SEED if args.seed is None else args.seed,
        overwrite=args.overwrite,
    )
    print(f"Made the UNTRAINED model {args.out.name} ({architecture.name}). It has no prognostic meaning.")
    return 0
