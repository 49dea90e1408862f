"""Data report of a cohort, before training: content, missing data, and excluded cases with reasons."""

from __future__ import annotations

import filecmp
import hashlib
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PCNSLSurvivalLib.cohorts.cohort import CohortCase, FoundCohort
from PCNSLSurvivalLib.core.errors import UnreadableScanError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import MRSequence, OSClass
from PCNSLSurvivalLib.imaging.fetched_files import not_fetched
from PCNSLSurvivalLib.imaging.io import read_header

_MIDDLE_BYTES = 1 << 16

_VARIABLES = {
    "age_years": "age",
    "ecog": "ECOG",
    "ldh_elevated": "LDH",
    "csf_protein_elevated": "CSF protein",
    "deep_lesion": "deep structures",
    "ielsg_score": "IELSG score",
}


@dataclass(frozen=True, kw_only=True)
class DataReport:
    """Counts and lists of one cohort.

    Attributes:
        layout: Shape in which the cohort came.
        threshold_days: Where the OS classes are divided.
        counts: What was counted, by a name for the reader, in groups: "Found", "Survival", "Clinical variables
            known" and, once prepared, "Prepared".
        left_out: Why a case is not prepared or not used, by name.
        unlabeled: Why a case that can be used has no OS class, by name.
        remarks: Sentences on the cohort as a whole.
        case_remarks: Sentences on single cases, by name.
        repeated: Names of the exams of each patient with more than one.
    """

    layout: str
    threshold_days: float
    counts: Mapping[str, Mapping[str, int]]
    left_out: Mapping[str, str]
    unlabeled: Mapping[str, str]
    remarks: tuple[str, ...]
    case_remarks: Mapping[str, tuple[str, ...]]
    repeated: Mapping[str, tuple[str, ...]]

    def lines(self) -> list[str]:
        """The report for a terminal, without the lists of cases."""
        lines = [f"Layout of the cohort: {self.layout}."]
        for group, counts in self.counts.items():
            lines += [f"{group}:", *(f"  {value:>5}  {name}" for name, value in counts.items())]
        return [*lines, *self.remarks]

    def left_out_lines(self) -> list[str]:
        """One line for each case that is left out."""
        return [f"! {name}: {reason}" for name, reason in self.left_out.items()]

    def unlabeled_lines(self) -> list[str]:
        """One line for each case that can be used and has no OS class."""
        return [f"- {name}: {reason}" for name, reason in self.unlabeled.items()]

    def remark_lines(self) -> list[str]:
        """One line for each case with a remark."""
        return [f"  {name}: {' '.join(remarks)}" for name, remarks in self.case_remarks.items()]


def data_report(
    found: FoundCohort, cases: tuple[dict[str, Any], ...] | None = None, *, threshold_days: float
) -> DataReport:
    """Report on a cohort as found and, where it was prepared, on what became of its cases.

    Args:
        found: The cohort.
        cases: What ``prepare_cohort`` returned; None before.
        threshold_days: Where the OS classes are divided.
    """
    left_out: dict[str, str] = dict(found.without_scan)
    case_remarks = {case.name: (*case.remarks, *_files_gone(case)) for case in found.cases}
    for case in found.cases:
        if MRSequence.T1GD not in case.scans:
            left_out[case.name] = "No T1Gd was found for this case. Check the file names or the table."
        elif cases is None and (reason := not_fetched(case.scans[MRSequence.T1GD])) is not None:
            left_out[case.name] = f"The T1Gd of this case {reason}"
        elif cases is None and not case.scans[MRSequence.T1GD].exists():
            path = case.scans[MRSequence.T1GD]
            left_out[case.name] = f"The T1Gd file of this case does not exist: {path.name}. Check its path."
    if cases is None:
        for name, other in _copies_of_t1gd(found.cases).items():
            case_remarks[name] += (f"The T1Gd of this case is, byte by byte, that of {other}: check whose scan it is.",)
    for prepared in cases or ():
        if prepared["state"] != "prepared" or prepared["manual_exclusion"] is not None:
            left_out[prepared["name"]] = prepared["reason"] or prepared["manual_exclusion"]
    unlabeled = {
        case.name: _unlabeled(case.os_days, case.death_observed, threshold_days)
        for case in found.cases
        if case.name not in left_out and case.os_class(threshold_days) is None
    }
    counts = _counts(found, threshold_days)
    if cases is not None:
        counts["Prepared"] = _outcomes(cases) | {
            "usable for training: class known": sum(case.name not in left_out | unlabeled for case in found.cases)
        }
    patients: dict[str, list[str]] = {}
    for case in found.cases:
        patients.setdefault(case.patient_id, []).append(case.name)
    return DataReport(
        layout=found.layout,
        threshold_days=threshold_days,
        counts=counts,
        left_out=dict(sorted(left_out.items())),
        unlabeled=unlabeled,
        remarks=(*found.columns, *found.remarks),
        case_remarks={name: remarks for name, remarks in case_remarks.items() if remarks},
        repeated={patient: tuple(names) for patient, names in patients.items() if len(names) > 1},
    )


