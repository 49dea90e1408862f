"""Grids of every kind, and a volume whose every value is known from its place in the patient."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from hypothesis import strategies as st

from PCNSLSurvivalLib.imaging.geometry import Grid, image_on_grid


def rotation_matrix(axis: tuple[int, int, int], degrees: float) -> np.ndarray:
    """(3, 3) rotation about an axis."""
    x, y, z = np.asarray(axis, dtype=float) / np.linalg.norm(axis)
    angle = np.deg2rad(degrees)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


@st.composite
def grids(draw: st.DrawFn) -> Grid:
    """Oblique, anisotropic, flipped, permuted and left-handed grids near the middle of the scanner."""
    axis = draw(st.tuples(*[st.integers(-3, 3)] * 3).filter(any))
    direction = rotation_matrix(axis, draw(st.integers(-40, 40)))
    direction = direction[:, draw(st.permutations([0, 1, 2]))] * draw(st.tuples(*[st.sampled_from([-1, 1])] * 3))
    spacing = draw(st.tuples(*[st.floats(0.5, 6.0)] * 3))
    size = draw(st.tuples(*[st.integers(3, 24)] * 3))
    origin = draw(st.tuples(*[st.floats(-150, 150)] * 3))
    return Grid(size, spacing, origin, tuple(direction.ravel()))


def linear_ramp(grid: Grid) -> sitk.Image:
    """A volume whose value is a known linear function of the LPS position: 0.3 x - 0.2 y + 0.5 z."""
    index = np.stack(np.meshgrid(*[np.arange(n) for n in grid.size], indexing="ij"), axis=-1)
    values = grid.index_to_lps(index) @ np.array([0.3, -0.2, 0.5])
    return image_on_grid(values.transpose(2, 1, 0).astype(np.float32), grid)
