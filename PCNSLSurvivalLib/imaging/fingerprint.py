"""Checksums of a volume's values and grid: the same scan in another file format has the same ones."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from PCNSLSurvivalLib.imaging.geometry import Grid, canonical, lps_to_ras

_AXES = "ijk"
_DIGITS = 8


def voxel_sha256(image: sitk.Image) -> str:
    """SHA-256 over the values and the grid of a volume.

    Grids are rounded to a thousandth of a millimeter, since file formats keep different numbers of digits.
    """
    image = canonical(image)
    grid = Grid.of(image)
    digest = hashlib.sha256(_values_kji(image).data)
    corners = grid.index_to_lps(np.array([[0, 0, 0], np.array(grid.size) - 1]))
    digest.update(np.round(corners * 1000).astype("<i8").tobytes())
    return digest.hexdigest()


def plane_checksums(image: sitk.Image) -> dict[str, str]:
    """A short checksum of every plane of a volume, so that the place of a change is known without the volume.

    Returns:
        By axis i, j, k of the volume in canonical order (toward left, posterior, superior): the first 8 hexadecimal
        digits of the SHA-256 of each plane across that axis, one after another.
    """
    image = canonical(image)  # the view below does not keep it alive
    values = _values_kji(image)
    return {
        axis: "".join(
            hashlib.sha256(np.ascontiguousarray(plane).data).hexdigest()[:_DIGITS]
            for plane in np.moveaxis(values, 2 - number, 0)
        )
        for number, axis in enumerate(_AXES)
    }


def changed_box(image: sitk.Image, known: Mapping[str, str]) -> tuple[tuple[int, int, int], tuple[float, ...]] | None:
    """The smallest box that holds every voxel that changed.

    Args:
        image: 3-D volume as it is now.
        known: ``plane_checksums`` of the volume as it was.

    Returns:
        Edges of the box in voxels along i, j, k in canonical order, and its middle in RAS mm; None if the volume has
        another number of planes, or no plane changed.
    """
    now = plane_checksums(image)
    first, last = [], []
    for axis in _AXES:
        if len(now[axis]) != len(known.get(axis, "")):
            return None
        pieces = range(0, len(now[axis]), _DIGITS)
        changed = [n for n, at in enumerate(pieces) if now[axis][at : at + _DIGITS] != known[axis][at : at + _DIGITS]]
        if not changed:
            return None
        first.append(changed[0])
        last.append(changed[-1])
    middle = Grid.of(canonical(image)).index_to_lps((np.array(first) + np.array(last)) / 2)
    i, j, k = (end - begin + 1 for begin, end in zip(first, last, strict=True))
    return (i, j, k), tuple(float(mm) for mm in lps_to_ras(middle))


def _values_kji(image: sitk.Image) -> NDArray[np.float32]:
    """The voxels; a view while they are ``float32`` and ``image`` lives."""
    return np.ascontiguousarray(sitk.GetArrayViewFromImage(image), dtype="<f4")