def _counts(found: FoundCohort, threshold_days: float) -> dict[str, dict[str, int]]:
    cases = found.cases
    classes = Counter(case.os_class(threshold_days) for case in cases)
    known = [case for case in cases if case.os_days is not None]
    undecided = sum(case.death_observed is None and case.os_class(threshold_days) is None for case in known)
    there = {"exams": len(cases), "patients": len({case.patient_id for case in cases})}
    there |= {f"with {s.label}": sum(_is_there(case.scans.get(s)) for case in cases) for s in MRSequence}
    there |= {
        "with a brain mask": sum(_is_there(case.brain_mask) for case in cases),
        "with a lesion mask": sum(_is_there(case.lesion_mask) for case in cases),
        "registered, without skull": sum(case.stripped for case in cases),
    }
    survival = {
        "died": sum(case.death_observed is True for case in known),
        "censored": sum(case.death_observed is False for case in known),
        f"OS > {threshold_days:g} days": classes[OSClass.OVER_ONE_YEAR],
        f"OS ≤ {threshold_days:g} days": classes[OSClass.UP_TO_ONE_YEAR],
        f"censored by day {threshold_days:g}: no class": classes[None] - (len(cases) - len(known)) - undecided,
        f"death by day {threshold_days:g} unknown: no class": undecided,
        "unknown: no class": len(cases) - len(known),
    }
    clinical = {
        label: sum(getattr(case.clinical, name) is not None for case in cases) for name, label in _VARIABLES.items()
    }
    return {"Found": there, "Survival": survival, "Clinical variables known": clinical}


def _files_gone(case: CohortCase) -> tuple[str, ...]:
    """Sentences on files of a case that are not there, or were never fetched; of T1Gd the reason to exclude tells."""
    masks = {"brain mask": case.brain_mask, "lesion mask": case.lesion_mask}
    files = {**{s.label: path for s, path in case.scans.items() if s is not MRSequence.T1GD}, **masks}
    remarks = []
    for name, path in files.items():
        if path is not None and (reason := not_fetched(path)) is not None:
            remarks.append(f"The {name} {reason}")
        elif path is not None and not path.exists():
            remarks.append(f"The {name} file does not exist: {path.name}.")
    return tuple(remarks)


def _copies_of_t1gd(cases: tuple[CohortCase, ...]) -> dict[str, str]:
    """For each case whose T1Gd has the voxel file of another patient before it, the other's name; no DICOM folders.

    Only files of one size are opened, and only those that are alike in the middle are read whole.
    """
    of_size: dict[int, list[tuple[CohortCase, Path]]] = {}
    for case in cases:
        path = case.scans.get(MRSequence.T1GD)
        # A case whose files cannot be read fails with its own reason later.
        with suppress(OSError, UnreadableScanError):
            if path is not None and path.is_file() and not_fetched(path) is None:
                voxels = _voxel_file(path)
                of_size.setdefault(voxels.stat().st_size, []).append((case, voxels))
    copies = {}
    for size, files in of_size.items():
        alike: dict[bytes, list[tuple[CohortCase, Path]]] = {}
        for case, voxels in files if size and len(files) > 1 else ():
            with suppress(OSError):
                before = alike.setdefault(_hash_of_middle(voxels, size), [])
                for other, others_voxels in before:
                    if other.patient_id != case.patient_id and filecmp.cmp(voxels, others_voxels, shallow=False):
                        copies[case.name] = other.name
                        break
                before.append((case, voxels))
    return copies


def _voxel_file(path: Path) -> Path:
    """The file that holds the voxels: beside a detached header another one, since headers of two scans may be equal."""
    if path.name.lower().endswith((".nii", ".nii.gz")):
        return path
    return read_header(path, Message("word.volume")).stored.path


def _hash_of_middle(path: Path, size: int) -> bytes:
    """A short hash of the middle of a file, where scans on one grid differ."""
    with path.open("rb") as file:
        file.seek(size // 2)
        return hashlib.blake2b(file.read(_MIDDLE_BYTES), digest_size=16).digest()


def _is_there(path: Path | None) -> bool:
    return path is not None and path.exists() and not_fetched(path) is None


def _outcomes(cases: tuple[dict[str, Any], ...]) -> dict[str, int]:
    verdicts = Counter(case["verdict"] for case in cases if case["state"] == "prepared")
    states = Counter(case["state"] for case in cases)
    return {
        "prepared": states["prepared"],
        "judged good": verdicts["good"],
        "to be checked": verdicts["check"],
        "kept although judged unusable": verdicts["unusable"],
        "failed": states["failed"],
        "excluded as duplicates": states["excluded"],
        "excluded manually": sum(case["manual_exclusion"] is not None for case in cases),
    }


def _unlabeled(os_days: float | None, death_observed: bool | None, threshold_days: float) -> str:
    if os_days is None:
        return "No survival is known: no class."
    if death_observed is None:
        return f"Whether the patient died at day {os_days:g} is not known: no class."
    return f"Censored at day {os_days:g}, not after day {threshold_days:g}: no class."
