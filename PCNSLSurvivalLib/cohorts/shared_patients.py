"""Detection of patients shared by pre-training and fine-tuning cohorts, by identifier or by voxels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from PCNSLSurvivalLib.cohorts.case import CohortCase
from PCNSLSurvivalLib.cohorts.identities import person_of
from PCNSLSurvivalLib.cohorts.prepared_case_folder import RECORD
from PCNSLSurvivalLib.cohorts.prepared_cohort import PreparedCohort, PreparedExam
from PCNSLSurvivalLib.core.errors import CohortError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.storage.strict_json import read_own_json


@dataclass(frozen=True, kw_only=True)
class KnownPatient:
    """The identity of an exam, stored with weights that were trained on it."""

    name: str
    patient_id: str
    aliases: tuple[str, ...]
    t1gd_voxels_sha256: str
    """Of the voxels as they came; empty where there is no record of it."""

    @classmethod
    def of(cls, case: PreparedExam) -> KnownPatient:
        """Of a prepared exam."""
        return cls(
            name=case.name, patient_id=case.patient_id, aliases=tuple(case.aliases), t1gd_voxels_sha256=_voxels_of(case)
        )


Exam = CohortCase | PreparedExam | KnownPatient


def refuse_shared_patients(cohort: PreparedCohort, second: Iterable[Exam]) -> None:
    """Refuse two cohorts that share a patient; see ``overlap``.

    Args:
        cohort: Is fine-tuned and tested on.
        second: Was pre-trained on.

    Raises:
        CohortError: A patient is in both; the sentence names all of them, and gives the lines of ``excluded.csv``
            that leave them out: of the second cohort while that is still to be trained on, else of the first.
    """
    second = tuple(second)
    pairs = overlap(cohort.exams, second)
    if not pairs:
        return
    trained = any(isinstance(case, KnownPatient) for case in second)
    cases: tuple[Exam, ...] = cohort.exams if trained else second
    found = {pair[0 if trained else 1] for pair in pairs}
    people = {case.patient_id for case in cases if case.name in found}
    lines = [f"{case.name},The patient is also in the other cohort." for case in cases if case.patient_id in people]
    raise CohortError(
        Message(
            "cohort.shared_with_weights" if trained else "cohort.shared_with_second",
            count=len(people),
            pairs=tuple(f"{ours} = {theirs}" for ours, theirs in pairs),
            lines="\n".join(("name,reason", *lines)),
        )
    )


def overlap(ours: Iterable[Exam], theirs: Iterable[Exam]) -> tuple[tuple[str, str], ...]:
    """Exams of one person in two cohorts, as found or as prepared.

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
        (mine, other)
        for identifier, of_mine in identifiers.items()
        for mine, here in of_mine
        for other, there in others.get(identifier, ())
        if here or there
    }
    voxels: dict[str, list[str]] = {}
    for case in theirs:
        if digest := _voxels_of(case):
            voxels.setdefault(digest, []).append(case.name)
    pairs |= {(case.name, other) for case in ours for other in voxels.get(_voxels_of(case), ())}
    return tuple(sorted(pairs))


def _by_identifier(cases: tuple[Exam, ...]) -> dict[str, set[tuple[str, bool]]]:
    """Cases by every identifier of their patient, and whether the identifier counts beyond its cohort."""
    found: dict[str, set[tuple[str, bool]]] = {}
    for case in cases:
        for identifier in (case.name, case.patient_id):
            person, public = person_of(identifier)
            found.setdefault(person, set()).add((case.name, public))
        for alias in case.aliases:
            found.setdefault(person_of(alias)[0], set()).add((case.name, True))
    return found


def _voxels_of(case: Exam) -> str:
    """SHA-256 of the T1Gd's voxels as they came; empty where there is no record of it."""
    if isinstance(case, CohortCase):
        return ""
    if isinstance(case, KnownPatient):
        return case.t1gd_voxels_sha256
    try:
        record = read_own_json(case.folder / RECORD)
    except (OSError, ValueError):
        return ""
    return str(record.get("t1gd_voxels_sha256", ""))
