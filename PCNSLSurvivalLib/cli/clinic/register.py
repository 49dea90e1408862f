"""``pcnsl-survival register``: register the other scans to T1Gd, for reading them side by side."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PCNSLSurvivalLib.cli.clinic.predict import add_scan_files, scans_given
from PCNSLSurvivalLib.cli.display.progress import add_progress_option, listener_for
from PCNSLSurvivalLib.cli.options.case import add_case_options, case_options
from PCNSLSurvivalLib.core.terms import MRSequence

if TYPE_CHECKING:
    import SimpleITK as sitk

ALIGNMENT = "alignment.json"


def add_register_command(commands: argparse._SubParsersAction) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "register",
        help="register the other scans to T1Gd, without a prediction",
        description="Register the other scans to T1Gd by a rigid transform. Writes each scan on the T1Gd voxel grid, "
        "the transform as a 4 x 4 matrix, and a quality verdict.",
    )
    add_scan_files(parser)
    add_case_options(parser, "register")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="output folder for the registered scans")
    parser.add_argument("--overwrite", action="store_true", help="replace the content of DIR")
    parser.add_argument(
        "--override-quality", action="store_true", help="continue when a registration fails its quality check"
    )
    add_progress_option(parser)
    parser.set_defaults(run=run_register)


def run_register(args: argparse.Namespace) -> int:
    """Register the given scans, and write them."""
    from PCNSLSurvivalLib.core.errors import PreparationError
    from PCNSLSurvivalLib.core.messages import Message
    from PCNSLSurvivalLib.core.progress import StepClock
    from PCNSLSurvivalLib.core.storage.files import whole_folder
    from PCNSLSurvivalLib.imaging.io import read_mask_file, read_scan, write_volume
    from PCNSLSurvivalLib.imaging.quality import remark_findings
    from PCNSLSurvivalLib.preprocessing.alignment import align_scan
    from PCNSLSurvivalLib.preprocessing.recipe import RECIPE
    from PCNSLSurvivalLib.preprocessing.step_cache import StepStore

    given = {sequence: path for sequence, path in scans_given(args).items() if sequence is not MRSequence.T1GD}
    if not given:
        raise PreparationError(Message("register.nothing_given"))
    with whole_folder(args.out, overwrite=args.overwrite) as staging:
        fixed = read_scan(args.t1gd, MRSequence.T1GD)
        mask = None if args.brain_mask is None else read_mask_file(args.brain_mask, Message("word.brain_mask"))
        doubts = remark_findings(fixed.remarks, MRSequence.T1GD)
        doubts += () if mask is None else remark_findings(mask.remarks, None)
        stored: dict[str, Any] = {}
        for sequence, path in given.items():
            moving = read_scan(path, sequence)
            found = align_scan(
                {MRSequence.T1GD: fixed.image, sequence: moving.image},
                sequence,
                recipe=RECIPE,
                clock=StepClock(listener_for(args.progress)),
                known=case_options(args),
                brain_mask=None if mask is None else mask.image,
                override_quality=args.override_quality,
                store=None if args.cache_dir is None else StepStore(args.cache_dir),
            )
            write_volume(found.aligned, staging / f"{sequence}_aligned.nii.gz")
            stored[sequence.value] = {
                "file": f"{sequence}_aligned.nii.gz",
                "scan_to_t1gd_ras": matrix_to_t1gd(found.transform),
                "findings": [
                    finding.to_json()
                    for finding in (*doubts, *remark_findings(moving.remarks, sequence), *found.findings)
                ],
            }
            if args.progress != "json":
                print("\n".join(finding.sentence for finding in found.findings))
        text = json.dumps({"schema": "pcnsl-survival/alignment", "schema_version": "2.0", **stored}, indent=2)
        (staging / ALIGNMENT).write_text(text + "\n", encoding="utf-8")
    return 0


def matrix_to_t1gd(transform: sitk.Transform) -> list[list[float]]:
    """(4, 4) matrix from RAS mm of the scan to RAS mm of T1Gd, as Slicer's transforms have it.

    Args:
        transform: LPS points of T1Gd to LPS points of the scan; rigid.
    """
    import numpy as np

    from PCNSLSurvivalLib.imaging.geometry import lps_to_ras

    to_t1gd = transform.GetInverse()
    # Columns: where the origin and the tips of the three RAS axes go.
    points = [
        lps_to_ras(to_t1gd.TransformPoint(lps_to_ras(tip).tolist())) for tip in np.vstack([np.zeros(3), np.eye(3)])
    ]
    matrix = np.eye(4)
    matrix[:3, 3] = points[0]
    matrix[:3, :3] = np.stack([tip - points[0] for tip in points[1:]], axis=1)
    return [[float(value) for value in row] for row in matrix]
