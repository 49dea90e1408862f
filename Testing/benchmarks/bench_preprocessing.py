"""Seconds of every preparation step, beside the plain way of doing the same, in one run.

Usage: ``make bench-preprocessing``, or ``python Testing/benchmarks/bench_preprocessing.py [--repeats N]``. Patients:
the reference patient and, where it lies beside the checkout, ../shared/real-patient. Plain ways: N4 at full
resolution, registration on one level as BRAINSFit does it, StripTsImageFilter (needs ``make real-data`` for its atlas)
and ANTs for bias field and registration. The last two want other packages than ours, so they run in the interpreter
that ``--others PYTHON`` names (antspyx==0.6.3, itk-skullstripping==1.0.1, SimpleITK) and are left out without it.
All ways of a step follow each other in every repeat, so that a busy moment spoils none of the ratios.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import SimpleITK as sitk

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from bench_brain_extraction import Head, stripts
from kept_tables import add_keep, report
from real_heads import shared_scan, shared_scans
from virtual_exams import canonical_float

from PCNSLSurvivalLib.core.progress import StepClock
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.phantoms import reference_patient
from PCNSLSurvivalLib.preprocessing.pipeline import prepare_case
from PCNSLSurvivalLib.preprocessing.recipe import RECIPE
from PCNSLSurvivalLib.preprocessing.steps.bias_field import correct_bias_field
from PCNSLSurvivalLib.preprocessing.steps.brain_extraction import extract_brain
from PCNSLSurvivalLib.preprocessing.steps.registration import find_pose, refine_pose

# Runs in the interpreter that has antspyx: T1Gd, T2.
ANTS = """
import sys, time, json
import ants
t1gd, t2 = (ants.image_read(path) for path in sys.argv[1:3])
begin = time.perf_counter(); ants.n4_bias_field_correction(t1gd); middle = time.perf_counter()
ants.registration(t1gd, t2, type_of_transform="Rigid")
print(json.dumps([middle - begin, time.perf_counter() - middle]))
"""

Scans = dict[MRSequence, sitk.Image]
Way = Callable[[], object]


def patients() -> Iterator[tuple[str, Scans]]:
    """Every patient that is on this computer."""
    wanted = (MRSequence.T1GD, MRSequence.T1, MRSequence.T2)
    yield "reference", {n: canonical_float(i) for n, i in reference_patient(sequences=wanted).scans.items()}
    if shared_scan(MRSequence.T1GD).is_file():
        yield "TCGA-FG-6692", {name: canonical_float(image) for name, image in shared_scans().items()}


def plain_n4(image: sitk.Image) -> object:
    """SimpleITK's N4 on every voxel of the head, with the recipe's levels."""
    step = RECIPE.bias_field
    n4 = sitk.N4BiasFieldCorrectionImageFilter()
    n4.SetMaximumNumberOfIterations(step.iterations)
    n4.SetConvergenceThreshold(step.convergence_threshold)
    return n4.Execute(sitk.Maximum(image, 1.0), sitk.OtsuThreshold(image, 0, 1, 200))


def plain_registration(fixed: sitk.Image, moving: sitk.Image) -> object:
    """One level without smoothing, started from the centers of mass: BRAINSFit's way and its defaults."""
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(50)
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentage(0.1 if max(fixed.GetSpacing()) >= 3.0 else 0.02, 121212)
    start = sitk.CenteredTransformInitializer(
        fixed, moving, sitk.VersorRigid3DTransform(), sitk.CenteredTransformInitializerFilter.MOMENTS
    )
    method.SetInitialTransform(start, inPlace=False)
    method.SetOptimizerAsRegularStepGradientDescent(0.05, 0.001, 1500, 0.5, 1e-4)
    method.SetOptimizerScales([1.0, 1.0, 1.0, 0.001, 0.001, 0.001])
    method.SetInterpolator(sitk.sitkLinear)
    return method.Execute(fixed, moving)


def our_registration(fixed: sitk.Image, moving: sitk.Image, mask: sitk.Image) -> object:
    """Rough and exact pose."""
    step = RECIPE.registration
    return refine_pose(fixed, moving, find_pose(fixed, moving, step, sequence=MRSequence.T2), step, brain_mask=mask)


def ants(t1gd: sitk.Image, t2: sitk.Image, python: str) -> dict[str, float]:
    """Seconds of antspyx's N4 and rigid registration with their defaults; empty where it is not installed."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [str(Path(folder) / name) for name in ("t1gd.nii.gz", "t2.nii.gz")]
        for path, image in zip(paths, (t1gd, t2), strict=True):
            sitk.WriteImage(image, path)
        done = subprocess.run([python, "-c", ANTS, *paths], capture_output=True, text=True)
    if done.returncode != 0:
        return {}
    taken = json.loads(done.stdout.splitlines()[-1])
    return {"bias field, ANTs": taken[0], "registration, ANTs": taken[1]}


def measured(name: str, scans: Scans, repeats: int, python: str) -> Iterator[tuple[str, ...]]:
    """Seconds and ratios of one patient, a row for each way."""
    clock = StepClock()
    begin = time.perf_counter()
    prepare_case(scans, recipe=RECIPE, clock=clock)
    print(f"\n{name}: the whole preparation {time.perf_counter() - begin:.1f} s, of which")
    print(", ".join(f"{step} {seconds:.1f}" for step, seconds in clock.seconds.items()))
    t1gd, t2 = scans[MRSequence.T1GD], scans[MRSequence.T2]
    mask = extract_brain(t1gd, RECIPE.brain_extraction)
    ways: dict[str, Way] = {
        "bias field, ours": lambda: correct_bias_field(t1gd, RECIPE.bias_field, sequence=MRSequence.T1GD, mask=mask),
        "bias field, full resolution": lambda: plain_n4(t1gd),
        "registration, ours": lambda: our_registration(t1gd, t2, mask),
        "registration, one level": lambda: plain_registration(t1gd, t2),
        "brain, ours": lambda: extract_brain(t1gd, RECIPE.brain_extraction),
    }
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(repeats):
        for way, run in ways.items():
            begin = time.perf_counter()
            run()
            seconds[way].append(time.perf_counter() - begin)
        found = stripts(Head(name, t1gd, None, None), python)
        others = {} if found is None else {"brain, StripTs": found[1]}
        for way, taken in {**others, **ants(t1gd, t2, python)}.items():
            seconds.setdefault(way, []).append(taken)
    for way, all_taken in seconds.items():
        ratios = np.divide(all_taken, seconds[f"{way.split(',')[0]}, ours"][: len(all_taken)])
        yield (
            name,
            way,
            f"{statistics.median(all_taken):.1f} ({min(all_taken):.1f} to {max(all_taken):.1f})",
            f"{np.median(ratios):.1f} ({ratios.min():.1f} to {ratios.max():.1f})",
        )


def main() -> int:
    """Measure every patient."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--others", default=sys.executable, help="interpreter that has antspyx and itk-skullstripping")
    parser.add_argument("--patient", default=None, help="only this one")
    add_keep(parser)
    args = parser.parse_args()
    rows = []
    for name, scans in patients():
        if args.patient in (None, name):
            rows += measured(name, scans, args.repeats, args.others)
    columns = ("patient", "way", "seconds, median (lowest to highest)", "times ours (lowest to highest)")
    report("bench-preprocessing", columns, rows, settings=f"{args.repeats} repeats", keep=args.keep)
    return 0


if __name__ == "__main__":
    sys.exit(main())
