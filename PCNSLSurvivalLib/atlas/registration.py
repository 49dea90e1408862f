"""Registration of a patient's brain to the template of an atlas: affine, and checked by a second one in return."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from PCNSLSurvivalLib.imaging.geometry import FloatArray, Grid, as_float32, box_around, resample
from PCNSLSurvivalLib.preprocessing.qc.registration_check import match_sharpness
from PCNSLSurvivalLib.preprocessing.steps.registration import points_in
from PCNSLSurvivalLib.preprocessing.steps.sampling import coarser, radius_in_voxels

_SEARCH_MM, _FINE_MM = 6.0, 3.0
_TURNS_DEG = (-20.0, 0.0, 20.0)
_REFINED_STARTS = 3
_RIM_MM = 6.0
"""How far around the brain the dark outside counts, so that the outline guides the registration."""
_BINS, _SAMPLES, _ITERATIONS, _SEED = 32, 30_000, 80, 121212
_LARGEST_STRETCH = 1.5
_LARGEST_START = 1.3
"""Ratio of the brains' sizes beyond which a registration starts from no larger one."""


@dataclass(frozen=True, kw_only=True)
class Brain:
    """A brain to register.

    Attributes:
        image: 3-D volume, T1-weighted, real pixel type, LPS; whatever lies outside the brain is not looked at.
        mask: ``uint8`` on its grid.
    """

    image: sitk.Image
    mask: sitk.Image


@dataclass(frozen=True, kw_only=True)
class AtlasPose:
    """Where a patient's brain lies in a template, and how sure that is.

    Attributes:
        transform: LPS points of the patient to LPS points of the template; affine.
        overlap: Dice coefficient of the two brain outlines.
        disagreement_mm: Distance, in the patient, between this registration and a second one from the template to
            the patient; 95 % of the brain are below it.
        stretch: The strongest change of length along any direction, as a ratio above 1.
        sharpness: Share of the match inside the brain that is lost 8 mm or 8 degrees away, see ``match_sharpness``.
    """

    transform: sitk.AffineTransform
    overlap: float
    disagreement_mm: float
    stretch: float
    sharpness: float


def register_to_template(patient: Brain, template: Brain) -> AtlasPose:
    """Register a patient's brain to a template, twice: in one direction and, from other starts, in the other.

    Mattes mutual information over the brain and a rim around it, so that T1Gd needs no likeness of contrast with the
    template. Two registrations that found the same place agree; failed ones have no reason to.

    Args:
        patient: The brain without bias field.
        template: The brain of the atlas.

    References:
        Mattes et al., PET-CT image registration in the chest using free-form deformations, IEEE TMI 22(1), 2003.
        doi:10.1109/TMI.2003.809072
        Christensen and Johnson, Consistent image registration, IEEE TMI 20(7), 2001. doi:10.1109/42.932742
    """
    to_template = _affine(patient, template)
    to_patient = _affine(template, patient)
    points = points_in(patient.mask, count=2000)
    return_points = _moved(_moved(points, to_template), to_patient)
    return AtlasPose(
        transform=to_template,
        overlap=_overlap(patient.mask, template.mask, to_template),
        disagreement_mm=float(np.quantile(np.linalg.norm(return_points - points, axis=1), 0.95)),
        stretch=_stretch(to_template),
        sharpness=match_sharpness(
            as_float32(patient.image),
            sitk.Mask(as_float32(template.image), template.mask),
            to_template,
            patient.mask,
        )[0],
    )


def _affine(fixed: Brain, moving: Brain) -> sitk.AffineTransform:
    found = _search(*(_alone(brain, _SEARCH_MM) for brain in (fixed, moving)))
    there, here = (_alone(brain, _FINE_MM) for brain in (moving, fixed))
    _refine(here, there, found)
    rounded = sitk.AffineTransform(found)  # threads add up in an order of their own: the last digits differ
    rounded.SetParameters([round(value, 6) for value in found.GetParameters()])
    return rounded


def _search(fixed: Brain, moving: Brain) -> sitk.AffineTransform:
    """The best of several registrations on coarse copies, from the centers and sizes of the brains."""
    center, there = (points_in(brain.mask, count=5000).mean(axis=0) for brain in (fixed, moving))
    ratio = (_volume(moving.mask) / _volume(fixed.mask)) ** (1 / 3)
    size = min(max(ratio, 1 / _LARGEST_START), _LARGEST_START)
    starts = []
    for number, turns in enumerate(itertools.product(np.radians(_TURNS_DEG), repeat=3)):
        turned = sitk.Euler3DTransform()
        turned.SetRotation(*(float(turn) for turn in turns))
        start = sitk.Similarity3DTransform()
        start.SetCenter(center.tolist())
        start.SetMatrix(turned.GetMatrix())
        start.SetScale(size)
        start.SetTranslation((there - center).tolist())
        starts.append((_match(fixed, moving, start), number, start))
    starts.sort(key=lambda scored: scored[:2])
    refined = []
    for _value, number, start in starts[:_REFINED_STARTS]:
        _refine(fixed, moving, start)
        affine = sitk.AffineTransform(3)
        affine.SetCenter(start.GetCenter())
        affine.SetMatrix(start.GetMatrix())
        affine.SetTranslation(start.GetTranslation())
        value = _refine(fixed, moving, affine)
        # Where most points leave the moving brain, the few that are left can match well by chance.
        refined.append((_stretch(affine) > _LARGEST_STRETCH, value, number, affine))
    return min(refined, key=lambda scored: scored[:3])[3]


