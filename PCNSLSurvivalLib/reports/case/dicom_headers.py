"""The headers of a T1Gd series, as the parents of what is exported beside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError

from PCNSLSurvivalLib.core.errors import UnreadableScanError


def read_series_headers(place: Path) -> list[Dataset]:
    """Read the headers of one DICOM series, without its pixels.

    Args:
        place: Folder with the files of the series, or a text file that lists one file per line, as the Slicer panel
            writes it from its DICOM database.

    Returns:
        One data set a slice, in order of position along the slice normal.

    Raises:
        UnreadableScanError: There is no series, more than one, or one without places in the patient.
    """
    if place.is_dir():
        files = [path for path in sorted(place.iterdir()) if path.is_file()]
    else:
        files = [Path(line) for line in place.read_text(encoding="utf-8").splitlines() if line]
    slices = []
    for path in files:
        try:
            one = pydicom.dcmread(path, stop_before_pixels=True)
        except (InvalidDicomError, OSError):
            continue  # a DICOMDIR or a note beside the slices
        if "ImagePositionPatient" in one and "ImageOrientationPatient" in one:
            slices.append(one)
    if len(slices) < 2 or len({one.SeriesInstanceUID for one in slices}) > 1:
        raise UnreadableScanError(
            "The T1Gd folder does not hold exactly one DICOM series of single slices. Give the folder of the series "
            "that the result was made from."
        )
    if any("FrameOfReferenceUID" not in one for one in slices):
        raise UnreadableScanError(
            "The T1Gd series does not say in which frame of reference it lies, so no map can be placed beside it. "
            "Export the series again from the archive."
        )
    row, column = np.reshape(np.array(slices[0].ImageOrientationPatient, dtype=float), (2, 3))
    normal = np.cross(row, column)
    return sorted(slices, key=lambda one: float(np.dot(normal, np.array(one.ImagePositionPatient, dtype=float))))
