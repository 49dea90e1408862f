"""``pcnsl-survival segment``: propose an outline of the enhancing tumor on one T1Gd scan."""

from __future__ import annotations

import argparse
import json
import time

from PCNSLSurvivalLib.cli.clinic.predict import add_t1gd_alone
from PCNSLSurvivalLib.cli.display.progress import add_progress_option, listener_for
from PCNSLSurvivalLib.cli.options.case import add_case_options, case_options
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
    add_t1gd_alone(parser)
    add_case_options(parser, "segment")
    add_progress_option(parser)
    parser.set_defaults(run=run_segment)


def run_segment(args: argparse.Namespace) -> int:
    """Outline one scan, write mask and measures, and print them."""
    begin = time.perf_counter()
    from PCNSLSurvivalLib.core.storage.files import check_output_folder, whole_folder

    check_output_folder(args.out.absolute(), overwrite=args.overwrite)

    from PCNSLSurvivalLib.imaging.geometry import place_in_words
    from PCNSLSurvivalLib.inference.segment import load_reader, segment_case
    from PCNSLSurvivalLib.results.lesion_proposal import MASK, write_segment_folder

    reader = load_reader(args.device)
    with whole_folder(args.out, overwrite=args.overwrite) as staging:
        result = segment_case(args.t1gd, reader, case_options(args), listener_for(args.progress))
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
