"""The UCSF-PCNSL derivatives and clinical tables: OS has to be built from dates, and there is no T2."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.geometry import Grid
from PCNSLSurvivalLib.imaging.io import write_volume
from PCNSLSurvivalLib.phantoms.cohort import CohortPatient, CohortPlan
from PCNSLSurvivalLib.phantoms.layouts.layout import Layout, write_table
from PCNSLSurvivalLib.phantoms.patient import VirtualPatient, scan_patient
from PCNSLSurvivalLib.phantoms.random_fields import stream
from PCNSLSurvivalLib.phantoms.scanner.acquisition import scan_grid, stripped

_ROOT = "pcnsl-dataset_v1.0"
_TABLES = "csvs_for_amazon_anonymized"
_NAMES = {MRSequence.T1: "T1", MRSequence.T1GD: "T1Post", MRSequence.FLAIR: "FLAIR"}
_SPACES = ("FLAIR", "T1Post")


class UcsfPcnslLayout(Layout):
    """Stripped, registered T1, T1Post and FLAIR in two spaces, component masks, statistics, dated tables.

    The original also has ADC, radiomics and DICOM headers; a virtual head has no diffusion, so they are left
    out. Both spaces share one grid here.
    """

    whole_heads = False

    @property
    def _made(self) -> tuple[MRSequence, ...]:
        return tuple(sequence for sequence in _NAMES if sequence in self.sequences)

    def folder(self, member: CohortPatient) -> Path:
        """``pcnsl-dataset_v1.0/derivatives/pyalfe/sub-0001``."""
        return self.out / _ROOT / "derivatives" / "pyalfe" / self.name(member)

    def make(self, member: CohortPatient) -> VirtualPatient:
        """Scan T1, T1Gd and FLAIR of the brain on one grid."""
        t1gd = member.protocol.sequences[MRSequence.T1GD]
        grid: Grid = scan_grid(t1gd, sitk.Euler3DTransform())
        return scan_patient(
            member.anatomy, member.plan, member.protocol, sequences=self._made, brain_only=True, on=grid
        )

    def write_scans(self, member: CohortPatient, patient: VirtualPatient, folder: Path) -> None:
        """``ses-0001`` with ``skullstripped``, ``masks`` and ``statistics``."""
        session = folder / "ses-0001"
        stem = f"{self.name(member)}_ses-0001"
        components = sitk.RelabelComponent(sitk.ConnectedComponent(patient.lesion_masks[MRSequence.T1GD]))
        components = sitk.Cast(components, sitk.sitkUInt8)
        for space in _SPACES:
            images = session / "skullstripped" / f"lesions_{space}_space"
            images.mkdir(parents=True)
            for sequence in self._made:
                name = _NAMES[sequence]
                brain = sitk.Cast(stripped(patient.acquisitions[sequence]), sitk.sitkFloat32)
                write_volume(brain, images / f"{stem}_{name}_to_{space}_skullstripped.nii.gz")
            masks = session / "masks" / "lesions_seg_comp"
            masks.mkdir(parents=True, exist_ok=True)
            write_volume(components, masks / f"{stem}_{space}_abnormal_seg_comp.nii.gz")
            statistics = session / "statistics" / "lesions_SummaryLesions"
            statistics.mkdir(parents=True, exist_ok=True)
            write_table(statistics / f"{stem}_{space}_SummaryLesions.csv", _summary(components))

    def write_tables(self, plan: CohortPlan, members: list[CohortPatient]) -> None:
        """Demographics, dates, diagnoses and medication, with two-digit years and without an OS column."""
        folder = self.out / _ROOT / _TABLES
        folder.mkdir(parents=True, exist_ok=True)
        rows: dict[str, list[dict[str, object]]] = {}
        for member in members:
            for table, row in _clinical_rows(member).items():
                rows.setdefault(table, []).append(row)
        for table, content in rows.items():
            write_table(folder / f"{table}.csv", content)


def _clinical_rows(member: CohortPatient) -> dict[str, dict[str, object]]:
    draw = stream(member.seed, "dates")
    diagnosis = date(2009, 1, 5) + timedelta(days=int(draw.integers(0, 4200)))
    imaging = diagnosis - timedelta(days=int(draw.integers(-4, 20)))
    biopsy = diagnosis - timedelta(days=int(draw.integers(0, 8)))
    birth = diagnosis - timedelta(days=int(member.clinical.age_years * 365.25))
    last = diagnosis + timedelta(days=member.outcome.os_days)
    # The records of a patient end with the last contact, shortly before the death where there was one.
    seen = last - timedelta(days=int(draw.integers(0, 5)) if member.outcome.death_observed else 0)
    seen = max(seen, diagnosis)
    key = f"{member.number:04d}"
    return {
        "demographics": {
            "patientdurablekey": key,
            "Sex": member.clinical.sex.capitalize(),
            "SexualOrientation": "*Unspecified",
            "BirthDate": _us_date(birth),
            "Deathdate": _us_date(last) if member.outcome.death_observed else "",
            "PreferredLanguage": "English",
            "FirstRace": "*Unspecified",
            "SecondRace": "",
            "Ethnicity": "Unknown",
        },
        "biopsy_and_diagnosis_dates": {
            "accessions": key,
            "patientdurablekey": key,
            "BiopsyDate": _us_date(biopsy),
            "DiagnosisDate": _us_date(diagnosis),
            "ImageDate": _us_date(imaging),
            "BiopsyDateMinusImageDate": (biopsy - imaging).days,
            "DiagnosisDateMinusImageDate": (diagnosis - imaging).days,
        },
        "diagnosis_history": {
            "patientdurablekey": key,
            "DiagnosisName": "Primary central nervous system lymphoma",
            "StartDateKey": f"{diagnosis:%Y%m%d}",
            "StartDateKeyValue": _us_date(diagnosis),
            "EndDateKey": f"{seen:%Y%m%d}",
            "EndDateKeyValue": _us_date(seen),
        },
        "medication_list_administered": {
            "patientdurablekey": key,
            "AdministrationDateKeyValue": f"{seen:%Y-%m-%d}",
            "MedicationGenericName": "methotrexate injection",
        },
        "medication_list_ordered": {
            "patientdurablekey": key,
            "MedicationGenericName": "methotrexate injection",
            "OrderedDateKeyValue": f"{diagnosis:%Y-%m-%d}",
            "StartDateKeyValue": f"{min(diagnosis + timedelta(days=3), seen):%Y-%m-%d}",
        },
    }


def _us_date(day: date) -> str:
    return f"{day.month}/{day.day}/{day:%y}"


def _summary(components: sitk.Image) -> list[dict[str, object]]:
    """The statistics that follow from the mask alone, under the original's names, in mm³."""
    counts = np.bincount(sitk.GetArrayFromImage(components).ravel())[1:]
    volumes = counts * float(np.prod(components.GetSpacing()))
    values = {
        "total_lesion_volume": volumes.sum(),
        "number_of_lesions": len(volumes),
        "largest_lesion_volume": volumes.max(initial=0.0),
        "average_lesion_volume": volumes.mean() if len(volumes) else 0.0,
    }
    return [{"Label": label, "Value": round(float(value), 2)} for label, value in values.items()]
