"""``pcnsl-survival explain``: a prediction with a choice of maps, the attribution by region, and sanity checks."""

from __future__ import annotations

import argparse
from pathlib import Path

from PCNSLSurvivalLib.cli.predict import add_result_options, add_scan_options, run_predict
from PCNSLSurvivalLib.core.terms import RESEARCH_USE_ONLY, OSClass


def add_explain_command(commands: argparse._SubParsersAction) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "explain",
        help="predict, choose what the map explains, and check the explanation",
        description="Predict one patient, draw the map of either class and any block, book the evidence by region, and "
        f"test whether the map tells the truth. {RESEARCH_USE_ONLY}",
    )
    add_scan_options(parser)
    add_result_options(parser)
    maps = parser.add_argument_group("the map")
    maps.add_argument(
        "--target",
        type=_target,
        default=None,
        metavar="{predicted,over,up-to}",
        help="class the map explains: the predicted one, OS over one year, or OS up to one year",
    )
    maps.add_argument(
        "--block", choices=("layer4", "layer3", "layer2"), default="layer4", help="earlier blocks have finer cells"
    )
    maps.add_argument(
        "--method",
        choices=("grad_cam", "hires_cam", "layer_cam"),
        default="grad_cam",
        help="Grad-CAM, HiResCAM or LayerCAM",
    )
    maps.add_argument("--lesion-mask", type=Path, metavar="FILE", help="lesion mask on the voxels of T1Gd")
    maps.add_argument(
        "--check",
        dest="check_explanation",
        action="store_true",
        help="test the explanation: randomized weights, deletion and insertion, repeatability, members, lesion",
    )
    parser.set_defaults(run=run_predict)


def _target(text: str) -> OSClass | None:
    targets = {"predicted": None, "over": OSClass.OVER_ONE_YEAR, "up-to": OSClass.UP_TO_ONE_YEAR}
    if text not in targets:
        raise argparse.ArgumentTypeError(f"choose from {', '.join(targets)}")
    return targets[text]
