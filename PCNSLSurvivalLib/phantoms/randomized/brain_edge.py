"""The edge of the brain: what lies outside, and masks that err as brain extraction does."""

from __future__ import annotations

import numpy as np

from PCNSLSurvivalLib.imaging.geometry import Grid
from PCNSLSurvivalLib.phantoms.anatomy.shapes import Volume
from PCNSLSurvivalLib.phantoms.random_fields import smooth_noise
from PCNSLSurvivalLib.phantoms.randomized.appearance import Contrast
from PCNSLSurvivalLib.phantoms.randomized.tumors import Canvas


def layers_outside(canvas: Canvas, depth: Volume, contrast: Contrast, draw: np.random.Generator) -> None:
    """Paint fluid, dura, bone with its marrow, and fat around the brain; a leaking mask will show them.

    Args:
        canvas: The head; its signal and normal structures are changed in place.
        depth: mm outside the surface of the brain, negative inside.
        contrast: Signal of the fluid.
        draw: Thickness and signal of the layers.
    """
    uneven = smooth_noise(canvas.grid, draw, scale_mm=18.0)
    out = depth - np.float32(draw.uniform(0.0, 2.5)) * np.clip(1.0 + 0.5 * uneven, 0.0, 2.0)
    dura = np.float32(draw.uniform(0.4, 2.0))
    bone = np.float32(draw.uniform(2.0, 8.0))
    dura_signal = float(draw.choice((draw.uniform(0.2, 0.9), draw.uniform(0.9, 2.2))))
    marrow, fat = draw.uniform(0.1, 1.8), draw.uniform(0.9, 3.0)
    inside_skull = np.select(
        [out < 0, out < dura, out < dura + 1.2, out < dura + bone - 1.0, out < dura + bone],
        [contrast.fluid, dura_signal, 0.1, marrow, 0.1],
        fat,
    ).astype(np.float32)
    # Sinuses lie outside the brain and stay.
    outside = np.clip(depth / np.float32(1.5) + 0.5, 0.0, 1.0) * (1.0 - canvas.normal)
    canvas.signal[...] += outside * (inside_skull - canvas.signal)
    bright = (depth > 0) & (inside_skull > 1.05)
    np.maximum(canvas.normal, bright, out=canvas.normal)


def random_brain_mask(depth: Volume, fluid: Volume, grid: Grid, draw: np.random.Generator) -> Volume:
    """Share of each voxel inside a brain mask: eroded, leaking, with bites, holes and a cropped field of view.

    Args:
        depth: mm outside the surface of the brain, negative inside.
        fluid: Share of fluid.
        grid: The grid of both.
        draw: What goes wrong.
    """
    shift = np.float32(draw.normal(-0.4, 1.0)) + np.float32(draw.uniform(0.1, 1.2)) * smooth_noise(
        grid, draw, scale_mm=18.0
    )
    if draw.uniform() < 0.5:  # masks of many programs hold the sinuses and the fluid around the brain
        shift += np.float32(draw.uniform(1.0, 4.5))
    if draw.uniform() < 0.2:  # leaks or bites, some millimeters deep
        bumps = np.clip(smooth_noise(grid, draw, scale_mm=24.0, cubic=True) * 2.0 - 2.5, 0.0, 1.0)
        shift += bumps * np.float32(draw.choice((-1.0, 1.0)) * draw.uniform(3.0, 9.0))
    mask = np.clip(0.5 - (depth - shift) / np.float32(1.5), 0.0, 1.0)
    if draw.uniform() < 0.2:  # masks by threshold lose the fluid of the outer sulci
        mask *= 1.0 - np.clip(fluid * 1.5 - 0.5, 0.0, 1.0) * np.clip((depth + 9.0) / 4.0, 0.0, 1.0)
    if draw.uniform() < 0.06:  # holes
        mask *= 1.0 - np.clip(smooth_noise(grid, draw, scale_mm=14.0) * 4.0 - draw.uniform(8.0, 11.0), 0.0, 1.0)
    if draw.uniform() < 0.12:  # the field of view ends in the brain
        cut = int(draw.integers(2, max(mask.shape[0] // 5, 3)))
        if draw.uniform() < 0.5:
            mask[-cut:] = 0.0
        else:
            mask[:cut] = 0.0
    return np.asarray(mask, np.float32)
