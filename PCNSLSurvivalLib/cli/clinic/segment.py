"""``pcnsl-survival segment``: propose an outline of the enhancing tumor on one T1Gd scan."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from PCNSLSurvivalLib.cli.display.progress import add_progress_option, listener_for
from PCNSLSurvivalLib.cli.options.case import add_inference_device
from PCNSLSurvivalLib.core.terms import RESEARCH_USE_ONLY


def add_segment_command(commands: argparse._SubParsersAction) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "segment",
        help="propose an outline of the enhancing tumor on a T1Gd scan, with its volume and diameters",
        description="Proposal of the enhancing tumor on a post-contrast T1 scan (T1Gd), made by a network that was "
        "trained on virtual heads only: mask on the scan's own voxels, volume, foci and diameters. Check and correct "
        f"it. {RESEARCH_USE_ONLY}",
    )
    scan = "NIfTI, NRRD or MetaImage file, or folder with one DICOM series; whole head or skull-stripped"
    parser.add_argument("--t1gd", type=Path, required=True, metavar="SCAN", help=f"post-contrast T1: {scan}")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="output folder")
    parser.add_argument("--overwrite", action="store_true", help="replace the content of DIR")
    parser.add_argument("--cache-dir", type=Path, metavar="DIR", help="cache of the slow preprocessing steps")
    parser.add_argument("--brain-mask", type=Path, metavar="FILE", help="brain mask on the T1Gd voxel grid")
    parser.add_argument(
        "--already-stripped", action="store_true", help="the scan is skull-stripped: 0 outside the brain"
    )
    parser.add_argument("--already-corrected", action="store_true", help="the scan is bias-corrected")
    parser.add_argument("--override-quality", action="store_true", help="continue despite failed quality checks")
    add_inference_device(parser)
    add_progress_option(parser)
    parser.set_defaults(run=run_segment)


def run_segment(args: argparse.Namespace) -> int:
    """Outline one scan, write mask and measures, and print them."""
    begin = time.perf_counter()
    from PCNSLSurvivalLib.core.storage.files import check_output_folder, whole_folder

    check_output_folder(args.out.absolute(), overwrite=args.overwrite)

    from PCNSLSurvivalLib.imaging.geometry import place_in_words
    from PCNSLSurvivalLib.inference.segment import SegmentOptions, load_reader, segment_case
    from PCNSLSurvivalLib.results.lesion_proposal import MASK, write_segment_folder

    options = SegmentOptions(
        already_stripped=args.already_stripped,
        already_corrected=args.already_corrected,
        device=args.device,
        brain_mask=args.brain_mask,
        override_quality=args.override_quality,
        cache_dir=args.cache_dir,
    )
    reader = load_reader(args.device)
    with whole_folder(args.out, overwrite=args.overwrite) as staging:
        result = segment_case(args.t1gd, reader, options, listener_for(args.progress))
        stored = write_segment_folder(result, staging)
    seconds = time.perf_counter() - begin
    if args.progress == "json":
        print(json.dumps({"type": "result", "seconds": round(seconds, 1), "proposal": stored}), flush=True)
        return 0
    print()
    for warning in stored["warnings"]:
        print(f"! {warning['sentence']}")
    print(stored["message"]["sentence"])
    for number, focus in enumerate(stored["foci"], start=1):
        diameters = focus["diameters"]
        center = " ".join(place_in_words(axis, mm) for axis, mm in enumerate(focus["center_ras_mm"]))
        print(
            f"  {number}. {focus['volume_ml']:.1f} mL, {diameters['longest_mm']:.0f} x "
            f"{diameters['perpendicular_mm']:.0f} mm, {focus['side']}, center {center} mm"
        )
    print(f"Reader: {stored['reader']['name']} {stored['reader']['version']}. {RESEARCH_USE_ONLY}")
    print(f"Done in {seconds:.0f} s. Mask: {args.out / MASK}")
    return 0
