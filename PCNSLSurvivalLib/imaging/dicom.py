"""One DICOM series from a folder to a volume."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from PCNSLSurvivalLib.core.errors import UnreadableScanError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import MRSequence

_MODALITY, _POSITION, _ORIENTATION = "0008|0060", "0020|0032", "0020|0037"

# Scanner tables round slice positions to about 0.01 mm; a missing slice changes a step by the slice distance.
_STEP_TOLERANCE = 0.05


def read_dicom_series(folder: Path, sequence: MRSequence) -> sitk.Image:
    """Read the one DICOM series of a folder as a volume.

    Args:
        folder: Holds the files of exactly one MR series, directly and not in folders below.
        sequence: Which sequence the series is, for messages.

    Returns:
        3-D volume in ``float32``, LPS mm, slices in order of position.

    Raises:
        UnreadableScanError: No series, several series, another modality, missing or unevenly spaced slices.
    """
    series = sitk.ImageSeriesReader.GetGDCMSeriesIDs(str(folder))
    if not series:
        raise UnreadableScanError(Message("dicom.no_images", sequence=sequence))
    if len(series) > 1:
        raise UnreadableScanError(Message("dicom.several_series", sequence=sequence, count=len(series)))
    files = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder), series[0])
    _check_headers(files, sequence)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(files)
    try:
        image = reader.Execute()
    except RuntimeError as problem:
        raise UnreadableScanError(Message("dicom.unreadable", sequence=sequence)) from problem
    if image.GetNumberOfComponentsPerPixel() > 1:
        raise UnreadableScanError(Message("dicom.color", sequence=sequence))
    if image.GetDimension() != 3 or min(image.GetSize()) < 2:
        raise UnreadableScanError(Message("dicom.two_dimensional", sequence=sequence))
    return sitk.Cast(image, sitk.sitkFloat32)


def _check_headers(files: tuple[str, ...], sequence: MRSequence) -> None:
    positions, orientations = [], []
    for file in files:
        header = sitk.ImageFileReader()
        header.SetFileName(file)
        try:
            header.ReadImageInformation()
        except RuntimeError as problem:
            raise UnreadableScanError(Message("dicom.damaged_file", sequence=sequence)) from problem
        modality = header.GetMetaData(_MODALITY).strip() if header.HasMetaDataKey(_MODALITY) else "MR"
        if modality != "MR":
            raise UnreadableScanError(Message("dicom.other_modality", sequence=sequence, modality=modality))
        if header.HasMetaDataKey(_POSITION) and header.HasMetaDataKey(_ORIENTATION):
            positions.append([float(x) for x in header.GetMetaData(_POSITION).split("\\")])
            orientations.append([float(x) for x in header.GetMetaData(_ORIENTATION).split("\\")])
    # An enhanced (multi-frame) file carries its positions per frame; GDCM sorts those itself.
    if len(files) < 2 or len(positions) != len(files):
        return
    if np.ptp(np.array(orientations), axis=0).max() > 1e-3:
        raise UnreadableScanError(Message("dicom.not_parallel", sequence=sequence))
    row, column = np.array(orientations[0]).reshape(2, 3)
    offsets = np.array(positions)
    depth = np.sort(offsets @ np.cross(row, column))
    steps = np.diff(depth)
    step = float(np.median(steps))
    if step <= 0 or np.abs(steps - step).max() > _STEP_TOLERANCE * step + 0.02:
        raise UnreadableScanError(
            Message("dicom.unevenly_spaced", sequence=sequence, least=steps.min(), most=steps.max())
        )
