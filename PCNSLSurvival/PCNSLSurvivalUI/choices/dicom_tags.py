"""The DICOM header of a loaded volume: what tells the sequence, and whether two volumes are of two patients.

No name and no date is read. Patient IDs are compared with each other, and never shown or kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer

from PCNSLSurvivalLib.imaging.sequences.header import SeriesHeader

_PATIENT_ID = (0x0010, 0x0020)


def seriesHeader(node: slicer.vtkMRMLScalarVolumeNode) -> SeriesHeader:
    """Header of the first image of a volume loaded from DICOM; an empty record for any other volume."""
    value = _reader(node)
    return SeriesHeader() if value is None else SeriesHeader.read(value)


def areOfTwoPatients(one: Any, other: Any) -> bool:
    """Whether the DICOM headers of two volumes name different patients; False where one names none.

    Args:
        one: A volume, or None.
        other: Another one, or None.
    """
    values = [None if node is None else _reader(node) for node in (one, other)]
    patients = {"" if value is None else str(value(*_PATIENT_ID) or "").strip() for value in values}
    return "" not in patients and len(patients) > 1


def _reader(node: Any) -> Callable[[int, int], str] | None:
    """Gives the value of a tag of the volume's first image; None for a volume that is not from DICOM."""
    uids = (node.GetAttribute("DICOM.instanceUIDs") or "").split()
    database = getattr(slicer, "dicomDatabase", None)  # absent from builds without DICOM
    if not uids or database is None:
        return None
    return lambda group, element: str(database.instanceValue(uids[0], f"{group:04X},{element:04X}"))
