"""The headers of a T1Gd series, as the parents of what is exported beside it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.valuerep import DA, TM

from PCNSLSurvivalLib.core.errors import UnreadableScanError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.dicom.elements import DamagedDicomError, NoDicomError
from PCNSLSurvivalLib.imaging.dicom.frames import DicomFile, read_dicom_file
from PCNSLSurvivalLib.imaging.headers.regular_files import kind_of, size_of_regular

_MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"
_IDENTIFIERS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID")
_PLACE = ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness", "Rows", "Columns")
# PS3.3, C.7.1.1 and C.7.2.1, type 2: they stand in every object, empty where nothing is known.
_ALWAYS = (
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex"),
    *("StudyDate", "StudyTime", "StudyID", "AccessionNumber", "ReferringPhysicianName"),
)
_WHERE_KNOWN = (
    *("IssuerOfPatientID", "PatientAge", "PatientSize", "PatientWeight", "PatientIdentityRemoved"),
    *("DeidentificationMethod", "StudyDescription", "PositionReferenceIndicator", "Laterality"),
)
_LARGEST_LIST_BYTES = 4 << 20


def read_series_headers(place: Path) -> list[Dataset]:
    """Read what objects beside a DICOM series need of its headers.

    De-identified series lack attributes, or hold dates that are none: those are empty then, as the standard asks.
    Texts are decoded from whatever character set they have and written in UTF-8.

    Args:
        place: Folder with the files of the series, or a text file that lists one file per line, as the Slicer panel
            writes it from its DICOM database.

    Returns:
        One data set a slice, in order of position along the slice normal.

    Raises:
        UnreadableScanError: There is no series, more than one, or one without places in the patient or identifiers.
    """
    slices = []
    for path in _files(place):
        file = _slice(path)
        if file is not None:
            slices.append((file, _parent(path)))
    if len(slices) < 2 or len({file.series for file, _ in slices}) > 1:
        raise UnreadableScanError(Message("dicom.no_series_to_export_beside"))
    if any(not one.get(name) for _, one in slices for name in _IDENTIFIERS):
        raise UnreadableScanError(Message("dicom.no_identifiers", sequence=MRSequence.T1GD))
    positions = np.array([file.frames[0].position for file, _ in slices])
    orientation = slices[0][0].frames[0].orientation
    if orientation is None or not (np.isfinite(positions).all() and np.isfinite(orientation).all()):
        raise UnreadableScanError(Message("dicom.impossible_header", sequence=MRSequence.T1GD))
    along = positions @ np.cross(*orientation)
    order = np.argsort(along, kind="stable")
    distance = float(np.median(np.diff(along[order])))
    for _, one in slices:
        if "SliceThickness" not in one:
            one.SliceThickness = f"{distance:.6g}"
    return [slices[k][1] for k in order]


def _files(place: Path) -> Iterator[Path]:
    if kind_of(place) == "folder":
        yield from (path for path in sorted(place.iterdir()) if kind_of(path) == "file")
        return
    if size_of_regular(place, MRSequence.T1GD) > _LARGEST_LIST_BYTES:
        raise UnreadableScanError(Message("dicom.no_series_to_export_beside"))
    try:
        lines = place.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as problem:  # a volume, not a list of files
        raise UnreadableScanError(Message("dicom.no_series_to_export_beside")) from problem
    yield from (path for path in map(Path, filter(None, lines)) if kind_of(path) == "file")


def _slice(path: Path) -> DicomFile | None:
    """A file that is one slice with its place; None for a DICOMDIR, a capture or a note beside the slices."""
    try:
        file = read_dicom_file(path)
    except NoDicomError:
        return None
    except (DamagedDicomError, OSError) as problem:
        raise UnreadableScanError(Message("dicom.damaged_file", sequence=MRSequence.T1GD)) from problem
    return file if file.role == "slice" and len(file.frames) == 1 and file.frames[0].placed else None


def _parent(path: Path) -> Dataset:
    """A data set with only what is needed, every value of it valid."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they name the value, and so perhaps the patient
        try:
            given = pydicom.dcmread(path, stop_before_pixels=True, force=True)
        except Exception as problem:  # whatever a damaged file brings about
            raise UnreadableScanError(Message("dicom.damaged_file", sequence=MRSequence.T1GD)) from problem
        parent = Dataset()
        parent.SpecificCharacterSet = "ISO_IR 192"
        parent.SOPClassUID = _value(given, "SOPClassUID") or _MR_IMAGE
        for name in (*_IDENTIFIERS, *_PLACE, *_ALWAYS, *_WHERE_KNOWN):
            value = _value(given, name)
            if value is not None:
                setattr(parent, name, value)
            elif name in _ALWAYS:
                setattr(parent, name, "")
    return parent


def _value(given: Dataset, name: str) -> object:
    """A value that can be written again; None where it is absent or not valid."""
    try:
        value = given[name].value
        if value is None or value == "":
            return None
        if pydicom.datadict.dictionary_VR(name) in ("PN", "LO", "SH", "CS", "UI"):
            value = str(value)
        if name == "PatientSex" and value not in ("M", "F", "O"):
            return None
        kind = pydicom.datadict.dictionary_VR(name)
        if kind in ("DA", "TM"):
            value = (DA if kind == "DA" else TM)(str(value))
        trial = Dataset()
        trial.SpecificCharacterSet = "ISO_IR 192"
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            setattr(trial, name, value)
            trial.to_json()
        return value
    except Exception:  # pydicom raises what it likes over invalid values
        return None
