"""``pcnsl-survival predict``: predict one patient from scans to a result folder."""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path

from PCNSLSurvivalLib.cli.display.progress import add_progress_option, listener_for
from PCNSLSurvivalLib.cli.options.case import add_case_options, case_options
from PCNSLSurvivalLib.core.terms import BESIDE_T1GD, RESEARCH_USE_ONLY, MRSequence, OSClass, Step

_SCAN = "NIfTI, NRRD or MetaImage file, or folder with one DICOM series"


def add_predict_command(commands: argparse._SubParsersAction) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "predict",
        help="predict OS > 1 year from a T1Gd scan, with the activation map",
        description="Probability of overall survival over one year from a post-contrast T1 scan (T1Gd) of the whole "
        f"head. The activation map is overlaid on the scan's slices. {RESEARCH_USE_ONLY}",
    )
    add_scan_files(parser)
    add_result_options(parser)
    add_case_options(parser, "predict")
    parser.set_defaults(run=run_predict)


def add_scan_files(parser: argparse.ArgumentParser) -> None:
    """Options for the scans of one patient."""
    _add_t1gd(parser)
    for sequence in BESIDE_T1GD:
        name = f"{sequence.label} without contrast agent" if sequence is MRSequence.T1 else sequence.label
        parser.add_argument(f"--{sequence}", type=Path, metavar="SCAN", help=f"{name}; it is registered to T1Gd")


def add_t1gd_alone(parser: argparse.ArgumentParser) -> None:
    """Scan and output folder of a command that reads T1Gd alone."""
    _add_t1gd(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="output folder")
    parser.add_argument("--overwrite", action="store_true", help="replace the content of DIR")


def _add_t1gd(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--t1gd", type=Path, required=True, metavar="SCAN", help=f"post-contrast T1: {_SCAN}")


def add_result_options(parser: argparse.ArgumentParser) -> None:
    """Options, beside those of the case, of every command that predicts one patient."""
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="output folder for the result")
    add_model_option(parser)
    parser.add_argument("--overwrite", action="store_true", help="replace the content of DIR")
    parser.add_argument(
        "--keep-intermediate", action="store_true", help="also write the bias-corrected scans (uncompressed)"
    )
    add_progress_option(parser)


def add_model_option(parser: argparse.ArgumentParser) -> None:
    """Option that chooses the model."""
    parser.add_argument(
        "--model", metavar="MODEL", help="model folder or name of an installed model; the bundled model if left out"
    )


def run_predict(args: argparse.Namespace) -> int:
    """Predict one patient and write the result folder."""
    return predict_to_folder(scans_given(args), args)


def scans_given(args: argparse.Namespace) -> dict[MRSequence, Path]:
    """The scans of ``add_scan_files`` that were given."""
    return {sequence: path for sequence in MRSequence if (path := getattr(args, sequence)) is not None}


def predict_to_folder(paths: dict[MRSequence, Path], args: argparse.Namespace) -> int:
    """Predict, write everything, and print the result.

    Args:
        paths: Scans by sequence.
        args: The options of ``add_result_options`` and those of the case that the command offers.
    """
    begin = time.perf_counter()
    # Refuse an unusable folder before torch is loaded and minutes are spent.
    from PCNSLSurvivalLib.core.storage.files import check_output_folder, whole_folder
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
        if not args.keep_intermediate:  # of a fine scan each has hundreds of megabytes
            result = replace(result, prepared=replace(result.prepared, corrected={}))
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
