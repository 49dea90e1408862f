"""Bias field: the smooth shading of the receive coil, fitted with N4 and divided out."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from PCNSLSurvivalLib.core.errors import GridMismatchError, PreparationError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.geometry import Grid, as_float32, image_on_grid
from PCNSLSurvivalLib.preprocessing.recipe import BiasFieldStep, factors_for
from PCNSLSurvivalLib.preprocessing.steps.n4 import fit_log_bias_field
from PCNSLSurvivalLib.preprocessing.steps.sampling import head_mask

_LEAST_LOGARITHM = -50.0
"""Of the field: far outside the mask it may be anything, and 0 divided by 0 would be no number."""


def correct_bias_field(
    image: sitk.Image, step: BiasFieldStep, *, sequence: MRSequence, mask: sitk.Image | None = None
) -> sitk.Image:
    """Remove the smooth receive-coil shading of one MR volume with N4.

    The field is fitted on a shrunken copy and evaluated on the full grid. N4 works on logarithms, to which a
    constant offset of the scanner would look like shading: the air level is therefore taken off before the
    fit and put back afterwards, so that gain and offset of the scan do not change the field.

    Args:
        image: 3-D volume of size (I, J, K), arbitrary units; spacing and origin in mm, LPS.
        step: Parameters of the recipe.
        sequence: Which scan it is, for messages.
        mask: (I, J, K) ``uint8`` on the same grid, 1 where the fit looks; the head if left out.

    Returns:
        The corrected ``float32`` volume in units, frame and grid of ``image``: without the air level divided by a
        field whose mean inside the mask is 1.

    Raises:
        GridMismatchError: ``mask`` is not on the grid of ``image``.
        PreparationError: The mask is empty, or the fit gave no finite field.

    References:
        Tustison et al., N4ITK: Improved N3 Bias Correction, IEEE TMI 29(6), 2010. doi:10.1109/TMI.2010.2046908
    """
    if mask is not None and not Grid.of(mask).matches(Grid.of(image)):
        raise GridMismatchError(Message("grid.bias_field_mask", sequence=sequence))
    volume = as_float32(image)
    values = sitk.GetArrayViewFromImage(volume)
    air = float(np.quantile(values, 0.001))
    bright = float(np.quantile(values, 0.99)) - air

    def shining(scan: sitk.Image) -> sitk.Image:
        return sitk.Maximum((scan - air) * (1000.0 / bright if bright > 0 else 1.0), 0.0)

    mask = head_mask(shining(volume)) if mask is None else sitk.Cast(mask > 0, sitk.sitkUInt8)
    factors = factors_for(image.GetSpacing(), image.GetSize(), step.working_spacing_mm)
    # N4 takes logarithms and skips voxels that are not positive: only those that shine take part.
    small, small_mask = shining(sitk.Shrink(volume, factors)), sitk.Shrink(mask, factors)
    small_mask = sitk.And(small_mask, sitk.Cast(small > 1e-3, sitk.sitkUInt8))
    if not sitk.GetArrayViewFromImage(small_mask).any():
        raise PreparationError(Message("bias_field.no_brain", sequence=sequence))
    fit = fit_log_bias_field(
        sitk.GetArrayFromImage(small).astype(np.float64), sitk.GetArrayViewFromImage(small_mask) > 0, step
    )
    # In one array, a slice at a time: of a fine scan every volume has hundreds of megabytes.
    field = fit.on(image.GetSize())
    with np.errstate(over="ignore"):
        for slice_ji in field:
            slice_ji[...] = np.exp(np.maximum(slice_ji.astype(np.float64), _LEAST_LOGARITHM))
    inside = field[sitk.GetArrayViewFromImage(mask) > 0]
    if not np.isfinite(inside).all():
        raise PreparationError(Message("bias_field.no_fit", sequence=sequence))
    # Mean 1 in the head keeps the brightness of the scan.
    mean, level = np.float32(inside.mean()), np.float32(air)
    for slice_ji, scan_ji in zip(field, values, strict=True):
        slice_ji[...] = (scan_ji - level) / (slice_ji / mean) + level
    return image_on_grid(field, Grid.of(image))
