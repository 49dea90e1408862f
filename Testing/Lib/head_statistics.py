"""Numbers that describe how a head scan looks, measured the same way on real and virtual ones."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from PCNSLSurvivalLib.core.terms import MRSequence


def head_statistics(image: sitk.Image, brain_mask: sitk.Image, sequence: MRSequence) -> dict[str, float]:
    """Contrast, noise and shading of one scan, relative to white matter after N4.

    Args:
        image: 3-D scan of a whole head.
        brain_mask: ``uint8`` on the same grid.
        sequence: Decides which class of the brain is white matter: the brightest on T1, the darkest on T2.

    Returns:
        ``brain_ml``; ``csf/white``, ``gray/white`` (means of three classes in the brain), ``scalp/white`` (the bright
        97 % quantile 5 to 22 mm outside the brain), ``skull/white`` (the dark 10 % quantile there), ``noise/white``
        (from second differences along i, anatomy included) and ``log bias sd`` within the brain.
    """
    values = sitk.GetArrayFromImage(sitk.Cast(image, sitk.sitkFloat32))
    brain = sitk.GetArrayFromImage(brain_mask) > 0
    spacing_kji = image.GetSpacing()[::-1]
    log_bias = _log_bias(image, brain_mask)
    even = values / np.exp(log_bias)
    depth = ndimage.distance_transform_edt(brain, sampling=spacing_kji)
    outside = ndimage.distance_transform_edt(~brain, sampling=spacing_kji)
    low, middle, high = _three_classes(even[depth > 2])
    csf, gray, white = (high, middle, low) if sequence is MRSequence.T2 else (low, middle, high)
    shell = even[(outside > 5) & (outside < 22)]
    second = (2 * values[:, :, 1:-1] - values[:, :, :-2] - values[:, :, 2:]) / np.sqrt(6)
    noise = 1.4826 * np.median(np.abs(second[depth[:, :, 1:-1] > 6]))
    return {
        "brain_ml": float(brain.sum() * np.prod(spacing_kji) / 1000),
        "csf/white": csf / white,
        "gray/white": gray / white,
        "scalp/white": float(np.quantile(shell, 0.97)) / white,
        "skull/white": float(np.quantile(shell, 0.10)) / white,
        "noise/white": float(noise) / white,
        "log bias sd": float(log_bias[brain].std()),
    }


def _log_bias(image: sitk.Image, brain_mask: sitk.Image) -> np.ndarray:
    positive = sitk.Cast(image, sitk.sitkFloat32) + 1.0
    shrink = [4, 4, 1] if image.GetSpacing()[2] > 3 else [4, 4, 4]
    n4 = sitk.N4BiasFieldCorrectionImageFilter()
    n4.SetMaximumNumberOfIterations([40, 30, 20])
    n4.Execute(sitk.Shrink(positive, shrink), sitk.Shrink(brain_mask, shrink))
    return sitk.GetArrayFromImage(n4.GetLogBiasFieldAsImage(positive))


def _three_classes(values: np.ndarray) -> tuple[float, float, float]:
    """Means of three intensity classes, ascending (k-means)."""
    low, high = np.quantile(values, [0.002, 0.998])
    values = values[(values > low) & (values < high)]
    means = np.quantile(values, [1 / 6, 1 / 2, 5 / 6])
    for _ in range(60):
        nearest = np.abs(values[:, None] - means[None, :]).argmin(axis=1)
        means = np.array([values[nearest == n].mean() for n in range(3)])
    dark, gray, bright = np.sort(means)
    return float(dark), float(gray), float(bright)
