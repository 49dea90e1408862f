"""One DICOM series from a folder to a volume."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from PCNSLSurvivalLib.core.errors import UnreadableScanError

_MODALITY, _POSITION, _ORIENTATION = "0008|0060", "0020|0032", "0020|0037"

# Scanner tables round slice positions to about 0.01 mm; a missing slice changes a step by the slice distance.
_STEP_TOLERANCE = 0.05


def read_dicom_series(folder: Path, name: str) -> sitk.Image:
    """Read the one DICOM series of a folder as a volume.

    Args:
        folder: Holds the files of exactly one MR series, directly and not in folders below.
        name: Sequence label for messages: "T1Gd".

    Returns:
        3-D volume in ``float32``, LPS mm, slices in order of position.

    Raises:
        UnreadableScanError: No series, several series, another modality, missing or unevenly spaced slices.
    """
    series = sitk.ImageSeriesReader.GetGDCMSeriesIDs(str(folder))
    if not series:
        raise UnreadableScanError(
            f"The {name} folder holds no DICOM images. Give the folder that directly contains the files of the "
            f"{name} series, or a NIfTI, NRRD or MetaImage file."
        )
    if len(series) > 1:
        raise UnreadableScanError(
            f"The {name} folder holds {len(series)} DICOM series. Copy the files of the {name} series to a "
            "folder of its own and give that, or load the study in Slicer and choose the series there."
        )
    files = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder), series[0])
    _check_headers(files, name)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(files)
    try:
        image = reader.Execute()
    except RuntimeError as problem:
        raise UnreadableScanError(
            f"The {name} series cannot be read: a file is damaged, or its slices differ in size. Export the "
            "series again from the archive."
        ) from problem
    if image.GetNumberOfComponentsPerPixel() > 1:
        raise UnreadableScanError(
            f"The {name} series holds color pictures (a screen capture). Give the original MR series."
        )
    if image.GetDimension() != 3 or min(image.GetSize()) < 2:
        raise UnreadableScanError(
            f"The {name} series holds a single two-dimensional image. Give the whole {name} series."
        )
    return sitk.Cast(image, sitk.sitkFloat32)


def _check_headers(files: tuple[str, ...], name: str) -> None:
    positions, orientations = [], []
    for file in files:
        header = sitk.ImageFileReader()
        header.SetFileName(file)
        try:
            header.ReadImageInformation()
        except RuntimeError as problem:
            raise UnreadableScanError(
                f"A file of the {name} series is damaged. Export the series again from the archive."
            ) from problem
        modality = header.GetMetaData(_MODALITY).strip() if header.HasMetaDataKey(_MODALITY) else "MR"
        if modality != "MR":
            raise UnreadableScanError(
                f"The {name} series was made by another modality ({modality}), not by MR. Choose the MR series."
            )
        if header.HasMetaDataKey(_POSITION) and header.HasMetaDataKey(_ORIENTATION):
            positions.append([float(x) for x in header.GetMetaData(_POSITION).split("\\")])
            orientations.append([float(x) for x in header.GetMetaData(_ORIENTATION).split("\\")])
    # An enhanced (multi-frame) file carries its positions per frame; GDCM sorts those itself.
    if len(files) < 2 or len(positions) != len(files):
        return
    if np.ptp(np.array(orientations), axis=0).max() > 1e-3:
        raise UnreadableScanError(
            f"The slices of the {name} series are not parallel (a localizer or a rotating view). Choose the axial, "
            "sagittal or coronal series."
        )
    row, column = np.array(orientations[0]).reshape(2, 3)
    offsets = np.array(positions)
    depth = np.sort(offsets @ np.cross(row, column))
    steps = np.diff(depth)
    step = float(np.median(steps))
    if step <= 0 or np.abs(steps - step).max() > _STEP_TOLERANCE * step + 0.02:
        raise UnreadableScanError(
            f"The slices of the {name} series are unevenly spaced ({steps.min():.2f} to {steps.max():.2f} mm apart): "
            "slices are missing or two series are mixed. Export the series again, complete and alone."
        )
