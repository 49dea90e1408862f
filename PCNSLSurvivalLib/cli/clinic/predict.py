"""``pcnsl-survival predict``: predict one patient from scans to a result folder."""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from PCNSLSurvivalLib.cli.display.progress import add_progress_option, listener_for
from PCNSLSurvivalLib.cli.options.device import add_inference_device
from PCNSLSurvivalLib.core.terms import BESIDE_T1GD, RESEARCH_USE_ONLY, MRSequence, OSClass, Step

if TYPE_CHECKING:
    from PCNSLSurvivalLib.inference.predict import CaseOptions

_SCAN = "NIfTI, NRRD or MetaImage file, or folder with one DICOM series"


def add_predict_command(commands: argparse._SubParsersAction) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "predict",
        help="predict OS > 1 year from a T1Gd scan, with the activation map",
        description="Probability of overall survival over one year from a post-contrast T1 scan (T1Gd) of the whole "
        f"head, with the activation map overlaid on the scan's slices. {RESEARCH_USE_ONLY}",
    )
    add_scan_options(parser)
    parser.add_argument(
        "--alignment",
        type=Path,
        metavar="FILE",
        help="alignment.json of 'register', if other scans were registered with it; the head rotation is then checked",
    )
    add_comparison_option(parser)
    add_prepared_option(parser)
    parser.add_argument(
        "--clinical",
        type=Path,
        metavar="FILE",
        help="JSON with the patient's clinical findings; adds the published IELSG and MSKCC scores to the result",
    )
    add_lesion_mask_option(parser)
    add_result_options(parser)
    parser.set_defaults(run=run_predict)


def add_scan_options(parser: argparse.ArgumentParser) -> None:
    """Options for the scans of one patient and their previous preprocessing."""
    add_scan_files(parser)
    parser.add_argument(
        "--cache-dir",
        type=Path,
        metavar="DIR",
        help="cache of the slow preprocessing steps, reused by later runs",
    )
    said = parser.add_argument_group("preprocessing that has already been done")
    said.add_argument("--already-stripped", action="store_true", help="scans are skull-stripped: 0 outside the brain")
    said.add_argument("--already-corrected", action="store_true", help="scans are bias-corrected")
    said.add_argument("--already-registered", action="store_true", help="the other scans are registered to T1Gd")
    said.add_argument("--brain-mask", type=Path, metavar="FILE", help="brain mask on the T1Gd voxel grid")


def add_scan_files(parser: argparse.ArgumentParser) -> None:
    """Options for the scans of one patient."""
    parser.add_argument("--t1gd", type=Path, required=True, metavar="SCAN", help=f"post-contrast T1: {_SCAN}")
    for sequence in BESIDE_T1GD:
        name = f"{sequence.label} without contrast agent" if sequence is MRSequence.T1 else sequence.label
        parser.add_argument(f"--{sequence}", type=Path, metavar="SCAN", help=f"{name}; it is registered to T1Gd")


def add_prepared_option(parser: argparse._ActionsContainer) -> None:
    """Who prepared the scans before."""
    parser.add_argument(
        "--prepared",
        type=Path,
        metavar="FILE",
        help="JSON of the Slicer module: who prepared the scans, and the scans as loaded; the result records both",
    )


def add_comparison_option(parser: argparse.ArgumentParser) -> None:
    """A T1 that is only compared with T1Gd."""
    parser.add_argument(
        "--compare-t1",
        type=Path,
        metavar="SCAN",
        help="T1 without contrast agent that the model does not read: only compared with T1Gd, so that swapped scans "
        "are noticed",
    )


