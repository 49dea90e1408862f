"""Brain Imaging Data Structure: scans in ``anat``, survival in ``participants.tsv``, masks in ``derivatives``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PCNSLSurvivalLib.cohorts.case import CohortCase
from PCNSLSurvivalLib.cohorts.case_names import one_spelling, safe_name
from PCNSLSurvivalLib.cohorts.readers.reading import (
    FoundCohort,
    choice_remarks,
    patients_without_scan,
    rows_without_scan,
    without_known_scan,
)
from PCNSLSurvivalLib.cohorts.tables.clinical_columns import facts_each
from PCNSLSurvivalLib.cohorts.tables.data_dictionary import check_against_dictionary
from PCNSLSurvivalLib.cohorts.tables.table_file import read_table
from PCNSLSurvivalLib.core.errors import CohortError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.dicom.acquisition import says_no_agent
from PCNSLSurvivalLib.imaging.file_names import masks_in, stem, volumes_in
from PCNSLSurvivalLib.imaging.sequences import words
from PCNSLSurvivalLib.imaging.sequences.choice import Series, choose_series, unless_t1gd
from PCNSLSurvivalLib.imaging.sequences.names import Reason, SeriesJudgement, names_any, told_other_image
from PCNSLSurvivalLib.imaging.sequences.sidecar import read_sidecar

_SUFFIXES = {(sequence.bids.rpartition("_")[2], sequence.bids.startswith("ce-")): sequence for sequence in MRSequence}
"""Sequence by the last word of the name, and whether the name tells of a contrast agent."""


_OTHER_ENTITIES = re.compile(r"_desc-|_part-(?!mag)")
"""Derivatives, and scans of the phase or of another part of the signal."""


def is_bids(root: Path) -> bool:
    """Whether a folder holds raw scans as BIDS has them."""
    return next(_anat_folders(root), None) is not None


def read_bids(root: Path) -> FoundCohort:
    """Read a BIDS folder; a T1w with a ``ce-`` entity is T1Gd, unless its label says that no agent was given.

    Raises:
        CohortError: ``participants.tsv`` lacks a column or holds a cell that cannot be read, or a scan lies in the
            folder of another patient or session than its name says.
    """
    rows, columns, remarks = _participants(root)
    cases = []
    silent: set[str] = set()
    for anat in sorted(_anat_folders(root)):
        parts = anat.relative_to(root).parts[:-1]
        scans, remarks_on_scans = _scans(anat, parts)
        if not scans:
            silent.add(safe_name("_".join(parts)))
            continue
        beside = [p for place in (root / "derivatives").glob("*") for p in _volumes_below(place.joinpath(*parts))]
        brain, lesion = masks_in(beside)
        facts = rows.get(one_spelling(parts[0]), {})
        cases.append(
            CohortCase(
                name=safe_name("_".join(parts)),
                patient_id=one_spelling(parts[0]),
                scans=scans,
                brain_mask=brain,
                lesion_mask=lesion,
                **{**facts, "remarks": (*facts.get("remarks", ()), *remarks_on_scans)},
            )
        )
    missing = set(rows) - {case.patient_id for case in cases}
    there = {case.patient_id for case in cases} | {name.partition("_")[0] for name in silent}
    subjects = {one_spelling(path.name) for path in root.glob("sub-*") if path.is_dir()}
    silent |= subjects - there
    return FoundCohort(
        layout="BIDS",
        cases=tuple(cases),
        columns=columns,
        remarks=(*remarks, *rows_without_scan(missing, "participants.tsv"), *without_known_scan(silent)),
        without_scan=patients_without_scan(missing, "participants.tsv", silent),
    )


def _anat_folders(root: Path) -> Iterator[Path]:
    yield from root.glob("sub-*/anat")
    yield from root.glob("sub-*/ses-*/anat")


def _scans(anat: Path, parts: tuple[str, ...]) -> tuple[dict[MRSequence, Path], tuple[str, ...]]:
    """One scan of each sequence, and sentences where there were several or none of T1Gd.

    Where no scan is named ``ce-``, a T1w whose sidecar names a contrast agent is T1Gd. ``parts`` are the folders of
    subject and session.
    """
    paths, named, headers = [], [], []
    for path in volumes_in(anat):
        name = stem(path)
        suffix, contrast = name.rsplit("_", 1)[-1], _contrast_in(name)
        sequence = _SUFFIXES.get((suffix, contrast is not None))
        if sequence is None or _OTHER_ENTITIES.search(name) or told_other_image(name) is not None:
            continue
        _check_place(name, parts)
        paths.append(path)
        named.append(SeriesJudgement(sequence, Reason.NAME, f"{contrast}_{suffix}" if contrast else suffix))
        headers.append(read_sidecar(path))
    series = [Series(name=stem(path), header=header) for path, header in zip(paths, headers, strict=True)]
    with_agent = [
        SeriesJudgement(MRSequence.T1GD, Reason.AGENT_IN_HEADER, header.agent)
        if told.sequence is MRSequence.T1 and header.agent
        else told
        for told, header in zip(named, headers, strict=True)
    ]
    chosen = choose_series(series, unless_t1gd(named, with_agent))
    return {sequence: paths[choice.place] for sequence, choice in chosen.items()}, choice_remarks(series, chosen, paths)


def _contrast_in(name: str) -> str | None:
    """The entity of the contrast agent; None where there is none, or its label says that none was given yet."""
    found = re.search(r"_(ce-([^\W_]+))", name)
    if found is None or says_no_agent(found[2]) or names_any(f"T1 {found[2]}", words.DENIED):
        return None
    return found[1]


def _check_place(name: str, parts: tuple[str, ...]) -> None:
    """Refuse a scan that its name gives to another patient or session than its folder: the outcome would be wrong."""
    for entity, part in zip(("sub", "ses"), parts, strict=False):
        said = re.search(rf"(?:^|_)({entity}-[^_]+)", name)
        if said is not None and one_spelling(said[1]) != one_spelling(part):
            raise CohortError(Message("cohort.scan_in_other_folder", scan=name, folder=part))


def _volumes_below(folder: Path) -> list[Path]:
    return [*volumes_in(folder), *volumes_in(folder / "anat")]


def _participants(root: Path) -> tuple[dict[str, dict[str, Any]], tuple[str, ...], tuple[str, ...]]:
    """What the table says of each participant, which columns are used, and other sentences."""
    path = root / "participants.tsv"
    if not path.is_file() and not path.is_symlink():
        return {}, (), ("There is no participants.tsv, so survival is unknown.",)
    table = read_table(path)
    if not table.has("participant_id"):
        raise CohortError(Message("table.no_column", table=table.name, column="participant_id"))
    check_against_dictionary(table, root / "participants.json")
    rows, remarks = facts_each(
        table,
        "participant_id",
        name_of=lambda cell: one_spelling(cell if cell.startswith("sub-") else f"sub-{cell}"),
    )
    return rows, (table.columns_in_words(),), remarks
