"""No patient on both sides of the border between pre-training and fine-tuning: found by identifier, or by voxels."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from PCNSLSurvivalLib.data.case import CohortCase
from PCNSLSurvivalLib.data.persons import person_of
from PCNSLSurvivalLib.data.prepared_cohort import PreparedCohort, PreparedPatient
from PCNSLSurvivalLib.errors import CohortError


@dataclass(frozen=True, kw_only=True)
class KnownPatient:
    """What tells whose an examination was: kept beside weights that were trained on it."""

    name: str
    patient: str
    aliases: tuple[str, ...]
    t1gd_voxels_sha256: str
    """Of the voxels as they came; empty where there is no record of it."""

    @classmethod
    def of(cls, case: PreparedPatient) -> KnownPatient:
        """Of a prepared examination."""
        return cls(
            name=case.name, patient=case.patient, aliases=tuple(case.aliases), t1gd_voxels_sha256=_voxels_of(case)
        )


Examination = CohortCase | PreparedPatient | KnownPatient


def refuse_shared_patients(cohort: PreparedCohort, second: Iterable[Examination]) -> None:
    """Refuse two cohorts that share a patient; see ``overlap``.

    Args:
        cohort: Is fine-tuned and tested on.
        second: Was pre-trained on.

    Raises:
        CohortError: A patient is in both; the sentence names the cases.
    """
    pairs = overlap(cohort.patients, second)
    if pairs:
        first = pairs[0]
        many = "One patient is" if len(pairs) == 1 else f"{len(pairs)} patients are"
        raise CohortError(
            f"{many} in both cohorts, the first as {first[0]} and as {first[1]}. A network must not "
            "be tested on patients it was pre-trained on: name them in excluded.csv of one of the prepared cohorts."
        )


def overlap(ours: Iterable[Examination], theirs: Iterable[Examination]) -> tuple[tuple[str, str], ...]:
    """Examinations of one person in two cohorts, as found or as prepared.

    An alias, that is an identifier in another data set as ``name_mapping.csv`` of BraTS or the column 'BraTS21 ID'
    of UCSF-PDGM give it, counts wherever it stands on the other side; so does the identifier of a public data set.
    Other equal names do not count: every cohort may have its 'sub-001'. In prepared cohorts the same T1Gd, voxel by
    voxel, counts under any name.

    Returns:
        Pairs of names, ours first, in order.
    """
    ours, theirs = tuple(ours), tuple(theirs)
    identifiers, others = _by_identifier(ours), _by_identifier(theirs)
    pairs = {
        (mine[0], other[0])
        for identifier, mine in identifiers.items()
        if (other := others.get(identifier)) is not None and (mine[1] or other[1])
    }
    voxels = {digest: case.name for case in theirs if (digest := _voxels_of(case))}
    pairs |= {(case.name, voxels[digest]) for case in ours if (digest := _voxels_of(case)) in voxels}
    return tuple(sorted(pairs))


def _by_identifier(cases: tuple[Examination, ...]) -> dict[str, tuple[str, bool]]:
    """Case by every identifier of its patient, and whether the identifier counts beyond its cohort."""
    found: dict[str, tuple[str, bool]] = {}
    for case in cases:
        for identifier in (case.name, case.patient):
            person, public = person_of(identifier)
            found.setdefault(person, (case.name, public))
    for case in cases:
        for alias in case.aliases:
            found[person_of(alias)[0]] = (case.name, True)
    return found


def _voxels_of(case: Examination) -> str:
    """SHA-256 of the T1Gd's voxels as they came; empty where there is no record of it."""
    if isinstance(case, CohortCase):
        return ""
    if isinstance(case, KnownPatient):
        return case.t1gd_voxels_sha256
    try:
        record = json.loads((case.folder / "case.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    return str(record.get("t1gd_voxels_sha256", ""))
