"""``pcnsl-survival follow-up``: two T1Gd exams of one patient, and how the enhancing lesions changed."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from PCNSLSurvivalLib.cli.clinic.register import matrix_to_t1gd
from PCNSLSurvivalLib.cli.display.progress import add_progress_option, listener_for
from PCNSLSurvivalLib.cli.options.case import add_inference_device
from PCNSLSurvivalLib.core.terms import READER_RESPONSES, RESEARCH_USE_ONLY

FOLLOW_UP = "follow_up.json"
_SCAN = "NIfTI, NRRD or MetaImage file, or folder with one DICOM series"


def add_follow_up_command(commands: argparse._SubParsersAction) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "follow-up",
        help="volumes of the enhancing lesions in two exams of one patient, and their change",
        description="Register the later T1Gd to the earlier one, measure the lesions of both, and report the change "
        "against the limits of the IPCG (Abrey 2005). No response is computed: enter a radiologist's assessment with "
        f"--reader-response. {RESEARCH_USE_ONLY}",
    )
    for name in ("earlier", "later"):
        parser.add_argument(f"--{name}", type=Path, required=True, metavar="SCAN", help=f"{name} T1Gd: {_SCAN}")
        parser.add_argument(
            f"--{name}-lesion",
            type=Path,
            metavar="FILE",
            help=f"lesion mask on the voxel grid of the {name} T1Gd; a network proposes one if left out",
        )
        parser.add_argument(
            f"--{name}-brain-mask",
            type=Path,
            metavar="FILE",
            help=f"brain mask on the voxel grid of the {name} T1Gd",
        )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="output folder")
    parser.add_argument("--overwrite", action="store_true", help="replace the content of DIR")
    parser.add_argument("--already-stripped", action="store_true", help="both scans are skull-stripped")
    parser.add_argument("--already-corrected", action="store_true", help="both scans are bias-corrected")
    parser.add_argument("--override-quality", action="store_true", help="continue despite failed quality checks")
    parser.add_argument(
        "--reader-response",
        choices=READER_RESPONSES,
        help="response as a radiologist assessed it: complete (CR), unconfirmed complete (CRu), partial response (PR), "
        "stable (SD) or progressive disease (PD); it is recorded as the reader's, never computed",
    )
    add_inference_device(parser)
    add_progress_option(parser)
    parser.set_defaults(run=run_follow_up)


def run_follow_up(args: argparse.Namespace) -> int:
    """Compare two exams, write both outlines on the earlier scan, and print the change."""
    begin = time.perf_counter()
    from PCNSLSurvivalLib.core.storage.files import check_output_folder, whole_folder

    check_output_folder(args.out.absolute(), overwrite=args.overwrite)

    from PCNSLSurvivalLib.imaging.io import write_volume
    from PCNSLSurvivalLib.inference.follow_up import ExamFiles, compare_exams
    from PCNSLSurvivalLib.preprocessing.scan_state import ScanState

    known = ScanState(already_stripped=args.already_stripped, already_corrected=args.already_corrected)
    with whole_folder(args.out, overwrite=args.overwrite) as staging:
        found = compare_exams(
            ExamFiles(
                t1gd=args.earlier, lesion_mask=args.earlier_lesion, brain_mask=args.earlier_brain_mask, known=known
            ),
            ExamFiles(t1gd=args.later, lesion_mask=args.later_lesion, brain_mask=args.later_brain_mask, known=known),
            device=args.device,
            override_quality=args.override_quality,
            reader_response=args.reader_response,
            listener=listener_for(args.progress),
        )
        write_volume(found.later_on_earlier(), staging / "later_on_earlier.nii.gz")
        for name, lesion in zip(("earlier", "later"), found.lesions_on_earlier(), strict=True):
            write_volume(lesion, staging / f"{name}_lesion_on_earlier.nii.gz")
        stored = {**found.to_json(), "later_to_earlier_ras": matrix_to_t1gd(found.transform)}
        text = json.dumps(stored, indent=2, ensure_ascii=False, allow_nan=False)
        (staging / FOLLOW_UP).write_text(text + "\n", encoding="utf-8")
    seconds = time.perf_counter() - begin
    if args.progress == "json":
        print(json.dumps({"type": "result", "seconds": round(seconds, 1), "follow_up": stored}), flush=True)
        return 0
    print()
    for message in found.warnings:
        print(f"! {message}")
    for message in found.messages:
        print(message)
    print(f"{RESEARCH_USE_ONLY} Done in {seconds:.0f} s. Outlines: {args.out}")
    return 0
