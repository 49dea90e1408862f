"""Registration: the rigid movement of the head between two scans, found by mutual information."""

from __future__ import annotations

import itertools
import math

import numpy as np
import SimpleITK as sitk

from PCNSLSurvivalLib.errors import PreparationError
from PCNSLSurvivalLib.imaging.geometry import FloatArray, Grid
from PCNSLSurvivalLib.preprocessing.recipe import RegistrationStep
from PCNSLSurvivalLib.preprocessing.sampling import coarser, head_mask


def register_rigid(
    fixed: sitk.Image, moving: sitk.Image, step: RegistrationStep, *, name: str
) -> sitk.Euler3DTransform:
    """Find where every point of T1Gd lies in another scan of the same head.

    Head turns and three ways to lay the heads over each other are tried on coarse copies; the best are
    refined there and the winner goes through finer levels. Mattes mutual information needs no likeness of
    contrast. The random points are drawn from a fixed seed: the same scans give the same movement.

    Args:
        fixed: T1Gd, 3-D ``float32``, LPS.
        moving: The other scan, 3-D ``float32``, LPS, any grid and contrast.
        step: Parameters of the recipe.
        name: How messages call the moving scan, "T2".

    Returns:
        Rigid transform that takes LPS points of ``fixed`` to LPS points of ``moving`` (ITK's convention).

    Raises:
        PreparationError: The two scans share no common region.

    References:
        Mattes et al., PET-CT image registration in the chest using free-form deformations, IEEE TMI 22(1),
        2003. doi:10.1109/TMI.2003.809072
    """
    center = _center_of_head(fixed)
    small_fixed, small_moving = (coarser(image, step.levels_mm[0]) for image in (fixed, moving))
    metric = _method(small_fixed, step)
    starts = sorted(
        (
            (_value(metric, small_fixed, small_moving, start), n, start)
            for n, start in enumerate(_starts(fixed, moving, center, step))
        ),
        key=lambda scored: scored[:2],
    )
    if not math.isfinite(starts[0][0]):
        raise PreparationError(
            f"{name} and T1Gd show no common part of the head. Check that both files belong to one patient."
        )
    refined = [_refine(small_fixed, small_moving, start, step, reach_mm=3.0) for _, _, start in starts[:3]]
    best = min(refined, key=lambda scored: scored[0])[1]
    for level_mm in step.levels_mm[1:]:
        best = _refine(coarser(fixed, level_mm), coarser(moving, level_mm), best, step, reach_mm=level_mm / 3)[1]
    return best


def mean_movement_mm(transform: sitk.Transform, points_lps_mm: FloatArray) -> float:
    """Mean distance over (N, 3) LPS points between a point and where the transform puts it."""
    moved = np.array([transform.TransformPoint(point) for point in points_lps_mm.tolist()])
    return float(np.linalg.norm(moved - points_lps_mm, axis=1).mean())


def head_points(mask: sitk.Image, *, count: int = 500) -> FloatArray:
    """(N, 3) LPS points spread evenly over a mask."""
    kji = np.argwhere(sitk.GetArrayViewFromImage(mask) > 0)
    chosen = kji[np.linspace(0, len(kji) - 1, min(count, len(kji))).astype(int)]
    return Grid.of(mask).index_to_lps(chosen[:, ::-1].astype(float))


def _center_of_head(image: sitk.Image) -> FloatArray:
    return head_points(head_mask(coarser(image, 6.0)), count=5000).mean(axis=0)


def _starts(
    fixed: sitk.Image, moving: sitk.Image, center: FloatArray, step: RegistrationStep
) -> list[sitk.Euler3DTransform]:
    """Scanner frame, centers of the blocks, centers of the heads: each with all head turns."""
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


def _method(fixed: sitk.Image, step: RegistrationStep) -> sitk.ImageRegistrationMethod:
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(step.histogram_bins)
    method.SetInterpolator(sitk.sitkLinear)
    share = min(1.0, step.samples / fixed.GetNumberOfPixels())
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentage(share, step.seed)
    return method


def _value(method: sitk.ImageRegistrationMethod, fixed: sitk.Image, moving: sitk.Image, start: sitk.Transform) -> float:
    method.SetInitialTransform(start, inPlace=False)
    try:
        return float(method.MetricEvaluate(fixed, moving))
    except RuntimeError:  # no sample of T1Gd falls into the moving scan
        return math.inf


def _refine(
    fixed: sitk.Image, moving: sitk.Image, start: sitk.Euler3DTransform, step: RegistrationStep, *, reach_mm: float
) -> tuple[float, sitk.Euler3DTransform]:
    method = _method(fixed, step)
    # Steps are counted in mm that the farthest voxel moves, for turns and shifts alike.
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
