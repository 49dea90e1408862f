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


def correct_bias_field(
    image: sitk.Image, step: BiasFieldStep, *, sequence: MRSequence, mask: sitk.Image | None = None
) -> tuple[sitk.Image, sitk.Image]:
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
        The corrected ``float32`` volume in units, frame and grid of ``image``, and the field it was divided
        by: ``float32``, mean 1 inside the mask, same grid.

    Raises:
        GridMismatchError: ``mask`` is not on the grid of ``image``.
        PreparationError: The mask is empty, or the fit gave no finite field.

    References:
        Tustison et al., N4ITK: Improved N3 Bias Correction, IEEE TMI 29(6), 2010. doi:10.1109/TMI.2010.2046908
    """
    if mask is not None and not Grid.of(mask).matches(Grid.of(image)):
        raise GridMismatchError(Message("grid.bias_field_mask", sequence=sequence))
    values = as_float32(image)
    air = float(np.quantile(sitk.GetArrayViewFromImage(values), 0.001))
    bright = float(np.quantile(sitk.GetArrayViewFromImage(values), 0.99)) - air
    positive = sitk.Maximum((values - air) * (1000.0 / bright if bright > 0 else 1.0), 0.0)
    mask = head_mask(positive) if mask is None else sitk.Cast(mask > 0, sitk.sitkUInt8)
    factors = factors_for(image.GetSpacing(), image.GetSize(), step.working_spacing_mm)
    # N4 takes logarithms and skips voxels that are not positive: only those that shine take part.
    small, small_mask = sitk.Shrink(positive, factors), sitk.Shrink(mask, factors)
    small_mask = sitk.And(small_mask, sitk.Cast(small > 1e-3, sitk.sitkUInt8))
    if not sitk.GetArrayViewFromImage(small_mask).any():
        raise PreparationError(Message("bias_field.no_brain", sequence=sequence))
    fit = fit_log_bias_field(
        sitk.GetArrayFromImage(small).astype(np.float64), sitk.GetArrayViewFromImage(small_mask) > 0, step
    )
    del positive  # of a fine scan every volume has hundreds of megabytes
    field = sitk.Exp(image_on_grid(fit.on(image.GetSize()), Grid.of(image)))
    inside = sitk.GetArrayViewFromImage(field)[sitk.GetArrayViewFromImage(mask) > 0]
    if not np.isfinite(inside).all():
        raise PreparationError(Message("bias_field.no_fit", sequence=sequence))
    # Mean 1 in the head keeps the brightness of the scan.
    # "/" would make 64-bit volumes, of hundreds of megabytes for a fine scan.
    field = sitk.Divide(field, float(inside.mean()))
    return sitk.Divide(values - air, field) + air, field
