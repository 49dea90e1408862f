"""``pcnsl-survival explain``: a prediction with a choice of maps, the attribution by region, and sanity checks."""

from __future__ import annotations

import argparse
from pathlib import Path

from PCNSLSurvivalLib.cli.clinic.predict import (
    add_lesion_mask_option,
    add_prepared_option,
    add_result_options,
    add_scan_options,
    run_predict,
)
from PCNSLSurvivalLib.core.terms import RESEARCH_USE_ONLY, OSClass
from PCNSLSurvivalLib.models.networks.designs import FINER_BLOCKS, MAP_BLOCK


def add_explain_command(commands: argparse._SubParsersAction) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "explain",
        help="predict, choose the target of the map, and check the explanation",
        description="Predict one patient, compute the map of either class at any block, attribute the log-odds by "
        f"region, and run sanity checks on the map. {RESEARCH_USE_ONLY}",
    )
    add_scan_options(parser)
    add_prepared_option(parser)
    add_result_options(parser)
    maps = parser.add_argument_group("the map")
    maps.add_argument(
        "--target",
        type=_target,
        default=None,
        metavar="{predicted,over,up-to}",
        help="target class of the map: the predicted class, OS over one year, or OS up to one year",
    )
    maps.add_argument(
        "--block",
        choices=(MAP_BLOCK, *FINER_BLOCKS),
        default=MAP_BLOCK,
        help="network block of the map; earlier blocks have a finer resolution",
    )
    maps.add_argument(
        "--method",
        choices=("grad_cam", "hires_cam", "layer_cam"),
        default="grad_cam",
        help="Grad-CAM, HiResCAM or LayerCAM",
    )
    add_lesion_mask_option(maps)
    maps.add_argument(
        "--check",
        dest="check_explanation",
        action="store_true",
        help="test the explanation: randomized weights, deletion and insertion, repeatability, members, lesion",
    )
    maps.add_argument(
        "--without-lesion",
        action="store_true",
        help="predict again after the lesion (or another region given as a mask) is filled from its surroundings, and "
        "after a control region of equal size beside it is filled",
    )
    maps.add_argument(
        "--robustness",
        action="store_true",
        help="predict about 45 disturbed copies: shading, noise, a turned head, other brain outlines; reports the "
        "range of the probability and where the class changes",
    )
    maps.add_argument(
        "--other-brain-mask",
        type=Path,
        metavar="FILE",
        help="brain mask of another program on the T1Gd voxel grid, for --robustness",
    )
    parser.set_defaults(run=lambda args: run_explain(parser, args))


def run_explain(parser: argparse.ArgumentParser, args: argparse.Namespace) -> int:
    """Predict with the checks that were asked for."""
    if args.other_brain_mask is not None and not args.robustness:
        parser.error("--other-brain-mask is one of the disturbances of --robustness; give both, or neither")
    return run_predict(args)


def _target(text: str) -> OSClass | None:
    targets = {"predicted": None, "over": OSClass.OVER_ONE_YEAR, "up-to": OSClass.UP_TO_ONE_YEAR}
    if text not in targets:
        raise argparse.ArgumentTypeError(f"choose from {', '.join(targets)}")
    return targets[text]
