"""``pcnsl-survival phantom``: a cohort of virtual patients with known ground truth."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PCNSLSurvivalLib.cli.options.numbers import HIGHEST_SEED, MOST_JOBS, decimal_number, whole_number

_LAYOUTS = ("bids", "brats2020", "ucsf-pcnsl", "table")
_SEQUENCES = ("t1gd", "t1", "t2", "flair")
"""What the virtual scanner acquires, ``phantoms.scanner.protocol.VIRTUAL_SEQUENCES``: its import would delay --help."""
_REGISTERED = ("brats2020", "ucsf-pcnsl")


def add_phantom_command(commands: argparse._SubParsersAction) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "phantom",
        help="generate a cohort of virtual patients with known ground truth",
        description="Generate a cohort of virtual patients: whole heads with lesions, overall survival and clinical "
        "variables, with all ground truth stored. An interrupted run resumes with the same command. No scan shows a "
        "real person.",
    )
    parser.add_argument(
        "--patients", type=whole_number(1, 100_000), required=True, metavar="N", help="number of patients"
    )
    parser.add_argument(
        "--seed",
        type=whole_number(0, HIGHEST_SEED),
        required=True,
        metavar="S",
        help="random seed; the same seed gives the same cohort",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="output folder of the cohort")
    parser.add_argument("--kind", choices=("pcnsl", "gbm"), default="pcnsl", help="disease")
    parser.add_argument(
        "--grid",
        choices=("clinical", "isotropic"),
        default="clinical",
        help="clinical mixture of thick-slice and 3-D scans, or isotropic 1 mm; processed layouts are always 1 mm",
    )
    parser.add_argument("--layout", choices=_LAYOUTS, default="bids", help="folder layout")
    parser.add_argument(
        "--sequences",
        type=_sequences,
        default=_SEQUENCES,
        metavar="LIST",
        help=f"comma-separated sequences to generate (default {','.join(_SEQUENCES)}); must include t1gd",
    )
    parser.add_argument(
        "--stripped",
        action="store_true",
        help="skull-stripped brains without bias field, as after preparation; only for --layout table",
    )
    parser.add_argument("--dicom", action="store_true", help="also write every scan as a DICOM series")
    parser.add_argument(
        "--oracle-auc",
        type=decimal_number(0.5, 0.97),
        default=0.85,
        metavar="AUC",
        help="Bayes-optimal AUC for OS > 1 year, from 0.5 (survival is random) to 0.97; default 0.85",
    )
    parser.add_argument(
        "--sites",
        type=whole_number(1, 20),
        default=1,
        metavar="N",
        help="number of sites, which alternate between two kinds of scanner; only for --layout bids and table",
    )
    parser.add_argument(
        "--confounding",
        type=decimal_number(0, 1),
        default=0.0,
        metavar="SHARE",
        help="association of OS > 1 year with the kind of scanner, from 0 (default, none) to 1 (complete)",
    )
    parser.add_argument(
        "--jobs",
        type=whole_number(1, MOST_JOBS),
        default=1,
        metavar="N",
        help="number of patients generated in parallel",
    )
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    parser.set_defaults(run=run_phantom)


def run_phantom(args: argparse.Namespace) -> int:
    """Make the cohort, or what is missing of it, and say what it is."""
    from PCNSLSurvivalLib.core.terms import MRSequence
    from PCNSLSurvivalLib.phantoms.cohort import CohortPlan
    from PCNSLSurvivalLib.phantoms.cohort_files import make_cohort
    from PCNSLSurvivalLib.phantoms.disease.diseases import Kind

    if args.dicom and args.layout in _REGISTERED:
        print(
            f"pcnsl-survival: --dicom cannot be combined with --layout {args.layout}, which holds processed volumes.",
            file=sys.stderr,
        )
        return 2
    if args.stripped and (args.layout != "table" or args.dicom):
        print(
            "pcnsl-survival: --stripped requires --layout table and cannot be combined with --dicom.", file=sys.stderr
        )
        return 2
    if args.sites > 1 and args.layout in _REGISTERED:
        print(
            f"pcnsl-survival: --sites cannot be combined with --layout {args.layout}: it has no column for the site.",
            file=sys.stderr,
        )
        return 2
    if args.confounding and args.sites < 2:
        print("pcnsl-survival: --confounding requires --sites 2 or more.", file=sys.stderr)
        return 2
    plan = CohortPlan(
        patients=args.patients,
        seed=args.seed,
        kind=Kind(args.kind),
        grid="registered" if args.layout in _REGISTERED else args.grid,
        oracle_auc=args.oracle_auc,
        sites=args.sites,
        confounding=args.confounding,
    )
    with _Bar(quiet=args.quiet) as progress:
        summary = make_cohort(
            plan,
            args.out,
            layout=args.layout,
            sequences=tuple(MRSequence(name) for name in args.sequences),
            stripped=args.stripped,
            dicom=args.dicom,
            jobs=args.jobs,
            progress=progress,
        )
    patients = "patient" if args.patients == 1 else "patients"
    print(
        f"{args.patients} virtual {patients} ({summary.made} generated, {summary.found} already there): "
        f"{summary.over_one_year} with OS > 1 year, {summary.up_to_one_year} without, "
        f"{summary.without_class} censored within the year."
    )
    print(
        f"Bayes-optimal AUC for OS > 1 year: {summary.oracle_auc:.3f} with all variables known, "
        f"{summary.oracle_image_auc:.3f} from the scan alone, {summary.oracle_volume_auc:.3f} from the volume alone."
    )
    return 0


class _Bar:
    """Finished patients and the remaining time on a terminal; nothing elsewhere."""

    def __init__(self, *, quiet: bool) -> None:
        from tqdm import tqdm

        self._new_bar = partial(tqdm, desc="Virtual patients", unit="patient", disable=True if quiet else None)
        self._bar: tqdm | None = None

    def __enter__(self) -> Callable[[int, int], None]:
        return self._show

    def __exit__(self, *problem: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def _show(self, done: int, total: int) -> None:
        if self._bar is None:
            # What an earlier run had finished must not count as speed.
            self._bar = self._new_bar(total=total, initial=done)
        else:
            self._bar.update(1)


def _sequences(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    if not set(names) <= set(_SEQUENCES) or "t1gd" not in names or len(set(names)) < len(names):
        raise argparse.ArgumentTypeError(
            f"must be a comma-separated list of {', '.join(_SEQUENCES)} that includes t1gd"
        )
    return names
