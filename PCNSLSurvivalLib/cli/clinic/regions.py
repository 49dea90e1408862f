"""``pcnsl-survival regions``: the brain regions of an atlas, registered to one T1Gd scan."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from PCNSLSurvivalLib.cli.clinic.predict import add_t1gd_alone
from PCNSLSurvivalLib.cli.display.progress import add_progress_option, listener_for
from PCNSLSurvivalLib.cli.options.case import add_case_options, case_options
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
    add_t1gd_alone(parser)
    parser.add_argument(
        "--atlas",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder with a T1 template, a volume of labels on its voxels, and a table of names (docs/atlases.md)",
    )
    add_case_options(parser, "regions")
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
    from PCNSLSurvivalLib.core.progress import StepClock
    from PCNSLSurvivalLib.core.terms import MRSequence, Step
    from PCNSLSurvivalLib.inference.t1gd_alone import prepare_t1gd
    from PCNSLSurvivalLib.preprocessing.step_cache import StepStore

    clock, options = StepClock(listener_for(args.progress)), case_options(args)
    with whole_folder(args.out, overwrite=args.overwrite) as staging:
        with clock.step(Step.READ):
            atlas = read_atlas(args.atlas)
        given = prepare_t1gd(args.t1gd, options, clock)
        t1gd, brain = given.prepared.corrected[MRSequence.T1GD], given.prepared.brain_mask
        store = None if options.cache_dir is None else StepStore(options.cache_dir)
        placed = place_atlas(t1gd, brain, atlas, clock=clock, store=store)
        stored = write_regions(placed, staging, warnings=given.warnings)
    seconds = time.perf_counter() - begin
    if args.progress == "json":
        print(json.dumps({"type": "result", "seconds": round(seconds, 1), "regions": stored}), flush=True)
        return 0
    for message in given.warnings:
        print(f"! {message}")
    for message in (*atlas.remarks, placed.message):
        print(message)
    written = "Checks" if placed.regions is None else "Regions"
    print(f"{RESEARCH_USE_ONLY} Done in {seconds:.0f} s. {written}: {args.out}")
    return 0
