"""Write an invented MR series, or one enhanced multi-frame object, from a volume; every tag can be changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence as DicomSequence
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

MR, ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.4.1"
Change = Callable[[Dataset, int], None]


def uid(*names: object) -> str:
    """The same identifier for the same names."""
    return generate_uid(entropy_srcs=["PCNSLSurvival tests", *map(str, names)])


def write_classic(
    volume: sitk.Image, folder: Path, change: Change | None = None, *, series: str = "a", echo: str = ""
) -> list[Path]:
    """One file per slice, named ``IM0000`` on; ``change`` gets every data set and its number before it is written."""
    folder.mkdir(parents=True, exist_ok=True)
    direction = np.reshape(volume.GetDirection(), (3, 3))
    paths = []
    for k, pixels in enumerate(sitk.GetArrayFromImage(volume)):
        data = _data_set(MR, uid(series, echo, k), series)
        data.InstanceNumber = k + 1
        data.ImagePositionPatient = _decimals(volume.TransformIndexToPhysicalPoint((0, 0, k)))
        data.ImageOrientationPatient = _decimals([*direction[:, 0], *direction[:, 1]])
        data.PixelSpacing = _decimals(volume.GetSpacing()[1::-1])
        data.SliceThickness = _decimals(volume.GetSpacing()[2:])[0]
        _pixels(data, pixels)
        if change is not None:
            change(data, k)
        paths.append(folder / f"IM{echo}{k:04d}")
        data.save_as(paths[-1], enforce_file_format=True)
    return paths


def write_enhanced(volume: sitk.Image, path: Path, order: Sequence[int], change: Change | None = None) -> None:
    """One enhanced MR object whose frames are the slices in ``order``, some of them perhaps twice."""
    path.parent.mkdir(parents=True, exist_ok=True)
    direction = np.reshape(volume.GetDirection(), (3, 3))
    data = _data_set(ENHANCED_MR, uid("enhanced"), "enhanced")
    data.NumberOfFrames = len(order)
    measures, orientation, shared = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing = _decimals(volume.GetSpacing()[1::-1])
    orientation.ImageOrientationPatient = _decimals([*direction[:, 0], *direction[:, 1]])
    shared.PixelMeasuresSequence = DicomSequence([measures])
    shared.PlaneOrientationSequence = DicomSequence([orientation])
    data.SharedFunctionalGroupsSequence = DicomSequence([shared])
    groups = []
    for k in order:
        place, group = Dataset(), Dataset()
        place.ImagePositionPatient = _decimals(volume.TransformIndexToPhysicalPoint((0, 0, int(k))))
        group.PlanePositionSequence = DicomSequence([place])
        groups.append(group)
    data.PerFrameFunctionalGroupsSequence = DicomSequence(groups)
    _pixels(data, sitk.GetArrayFromImage(volume)[list(order)])
    if change is not None:
        change(data, 0)
    data.save_as(path, enforce_file_format=True)


def _data_set(sop_class: str, instance: str, series: str) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = sop_class, instance
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID, data.Modality = sop_class, instance, "MR"
    data.ImageType = ["ORIGINAL", "PRIMARY", "M", "SE"]
    data.PatientName, data.PatientID = "Invented^Case", "invented"
    data.StudyInstanceUID, data.SeriesInstanceUID = uid("study"), uid("series", series)
    data.FrameOfReferenceUID = uid("frame of reference")
    data.SeriesDescription = "T1 post"
    return data


def _pixels(data: Dataset, pixels: np.ndarray) -> None:
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.Rows, data.Columns = pixels.shape[-2:]
    data.BitsAllocated, data.BitsStored, data.HighBit = 16, 16, 15
    data.PixelRepresentation = 0
    data.PixelData = np.ascontiguousarray(pixels.astype("<u2")).tobytes()


def _decimals(values: Sequence[float]) -> list[str]:
    return [f"{value:.10g}"[:16] for value in values]
