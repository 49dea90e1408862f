"""One picture of many patients: four sequences through the largest lesion, to be looked through by eye."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.geometry import Grid, resample
from PCNSLSurvivalLib.phantoms.patient import VirtualPatient

_ORDER = (MRSequence.T1, MRSequence.T1GD, MRSequence.T2, MRSequence.FLAIR)
_TILE = 176
_PIXEL_MM = 1.25
_GAP = 4


def write_contact_sheet(previews: list[Path], path: Path, *, columns: int = 5) -> None:
    """Put the preview pictures of several patients side by side.

    Args:
        previews: PNG pictures of one size, as ``write_preview`` makes them.
        path: PNG file to write.
        columns: Patients in a row.
    """
    blocks = [sitk.GetArrayFromImage(sitk.ReadImage(str(preview))) for preview in previews]
    while len(blocks) % columns:
        blocks.append(np.zeros_like(blocks[0]))
    rows = [np.hstack(blocks[start : start + columns]) for start in range(0, len(blocks), columns)]
    sitk.WriteImage(sitk.GetImageFromArray(np.vstack(rows)), str(path))


def write_preview(patient: VirtualPatient, path: Path) -> None:
    """Write one patient's block of the contact sheet as PNG: T1 and T1Gd above T2 and FLAIR.

    Every tile is the scan's own axial slice nearest to the middle of the largest lesion, as a reading station
    shows it; a sequence that was not acquired stays black.
    """
    sitk.WriteImage(sitk.GetImageFromArray(patient_block(patient)), str(path))


def patient_block(patient: VirtualPatient) -> NDArray[np.uint8]:
    """The four sequences of one patient as a gray picture of 2 x 2 tiles with a dark frame."""
    largest = max(patient.plan.lesions, key=lambda lesion: lesion.volume_ml, default=None)
    focus = np.asarray(largest.center_lps_mm if largest else (0.0, 15.0, 15.0))
    tiles = [_tile(patient, sequence, focus) for sequence in _ORDER]
    block = np.vstack([np.hstack(tiles[:2]), np.hstack(tiles[2:])])
    return cast(NDArray[np.uint8], np.pad(block, _GAP, constant_values=60))


def _tile(patient: VirtualPatient, sequence: MRSequence, focus: NDArray[np.float64]) -> NDArray[np.uint8]:
    scan = patient.acquisitions.get(sequence)
    if scan is None:
        return np.zeros((_TILE, _TILE), np.uint8)
    grid = Grid.of(scan.image)
    inverse = scan.pose.GetInverse()
    point = np.asarray(inverse.TransformPoint(focus.tolist()))
    slice_number = int(np.clip(np.rint(grid.lps_to_index(point)[2]), 0, grid.size[2] - 1))
    middle = grid.lps_to_index(np.asarray(inverse.TransformPoint((0.0, 8.0, 0.0))))
    middle[2] = slice_number
    axes = np.reshape(grid.direction_lps, (3, 3))
    half = (_TILE - 1) / 2 * _PIXEL_MM
    origin = grid.index_to_lps(middle) - half * axes[:, 0] - half * axes[:, 1]
    spacing = (_PIXEL_MM, _PIXEL_MM, grid.spacing_mm[2])
    flat = Grid((_TILE, _TILE, 1), spacing, (origin[0], origin[1], origin[2]), grid.direction_lps)
    values = sitk.GetArrayFromImage(resample(sitk.Cast(scan.image, sitk.sitkFloat32), flat))[0]
    brain = sitk.GetArrayViewFromImage(scan.image)[sitk.GetArrayViewFromImage(scan.brain_mask) > 0]
    white = float(np.quantile(brain, 0.998)) * 1.1
    return cast(NDArray[np.uint8], np.clip(values / white * 255, 0, 255).astype(np.uint8))
