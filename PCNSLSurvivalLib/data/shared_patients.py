"""No patient on both sides of the border between pre-training and fine-tuning: found by identifier, or by voxels."""

from __future__ import annotations

import json

from PCNSLSurvivalLib.data.prepared_cohort import PreparedCohort, PreparedPatient
from PCNSLSurvivalLib.errors import CohortError


def refuse_shared_patients(cohort: PreparedCohort, second: PreparedCohort) -> None:
    """Refuse two cohorts that share a patient.

    An alias, that is an identifier in another data set as the BraTS maps of names give them, counts wherever it stands
    on the other side. Two equal names that are no alias do not count: every cohort may have its 'sub-001'. The same
    T1Gd, voxel by voxel, counts under any name.

    Args:
        cohort: Is fine-tuned and tested on.
        second: Was pre-trained on.

    Raises:
        CohortError: A patient is in both; the sentence names the cases.
    """
    ours, theirs = _by_identifier(cohort), _by_identifier(second)
    pairs = {
        (mine[0], other[0])
        for identifier, mine in ours.items()
        if (other := theirs.get(identifier)) is not None and (mine[1] or other[1])
    }
    voxels = {_voxels_of(patient): patient.name for patient in second.patients}
    pairs |= {
        (patient.name, voxels[seen]) for patient in cohort.patients if (seen := _voxels_of(patient)) in voxels and seen
    }
    if pairs:
        first = sorted(pairs)[0]
        many = "One patient is" if len(pairs) == 1 else f"{len(pairs)} patients are"
        raise CohortError(
            f"{many} in both cohorts, the first as {first[0]} and as {first[1]}. A network must not "
            "be tested on patients it was pre-trained on: name them in excluded.csv of one of the prepared cohorts."
        )


def _by_identifier(cohort: PreparedCohort) -> dict[str, tuple[str, bool]]:
    """Case by every identifier of its patient, and whether the identifier is an alias."""
    found: dict[str, tuple[str, bool]] = {}
    for patient in cohort.patients:
        for identifier in (patient.name, patient.patient):
            found.setdefault(identifier.casefold(), (patient.name, False))
    for patient in cohort.patients:
        for alias in patient.aliases:
            found[alias.casefold()] = (patient.name, True)
    return found


def _voxels_of(patient: PreparedPatient) -> str:
    """SHA-256 of the T1Gd's voxels as they came; empty where the record does not say."""
    try:
        record = json.loads((patient.folder / "case.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    return str(record.get("t1gd_voxels_sha256", ""))
