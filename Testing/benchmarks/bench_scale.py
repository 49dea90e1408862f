"""Memory and seconds of cohorts of growing size, and of two large scans: ``make bench-scale``.

``python Testing/benchmarks/bench_scale.py [--patients N [N ...]] [--outlined N [N ...]] [--jobs N [N ...]]``. Every
patient is the reference patient's T1Gd at 2 mm with noise of its own. Cohorts of each size are predicted
(``predict-cohort``) and prepared (``preprocess``) from nothing; what one job takes is measured on the smallest. Those
of ``--outlined`` come with brain masks: the outline takes two thirds of the time, and 500 patients would take hours.
Large scans are the reference patient's T1Gd resampled to 512 x 512 x 200 voxels and to 0.5 mm; ``predict`` reads one
each.

Memory is the largest sum over the command and its child processes, looked at three times per second; a page that
processes share counts once (PSS; Linux only).
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import SimpleITK as sitk

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from bench_case import Taken
from kept_tables import add_keep, report
from virtual_exams import canonical_float

from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.geometry import Grid, resample
from PCNSLSurvivalLib.imaging.io import write_volume
from PCNSLSurvivalLib.phantoms import reference_patient

COHORT_SPACING_MM = 2.0
MASK = "brain_mask.nii.gz"
NOISE = 0.005
"""Standard deviation by the brightest voxel: too little to change a result, enough that no two scans are the same."""


def main() -> int:
    """Time cohorts and large scans, and print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patients", type=int, nargs="*", default=[4, 16], help="sizes of the cohorts")
    parser.add_argument("--outlined", type=int, nargs="*", default=[16, 500], help="sizes of those with brain masks")
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2], help="cases prepared in parallel")
    add_keep(parser)
    args = parser.parse_args()
    rows = []
    patient = reference_patient(sequences=(MRSequence.T1GD,))
    head, brain = (canonical_float(images[MRSequence.T1GD]) for images in (patient.scans, patient.brain_masks))
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        for masks, sizes in ((False, args.patients), (True, args.outlined)):
            for count in sizes:
                name = f"{count} patients with brain masks" if masks else f"{count} patients"
                table = write_cohort(head, brain if masks else None, place / name, count)
                jobs = args.jobs if count == sizes[0] else args.jobs[-1:]
                commands = {"predict-cohort": ["predict-cohort", str(table)]}
                commands |= {f"preprocess, {_jobs(n)}": ["preprocess", str(table), "--jobs", str(n)] for n in jobs}
                for command, words in commands.items():
                    used = used_by(words + ["--use-brain-masks"] * masks, place / "out")
                    rows.append(row(command, name, used, count))
        for name, scan in large_scans(head, place):
            rows.append(row("predict", name, used_by(["predict", "--t1gd", str(scan)], place / "out"), 1))
    columns = ("command", "input", "seconds", "seconds per patient", "processor seconds per patient", "MiB")
    threads = os.environ.get("OMP_NUM_THREADS", "as many threads as cores")
    settings = f"T1Gd alone, cohorts at {COHORT_SPACING_MM:g} mm, OMP_NUM_THREADS: {threads}"
    report("bench-scale", columns, rows, settings=settings, keep=args.keep)
    return 0


def write_cohort(head: sitk.Image, brain: sitk.Image | None, folder: Path, count: int) -> Path:
    """Write as many patients as wanted, with the mask of their brain if given, and the table that lists them."""
    folder.mkdir()
    grid = _with_spacing(head, [COHORT_SPACING_MM] * 3)
    coarse = resample(head, grid)
    if brain is not None:
        write_volume(resample(sitk.Cast(brain > 0, sitk.sitkUInt8), grid, interpolation="nearest"), folder / MASK)
    voxels = sitk.GetArrayFromImage(coarse)
    rows = ["patient,t1gd,brain_mask,os_days,death_observed"]
    for number in range(count):
        noise = np.random.default_rng(number).normal(0.0, NOISE * voxels.max(), voxels.shape)
        scan = sitk.GetImageFromArray((voxels + noise).astype(np.float32))
        scan.CopyInformation(coarse)
        write_volume(scan, folder / f"{number:04}.nii.gz")
        rows.append(f"P{number:04},{number:04}.nii.gz,{MASK if brain is not None else ''},{200 + 10 * number},1")
    table = folder / "cohort.csv"
    table.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return table


def large_scans(head: sitk.Image, folder: Path) -> Iterator[tuple[str, Path]]:
    """T1Gd with more voxels than most scanners give, by name."""
    extent_mm = [n * mm for n, mm in zip(head.GetSize(), head.GetSpacing(), strict=True)]
    size = (512, 512, 200)
    for name, spacing in (
        (" x ".join(map(str, size)), tuple(mm / n for mm, n in zip(extent_mm, size, strict=True))),
        ("0.5 mm", (0.5, 0.5, 0.5)),
    ):
        file = folder / f"{name.replace(' ', '-')}.nii.gz"
        write_volume(resample(head, _with_spacing(head, spacing)), file)
        yield name, file


def _with_spacing(head: sitk.Image, spacing_mm: Sequence[float]) -> Grid:
    i, j, k = (round(n * mm / new) for n, mm, new in zip(head.GetSize(), head.GetSpacing(), spacing_mm, strict=True))
    i_mm, j_mm, k_mm = spacing_mm
    return replace(Grid.of(head), size=(i, j, k), spacing_mm=(i_mm, j_mm, k_mm))


def used_by(command: Sequence[str], out: Path) -> Taken:
    """Run a command of ours from the start of its process to its end.

    Raises:
        RuntimeError: It failed.
    """
    begin, before = time.perf_counter(), os.times()
    words = [sys.executable, "-m", "PCNSLSurvivalLib.cli", *command, "--out", str(out), "--progress", "none"]
    child = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    largest = 0
    while child.poll() is None:
        largest = max(largest, memory_of(child.pid))
        time.sleep(0.3)
    seconds, after = time.perf_counter() - begin, os.times()
    if child.returncode != 0:
        raise RuntimeError(f"status {child.returncode}: {' '.join(words)}")
    shutil.rmtree(out)
    processor = after.children_user + after.children_system - before.children_user - before.children_system
    return Taken(seconds, processor, largest / 1024**2)


def memory_of(pid: int) -> int:
    """Bytes of a process and its children."""
    total = 0
    try:
        process = psutil.Process(pid)
        for each in (process, *process.children(recursive=True)):
            try:
                total += each.memory_full_info().pss
            except psutil.Error:  # it ended while we looked
                continue
    except psutil.Error:
        return 0
    return total


def row(command: str, given: str, used: Taken, patients: int) -> tuple[str, ...]:
    """One line of the table."""
    each = (used.seconds / patients, used.processor_seconds / patients)
    line = (command, given, f"{used.seconds:.1f}", *(f"{one:.1f}" for one in each), f"{used.memory_mib:.0f}")
    print(" | ".join(line), file=sys.stderr, flush=True)
    return line


def _jobs(number: int) -> str:
    return "1 job" if number == 1 else f"{number} jobs"


if __name__ == "__main__":
    sys.exit(main())