def _alone(brain: Brain, spacing_mm: float) -> Brain:
    """The brain on coarser voxels, 0 outside it; the brightest and darkest hundredths, such as vessels, cut off."""
    rim = np.ceil(_RIM_MM * 2 / np.asarray(brain.mask.GetSpacing())).astype(int)
    box = box_around(brain.mask, rim)
    mask = brain.mask if box is None else box.of(brain.mask)
    image = as_float32(brain.image if box is None else box.of(brain.image))
    inside = sitk.GetArrayViewFromImage(mask) > 0
    low, high = (float(v) for v in np.quantile(sitk.GetArrayViewFromImage(image)[inside], (0.01, 0.99)))
    clipped = sitk.Clamp(image, sitk.sitkFloat32, low, high) - min(low, 0.0)
    share = coarser(sitk.Cast(mask, sitk.sitkFloat32), spacing_mm)
    return Brain(
        image=coarser(sitk.Mask(clipped, mask), spacing_mm),
        mask=sitk.Cast(share >= 0.5, sitk.sitkUInt8),
    )


def _method(fixed: Brain) -> sitk.ImageRegistrationMethod:
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(_BINS)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetMetricUseMovingImageGradientFilter(False)
    seen = sitk.BinaryDilate(fixed.mask, radius_in_voxels(_RIM_MM, fixed.mask.GetSpacing()))
    method.SetMetricFixedMask(seen)
    count = int(np.count_nonzero(sitk.GetArrayViewFromImage(seen)))
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentage(min(1.0, _SAMPLES / max(count, 1)), _SEED)
    return method


def _match(fixed: Brain, moving: Brain, start: sitk.Transform) -> float:
    method = _method(fixed)
    method.SetInitialTransform(start, inPlace=False)
    try:
        return float(method.MetricEvaluate(fixed.image, moving.image))
    except RuntimeError:  # no sample falls into the moving brain
        return math.inf


def _refine(fixed: Brain, moving: Brain, start: sitk.Transform) -> float:
    """Move ``start`` to the best match nearby, and never to a worse one; returns the match, lower is better.

    A quasi-Newton method: steps along the gradient alone left the head on some brains, once a rigid pose was found.
    """
    before, value = start.GetParameters(), _match(fixed, moving, start)
    method = _method(fixed)
    method.SetOptimizerAsLBFGS2(
        solutionAccuracy=1e-5,
        numberOfIterations=_ITERATIONS,
        lineSearchMaximumEvaluations=10,
    )
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetInitialTransform(start, inPlace=True)
    try:
        method.Execute(fixed.image, moving.image)
        found = _match(fixed, moving, start)
    except RuntimeError:
        found = math.inf
    if found > value:
        start.SetParameters(before)
    return min(found, value)


def _moved(points_lps_mm: FloatArray, transform: sitk.AffineTransform) -> FloatArray:
    matrix = np.reshape(transform.GetMatrix(), (3, 3))
    center = np.asarray(transform.GetCenter())
    moved: FloatArray = (points_lps_mm - center) @ matrix.T + center + np.asarray(transform.GetTranslation())
    return moved


def _overlap(patient: sitk.Image, template: sitk.Image, transform: sitk.Transform) -> float:
    grid = Grid.of(template)
    there = resample(patient, grid, interpolation="nearest", transform=transform.GetInverse())
    one, two = (sitk.GetArrayViewFromImage(mask) > 0 for mask in (there, template))
    seen = _volume(patient) / max(abs(np.linalg.det(np.reshape(transform.GetInverse().GetMatrix(), (3, 3)))), 1e-6)
    whole = seen + _volume(template)
    return float(2 * np.count_nonzero(one & two) * grid.voxel_volume_ml / max(whole, 1e-6))


def _stretch(transform: sitk.AffineTransform) -> float:
    lengths = np.linalg.svd(np.reshape(transform.GetMatrix(), (3, 3)), compute_uv=False)
    return float(max(lengths.max(), 1 / max(lengths.min(), 1e-6)))


def _volume(mask: sitk.Image) -> float:
    return float(np.count_nonzero(sitk.GetArrayViewFromImage(mask))) * Grid.of(mask).voxel_volume_ml
