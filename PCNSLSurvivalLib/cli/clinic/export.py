"""``pcnsl-survival export``: what a result folder holds, as key images, DICOM and PDF."""

from __future__ import annotations

import argparse
import importlib.util
import logging
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from PCNSLSurvivalLib.core.errors import MissingFilesError, OutputFolderError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import RESEARCH_USE_ONLY, MRSequence

if TYPE_CHECKING:  # --help must not load SimpleITK
    from PCNSLSurvivalLib.results.stored_case import StoredCase


def add_export_command(commands: argparse._SubParsersAction) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "export",
        help="export key images, DICOM objects and a PDF from a result folder",
        description="Key images of the strongest slices as PNG, the maps and key images as DICOM beside the T1Gd "
        f"series, and the report as PDF. {RESEARCH_USE_ONLY}",
    )
    parser.add_argument("result", type=Path, metavar="RESULT", help="result folder of 'predict' or 'explain'")
    parser.add_argument("--t1gd", type=Path, metavar="SCAN", help="T1Gd scan of the result; not needed for the PDF")
    parser.add_argument("--key-images", type=Path, metavar="DIR", help="output folder for the PNG images")
    parser.add_argument("--dicom", type=Path, metavar="DIR", help="output folder for the DICOM objects")
    parser.add_argument(
        "--dicom-series",
        type=Path,
        metavar="SERIES",
        help="folder of the T1Gd DICOM series, if SCAN is another file format",
    )
    parser.add_argument(
        "--pdf",
        type=Path,
        metavar="FILE",
        help="output file for the report as PDF; with --dicom, also among the DICOM objects",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace existing folders")
    parser.set_defaults(run=run_export)


def run_export(args: argparse.Namespace) -> int:
    """Export what was asked for; each part is there whole or not at all."""
    from PCNSLSurvivalLib.results.stored_case import UnreadableResultError, find_report, read_stored_case

    if args.t1gd is None and (args.key_images or args.dicom):
        raise UnreadableResultError(Message("export.t1gd_needed"))
    case = read_stored_case(args.result) if args.key_images or args.dicom else None
    not_printed: OutputFolderError | None = None
    if args.pdf is not None:
        from PCNSLSurvivalLib.reports.pdf import print_to_pdf

        try:
            print_to_pdf(find_report(args.result), args.pdf)
            print(f"Report: {args.pdf}")
        except OutputFolderError as problem:
            not_printed = problem
    if case is not None:  # also where the browser failed: maps and key images need none
        _export_pictures(case, args, printed=not_printed is None)
    if not_printed is not None:
        raise not_printed
    print(RESEARCH_USE_ONLY)
    return 0


def _check_packages(*, dicom: bool) -> None:
    """Key images need pillow alone; the DICOM objects hold key images."""
    needed = {"PIL": "pillow", **({"highdicom": "highdicom"} if dicom else {})}
    if missing := [package for module, package in needed.items() if importlib.util.find_spec(module) is None]:
        output = Message("word.dicom_objects" if dicom else "word.key_images")
        listed, packages = ", ".join(missing), " ".join(missing)
        raise MissingFilesError(Message("export.packages_missing", output=output, listed=listed, packages=packages))


def _export_pictures(case: StoredCase, args: argparse.Namespace, *, printed: bool) -> None:
    _check_packages(dicom=args.dicom is not None)
    from PIL import Image

    from PCNSLSurvivalLib.core.storage.files import whole_folder
    from PCNSLSurvivalLib.imaging.io import read_scan
    from PCNSLSurvivalLib.reports.case.key_images import ENLARGED, key_images

    scan = read_scan(args.t1gd, MRSequence.T1GD).image
    pictures = {explains: key_images(case, scan, explains) for explains in case.maps}
    if args.key_images is not None:
        with whole_folder(args.key_images, overwrite=args.overwrite) as staging:
            for ending, explains in zip(("", "_other_class"), case.maps, strict=True):
                for number, image in enumerate(pictures[explains], start=1):
                    Image.fromarray(image.rgb).save(staging / f"key_image{ending}_{number}.png")
        print(f"Key images: {args.key_images}")
    if args.dicom is None:
        return
    from PCNSLSurvivalLib.reports.case.dicom_export import write_key_image, write_parametric_map
    from PCNSLSurvivalLib.reports.case.dicom_headers import read_series_headers
    from PCNSLSurvivalLib.reports.case.dicom_report import write_encapsulated_pdf, write_structured_report
    from PCNSLSurvivalLib.results.stored_case import find_report

    slices = read_series_headers(args.dicom_series or args.t1gd)
    # Warnings of highdicom about a name or date quote it, and so the patient.
    logging.getLogger("highdicom").setLevel(logging.CRITICAL)
    with warnings.catch_warnings(), whole_folder(args.dicom, overwrite=args.overwrite) as staging:
        warnings.simplefilter("ignore")
        write_structured_report(case, slices, staging / "report.dcm")
        if args.pdf is not None and printed:
            write_encapsulated_pdf(case, find_report(args.result), args.pdf, slices, staging / "report_pdf.dcm")
        for ending, explains in zip(("", "_other_class"), case.maps, strict=True):
            write_parametric_map(case, explains, slices, staging / f"activation_map{ending}.dcm")
            for number, image in enumerate(pictures[explains], start=1):
                path = staging / f"key_image{ending}_{number}.dcm"
                write_key_image(case, image, number, slices, path, pixel_mm=1.0 / ENLARGED)
    print(f"DICOM: {args.dicom}")
