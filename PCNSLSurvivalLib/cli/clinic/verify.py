"""``pcnsl-survival verify``: compute a result again from its scans and compare step by step."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from PCNSLSurvivalLib.cli.clinic.predict import add_model_option, add_scan_files, scans_given
from PCNSLSurvivalLib.cli.display.progress import add_progress_option, listener_for
from PCNSLSurvivalLib.cli.options.case import add_case_options, case_options
from PCNSLSurvivalLib.core.messages import step_words
from PCNSLSurvivalLib.core.printable import printable
from PCNSLSurvivalLib.core.terms import RESEARCH_USE_ONLY


def add_verify_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "verify",
        help="predict a stored case again from its scans, and name the first step that differs",
        description="Predict a stored case again and compare files, scans, brain mask, preprocessed scans, log-odds "
        "and maps with the result folder. Settings are taken from the result. Exit code 0 if everything is identical "
        f"or within tolerance, 3 if something differs. {RESEARCH_USE_ONLY}",
    )
    parser.add_argument("result", type=Path, metavar="RESULT", help="result folder of 'predict' or 'explain'")
    add_scan_files(parser)
    add_model_option(parser)
    add_case_options(parser, "verify")
    add_progress_option(parser)
    parser.set_defaults(run=run_verify)


def run_verify(args: argparse.Namespace) -> int:
    """Verify, and print every comparison."""
    from PCNSLSurvivalLib.models.installed_models import find_model
    from PCNSLSurvivalLib.results.verification import Agreement, verify_case

    model = find_model(args.model)
    found = verify_case(args.result, scans_given(args), model, case_options(args), listener_for(args.progress))
    differs = found.agreement is Agreement.DIFFERENT
    if args.progress == "json":
        print(json.dumps({"type": "result", "verification": found.to_json()}), flush=True)
        return 3 if differs else 0
    print()
    for one in found.comparisons:
        print(printable(f"{one.agreement:>16}  {one.part}" + (f": {one.detail}" if one.detail else "")))
    for name, (then, now) in found.software.items():
        print(printable(f"Another version of {name}: {then or 'none'} then, {now or 'none'} now"))
    first = found.first_difference
    if first is None:
        if found.not_compared:
            print(f"What was compared is {found.agreement}. Not compared: {', '.join(found.not_compared)}.")
        else:
            print(f"The result is {found.agreement}.")
    else:
        print(f"The result differs, first at: {step_words(first.step)}, {first.part}.")
    return 3 if differs else 0
