"""Registration: the rigid movement of the head between two scans, found by mutual information."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import SimpleITK as sitk

from PCNSLSurvivalLib.core.errors import PreparationError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.geometry import FloatArray, Grid, resample
from PCNSLSurvivalLib.preprocessing.recipe import RegistrationStep
from PCNSLSurvivalLib.preprocessing.steps.sampling import coarser, head_mask


def find_pose(
    fixed: sitk.Image, moving: sitk.Image, step: RegistrationStep, *, sequence: MRSequence
) -> sitk.Euler3DTransform:
    """Find roughly, and from far away, where every point of T1Gd lies in another scan of the same head.

    Three ways to lay the heads over each other, each with a set of head turns, are tried on coarse copies;
    the best few are refined there. Mattes mutual information needs no likeness of contrast. The random
    points are drawn from a fixed seed: the same scans give the same movement.

    Args:
        fixed: T1Gd, 3-D ``float32``, LPS.
        moving: The other scan, 3-D ``float32``, LPS, any grid and contrast.
        step: Parameters of the recipe.
        sequence: Which scan the moving one is, for messages.

    Returns:
        Rigid transform that takes LPS points of ``fixed`` to LPS points of ``moving`` (ITK's convention).

    Raises:
        PreparationError: The two scans share no common region.

    References:
        Mattes et al., PET-CT image registration in the chest using free-form deformations, IEEE TMI 22(1),
        2003. doi:10.1109/TMI.2003.809072
    """
    step = replace(step, samples=step.search_samples)
    small_fixed, small_moving = (coarser(image, step.search_mm) for image in (fixed, moving))
    metric = _value_alone(_method(small_fixed, step))
    starts = [
        (_value(metric, small_fixed, small_moving, start), number, start)
        for number, start in enumerate(_starts(fixed, moving, step))
    ]
    starts.sort(key=lambda scored: scored[:2])
    refined = [_refine(small_fixed, small_moving, start, step, reach_mm=3.0) for _, _, start in starts[:3]]
    value, best = min(refined, key=lambda scored: scored[0])
    if not math.isfinite(value):
        raise PreparationError(Message("registration.nothing_in_common", sequence=sequence))
    return _repeatable(best)


def refine_pose(
    fixed: sitk.Image,
    moving: sitk.Image,
    start: sitk.Euler3DTransform,
    step: RegistrationStep,
    *,
    brain_mask: sitk.Image,
) -> sitk.Euler3DTransform:
    """Make a rough pose exact, looking at the brain alone: jaw, neck and skin move by themselves.

    Args:
        fixed: T1Gd, 3-D ``float32``, bias field corrected, LPS.
        moving: The other scan, 3-D ``float32``, bias field corrected inside the brain, LPS.
        start: What ``find_pose`` found.
        step: Parameters of the recipe.
        brain_mask: ``uint8`` on the grid of ``fixed``.

    Returns:
        Rigid transform that takes LPS points of ``fixed`` to LPS points of ``moving``.
    """
    kji = np.argwhere(sitk.GetArrayViewFromImage(brain_mask) > 0)
    low = [int(n) for n in kji.min(axis=0)[::-1]]
    size = [int(n) + 1 - least for n, least in zip(kji.max(axis=0)[::-1], low, strict=True)]
    brain, mask = (sitk.RegionOfInterest(image, size, low) for image in (fixed, brain_mask))
    best = start
    for level_mm in step.levels_mm:
        small, there = coarser(brain, level_mm), coarser(moving, level_mm)
        small_mask = resample(mask, Grid.of(small), interpolation="nearest")
        metric = _value_alone(_method(small, step, small_mask))
        before = _value(metric, small, there, best)
        found = _refine(small, there, best, step, reach_mm=level_mm / 3, mask=small_mask)[1]
        if not _value(metric, small, there, found) < before:
            # Between thick slices the gradient can point the wrong way and lead off the head; line searches do not
            # ask for it. They are the second choice because the first needs no more than a few steps elsewhere.
            found = _searched(metric, small, there, best)
        if _value(metric, small, there, found) < before:
            best = found
    return _repeatable(best)


def mean_movement_mm(transform: sitk.Transform, points_lps_mm: FloatArray) -> float:
    """Mean distance over (N, 3) LPS points between a point and where the transform puts it."""
    moved = np.array([transform.TransformPoint(point) for point in points_lps_mm.tolist()])
    return float(np.linalg.norm(moved - points_lps_mm, axis=1).mean())


def points_in(mask: sitk.Image, *, count: int = 500) -> FloatArray:
    """(N, 3) LPS points spread evenly over a mask."""
    kji = np.argwhere(sitk.GetArrayViewFromImage(mask) > 0)
    chosen = kji[np.linspace(0, len(kji) - 1, min(count, len(kji))).astype(int)]
    return Grid.of(mask).index_to_lps(chosen[:, ::-1].astype(float))


def _repeatable(pose: sitk.Euler3DTransform) -> sitk.Euler3DTransform:
    """A pose in whole millionths of a radian and of a millimeter: less than 0.0001 mm anywhere in the head.

    Threads add up the match in an order of their own, so that the last digits of two runs differ.
    """
    rounded = sitk.Euler3DTransform(pose)
    rounded.SetParameters([round(value, 6) for value in pose.GetParameters()])
    return rounded


def _center_of_head(image: sitk.Image) -> FloatArray:
    return points_in(head_mask(coarser(image, 6.0)), count=5000).mean(axis=0)


def _starts(fixed: sitk.Image, moving: sitk.Image, step: RegistrationStep) -> list[sitk.Euler3DTransform]:
    """Scanner frame, centers of the blocks, centers of the heads: each with all head turns."""
    center = _center_of_head(fixed)
    shifts = (
        np.zeros(3),
        Grid.of(moving).center_lps_mm - Grid.of(fixed).center_lps_mm,
        _center_of_head(moving) - center,
    )
    turns = np.radians(step.start_rotations_deg)
    starts = []
    for shift, (x, y, z) in itertools.product(shifts, itertools.product(turns, repeat=3)):
        start = sitk.Euler3DTransform()
        start.SetCenter(center.tolist())
        start.SetRotation(float(x), float(y), float(z))
        start.SetTranslation(shift.tolist())
        starts.append(start)
    return starts


def _method(fixed: sitk.Image, step: RegistrationStep, mask: sitk.Image | None = None) -> sitk.ImageRegistrationMethod:
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(step.histogram_bins)
    method.SetInterpolator(sitk.sitkLinear)
    seen = fixed.GetNumberOfPixels()
    if mask is not None:
        method.SetMetricFixedMask(mask)
        seen = int(np.count_nonzero(sitk.GetArrayViewFromImage(mask)))
    # The points are drawn from the whole block and count where the mask allows: the share is that of the mask.
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentage(min(1.0, step.samples / max(seen, 1)), step.seed)
    return method


def _value_alone(method: sitk.ImageRegistrationMethod) -> sitk.ImageRegistrationMethod:
    """The method for calls that never ask for a gradient: none of the whole moving scan is computed beforehand."""
    method.SetMetricUseMovingImageGradientFilter(False)
    return method


def _value(method: sitk.ImageRegistrationMethod, fixed: sitk.Image, moving: sitk.Image, start: sitk.Transform) -> float:
    method.SetInitialTransform(start, inPlace=False)
    try:
        return float(method.MetricEvaluate(fixed, moving))
    except RuntimeError:  # no sample of T1Gd falls into the moving scan
        return math.inf


def _refine(
    fixed: sitk.Image,
    moving: sitk.Image,
    start: sitk.Euler3DTransform,
    step: RegistrationStep,
    *,
    reach_mm: float,
    mask: sitk.Image | None = None,
) -> tuple[float, sitk.Euler3DTransform]:
    method = _method(fixed, step, mask)
    # The scales weigh a turn by how far it moves the farthest voxel. The length of a step counts mm and radians alike:
    # where turns lead, the first steps are too long, and the optimizer shortens them.
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=reach_mm,
        minStep=0.01,
        numberOfIterations=step.iterations,
        relaxationFactor=0.6,
        gradientMagnitudeTolerance=1e-6,
        estimateLearningRate=method.Never,
    )
    method.SetOptimizerScalesFromPhysicalShift()
    found = sitk.Euler3DTransform(start)
    method.SetInitialTransform(found, inPlace=True)
    try:
        method.Execute(fixed, moving)
    except RuntimeError:
        return math.inf, start
    return float(method.GetMetricValue()), found


def _searched(
    method: sitk.ImageRegistrationMethod, fixed: sitk.Image, moving: sitk.Image, start: sitk.Euler3DTransform
) -> sitk.Euler3DTransform:
    """The pose that line searches along each turn and shift reach (Powell's method); ``start`` where there is none."""
    method.SetOptimizerAsPowell(
        numberOfIterations=6, maximumLineIterations=20, stepLength=0.5, stepTolerance=0.01, valueTolerance=1e-4
    )
    method.SetOptimizerScalesFromPhysicalShift()
    found = sitk.Euler3DTransform(start)
    method.SetInitialTransform(found, inPlace=True)
    try:
        method.Execute(fixed, moving)
    except RuntimeError:
        return start
    return found
