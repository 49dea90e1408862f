"""``pcnsl-survival predict``: one patient from scans to a result folder."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from PCNSLSurvivalLib.cli.display.progress import CHOICES, listener_for
from PCNSLSurvivalLib.core.terms import RESEARCH_USE_ONLY, MRSequence, Step

_SCAN = "NIfTI, NRRD or MetaImage file, or a folder with one DICOM series"


def add_predict_command(commands: argparse._SubParsersAction) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "predict",
        help="probability of OS > 1 year from a T1Gd scan, with the activation map",
        description="Probability of overall survival over one year from a post-contrast T1 scan (T1Gd) of the whole "
        f"head, with the activation map on the scan's own slices. {RESEARCH_USE_ONLY}",
    )
    add_scan_options(parser)
    parser.add_argument(
        "--alignment",
        type=Path,
        metavar="FILE",
        help="alignment.json of 'register', where T1 and T2 were laid over T1Gd: the turn of the head is judged too",
    )
    add_result_options(parser)
    parser.set_defaults(run=run_predict)


def add_scan_options(parser: argparse.ArgumentParser) -> None:
    """Scans of one patient, and what has been done to them."""
    parser.add_argument("--t1gd", type=Path, required=True, metavar="SCAN", help=f"post-contrast T1: {_SCAN}")
    parser.add_argument("--t1", type=Path, metavar="SCAN", help="T1 without contrast, registered to T1Gd")
    parser.add_argument("--t2", type=Path, metavar="SCAN", help="T2, registered to T1Gd")
    parser.add_argument(
        "--cache-dir",
        type=Path,
        metavar="DIR",
        help="cache of the slow preprocessing steps: results are stored here and reused in later runs",
    )
    said = parser.add_argument_group("what has been done to the scans already")
    said.add_argument("--already-stripped", action="store_true", help="skull removed: 0 outside the brain")
    said.add_argument("--already-corrected", action="store_true", help="bias field removed")
    said.add_argument("--already-registered", action="store_true", help="T1 and T2 lie over T1Gd")
    said.add_argument("--brain-mask", type=Path, metavar="FILE", help="brain mask on the voxels of T1Gd")


def add_result_options(parser: argparse.ArgumentParser) -> None:
    """Options of every command that predicts one patient."""
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to make for the result")
    add_network_options(parser)
    parser.add_argument("--overwrite", action="store_true", help="replace what DIR holds")
    parser.add_argument(
        "--keep-intermediate", action="store_true", help="write the scans without bias field as well (uncompressed)"
    )
    parser.add_argument(
        "--override-quality", action="store_true", help="go on when a scan is judged unusable; the result says so"
    )
    parser.add_argument(
        "--progress", choices=CHOICES, default="auto", help="bars, one JSON object a line on stdout, or nothing"
    )


def add_network_options(parser: argparse.ArgumentParser) -> None:
    """Which model to ask, and where and how it computes."""
    parser.add_argument(
        "--model", metavar="MODEL", help="model folder, or name of an installed model; the bundled one if left out"
    )
    parser.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto", help="where to compute")
    parser.add_argument(
        "--runtime", choices=("auto", "torch", "onnx"), default="auto", help="torch, or ONNX Runtime without it"
    )
    parser.add_argument(
        "--precision", choices=("float32", "bf16"), default="float32", help="bf16 for hardware that has it"
    )
    parser.add_argument("--tta", action="store_true", help="average with the left-right mirrored scan")


def run_predict(args: argparse.Namespace) -> int:
    """Predict one patient and write the result folder."""
    given = {MRSequence.T1GD: args.t1gd, MRSequence.T1: args.t1, MRSequence.T2: args.t2}
    paths = {sequence: path for sequence, path in given.items() if path is not None}
    return predict_to_folder(paths, args)


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
    from PCNSLSurvivalLib.inference.predict import CaseOptions, predict_case
    from PCNSLSurvivalLib.reports.case.report import case_report_html
    from PCNSLSurvivalLib.results.case_folder import PREDICTION, REPORT, write_case_folder

    listener = listener_for(args.progress)
    explained = {
        name: getattr(args, name)
        for name in ("target", "block", "method", "lesion_mask", "check_explanation")
        if hasattr(args, name)
    }
    options = CaseOptions(
        device=args.device,
        runtime=args.runtime,
        precision=args.precision,
        tta=args.tta,
        **explained,
        brain_mask=getattr(args, "brain_mask", None),
        cache_dir=getattr(args, "cache_dir", None),
        already_stripped=getattr(args, "already_stripped", False),
        already_corrected=getattr(args, "already_corrected", False),
        already_registered=getattr(args, "already_registered", False),
        alignment=getattr(args, "alignment", None),
        override_quality=args.override_quality,
    )
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
        print(f"! {warning}")
    for check in (stored["explanation_checks"] or {"checks": []})["checks"]:
        numbers = "; ".join(f"{name} {value:.3g}" for name, value in check["numbers"].items())
        print(f"{check['verdict']:>8}  {check['name']}: {check['sentence']}" + (f" [{numbers}]" if numbers else ""))
    print(
        f"Probability of OS > 1 year: {stored['probability_over_one_year']:.2f} "
        f"({stored['class']}, threshold {stored['decision_threshold']:.2f})"
    )
    print(f"Model: {model.name} {model.version}. {RESEARCH_USE_ONLY}")
    print(f"Done in {seconds:.0f} s. Report: {args.out / REPORT}")
    return 0
