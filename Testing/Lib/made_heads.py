"""Small made heads: a textured brain in a skull in a scalp, in a few thousand voxels, with a lesion that enhances."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from scipy.ndimage import map_coordinates

from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.geometry import Grid, image_on_grid
from PCNSLSurvivalLib.preprocessing.qc import brain_pattern

_MASKS = ("brain_mask", "lesion_mask")
_SPACING_MM = (6.0, 6.0, 6.0)


def made_head(seed: int, shift_mm: float = 6.0) -> tuple[dict[MRSequence, sitk.Image], sitk.Image, sitk.Image]:
    """T1Gd and T1 of one head, T1 moved along the patient's left, with brain and lesion mask on T1Gd."""
    draw = np.random.default_rng(seed)
    grid = Grid.axis_aligned(center_lps_mm=np.zeros(3), size=(34, 42, 36), spacing_mm=_SPACING_MM)
    texture = sitk.SmoothingRecursiveGaussian(
        image_on_grid(draw.normal(size=grid.size[::-1]).astype(np.float32), grid), 10.0
    )
    texture = texture / float(np.std(sitk.GetArrayViewFromImage(texture)))
    scans = {}
    for sequence, moved in ((MRSequence.T1GD, 0.0), (MRSequence.T1, shift_mm)):
        points = grid.index_to_lps(np.stack(np.meshgrid(*map(np.arange, grid.size), indexing="ij"), -1))
        points = points - (moved, 0.0, 0.0)

        def inside(radii, center=(0.0, 0.0, 0.0), points=points):
            return ((((points - center) / radii) ** 2).sum(-1) < 1).transpose(2, 1, 0)

        brain, skull, scalp = brain_shape(points), inside((74, 90, 76)), inside((84, 100, 86))
        lesion = inside((14, 14, 14), (25.0, -20.0, 10.0))
        pose = sitk.TranslationTransform(3, (-moved, 0.0, 0.0))
        values = 300 + 40 * sitk.GetArrayFromImage(sitk.Resample(texture, texture, pose)) + 120 * tissue(points)
        values = np.where(brain, values, np.where(skull, 60.0, np.where(scalp, 500.0, 0.0)))
        if sequence is MRSequence.T1GD:
            values[lesion] += 250
            masks = brain, lesion
        shading = np.exp(points[..., 1].transpose(2, 1, 0) / 400)
        scan = values * shading + draw.normal(scale=3.0, size=values.shape) + 10
        scans[sequence] = image_on_grid(scan.astype(np.float32), grid)
    brain_mask, lesion_mask = (image_on_grid(mask.astype(np.uint8), grid) for mask in masks)
    return scans, brain_mask, lesion_mask


def brain_shape(points_lps):
    """Which points (..., 3) of the patient's axes lie in a brain: narrower in front, flat below, 128 x 160 x 132 mm.

    Returns:
        In (k, j, i) order, for points in (i, j, k) order.
    """
    x, y, z = np.moveaxis(points_lps, -1, 0)
    egg = (x / (64 + 0.16 * y)) ** 2 + (y / 80) ** 2 + (z / (66 + 0.165 * y)) ** 2 < 1
    return (egg & ~((y < 10) & (z < -30))).transpose(2, 1, 0)


def tissue(points_lps):
    """Signal of points (..., 3) of the patient's axes, -1 to 1: bright and dark where the average T1 has them.

    Returns:
        In (k, j, i) order, for points in (i, j, k) order.
    """
    average = np.load(Path(brain_pattern.__file__).with_name(brain_pattern.AVERAGE)).astype(float)
    average[average == brain_pattern.OUTSIDE] = 0.0
    inside = brain_shape(points_lps).transpose(2, 1, 0)
    deviations = (points_lps - points_lps[inside].mean(axis=0)) / points_lps[inside].std(axis=0)
    cells = np.moveaxis(deviations / 2.1 * 9 + 9, -1, 0)[::-1]
    return map_coordinates(average / 127, cells, order=1, mode="nearest").transpose(2, 1, 0)


def made_table(folder: Path, count: int, *, with_t1: tuple[int, ...] = (), stripped: bool = False) -> Path:
    """A table of made heads with survival; patient number 3 is censored early. Returns the table."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number in range(1, count + 1):
        scans, brain, lesion = made_head(number, shift_mm=0.0 if stripped else 6.0)
        if number not in with_t1:
            del scans[MRSequence.T1]
        if stripped:
            scans = {sequence: sitk.Mask(image, brain) for sequence, image in scans.items()}
        name = f"p{number}"
        (folder / name).mkdir()
        images = {**{s.value: image for s, image in scans.items()}, **dict(zip(_MASKS, (brain, lesion), strict=True))}
        for key, image in images.items():
            sitk.WriteImage(image, str(folder / name / f"{key}.nii.gz"))
        paths = {key: f"{name}/{key}.nii.gz" if key in images else "" for key in ("t1gd", "t1", *_MASKS)}
        days = 200 if number == 3 else 100 * number
        known = {"os_days": days, "death_observed": int(number != 3), "ecog": 1, "stripped": int(stripped)}
        rows.append({"patient_id": name, **paths, **known})
    with (folder / "patients.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder / "patients.csv"
