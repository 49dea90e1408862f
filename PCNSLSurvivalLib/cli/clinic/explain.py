"""``pcnsl-survival explain``: a prediction with a choice of maps, the attribution by region, and sanity checks."""

from __future__ import annotations

import argparse

from PCNSLSurvivalLib.cli.clinic.predict import add_result_options, add_scan_files, run_predict
from PCNSLSurvivalLib.cli.options.case import add_case_options
from PCNSLSurvivalLib.core.terms import RESEARCH_USE_ONLY


def add_explain_command(commands: argparse._SubParsersAction) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "explain",
        help="predict, choose the target of the map, and check the explanation",
        description="Predict one patient, compute the map of either class at any block, attribute the log-odds by "
        f"region, and run sanity checks on the map. {RESEARCH_USE_ONLY}",
    )
    add_scan_files(parser)
    add_result_options(parser)
    add_case_options(parser, "explain")
    parser.set_defaults(run=lambda args: run_explain(parser, args))


def run_explain(parser: argparse.ArgumentParser, args: argparse.Namespace) -> int:
    """Predict with the checks that were asked for."""
    if args.other_brain_mask is not None and not args.robustness:
        parser.error("--other-brain-mask is one of the disturbances of --robustness; give both, or neither")
    return run_predict(args)
