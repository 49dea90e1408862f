"""A virtual scan as a standard DICOM series: one MR file per slice, invented patient, no real identifier."""

from __future__ import annotations

import uuid
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.geometry import Grid
from PCNSLSurvivalLib.phantoms.scanner.protocol import SequenceProtocol

_NUMBERS = {sequence: number for number, sequence in enumerate(MRSequence, start=1)}
_MR_IMAGE_STORAGE = "1.2.840.10008.5.1.4.1.1.4"


def write_dicom_series(
    image: sitk.Image, folder: Path, *, patient_id: str, sequence: MRSequence, protocol: SequenceProtocol
) -> None:
    """Write one scan as a DICOM series.

    The identifiers of study, frame of reference and series follow from the patient and sequence, so that all
    sequences of a patient share a study, and the same patient gives the same identifiers again.

    Args:
        image: 3-D ``int16`` volume.
        folder: Folder to make for the slices.
        patient_id: Identifier of the virtual patient.
        sequence: Which sequence it is.
        protocol: Timing and slice thickness, for the header.
    """
    folder.mkdir(parents=True)
    grid = Grid.of(image)
    direction = np.reshape(grid.direction_lps, (3, 3))
    header = {
        "0008|0005": "ISO_IR 192",
        "0008|0016": _MR_IMAGE_STORAGE,
        "0008|0060": "MR",
        "0008|0070": "PCNSLSurvival phantoms",
        "0008|103e": f"{sequence.label} virtual",
        "0010|0010": "Virtual^Patient",
        "0010|0020": patient_id,
        "0018|0050": f"{protocol.slice_mm:g}",
        "0018|0080": f"{protocol.tr_ms:.4g}",
        "0018|0081": f"{protocol.te_ms:.4g}",
        "0018|0087": "1.5",
        "0018|0088": f"{grid.spacing_mm[2]:g}",
        "0020|000d": _uid(patient_id, "study"),
        "0020|000e": _uid(patient_id, sequence, "series"),
        "0020|0010": "1",
        "0020|0011": str(_NUMBERS[sequence]),
        "0020|0052": _uid(patient_id, "frame"),
        "0020|0037": "\\".join(f"{value:.10g}" for value in (*direction[:, 0], *direction[:, 1])),
    }
    if protocol.gadolinium:
        header["0018|0010"] = "GADOLINIUM"
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    for number in range(grid.size[2]):
        one = image[:, :, number]
        for tag, value in header.items():
            one.SetMetaData(tag, value)
        position = grid.index_to_lps(np.array([0.0, 0.0, float(number)]))
        one.SetMetaData("0008|0018", _uid(patient_id, sequence, str(number)))
        one.SetMetaData("0020|0013", str(number + 1))
        one.SetMetaData("0020|0032", "\\".join(f"{value:.10g}" for value in position))
        writer.SetFileName(str(folder / f"{number + 1:04d}.dcm"))
        writer.Execute(one)


def _uid(*names: str) -> str:
    return f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, '/'.join(names)).int}"
