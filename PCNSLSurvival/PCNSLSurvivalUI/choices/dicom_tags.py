"""The DICOM header of a loaded volume, as far as it tells the sequence; no name, date or identifier is read."""

from __future__ import annotations

import slicer

from PCNSLSurvivalLib.imaging.series_header import SeriesHeader


def seriesHeader(node: slicer.vtkMRMLScalarVolumeNode) -> SeriesHeader:
    """Header of the first image of a volume loaded from DICOM; an empty record for any other volume."""
    uids = (node.GetAttribute("DICOM.instanceUIDs") or "").split()
    database = getattr(slicer, "dicomDatabase", None)  # absent from builds without DICOM
    if not uids or database is None:
        return SeriesHeader()
    return SeriesHeader.read(lambda group, element: database.instanceValue(uids[0], f"{group:04X},{element:04X}"))
