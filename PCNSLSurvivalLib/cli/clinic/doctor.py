"""``pcnsl-survival doctor``: check this installation."""

from __future__ import annotations

import argparse
import json


def add_doctor_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command to the command line."""
    parser = commands.add_parser(
        "doctor",
        help="check this installation; the output is made for a bug report",
        description="Check versions, devices, brain extraction, models and disk. A stored answer is recomputed on "
        "every device. The output contains no file names and no patient data. Exit code 3 if a problem was found.",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON line; exit code 0 also with problems")
    parser.set_defaults(run=run_doctor)


def run_doctor(args: argparse.Namespace) -> int:
    """Check, and print the result."""
    from PCNSLSurvivalLib.inference.self_check import self_check

    found = self_check()
    if args.json:
        print(json.dumps({"type": "self_check", "faults": found.faults, "text": found.text()}), flush=True)
        return 0
    print(found.text())
    return 3 if found.faults else 0
