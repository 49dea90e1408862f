"""How far a preparation lies from the truth: masks, fields, poses and intensities as single numbers."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from PCNSLSurvivalLib.imaging.geometry import Grid


def dice(a: np.ndarray, b: np.ndarray) -> float:
    """Twice the common part over the sum of two masks: 1 where they are the same."""
    return float(2 * (a & b).sum() / (a.sum() + b.sum()))


def share_kept(mask: np.ndarray, lesion: np.ndarray) -> float:
    """Share of a lesion that lies inside a mask."""
    return float((mask & lesion).sum() / lesion.sum())


def brain_points(mask: sitk.Image, *, every: int = 997) -> np.ndarray:
    """(N, 3) LPS points spread over a mask."""
    kji = np.argwhere(sitk.GetArrayViewFromImage(mask) > 0)[::every]
    return Grid.of(mask).index_to_lps(kji[:, ::-1].astype(float))


def registration_error_mm(found: sitk.Transform, truth: sitk.Transform, points_lps_mm: np.ndarray) -> float:
    """Mean distance between where two transforms put the same points (target registration error)."""
    placed = [np.array([t.TransformPoint(p) for p in points_lps_mm.tolist()]) for t in (found, truth)]
    return float(np.linalg.norm(placed[0] - placed[1], axis=1).mean())


def variation(values: np.ndarray) -> float:
    """Coefficient of variation: standard deviation over mean."""
    return float(values.std() / values.mean())


def variation_of_shading(values_kji: np.ndarray, inside: np.ndarray, edge_mm: tuple[float, float, float]) -> float:
    """Coefficient of variation over means of 12 mm cells, in which noise and texture average out.

    Args:
        values_kji: The scan, air at 0.
        inside: Voxels of one tissue.
        edge_mm: Voxel edges along k, j, i.
    """
    kji = np.argwhere(inside)
    cells = np.floor(kji * np.asarray(edge_mm) / 12.0).astype(int)
    _, number, counts = np.unique(cells, axis=0, return_inverse=True, return_counts=True)
    means = np.bincount(number.ravel(), weights=values_kji[inside]) / counts
    return variation(means[counts >= 20])


def relative_change(changed: np.ndarray, plain: np.ndarray) -> float:
    """Length of the difference over the length of the first, as of vectors."""
    return float(np.linalg.norm(changed - plain) / np.linalg.norm(plain))
