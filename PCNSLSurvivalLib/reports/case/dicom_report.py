"""A result as DICOM Structured Report (TID 1500): probability, class, volumes and warnings; and its page as a PDF.

Concepts that no standard vocabulary has, such as the probability of OS > 1 year, are coded under a private scheme,
99PCNSLSURVIVAL, with their meaning in words.

References:
    DICOM PS3.16, TID 1500 Measurement Report; PS3.3, A.35.2 Enhanced SR IOD, A.45.1 Encapsulated PDF IOD.
    Bridge et al., Highdicom, J Digit Imaging 35, 2022. doi:10.1007/s10278-022-00683-y
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from highdicom import SOPClass, sr
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import EncapsulatedPDFStorage, ExplicitVRLittleEndian

from PCNSLSurvivalLib.core import version
from PCNSLSurvivalLib.core.printable import printable
from PCNSLSurvivalLib.core.terms import RESEARCH_USE_ONLY, OSClass
from PCNSLSurvivalLib.imaging.geometry import Grid
from PCNSLSurvivalLib.reports.case.dicom_export import (
    FIRST_SERIES_NUMBER,
    MAKER,
    ascii_text,
    check_same_block,
    derived_uid,
)
from PCNSLSurvivalLib.results.stored_case import StoredCase

_SCHEME = "99PCNSLSURVIVAL"
_MR_BRAIN = sr.CodedConcept("24590-2", "LN", "MR Brain")
_EVALUATIONS = sr.CodedConcept("C0034375", "UMLS", "Qualitative Evaluations")
_LESION = sr.CodedConcept("52988006", "SCT", "Lesion")
_BRAIN = sr.CodedConcept("12738006", "SCT", "Brain")
_MILLILITER = sr.CodedConcept("mL", "UCUM", "milliliter")
_DECIMALS = 4


def write_structured_report(case: StoredCase, slices: Sequence[Dataset], path: Path) -> None:
    """Write one result as an Enhanced SR in the study of the T1Gd.

    Args:
        case: A result.
        slices: The T1Gd series, one data set a slice (``dicom_headers.read_series_headers``).
        path: File to make.

    Raises:
        GridMismatchError: The series is not the one of the result.
    """
    check_same_block(Grid.of(case.brain_mask), slices)
    model = case.prediction["model"]
    device = sr.ObserverContext(
        observer_type=codes.DCM.Device,
        observer_identifying_attributes=sr.DeviceObserverIdentifyingAttributes(
            uid=derived_uid(slices, case, "device"),
            name=MAKER["manufacturer_model_name"],
            manufacturer_name=MAKER["manufacturer"],
            model_name=MAKER["manufacturer_model_name"],
            serial_number=model["checksum_sha256"][:16],
        ),
    )
    content = sr.MeasurementReport(
        observation_context=sr.ObservationContext(observer_device_context=device),
        procedure_reported=_MR_BRAIN,
        imaging_measurements=[_prediction(case, slices), *_volumes(case, slices)],
        title=codes.DCM.ImagingMeasurementReport,
    )
    told = sr.ContainerContentItem(name=_EVALUATIONS, relationship_type=sr.RelationshipTypeValues.CONTAINS)
    told.ContentSequence = sr.ContentSequence(
        [
            sr.TextContentItem(
                name=codes.DCM.Comment,
                value=printable(sentence),
                relationship_type=sr.RelationshipTypeValues.CONTAINS,
            )
            for sentence in _sentences(case)
        ]
    )
    content[0].ContentSequence.append(told)
    words = "/".join(map(str, (case.prediction["probability_over_one_year"], *_sentences(case))))
    report = sr.EnhancedSR(
        evidence=list(slices),
        content=content[0],
        series_instance_uid=derived_uid(slices, case, "report"),
        series_number=FIRST_SERIES_NUMBER + 20,
        sop_instance_uid=derived_uid(slices, case, "report", words, str(_foci(case))),
        instance_number=1,
        manufacturer=MAKER["manufacturer"],
        is_complete=True,
        is_final=False,  # no person has read it
        is_verified=False,
        manufacturer_model_name=MAKER["manufacturer_model_name"],
        software_versions=version.__version__,
    )
    report.SeriesDescription = "RESEARCH OS > 1 year, measurement report"
    report.save_as(path, enforce_file_format=True)


def write_encapsulated_pdf(case: StoredCase, page: Path, pdf: Path, slices: Sequence[Dataset], path: Path) -> None:
    """Write the printed report as a DICOM Encapsulated PDF in the study of the T1Gd.

    Args:
        case: The result that it is of.
        page: The report as HTML. The identifier follows from it, since a PDF holds the time of its printing.
        pdf: The same, printed.
        slices: The T1Gd series.
        path: File to make.
    """
    document = SOPClass(
        study_instance_uid=slices[0].StudyInstanceUID,
        series_instance_uid=derived_uid(slices, case, "pdf"),
        series_number=FIRST_SERIES_NUMBER + 30,
        sop_instance_uid=derived_uid(slices, case, "pdf", hashlib.sha256(page.read_bytes()).hexdigest()),
        sop_class_uid=EncapsulatedPDFStorage,
        instance_number=1,
        modality="DOC",
        transfer_syntax_uid=ExplicitVRLittleEndian,
        specific_character_set="ISO_IR 192",
        series_description="RESEARCH OS > 1 year, report",
        **MAKER,
    )
    document.copy_patient_and_study_information(slices[0])
    content = pdf.read_bytes()
    document.ConversionType = "WSD"  # made by a workstation
    document.AcquisitionDateTime = ""
    document.BurnedInAnnotation = "NO"  # the page names no patient
    document.DocumentTitle = f"RESEARCH {ascii_text(case.model)}"[:64]
    document.ConceptNameCodeSequence = []
    document.MIMETypeOfEncapsulatedDocument = "application/pdf"
    document.EncapsulatedDocumentLength = len(content)
    document.EncapsulatedDocument = content + b"\0" * (len(content) % 2)
    document.SourceInstanceSequence = [_reference(one) for one in slices]
    document.save_as(path, enforce_file_format=True)


def _reference(one: Dataset) -> Dataset:
    reference = Dataset()
    reference.ReferencedSOPClassUID = one.SOPClassUID
    reference.ReferencedSOPInstanceUID = one.SOPInstanceUID
    return reference


def _prediction(case: StoredCase, slices: Sequence[Dataset]) -> sr.MeasurementsAndQualitativeEvaluations:
    prediction, model = case.prediction, case.prediction["model"]
    numbers = [("os1y_probability", "Probability of overall survival > 1 year", "probability_over_one_year")]
    if _number(prediction.get("log_odds")):
        numbers.append(("os1y_log_odds", "Log-odds of overall survival > 1 year", "log_odds"))
    predicted = OSClass.of_key(prediction["class"])
    return sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(derived_uid(slices, case, "prediction"), "Prediction"),
        finding_type=_concept("os1y_prediction", "Predicted overall survival"),
        finding_category=None,
        algorithm_id=sr.AlgorithmIdentification(
            name=ascii_text(model["name"]),
            version=ascii_text(model["version"]),
            manufacturer=MAKER["manufacturer"],
            parameters=[f"SHA-256 of the model {model['checksum_sha256']}"],
        ),
        measurements=[
            sr.Measurement(
                name=_concept(code, meaning), value=round(prediction[key], _DECIMALS), unit=codes.UCUM.NoUnits
            )
            for code, meaning, key in numbers
        ],
        qualitative_evaluations=[
            sr.QualitativeEvaluation(
                name=_concept("os1y_class", "Predicted class"),
                value=_concept(predicted.key, ascii_text(predicted.label)),
            )
        ],
        source_images=[sr.SourceImageForMeasurementGroup(one.SOPClassUID, one.SOPInstanceUID) for one in slices],
    )


def _volumes(case: StoredCase, slices: Sequence[Dataset]) -> Iterator[sr.MeasurementsAndQualitativeEvaluations]:
    brain = case.prediction.get("preprocessing", {}).get("brain_volume_ml")
    if _number(brain):
        yield _volume(case, slices, "Brain mask", brain)
    for number, volume_ml in enumerate(_foci(case), start=1):
        yield _volume(case, slices, f"Lesion {number}", volume_ml, finding=_LESION)


def _volume(
    case: StoredCase, slices: Sequence[Dataset], name: str, volume_ml: float, *, finding: sr.CodedConcept | None = None
) -> sr.MeasurementsAndQualitativeEvaluations:
    return sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(derived_uid(slices, case, name), name),
        finding_type=finding or _BRAIN,
        finding_sites=[sr.FindingSite(_BRAIN)],
        measurements=[sr.Measurement(name=codes.SCT.Volume, value=round(volume_ml, _DECIMALS), unit=_MILLILITER)],
    )


def _foci(case: StoredCase) -> list[float]:
    """Volume in mL of every focus of the lesion mask; none without a mask."""
    foci = (case.prediction.get("lesion") or {}).get("foci", [])
    return [focus["volume_ml"] for focus in foci if _number(focus.get("volume_ml"))]


def _sentences(case: StoredCase) -> list[str]:
    """What a reader of the report must be told, the limit of use first."""
    told = [RESEARCH_USE_ONLY, *(warning["sentence"] for warning in case.prediction.get("warnings", []))]
    told += [f"The Grad-CAM map for {one.label} failed a check." for one in case.maps if case.failed_a_check(one)]
    lesion = case.prediction.get("lesion")
    if lesion:
        proposed = lesion.get("source") == "proposal"
        words = "is a proposal of the software that no person confirmed" if proposed else "was given"
        told.append(f"The lesion outline {words}.")
    return told


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _concept(code: str, meaning: str) -> sr.CodedConcept:
    return sr.CodedConcept(code, _SCHEME, meaning, version.__version__)
