"""Read a cohort, whatever its shape, into one schema."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from PCNSLSurvivalLib.cohorts.case import ClinicalVariables, CohortCase, os_class_of
from PCNSLSurvivalLib.cohorts.case_names import apart
from PCNSLSurvivalLib.cohorts.identities import merge_patient_identities, names_alike
from PCNSLSurvivalLib.cohorts.readers import KNOWN_LAYOUTS, read_layout
from PCNSLSurvivalLib.cohorts.readers.reading import FoundCohort
from PCNSLSurvivalLib.core.errors import CohortError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.phantoms.virtual_marker import any_virtual

__all__ = ["ClinicalVariables", "CohortCase", "FoundCohort", "find_cohort", "os_class_of", "read_cohort"]


def read_cohort(path: Path) -> tuple[CohortCase, ...]:
    """All cases of a cohort, in the order of their names; see ``find_cohort``."""
    return find_cohort(path).cases


def find_cohort(path: Path) -> FoundCohort:
    """All cases of a cohort, in the order of their names, and what is to be said about the whole.

    Exams of one person have one ``patient_id``, whatever the names; see ``merge_patient_identities``.

    Args:
        path: A CSV or TSV table with paths; a folder of one of ``LAYOUTS`` (BIDS with ``participants.tsv``, others as
            distributed); or a folder with one folder per patient and free file names.

    Raises:
        CohortError: Nothing there, no case in it, a table that cannot be read, two cases with one name, or one file
            in two places.
    """
    if not path.exists() and not path.is_symlink():
        raise CohortError(Message("cohort.not_found"))
    if not (path.is_file() or path.is_symlink() or path.is_dir()):
        raise CohortError(Message("cohort.no_file_or_folder"))
    found = read_layout(path)
    if not found.cases:
        if found.without_scan:
            raise CohortError(Message("cohort.no_known_scan", count=len(found.without_scan)))
        raise CohortError(Message("cohort.empty", layouts=KNOWN_LAYOUTS))
    found = replace(found, cases=apart(found.cases))
    names = [case.name.casefold() for case in found.cases]
    if double := {name for name in names if names.count(name) > 1}:
        raise CohortError(Message("cohort.names_twice", count=len(double)))
    _refuse_files_given_twice(found.cases)
    cases, joined = merge_patient_identities(sorted(found.cases, key=lambda case: case.name))
    alike = names_alike(cases, found.without_scan)
    found = replace(found, cases=cases, remarks=(*found.remarks, *joined, *alike, *_contradictions(cases)))
    if any_virtual(path for case in cases for path in case.scans.values()):
        remark = "The patients are virtual: 'pcnsl-survival phantom' made the scans."
        return replace(found, remarks=(*found.remarks, remark), virtual=True)
    return found


def _contradictions(cases: Iterable[CohortCase]) -> tuple[str, ...]:
    """Sentences on patients whose exams give different survival, although it counts from the diagnosis, or sexes."""
    survivals: dict[str, set[object]] = {}
    sexes: dict[str, set[object]] = {}
    for case in cases:
        if case.os_days is not None:
            survivals.setdefault(case.patient_id, set()).add((case.os_days, case.death_observed))
        if case.clinical.sex is not None:
            sexes.setdefault(case.patient_id, set()).add(case.clinical.sex)
    return (
        *_differing(
            survivals, "survival", "Overall survival counts from the diagnosis and is one for all exams of a patient."
        ),
        *_differing(sexes, "sexes", "Check that they are not of different people."),
    )


def _differing(told: Mapping[str, set[object]], what: str, advice: str) -> tuple[str, ...]:
    """A sentence on the patients of whom several values are told."""
    names = sorted(name for name, values in told.items() if len(values) > 1)
    if not names:
        return ()
    patients = "patient" if len(names) == 1 else "patients"
    return (f"The exams of {len(names)} {patients} give different {what}: {', '.join(names)}. {advice}",)


def _refuse_files_given_twice(cases: Iterable[CohortCase]) -> None:
    """Refuse a scan or lesion mask that is given for two exams, or as two sequences of one: one of them is wrong."""
    holders: dict[str, tuple[str, MRSequence | Message]] = {}
    for case in cases:
        files: list[tuple[MRSequence | Message, Path]] = [*case.scans.items()]
        if case.lesion_mask is not None:
            files.append((Message("word.lesion_mask"), case.lesion_mask))
        for role, path in files:
            name, other = holders.setdefault(os.path.realpath(path), (case.name, role))
            if (name, other) != (case.name, role):
                raise CohortError(Message("cohort.file_twice", one=other, case=name, other=role, other_case=case.name))
