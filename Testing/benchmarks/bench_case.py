"""Seconds and memory of a whole case, command to report, beside plain SimpleITK, in one run: ``make bench-case``.

``python Testing/benchmarks/bench_case.py [--repeats N] [--before PYTHON] [--others PYTHON] [--without-plain]``. With
``--before``, the interpreter of another checkout's environment, that checkout's command runs beside ours. The plain way
is N4 on every voxel and a registration on one level, and StripTsImageFilter where ``--others`` names an interpreter
that has itk-skullstripping 1.0.1 and ``make real-data`` has fetched its atlas; it neither predicts nor reports.
Patients are the reference patient and, where it lies beside the checkout, ../shared/real-patient.

All ways follow each other in every repeat. Printed are the median by the clock with the lowest and highest, the
processor seconds, the largest resident memory, and the ratio to ours. Below ours with three scans stand its parts: the
start with its imports, each step by the clock of the result, and what is left for the report and the files.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import SimpleITK as sitk

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from bench_brain_extraction import Head, stripts
from bench_preprocessing import plain_n4, plain_registration
from kept_tables import add_keep, report
from real_heads import shared_scan
from virtual_exams import canonical_float

from PCNSLSurvivalLib.core.messages import step_words
from PCNSLSurvivalLib.core.terms import MRSequence, Step
from PCNSLSurvivalLib.imaging.io import write_volume
from PCNSLSurvivalLib.phantoms import reference_patient

SEQUENCES = (MRSequence.T1GD, MRSequence.T1, MRSequence.T2)
LOADING = (
    "import PCNSLSurvivalLib.cli.__main__, PCNSLSurvivalLib.reports.case.report, PCNSLSurvivalLib.results.case_folder, "
    "PCNSLSurvivalLib.inference.runtimes.automatic_device"
)
"""What ``predict`` loads."""
SHORT = 0.02
"""Parts with less than this share of the whole are added up."""


@dataclass(frozen=True)
class Taken:
    """What one run took."""

    seconds: float
    processor_seconds: float
    memory_mib: float


def main() -> int:
    """Time every patient and print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--before", help="interpreter of another checkout, timed beside this one")
    parser.add_argument("--others", default=sys.executable, help="interpreter that has itk-skullstripping")
    parser.add_argument("--without-plain", action="store_true", help="leave the slow plain way out")
    parser.add_argument("--plain", nargs="+", type=Path, help="only prepare these scans the plain way, T1Gd first")
    parser.add_argument("--patient", default=None, help="only this one")
    add_keep(parser)
    args = parser.parse_args()
    if args.plain:
        plain(args.plain, args.others)
        return 0
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        for name, scans in patients(Path(temporary)):
            if args.patient not in (None, name):
                continue
            ways: dict[str, list[str]] = {}
            for count in (1, len(SEQUENCES)):
                names = ", ".join(sequence.label for sequence in SEQUENCES[:count])
                # -P, or the package in the working directory would hide that of the other checkout.
                predict = ["-P", "-m", "PCNSLSurvivalLib.cli", "predict", "--progress", "none", "--overwrite"]
                predict += ["--out", str(Path(temporary) / "out")]
                for sequence, file in zip(SEQUENCES[:count], scans, strict=False):
                    predict += [f"--{sequence.label.lower()}", str(file)]
                ways[f"{names}: ours"] = [sys.executable, *predict]
                if args.before:
                    ways[f"{names}: before"] = [args.before, *predict]
                if not args.without_plain:
                    files = [str(file) for file in scans[:count]]
                    ways[f"{names}: plain"] = [sys.executable, __file__, "--others", args.others, "--plain", *files]
            rows += measured(name, ways, args.repeats, Path(temporary) / "out")
    columns = ("patient", "way", "seconds (lowest to highest)", "processor seconds", "MiB", "times ours")
    report("bench-case", columns, rows, settings=f"{args.repeats} repeats", keep=args.keep)
    return 0


