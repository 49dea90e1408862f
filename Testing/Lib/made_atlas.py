"""A small made atlas: a T1 template of the made brain, blocks of labels on its voxels, and a table of names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk
from made_grids import rotation_matrix
from made_heads import brain_shape, tissue

from PCNSLSurvivalLib.atlas.registration import Brain
from PCNSLSurvivalLib.imaging.geometry import Grid, image_on_grid, lps_to_ras

BLOCK_MM = 30.0
TEMPLATE_GRID = Grid.axis_aligned(center_lps_mm=np.zeros(3), size=(48, 58, 50), spacing_mm=(3.0, 3.0, 3.0))


def voxel_points(grid: Grid) -> np.ndarray:
    """(I, J, K, 3) LPS of every voxel."""
    return grid.index_to_lps(np.stack(np.meshgrid(*map(np.arange, grid.size), indexing="ij"), -1))


def label_at(points_lps: np.ndarray) -> np.ndarray:
    """The label of points (..., 3) of the template: blocks of 30 mm, odd ones on the patient's left."""
    x, y, z = (np.floor(points_lps[..., axis] / BLOCK_MM).astype(int) for axis in range(3))
    return 2 * ((y + 5) * 10 + (z + 5)) + np.where(points_lps[..., 0] > 0, 1, 2) + 0 * x


def name_of(label: int) -> str:
    """In the words of the made atlas."""
    return f"Block_{(label - 1) // 2}_{'L' if label % 2 else 'R'}"


def brain_at(points_lps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """T1 signal and brain of points (I, J, K, 3), in (k, j, i) order; 0 outside the brain."""
    inside = brain_shape(points_lps)
    return np.where(inside, 300 + 120 * tissue(points_lps), 0).astype(np.float32), inside.astype(np.uint8)


def template_brain() -> Brain:
    """The made brain where the template has it."""
    values, inside = brain_at(voxel_points(TEMPLATE_GRID))
    return Brain(image=image_on_grid(values, TEMPLATE_GRID), mask=image_on_grid(inside, TEMPLATE_GRID))


def patient_affine(*, turn_deg: float = 9.0) -> tuple[np.ndarray, np.ndarray]:
    """Matrix and shift from LPS of the patient to LPS of the template: a smaller, turned brain elsewhere."""
    matrix = np.diag([1.10, 1.04, 1.07]) @ rotation_matrix((2, -1, 1), turn_deg)
    return matrix, np.array([7.0, -12.0, 15.0])


def patient_brain(
    grid: Grid, matrix: np.ndarray, shift: np.ndarray, *, lesion: bool = True, seed: int = 0
) -> tuple[Brain, np.ndarray]:
    """The made brain of a patient on any grid, with another gain, noise and a bright lesion; and LPS of its voxels."""
    points = voxel_points(grid)
    there = points @ matrix.T + shift
    values, inside = brain_at(there)
    draw = np.random.default_rng(seed)
    if lesion:
        center = np.linalg.solve(matrix, np.array([28.0, -15.0, 20.0]) - shift)
        values[(np.linalg.norm(points - center, axis=-1) < 14).transpose(2, 1, 0)] = 900.0
    scan = (2.5 * values + 40 + draw.normal(scale=12.0, size=values.shape)).astype(np.float32)
    return Brain(image=image_on_grid(scan, grid), mask=image_on_grid(inside, grid)), points


def made_atlas(
    folder: Path, *, mirrored: bool = False, labels_grid: Grid = TEMPLATE_GRID, table: str | None = None
) -> Path:
    """Write the made atlas.

    Args:
        folder: Made here.
        mirrored: The labels lie on the other side of the template.
        labels_grid: Of the labels.
        table: Content of ``names.txt``; one line for each label, as in a color table, if left out.
    """
    folder.mkdir(parents=True)
    template = template_brain()
    sitk.WriteImage(template.image, str(folder / "made_T1w.nii.gz"))
    points = voxel_points(labels_grid) * ((-1.0, 1.0, 1.0) if mirrored else (1.0, 1.0, 1.0))
    labels = np.where(brain_shape(points), label_at(points).transpose(2, 1, 0), 0).astype(np.int16)
    sitk.WriteImage(image_on_grid(labels, labels_grid), str(folder / "made_dseg.nii.gz"))
    lines = [f"{label} {name_of(label)} 10 20 30 255" for label in np.unique(labels).tolist() if label]
    (folder / "names.txt").write_text(table if table is not None else "\n".join(["0 Background 0 0 0 0", *lines]))
    return folder


def to_ras(point_lps: np.ndarray) -> list[float]:
    """For Slicer."""
    return [float(v) for v in lps_to_ras(point_lps)]
