"""Radiomics features of one region of one prepared scan, by numpyradiomics."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any, Literal

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from PCNSLSurvivalLib.core.errors import EvaluationError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.imaging.geometry import Grid, resample

FAMILIES = ("firstorder", "shape", "glcm", "glszm", "gldm", "ngtdm")
"""Run-length features (GLRLM) are left out: numpyradiomics' disagreed with the IBSI digital phantom."""

Region = Literal["lesion", "brain"]


@dataclass(frozen=True, kw_only=True)
class RadiomicsStep:
    """How features are computed; part of the key under which they are kept."""

    region: Region = "lesion"
    """One for the whole cohort; see ``region.radiomics_region``."""
    bins: int = 32
    """Gray levels, a fixed number, since normalized MR intensities have no unit (IBSI: fixed bin number)."""
    brain_spacing_mm: float = 2.0
    """Voxel size at which the whole brain is looked at; a lesion keeps its 1 mm."""
    least_voxels: int = 27

    def to_json(self) -> dict[str, Any]:
        """The settings with the library's version, as plain JSON."""
        return {**asdict(self), "numpyradiomics": version("numpyradiomics"), "families": FAMILIES}


def radiomics_features(scan: sitk.Image, region: sitk.Image, step: RadiomicsStep) -> dict[str, float]:
    """Features of the lesion or of the whole brain, as the step says.

    Args:
        scan: Prepared scan at 1 mm, normalized.
        region: Mask of the step's region, on the grid of ``scan``.
        step: The settings.

    Returns:
        Value by name such as ``glcm_Contrast``; lengths in mm. Texture is over the 13 directions of 3-D, averaged.

    Raises:
        EvaluationError: The region holds too few voxels, or one intensity only.

    References:
        Zwanenburg et al., The Image Biomarker Standardization Initiative, Radiology 295(2), 2020.
        doi:10.1148/radiol.2020191145
    """
    if step.region == "brain":
        grid = Grid.of(scan).with_spacing((step.brain_spacing_mm,) * 3)
        scan, region = resample(scan, grid), resample(region, grid, interpolation="nearest")
    values = sitk.GetArrayViewFromImage(scan)
    inside = sitk.GetArrayViewFromImage(region) > 0
    if int(inside.sum()) < step.least_voxels or np.ptp(values[inside]) == 0:
        raise EvaluationError(Message("radiomics.little_region", region=step.region))
    return features_of_region(values.astype(np.float64), inside, scan.GetSpacing()[::-1], bins=step.bins)


def features_of_region(
    values_kji: NDArray[np.float64],
    inside_kji: NDArray[np.bool_],
    spacing_kji_mm: tuple[float, ...],
    *,
    bins: int | None = None,
    bin_width: float = 1.0,
) -> dict[str, float]:
    """Features of the voxels inside.

    Args:
        values_kji: (K, J, I) intensities.
        inside_kji: (K, J, I) the region.
        spacing_kji_mm: Voxel size along K, J, I.
        bins: Number of gray levels; if None, levels of ``bin_width`` from the lowest intensity.
        bin_width: Width of a gray level, in the unit of ``values_kji``.
    """
    import numpyradiomics

    box = tuple(slice(int(at.min()), int(at.max()) + 1) for at in np.nonzero(inside_kji))
    image, mask = values_kji[box], inside_kji[box].astype(np.uint8)
    levels = {"binWidth": bin_width, "binCount": bins}
    found = {
        "firstorder": numpyradiomics.firstorder(
            image, mask, voxelVolume=float(np.prod(spacing_kji_mm)), extend=False, **levels
        ),
        "shape": numpyradiomics.shape(np.pad(mask, 1), spacing_kji_mm, extend=False),
        "glcm": numpyradiomics.glcm(image, mask, **levels),
        "glszm": numpyradiomics.glszm(image, mask, **levels),
        "gldm": numpyradiomics.gldm(image, mask, **levels),
        "ngtdm": numpyradiomics.ngtdm(image, mask, **levels),
    }
    return {f"{family}_{name}": float(value) for family in FAMILIES for name, value in found[family].items()}
