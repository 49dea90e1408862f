"""``pcnsl-survival regions``: the brain regions of an atlas, registered to one T1Gd scan."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from PCNSLSurvivalLib.cli.display.progress import add_progress_option, listener_for
from PCNSLSurvivalLib.core.terms import RESEARCH_USE_ONLY


def add_regions_command(commands: argparse._SubParsersAction) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "regions",
        help="brain regions of your own atlas on a T1Gd scan",
        description="Register an atlas of brain regions to a post-contrast T1 scan (T1Gd) by an affine transform. "
        "Writes the regions only if the registration passes its checks. "
        f"{RESEARCH_USE_ONLY}",
    )
    scan = "NIfTI, NRRD or MetaImage file, or folder with one DICOM series; whole head or skull-stripped"
    parser.add_argument("--t1gd", type=Path, required=True, metavar="SCAN", help=f"post-contrast T1: {scan}")
    parser.add_argument(
        "--atlas",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder with a T1 template, a volume of labels on its voxels, and a table of names (docs/atlases.md)",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="output folder")
    parser.add_argument("--overwrite", action="store_true", help="replace the content of DIR")
    parser.add_argument("--cache-dir", type=Path, metavar="DIR", help="cache of the slow preprocessing steps")
    parser.add_argument("--brain-mask", type=Path, metavar="FILE", help="brain mask on the T1Gd voxel grid")
    parser.add_argument(
        "--already-stripped", action="store_true", help="the scan is skull-stripped: 0 outside the brain"
    )
    parser.add_argument("--already-corrected", action="store_true", help="the scan is bias-corrected")
    parser.add_argument("--override-quality", action="store_true", help="continue despite failed quality checks")
    add_progress_option(parser)
    parser.set_defaults(run=run_regions)


def run_regions(args: argparse.Namespace) -> int:
    """Register the atlas, write its regions, and say whether the registration passed."""
    begin = time.perf_counter()
    from PCNSLSurvivalLib.core.storage.files import check_output_folder, whole_folder

    check_output_folder(args.out.absolute(), overwrite=args.overwrite)

    from PCNSLSurvivalLib.atlas.atlas_folder import read_atlas
    from PCNSLSurvivalLib.atlas.placement import place_atlas
    from PCNSLSurvivalLib.atlas.regions_folder import write_regions
    from PCNSLSurvivalLib.core.messages import Message
    from PCNSLSurvivalLib.core.progress import StepClock
    from PCNSLSurvivalLib.core.terms import MRSequence, Step, Verdict
    from PCNSLSurvivalLib.imaging.io import read_mask_file, read_scan
    from PCNSLSurvivalLib.preprocessing.pipeline import prepare_case
    from PCNSLSurvivalLib.preprocessing.recipe import RECIPE
    from PCNSLSurvivalLib.preprocessing.scan_state import ScanState
    from PCNSLSurvivalLib.preprocessing.step_cache import StepStore

    clock = StepClock(listener_for(args.progress))
    store = None if args.cache_dir is None else StepStore(args.cache_dir)
    with whole_folder(args.out, overwrite=args.overwrite) as staging:
        with clock.step(Step.READ):
            atlas = read_atlas(args.atlas)
            scan = read_scan(args.t1gd, MRSequence.T1GD)
            mask = None if args.brain_mask is None else read_mask_file(args.brain_mask, Message("word.brain_mask"))
        prepared = prepare_case(
            {MRSequence.T1GD: scan.image},
            recipe=RECIPE,
            clock=clock,
            known=ScanState(already_stripped=args.already_stripped, already_corrected=args.already_corrected),
            brain_mask=None if mask is None else mask.image,
            override_quality=args.override_quality,
            store=store,
            agent=scan.agent,
        )
        placed = place_atlas(prepared.corrected[MRSequence.T1GD], prepared.brain_mask, atlas, clock=clock, store=store)
        judged = (finding.message for finding in prepared.findings if finding.verdict is not Verdict.GOOD)
        warnings = (*judged, *scan.remarks, *(() if mask is None else mask.remarks))
        stored = write_regions(placed, staging, warnings=warnings)
    seconds = time.perf_counter() - begin
    if args.progress == "json":
        print(json.dumps({"type": "result", "seconds": round(seconds, 1), "regions": stored}), flush=True)
        return 0
    for message in warnings:
        print(f"! {message}")
    for message in (*atlas.remarks, placed.message):
        print(message)
    print(f"{RESEARCH_USE_ONLY} Done in {seconds:.0f} s. Regions: {args.out}")
    return 0
