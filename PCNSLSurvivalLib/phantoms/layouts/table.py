"""A plain table: one row per patient with the paths of the scans."""

from __future__ import annotations

from pathlib import Path

from PCNSLSurvivalLib.imaging.io import write_volume
from PCNSLSurvivalLib.phantoms.cohort import CohortPatient, CohortPlan
from PCNSLSurvivalLib.phantoms.layouts.layout import Layout, clinical_row, write_table
from PCNSLSurvivalLib.phantoms.patient import VirtualPatient


class TableLayout(Layout):
    """``patients.csv`` with paths relative to it, and ``scans/sub-0001/t1gd.nii.gz``, …"""

    def folder(self, member: CohortPatient) -> Path:
        """``scans/sub-0001``."""
        return self.out / "scans" / self.name(member)

    def write_scans(self, member: CohortPatient, patient: VirtualPatient, folder: Path) -> None:
        """One NIfTI file per sequence."""
        for sequence, image in patient.scans.items():
            write_volume(image, folder / f"{sequence}.nii.gz")

    def write_tables(self, plan: CohortPlan, members: list[CohortPatient]) -> None:
        """``patients.csv``."""
        rows = []
        for member in members:
            paths = {str(sequence): f"scans/{self.name(member)}/{sequence}.nii.gz" for sequence in self.sequences}
            masks = {name: f"truth/{self.name(member)}/t1gd_{name}.nii.gz" for name in ("brain_mask", "lesion_mask")}
            about = {"patient_id": self.name(member), **paths, **masks, "stripped": int(self.stripped)}
            rows.append(about | clinical_row(member))
        write_table(self.out / "patients.csv", rows)
