"""The DICOM tags of a loaded volume that identify its sequence; no name, date or identifier is read."""

from __future__ import annotations

import slicer

from PCNSLSurvivalUI.panel.volume_roles import DicomTags

_TAGS = {
    "modality": "0008,0060",
    "image_type": "0008,0008",
    "description": "0008,103E",
    "protocol": "0018,1030",
    "contrast_agent": "0018,0010",
    "repetition_ms": "0018,0080",
    "echo_ms": "0018,0081",
    "inversion_ms": "0018,0082",
}


def dicomTags(node: slicer.vtkMRMLScalarVolumeNode) -> DicomTags:
    """Tags of the first image of a volume loaded from DICOM; an empty record for any other volume."""
    uids = (node.GetAttribute("DICOM.instanceUIDs") or "").split()
    database = getattr(slicer, "dicomDatabase", None)  # absent from builds without DICOM
    if not uids or database is None:
        return DicomTags()
    values = {name: str(database.instanceValue(uids[0], tag) or "").strip() for name, tag in _TAGS.items()}
    times = {name: _number(values.pop(name)) for name in ("repetition_ms", "echo_ms", "inversion_ms")}
    return DicomTags(**values, **times)


def _number(text: str) -> float | None:
    try:
        return float(text.split("\\")[0])
    except ValueError:
        return None
