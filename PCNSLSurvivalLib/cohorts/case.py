"""The common schema of all cohort readers: patient, scans, survival, clinical variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from PCNSLSurvivalLib.core.terms import ONE_YEAR_DAYS, MRSequence, OSClass


@dataclass(frozen=True, kw_only=True)
class ClinicalVariables:
    """Clinical variables at diagnosis, and where and when the exam was made; None where unknown."""

    age_years: float | None = None
    ecog: int | None = None
    """ECOG performance status, 0 to 4."""
    ldh_elevated: bool | None = None
    csf_protein_elevated: bool | None = None
    deep_lesion: bool | None = None
    """Periventricular tissue, basal ganglia, corpus callosum, brainstem or cerebellum involved."""
    ielsg_score: int | None = None
    """0 to 5 (Ferreri et al. 2003, doi:10.1200/JCO.2003.09.139)."""
    sex: str | None = None
    """"female" or "male"."""
    site: str | None = None
    """The center of the exam, as the cohort's table names it."""
    field_strength_t: float | None = None
    """Of the scanner, in tesla."""
    scan_year: int | None = None
    """Of the exam; the table may give its date, of which the year is kept."""

    def to_json(self) -> dict[str, Any]:
        """The variables as plain JSON values."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class CohortCase:
    """One exam of one patient of a cohort, and where its scans lie."""

    name: str
    """Unique in the cohort and safe as the name of a folder."""
    patient_id: str
    """The patient; two exams of one patient have the same value here."""
    scans: Mapping[MRSequence, Path]
    stripped: bool = False
    """The layout holds registered brains without skull."""
    brain_mask: Path | None = None
    """On the voxels of T1Gd."""
    lesion_mask: Path | None = None
    """On the voxels of T1Gd."""
    lesion_labels: tuple[int, ...] | None = None
    """Labels of ``lesion_mask`` that are lesion; every label but 0 if None."""
    os_days: float | None = None
    """Days from diagnosis to death or, where that was not observed, to the last contact."""
    death_observed: bool | None = None
    clinical: ClinicalVariables = field(default_factory=ClinicalVariables)
    aliases: tuple[str, ...] = ()
    """This patient's identifiers in other data sets, for example from the BraTS maps of names."""
    person_key: str | None = None
    """The person in the tables of this cohort, where they have a key of their own for it; means nothing elsewhere."""
    remarks: tuple[str, ...] = ()
    """Sentences for the data report: what is odd or unknown about this case."""

    def os_class(self, threshold_days: float = ONE_YEAR_DAYS) -> OSClass | None:
        """The OS class; None where it is not known (see ``os_class_of``)."""
        return os_class_of(self.os_days, self.death_observed, threshold_days)


def os_class_of(os_days: float | None, death_observed: bool | None, threshold_days: float) -> OSClass | None:
    """On which side of a threshold a patient's survival is known to lie.

    Args:
        os_days: Days to death or last contact; None if unknown.
        death_observed: Whether the patient died at ``os_days``; None if unknown.
        threshold_days: Surviving longer than this is the positive class.

    Returns:
        The class; None where survival is unknown or was censored by the threshold.
    """
    if os_days is None:
        return None
    if os_days > threshold_days:
        return OSClass.OVER_ONE_YEAR
    return OSClass.UP_TO_ONE_YEAR if death_observed else None