def add_result_options(parser: argparse.ArgumentParser) -> None:
    """Options of every command that predicts one patient."""
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="output folder for the result")
    add_network_options(parser)
    parser.add_argument(
        "--segment",
        action="store_true",
        help="also propose an outline of the enhancing tumor; attribution and checks use it if no mask is given",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace the content of DIR")
    parser.add_argument(
        "--keep-intermediate", action="store_true", help="also write the bias-corrected scans (uncompressed)"
    )
    parser.add_argument(
        "--override-quality",
        action="store_true",
        help="continue despite failed quality checks; the override is recorded",
    )
    add_progress_option(parser)


def add_lesion_mask_option(parser: argparse._ActionsContainer) -> None:
    """A lesion mask of the patient, drawn or corrected by a person."""
    parser.add_argument(
        "--lesion-mask",
        type=Path,
        metavar="FILE",
        help="lesion mask on the T1Gd voxel grid, for the attribution by region and the checks of the explanation",
    )


def add_network_options(parser: argparse.ArgumentParser) -> None:
    """Options that choose the model, the device, the runtime and the precision."""
    parser.add_argument(
        "--model", metavar="MODEL", help="model folder or name of an installed model; the bundled model if left out"
    )
    add_inference_device(parser)
    add_runtime_option(parser)
    parser.add_argument(
        "--precision",
        choices=("float32", "bf16"),
        default="float32",
        help="numeric precision; bf16 needs hardware support",
    )
    parser.add_argument(
        "--tta", action="store_true", help="test-time augmentation: average with the left-right mirrored scan"
    )


def add_runtime_option(parser: argparse.ArgumentParser) -> None:
    """Option that chooses the runtime."""
    parser.add_argument(
        "--runtime", choices=("auto", "torch", "onnx"), default="auto", help="inference runtime: torch or ONNX Runtime"
    )


def run_predict(args: argparse.Namespace) -> int:
    """Predict one patient and write the result folder."""
    return predict_to_folder(scans_given(args), args)


def scans_given(args: argparse.Namespace) -> dict[MRSequence, Path]:
    """The scans of ``add_scan_options`` that were given."""
    return {sequence: path for sequence in MRSequence if (path := getattr(args, sequence)) is not None}


def case_options(args: argparse.Namespace) -> CaseOptions:
    """The options of a case, each under its own name; one that a command does not offer keeps its default."""
    from PCNSLSurvivalLib.inference.predict import CaseOptions

    given = {one.name: getattr(args, one.name) for one in fields(CaseOptions) if hasattr(args, one.name)}
    return CaseOptions(**given)


def predict_to_folder(paths: dict[MRSequence, Path], args: argparse.Namespace) -> int:
    """Predict, write everything, and print the result.

    Args:
        paths: Scans by sequence.
        args: The options of ``add_result_options``; what has been done to the scans counts where it is there.
    """
    begin = time.perf_counter()
    # Refuse an unusable folder before torch is loaded and minutes are spent.
    from PCNSLSurvivalLib.core.files import check_output_folder, whole_folder
    from PCNSLSurvivalLib.models.installed_models import find_model

    check_output_folder(args.out.absolute(), overwrite=args.overwrite)
    model = find_model(args.model)

    from PCNSLSurvivalLib.core.progress import StepClock
    from PCNSLSurvivalLib.inference.predict import predict_case
    from PCNSLSurvivalLib.reports.case.report import case_report_html
    from PCNSLSurvivalLib.results.case_folder import PREDICTION, REPORT, write_case_folder

    listener = listener_for(args.progress)
    options = case_options(args)
    with whole_folder(args.out, overwrite=args.overwrite) as staging:
        result = predict_case(paths, model, options, listener)
        with StepClock(listener).step(Step.REPORT):
            write_case_folder(result, staging, page=case_report_html, intermediate=args.keep_intermediate)
        stored = json.loads((staging / PREDICTION).read_text(encoding="utf-8"))
    seconds = time.perf_counter() - begin
    if args.progress == "json":
        print(json.dumps({"type": "result", "seconds": round(seconds, 1), "prediction": stored}), flush=True)
        return 0
    print()
    for warning in stored["warnings"]:
        print(f"! {warning['sentence']}")
    for check in (stored["explanation_checks"] or {"checks": []})["checks"]:
        numbers = "; ".join(f"{name} {value:.3g}" for name, value in check["numbers"].items())
        print(f"{check['verdict']:>8}  {check['name']}: {check['sentence']}" + (f" [{numbers}]" if numbers else ""))
    for second_thought in (stored["without_lesion"], stored["robustness"]):
        if second_thought is not None:
            print(second_thought["sentence"])
    print(
        f"Probability of OS > 1 year: {stored['probability_over_one_year']:.2f} "
        f"({OSClass.of_key(stored['class']).label}, threshold {stored['decision_threshold']:.2f})"
    )
    if stored["clinical"] is not None:
        for told in (*stored["clinical"]["sentences"], stored["clinical"]["comparison"]):
            print(told["sentence"])
    print(f"Model: {model.name} {model.version}. {RESEARCH_USE_ONLY}")
    print(f"Done in {seconds:.0f} s. Report: {args.out / REPORT}")
    return 0