def patients(folder: Path) -> Iterator[tuple[str, list[Path]]]:
    """Every patient on this computer, with the files of the scans in the order of ``SEQUENCES``."""
    scans = reference_patient(sequences=SEQUENCES).scans
    reference = [folder / f"{sequence.label}.nii.gz" for sequence in SEQUENCES]
    for sequence, file in zip(SEQUENCES, reference, strict=True):
        write_volume(scans[sequence], file)
    yield "reference", reference
    if shared_scan(MRSequence.T1GD).is_file():
        yield "TCGA-FG-6692", [shared_scan(sequence) for sequence in SEQUENCES]


def plain(scans: Sequence[Path], python: str) -> None:
    """Bias field of every scan, registration to T1Gd and brain extraction, nothing else."""
    t1gd, *others = [plain_n4(canonical_float(sitk.ReadImage(str(file)))) for file in scans]
    for other in others:
        plain_registration(t1gd, other)
    if stripts(Head("patient", t1gd, None, None), python) is None:
        print("the plain way without StripTs, which is not on this computer", file=sys.stderr)


def taken_by(command: Sequence[str]) -> Taken:
    """Run a command from the start of its process to its end; its child processes count.

    Raises:
        RuntimeError: It failed.
    """
    begin = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - begin
    if status != 0:
        raise RuntimeError(f"status {status}: {' '.join(command)}")
    return Taken(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def measured(name: str, ways: dict[str, list[str]], repeats: int, out: Path) -> Iterator[tuple[str, ...]]:
    """Run all ways in turn; a row for each, and those of the parts of ours with all scans."""
    taken: dict[str, list[Taken]] = {way: [] for way in ways}
    parts: dict[str, list[float]] = defaultdict(list)
    whole = [way for way in ways if way.endswith("ours")][-1]
    for number in range(repeats):
        for way, command in ways.items():
            taken[way].append(taken_by(command))
            print(f"{name}, {way}, repeat {number + 1}: {taken[way][-1].seconds:.1f} s", file=sys.stderr, flush=True)
            if way == whole:
                steps = json.loads((out / "prediction.json").read_text(encoding="utf-8"))["seconds"]
                loading = taken_by([sys.executable, "-P", "-c", LOADING]).seconds
                for part, seconds in parts_of(taken[way][-1].seconds, loading, steps).items():
                    parts[part].append(seconds)
    for way, runs in taken.items():
        ours = taken[f"{way.split(':')[0]}: ours"]
        seconds = [run.seconds for run in runs]
        ratio = statistics.median(run.seconds / own.seconds for run, own in zip(runs, ours, strict=True))
        yield (
            name,
            way,
            _spread(seconds),
            f"{statistics.median(run.processor_seconds for run in runs):.1f}",
            f"{max(run.memory_mib for run in runs):.0f}",
            f"{ratio:.2f}",
        )
        if way == whole:
            yield from part_rows(name, statistics.median(seconds), parts)


def part_rows(name: str, whole: float, parts: Mapping[str, Sequence[float]]) -> Iterator[tuple[str, ...]]:
    """A row for each part of ours, with the seconds of every repeat; the short ones are added up."""
    short = [part for part, seconds in parts.items() if statistics.median(seconds) < SHORT * whole]
    shown = {part: seconds for part, seconds in parts.items() if part not in short}
    if short:
        shown["shorter parts"] = [sum(repeat) for repeat in zip(*(parts[part] for part in short), strict=True)]
    for part, seconds in shown.items():
        yield name, f"of these: {part}", _spread(seconds), "", "", f"{statistics.median(seconds) / whole:.2f}"


def parts_of(whole: float, loading: float, steps: Mapping[str, float]) -> dict[str, float]:
    """Where the seconds of one run went; they add up to the whole.

    Args:
        whole: Seconds of the command.
        loading: Seconds that the start of Python and the imports take.
        steps: ``seconds`` of ``prediction.json``: those of each step, or of each scan in it.
    """
    parts: dict[str, float] = defaultdict(float, {"start and imports": loading})
    for key, seconds in steps.items():
        parts[str(step_words(Step(key.split()[0])))] += seconds
    return {**parts, "report and files": whole - sum(parts.values())}


def _spread(seconds: Sequence[float]) -> str:
    return f"{statistics.median(seconds):.1f} ({min(seconds):.1f} to {max(seconds):.1f})"


if __name__ == "__main__":
    sys.exit(main())
