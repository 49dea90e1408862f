"""``pcnsl-survival phantom``: a cohort of virtual patients with known truth."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

_LAYOUTS = ("bids", "brats2020", "ucsf-pcnsl", "table")
_SEQUENCES = ("t1gd", "t1", "t2", "flair")
_REGISTERED = ("brats2020", "ucsf-pcnsl")


def add_phantom_command(commands: argparse._SubParsersAction) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "phantom",
        help="make a cohort of virtual patients with known truth",
        description="Make a cohort of virtual patients: whole heads with lesions, overall survival and clinical "
        "variables, with every truth kept. Run again, it goes on where it stopped. No scan shows a real person.",
    )
    parser.add_argument("--patients", type=_count, required=True, metavar="N", help="how many patients")
    parser.add_argument("--seed", type=int, required=True, metavar="S", help="the same seed gives the same cohort")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the cohort")
    parser.add_argument("--kind", choices=("pcnsl", "gbm"), default="pcnsl", help="disease")
    parser.add_argument(
        "--grid",
        choices=("clinical", "isotropic"),
        default="clinical",
        help="thick slices and 3-D mixed as in practice, or 1 mm; the processed layouts are always 1 mm",
    )
    parser.add_argument("--layout", choices=_LAYOUTS, default="bids", help="shape of the folder")
    parser.add_argument(
        "--sequences",
        type=_sequences,
        default=_SEQUENCES,
        metavar="LIST",
        help="which are made, with commas: t1gd,t1,t2,flair (default); t1gd must be among them",
    )
    parser.add_argument(
        "--stripped",
        action="store_true",
        help="brains alone, without skull and coil shading, as scans come from preparation; for --layout table",
    )
    parser.add_argument("--dicom", action="store_true", help="write every scan as a DICOM series too")
    parser.add_argument(
        "--oracle-auc",
        type=_auc,
        default=0.85,
        metavar="AUC",
        help="best AUC anyone can reach for OS > 1 year: 0.5 (survival is chance) to 0.97; default 0.85",
    )
    parser.add_argument("--jobs", type=_count, default=1, metavar="N", help="patients made at the same time")
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
            f"pcnsl-survival: --dicom does not go with --layout {args.layout}: it holds processed volumes.",
            file=sys.stderr,
        )
        return 2
    if args.stripped and (args.layout != "table" or args.dicom):
        print("pcnsl-survival: --stripped goes with --layout table, and not with --dicom.", file=sys.stderr)
        return 2
    plan = CohortPlan(
        patients=args.patients,
        seed=args.seed,
        kind=Kind(args.kind),
        grid="registered" if args.layout in _REGISTERED else args.grid,
        oracle_auc=args.oracle_auc,
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
    print(
        f"{args.patients} virtual patients ({summary.made} made now, {summary.found} found): "
        f"{summary.over_one_year} with OS > 1 year, {summary.up_to_one_year} without, "
        f"{summary.without_class} censored within the year."
    )
    print(
        f"Best achievable AUC for OS > 1 year: {summary.oracle_auc:.3f} with every variable known, "
        f"{summary.oracle_image_auc:.3f} from the scan alone."
    )
    return 0


class _Bar:
    """Finished patients and time left, on a terminal; nothing elsewhere."""

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


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def _sequences(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    if not set(names) <= set(_SEQUENCES) or "t1gd" not in names or len(set(names)) < len(names):
        raise argparse.ArgumentTypeError("must name t1gd, and t1, t2 and flair where they are wanted, with commas")
    return names


def _auc(text: str) -> float:
    value = float(text)
    if not 0.5 <= value <= 0.97:
        raise argparse.ArgumentTypeError("must lie between 0.5 and 0.97")
    return value
