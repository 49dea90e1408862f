"""A result as DICOM beside its T1Gd: the map as a parametric map, key images as secondary captures.

Both belong to the study and patient of the T1Gd, say RESEARCH in their series description, are derived images, and
refer to the slices they were made from. The parametric map keeps every value on its place in the patient; secondary
captures are what every archive can show. Identifiers follow from the content, so the same export made twice is the
same series and not a second one.

References:
    DICOM PS3.3, A.75 Parametric Map IOD and A.8.4 Multi-frame/Secondary Capture IODs.
    Bridge et al., Highdicom, J Digit Imaging 35, 2022. doi:10.1007/s10278-022-00683-y
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import highdicom
import numpy as np
import SimpleITK as sitk
from highdicom.pm import ParametricMap, RealWorldValueMapping
from highdicom.sc import SCImage
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian

from PCNSLSurvivalLib.core import version
from PCNSLSurvivalLib.core.errors import GridMismatchError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import RESEARCH_USE_ONLY, OSClass
from PCNSLSurvivalLib.imaging.geometry import Grid
from PCNSLSurvivalLib.reports.case.key_images import FAILED_A_CHECK, KeyImage
from PCNSLSurvivalLib.results.stored_case import StoredCase

MAKER = {
    "manufacturer": "PCNSLSurvival contributors",
    "manufacturer_model_name": "PCNSLSurvival",
    "software_versions": version.__version__,
}
FIRST_SERIES_NUMBER = 9001
_BODY_PART = "BRAIN"  # unpaired: without it a reader must ask for the side (PS3.3, C.7.3.1)
_TOLERANCE_MM = 0.05
# Scanners write positions with two to six digits.


def write_parametric_map(case: StoredCase, explains: OSClass, slices: Sequence[Dataset], path: Path) -> None:
    """Write one map as a DICOM Parametric Map in 32-bit floating point.

    Args:
        case: A result.
        explains: Which of its maps.
        slices: The T1Gd series, one data set a slice, in order of position (``dicom_headers.read_series_headers``).
        path: File to make.

    Raises:
        GridMismatchError: The series is not the one the map lies on.
    """
    image = case.maps[explains]
    grid = Grid.of(image)
    check_same_block(grid, slices)
    values = sitk.GetArrayFromImage(image).astype(np.float32)
    axes = np.reshape(grid.direction_lps, (3, 3)).T
    scale = _scale(case, explains)
    series, marks = _series(case, explains), _marks(case, explains)
    parametric = ParametricMap(
        source_images=list(slices),
        pixel_array=values,
        series_instance_uid=derived_uid(slices, case, explains.label, "map", *marks),
        series_number=FIRST_SERIES_NUMBER + list(case.maps).index(explains),
        sop_instance_uid=derived_uid(
            slices, case, explains.label, "map", hashlib.sha256(values.tobytes()).hexdigest(), *marks
        ),
        instance_number=1,
        device_serial_number=case.prediction["model"]["checksum_sha256"][:16],
        contains_recognizable_visual_features=False,  # 0 outside the brain
        real_world_value_mappings=[
            RealWorldValueMapping(
                lut_label="GRADCAM",
                lut_explanation=f"Fraction of the maximum; 1 is {scale:.4g} logits",
                unit=codes.UCUM.NoUnits,
                value_range=(0.0, 1.0),
                slope=1.0,
                intercept=0.0,
            )
        ],
        voi_lut_transformations=[highdicom.VOILUTTransformation(window_center=0.5, window_width=1.0)],
        transfer_syntax_uid=ExplicitVRLittleEndian,
        content_label="GRADCAM",
        content_description=f"{series}. {RESEARCH_USE_ONLY}"[:64],
        pixel_measures=highdicom.PixelMeasuresSequence(
            pixel_spacing=(grid.spacing_mm[1], grid.spacing_mm[0]),
            slice_thickness=grid.spacing_mm[2],
            spacing_between_slices=grid.spacing_mm[2],
        ),
        plane_orientation=highdicom.PlaneOrientationSequence("PATIENT", [*axes[0], *axes[1]]),
        plane_positions=[
            highdicom.PlanePositionSequence("PATIENT", grid.index_to_lps(np.array([0.0, 0.0, float(k)])))
            for k in range(grid.size[2])
        ],
        **MAKER,
    )
    parametric.SeriesDescription = series
    parametric.BodyPartExamined = _BODY_PART
    parametric.ImageComments = _comment(case)
    parametric.save_as(path, enforce_file_format=True)


def write_key_image(
    case: StoredCase, image: KeyImage, number: int, slices: Sequence[Dataset], path: Path, *, pixel_mm: float
) -> None:
    """Write one key image as a DICOM Secondary Capture in color.

    Args:
        case: The result it belongs to.
        image: From ``key_images``.
        number: Number of the instance in its series, from 1.
        slices: The T1Gd series.
        path: File to make.
        pixel_mm: Edge of a pixel in the patient.
    """
    marks = _marks(case, image.explains)
    nearest = min(slices, key=lambda one: abs(_middle_mm(one) - image.position_mm))
    capture = SCImage.from_ref_dataset(
        ref_dataset=nearest,
        pixel_array=image.rgb,
        photometric_interpretation="RGB",
        bits_allocated=8,
        coordinate_system="PATIENT",
        series_instance_uid=derived_uid(slices, case, image.explains.label, "key images", *marks),
        series_number=FIRST_SERIES_NUMBER + 10 + list(case.maps).index(image.explains),
        sop_instance_uid=derived_uid(
            slices, case, image.explains.label, "key images", hashlib.sha256(image.rgb.tobytes()).hexdigest()
        ),
        instance_number=number,
        manufacturer=MAKER["manufacturer"],
        pixel_spacing=(pixel_mm, pixel_mm),
        patient_orientation=("L", "P"),
        transfer_syntax_uid=ExplicitVRLittleEndian,
    )
    capture.BodyPartExamined = _BODY_PART
    capture.ConversionType = "WSD"  # made by a workstation
    capture.ImageType = ["DERIVED", "SECONDARY"]
    capture.SeriesDescription = f"{_series(case, image.explains)}, key images"
    capture.DerivationDescription = f"T1Gd with the map of {ascii_text(case.model)} in color over it"
    # The words in the picture name no patient and no date, which is what this attribute asks.
    capture.BurnedInAnnotation = "NO"
    capture.ImageComments = _comment(case)
    reference = Dataset()
    reference.ReferencedSOPClassUID = nearest.SOPClassUID
    reference.ReferencedSOPInstanceUID = nearest.SOPInstanceUID
    capture.SourceImageSequence = [reference]
    capture.save_as(path, enforce_file_format=True)


def check_same_block(grid: Grid, slices: Sequence[Dataset]) -> None:
    """Refuse a series whose slices are not those of a grid, in whatever order its voxels run.

    Raises:
        GridMismatchError: They are not.
    """
    first, last = slices[0], slices[-1]
    size = (int(first.Columns), int(first.Rows), len(slices))
    row, column = np.reshape(np.array(first.ImageOrientationPatient, dtype=float), (2, 3))
    down_mm, across_mm = (float(mm) for mm in first.PixelSpacing)
    theirs = [
        np.array(one.ImagePositionPatient, dtype=float)
        + i * across_mm * (size[0] - 1) * row
        + j * down_mm * (size[1] - 1) * column
        for one in (first, last)
        for i in (0, 1)
        for j in (0, 1)
    ]
    far = np.array(grid.size) - 1
    ours = [grid.index_to_lps(np.array([i, j, k]) * far) for i in (0, 1) for j in (0, 1) for k in (0, 1)]
    gaps = np.linalg.norm(np.array(ours)[:, None] - np.array(theirs)[None], axis=-1)
    if sorted(size) != sorted(grid.size) or max(gaps.min(axis=0).max(), gaps.min(axis=1).max()) > _TOLERANCE_MM:
        raise GridMismatchError(Message("grid.t1gd_series_on_map"))


def _series(case: StoredCase, explains: OSClass) -> str:
    """Series description, of which DICOM takes 64 letters."""
    return ", ".join([f"RESEARCH Grad-CAM {ascii_text(explains.label)}", *_marks(case, explains)])


def _marks(case: StoredCase, explains: OSClass) -> list[str]:
    """What sets the series of a map that failed a check apart from an earlier export without the mark."""
    return [FAILED_A_CHECK] if case.failed_a_check(explains) else []


def _middle_mm(one: Dataset) -> float:
    """RAS mm of the middle of a slice along the axial direction, the same in LPS."""
    row, column = np.reshape(np.array(one.ImageOrientationPatient, dtype=float), (2, 3))
    down_mm, across_mm = (float(mm) for mm in one.PixelSpacing)
    half = (row * across_mm * (one.Columns - 1) + column * down_mm * (one.Rows - 1)) / 2
    return float(one.ImagePositionPatient[2]) + float(half[2])


def _comment(case: StoredCase) -> str:
    probability = case.prediction["probability_over_one_year"]
    return f"{RESEARCH_USE_ONLY} Probability of OS > 1 year {probability:.2f}, model {ascii_text(case.model)}"


def _scale(case: StoredCase, explains: OSClass) -> float:
    entries = (case.prediction["activation_map"], case.prediction["activation_map_other_class"])
    return next(float(entry["scale"]) for entry in entries if entry["explains"] == explains.key)


def derived_uid(slices: Sequence[Dataset], case: StoredCase, *names: Any) -> str:
    """A UID that follows from the series, the model and names: a repeated export keeps it."""
    parts = [slices[0].SeriesInstanceUID, case.prediction["model"]["checksum_sha256"], *names]
    return f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, '/'.join(map(str, parts))).int}"


def ascii_text(text: str) -> str:
    """Series descriptions are read by archives of every age."""
    return text.replace("≤", "<=").encode("ascii", "replace").decode("ascii")
