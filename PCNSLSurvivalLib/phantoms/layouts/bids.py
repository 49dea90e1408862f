"""Brain Imaging Data Structure with ``participants.tsv``."""

from __future__ import annotations

import json
from pathlib import Path

from PCNSLSurvivalLib.imaging.io import write_volume
from PCNSLSurvivalLib.phantoms.cohort import CohortPatient, CohortPlan
from PCNSLSurvivalLib.phantoms.layouts.layout import Layout, clinical_row, write_table
from PCNSLSurvivalLib.phantoms.patient import VirtualPatient
from PCNSLSurvivalLib.phantoms.scanner.protocol import SequenceProtocol

_COLUMNS = {
    "site": {"Description": "Site of the exam"},
    "age": {"Description": "Age at diagnosis", "Units": "year"},
    "sex": {"Description": "Sex", "Levels": {"F": "female", "M": "male"}},
    "ecog": {"Description": "ECOG performance status, 0 to 4"},
    "ldh_elevated": {"Description": "Serum LDH above the upper normal limit", "Levels": {"0": "no", "1": "yes"}},
    "csf_protein_elevated": {"Description": "CSF protein above the limit", "Levels": {"0": "no", "1": "yes"}},
    "deep_structures": {"Description": "Deep brain structures involved", "Levels": {"0": "no", "1": "yes"}},
    "ielsg_score": {"Description": "IELSG prognostic score, 0 to 5"},
    "os_days": {"Description": "Overall survival or follow-up from diagnosis", "Units": "day"},
    "death_observed": {
        "Description": "1: died at os_days; 0: alive at last contact",
        "Levels": {"0": "no", "1": "yes"},
    },
}


class BidsLayout(Layout):
    """``sub-0001/anat/sub-0001_ce-gadolinium_T1w.nii.gz`` and its kin, truths under ``derivatives/truth``."""

    def folder(self, member: CohortPatient) -> Path:
        """``sub-0001``."""
        return self.out / self.name(member)

    def truth_folder(self, member: CohortPatient) -> Path:
        """``derivatives/truth/sub-0001``."""
        return self.out / "derivatives" / "truth" / self.name(member)

    def write_scans(self, member: CohortPatient, patient: VirtualPatient, folder: Path) -> None:
        """One NIfTI file with its sidecar a sequence, in ``anat``."""
        (folder / "anat").mkdir()
        for sequence, image in patient.scans.items():
            stem = f"{self.name(member)}_{sequence.bids}"
            write_volume(image, folder / "anat" / f"{stem}.nii.gz")
            sidecar = _sidecar(patient.protocol.sequences[sequence])
            (folder / "anat" / f"{stem}.json").write_text(json.dumps(sidecar, indent=2) + "\n", encoding="utf-8")

    def write_tables(self, plan: CohortPlan, members: list[CohortPatient]) -> None:
        """``participants.tsv`` with its dictionary, and the descriptions BIDS asks for."""
        rows = []
        for member in members:
            row = clinical_row(member, missing="n/a")
            age, sex = row.pop("age_years"), row.pop("sex")
            rows.append({"participant_id": self.name(member), "age": age, "sex": str(sex)[0].upper(), **row})
        write_table(self.out / "participants.tsv", rows, delimiter="\t")
        self._write_json("participants.json", {name: about for name, about in _COLUMNS.items() if name in rows[0]})
        about = {"Name": "Virtual PCNSL patients with known truth", "BIDSVersion": "1.10.0", "License": "CC0"}
        self._write_json("dataset_description.json", {**about, "DatasetType": "raw"})
        truth = {"Name": "Truths of the virtual patients", "BIDSVersion": "1.10.0", "DatasetType": "derivative"}
        made_by = {"GeneratedBy": [{"Name": "pcnsl-survival phantom"}]}
        self._write_json("derivatives/truth/dataset_description.json", truth | made_by)
        (self.out / "README").write_text(
            "Virtual patients: no scan in this folder shows a real person. Research use only.\n", encoding="utf-8"
        )

    def _write_json(self, name: str, content: object) -> None:
        path = self.out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _sidecar(protocol: SequenceProtocol) -> dict[str, object]:
    """Timing in seconds, as BIDS has it."""
    sidecar: dict[str, object] = {
        "Modality": "MR",
        "MagneticFieldStrength": 1.5,
        "RepetitionTime": protocol.tr_ms / 1000,
        "EchoTime": protocol.te_ms / 1000,
        "FlipAngle": protocol.flip_deg,
        "SliceThickness": protocol.slice_mm,
        "SpacingBetweenSlices": protocol.voxel_mm[2],
    }
    if protocol.ti_ms:
        sidecar["InversionTime"] = protocol.ti_ms / 1000
    if protocol.gadolinium:
        sidecar["ContrastBolusIngredient"] = "GADOLINIUM"
    return sidecar
