"""What all layouts share: the interface and the small files."""

from __future__ import annotations

import csv
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from PCNSLSurvivalLib.core.storage.csv_cells import plain_cell
from PCNSLSurvivalLib.core.storage.files import whole_file
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.phantoms.cohort import CohortPatient, CohortPlan
from PCNSLSurvivalLib.phantoms.patient import VirtualPatient, scan_patient
from PCNSLSurvivalLib.phantoms.scanner.acquisition import stripped
from PCNSLSurvivalLib.phantoms.scanner.protocol import VIRTUAL_SEQUENCES, without_shading


@dataclass(frozen=True)
class Layout(ABC):
    """How a cohort lies on disk.

    Attributes:
        out: Folder of the whole cohort.
        sequences: Which sequences are made.
        stripped: Brains without skull and shading, as after preparation, on the grids of the scans.
    """

    out: Path
    sequences: tuple[MRSequence, ...] = VIRTUAL_SEQUENCES
    stripped: bool = False
    whole_heads: ClassVar[bool] = True

    def name(self, member: CohortPatient) -> str:
        """The patient's identifier."""
        return f"sub-{member.number:04d}"

    def make(self, member: CohortPatient) -> VirtualPatient:
        """Build the patient's head and acquire the scans this layout holds."""
        protocol = without_shading(member.protocol) if self.stripped else member.protocol
        brain_only = self.stripped or not self.whole_heads
        patient = scan_patient(member.anatomy, member.plan, protocol, sequences=self.sequences, brain_only=brain_only)
        if not self.stripped:
            return patient
        brains = {name: replace(scan, image=stripped(scan)) for name, scan in patient.acquisitions.items()}
        return replace(patient, acquisitions=brains)

    @abstractmethod
    def folder(self, member: CohortPatient) -> Path:
        """Folder of the patient's scans; it exists once the patient is finished."""

    @abstractmethod
    def write_scans(self, member: CohortPatient, patient: VirtualPatient, folder: Path) -> None:
        """Write the patient's scans into a staging folder that will become ``folder(member)``."""

    @abstractmethod
    def write_tables(self, plan: CohortPlan, members: list[CohortPatient]) -> None:
        """Write what belongs to the cohort as a whole: survival and clinical tables."""

    def truth_folder(self, member: CohortPatient) -> Path:
        """Folder of the patient's truths."""
        return self.out / "truth" / self.name(member)


def write_table(path: Path, rows: Iterable[Mapping[str, object]], *, delimiter: str = ",") -> None:
    """Write rows with the same keys as a table with a header line, in one step."""
    rows = list(rows)
    with whole_file(path) as partial, partial.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), delimiter=delimiter, lineterminator="\n")
        writer.writeheader()
        writer.writerows({column: plain_cell(cell) for column, cell in row.items()} for row in rows)


def clinical_row(member: CohortPatient, *, missing: str = "") -> dict[str, object]:
    """Clinical variables and outcome of one patient under the names this software uses."""
    clinical, outcome = member.clinical, member.outcome
    csf, score = clinical.csf_protein_elevated, clinical.ielsg_score
    site = {} if member.site is None else {"site": member.site}
    return {
        **site,
        "age_years": clinical.age_years,
        "sex": clinical.sex,
        "ecog": clinical.ecog,
        "ldh_elevated": int(clinical.ldh_elevated),
        "csf_protein_elevated": missing if csf is None else int(csf),
        "deep_structures": int(clinical.deep_structures),
        "ielsg_score": missing if score is None else score,
        "os_days": outcome.os_days,
        "death_observed": int(outcome.death_observed),
    }
