"""``pcnsl-survival demo``: make a virtual patient and predict it."""

from __future__ import annotations

import argparse
from pathlib import Path

from PCNSLSurvivalLib.cli.clinic.predict import add_result_options, predict_to_folder
from PCNSLSurvivalLib.cli.options.case import add_case_options
from PCNSLSurvivalLib.core.storage.leftovers import scratch_folder
from PCNSLSurvivalLib.core.terms import MRSequence


def add_demo_command(commands: argparse._SubParsersAction) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "demo",
        help="generate the demonstration patient (a virtual head with known ground truth) and predict it",
        description="Generate the demonstration patient, a virtual whole head with an enhancing lesion, and predict "
        "it like a real patient.",
    )
    add_result_options(parser)
    add_case_options(parser, "demo")
    parser.add_argument("--scans-only", action="store_true", help="write the scans to DIR without a prediction")
    parser.set_defaults(run=run_demo)


def run_demo(args: argparse.Namespace) -> int:
    """Make the demonstration patient in a temporary folder, predict it, and leave the result folder."""
    from PCNSLSurvivalLib.core.storage.files import check_output_folder, whole_folder
    from PCNSLSurvivalLib.imaging.io import write_volume
    from PCNSLSurvivalLib.phantoms import demonstration_patient

    check_output_folder(args.out.absolute(), overwrite=args.overwrite)
    print("Generating the demonstration patient: a virtual head, not a real person.", flush=True)
    patient = demonstration_patient()

    def write(folder: Path) -> dict[MRSequence, Path]:
        paths = {sequence: folder / f"{sequence}.nii.gz" for sequence in patient.scans}
        for sequence, path in paths.items():
            write_volume(patient.scans[sequence], path)
        return paths

    if args.scans_only:
        with whole_folder(args.out, overwrite=args.overwrite) as staging:
            names = sorted(path.name for path in write(staging).values())
        print(f"Wrote {', '.join(names)} to {args.out}.")
        return 0
    with scratch_folder() as temporary:
        return predict_to_folder(write(temporary), args)
