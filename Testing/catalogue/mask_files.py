"""Files given as a brain mask."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from catalogue.nifti_files import moved
from catalogue.places import fifo, folder_so_named
from catalogue.rows import Build, Row
from catalogue.scan_builders import NII, changed, cut, nifti, truth

WITH_MASK = ("predict", "--t1gd", "{in}/t1gd.nii", "--brain-mask", "{}", "--out", "{out}", "--progress", "none")


def _beside_a_scan(make: Build) -> Build:
    """A mask in a folder of its own beside a sound scan."""

    def build(folder: Path) -> Path:
        _whole_head(folder)
        (folder / "mask").mkdir()
        return make(folder / "mask")

    return build


def _whole_head(folder: Path) -> None:
    image = truth()
    image.SetSpacing((8.0, 8.0, 14.0))
    sitk.WriteImage(image, str(folder / "t1gd.nii"))


def _soft(high: float) -> np.ndarray:
    values = np.linspace(0, high, 24 * 20 * 12).reshape(24, 20, 12)
    return values.astype(np.float32)


def _graded(highest: int, *, steps: int = 5) -> np.ndarray:
    """An ellipsoid whose value falls from its middle plateau to 0 within some voxels."""
    i, j, k = np.indices((24, 20, 12))
    depth = 1.0 - np.sqrt(((i - 12) / 11) ** 2 + ((j - 10) / 9) ** 2 + ((k - 6) / 5.5) ** 2)
    return np.rint(highest * np.clip(depth * 10 / steps, 0, 1)).astype(np.uint8)


_ONES = np.ones((24, 20, 12), np.uint8)

_MASKS: list[tuple[str, Build, str]] = [
    ("a brain mask that is not there", lambda folder: folder / "mask.nii", "brain mask was not found"),
    ("a brain mask that is a pipe", fifo, "pipe or device stands where the file of brain mask"),
    ("a brain mask that is a folder", folder_so_named, "stands where the file of brain mask"),
    ("a brain mask of another place", nifti(values=_ONES, affine=moved()), "brain mask does not line up"),
    ("a brain mask of another size", nifti(values=_ONES[:-1]), "brain mask does not line up"),
    ("a brain mask without a voxel inside", nifti(values=_ONES * 0), "No voxel lies inside the brain mask"),
    ("a brain mask of weak probabilities", nifti(values=_soft(0.4)), "its highest value is 0.4"),
    ("a brain mask of percents", nifti(values=_soft(100)), "neither labels nor probabilities"),
    ("a brain mask of whole percents", nifti(values=_graded(100)), "like percentages"),
    ("a brain mask of 0 to 60, interpolated", nifti(values=_graded(60, steps=2)), "up to 60"),
    ("a brain mask of percents in slow steps", nifti(values=np.rint(_soft(100)).astype(np.uint8)), "like percentages"),
    ("a brain mask with negative fractions", nifti(values=_soft(1) - 0.5), "neither labels nor probabilities"),
    ("a brain mask of -1 and 1", nifti(values=np.where(_soft(1) > 0.5, 1, -1).astype(np.int16)), "neither labels nor"),
    ("a scan as brain mask", NII, "neither labels nor probabilities"),
    (
        "a brain mask of NaN",
        nifti(values=np.where(_ONES.astype(bool), np.nan, 0).astype(np.float32)),
        "not numbers in 5760",
    ),
    ("a brain mask cut", changed(nifti(values=_ONES), cut(0.8)), "brain mask file is damaged"),
    ("a time series as brain mask", nifti(values=np.ones((8, 8, 8, 2), np.uint8)), "brain mask file holds 2 volumes"),
]

MASKS = [Row(name, _beside_a_scan(build), says, WITH_MASK) for name, build, says in _MASKS]
