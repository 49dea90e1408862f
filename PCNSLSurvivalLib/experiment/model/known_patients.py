"""Who trained a model, for its folder; and which exams of a cohort are of these patients."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from PCNSLSurvivalLib.cohorts.identities import person_of
from PCNSLSurvivalLib.cohorts.prepared_cohort import PreparedExam
from PCNSLSurvivalLib.cohorts.shared_patients import KnownPatient
from PCNSLSurvivalLib.models.training_patients import TrainingPatients
from PCNSLSurvivalLib.training.lineage import TrainedOn

if TYPE_CHECKING:
    from PCNSLSurvivalLib.training.finished_job import FinishedJob


def known_patients(jobs: Sequence[FinishedJob]) -> TrainingPatients:
    """Hashes of all patients behind the networks of some jobs, with those of their initial weights."""
    behind = sum((TrainedOn.of_job(job.facts) for job in jobs), TrainedOn())
    return training_patients(behind.patients, unknown=behind.unknown)


def training_patients(patients: Iterable[KnownPatient], *, unknown: bool = False) -> TrainingPatients:
    """Hashes of some patients.

    Args:
        patients: Behind some weights.
        unknown: Whether there are others, who are unknown.
    """
    public, own, voxels = set(), set(), set()
    for one in patients:
        everywhere, here = _identifiers(one)
        public |= everywhere
        own |= here
        voxels |= {one.t1gd_voxels_sha256} - {""}
    return TrainingPatients(
        public=tuple(sorted(public)), own=tuple(sorted(own - public)), voxels=tuple(sorted(voxels)), unknown=unknown
    )


def exams_of(training: TrainingPatients, exams: Iterable[PreparedExam]) -> tuple[PreparedExam, ...]:
    """The exams of training patients, by identifier or by voxels; see ``cohorts.shared_patients.overlap``."""
    found = []
    for exam in exams:
        known = KnownPatient.of(exam)
        public, own = _identifiers(known)
        if training.holds(public=public, own=own, voxels=known.t1gd_voxels_sha256):
            found.append(exam)
    people = {exam.patient_id for exam in found}
    return tuple(exam for exam in exams if exam.patient_id in people)


def _identifiers(patient: KnownPatient) -> tuple[set[str], set[str]]:
    """Hashes of the identifiers that count everywhere, and of those that count in the patient's cohort."""
    public: set[str] = set()
    own: set[str] = set()
    for identifier in (patient.name, patient.patient_id):
        person, everywhere = person_of(identifier)
        (public if everywhere else own).add(_hashed(person))
    public |= {_hashed(person_of(alias)[0]) for alias in patient.aliases}
    return public, own - public


def _hashed(person: str) -> str:
    return hashlib.sha256(f"pcnsl-survival training patient\0{person}".encode()).hexdigest()
