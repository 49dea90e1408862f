"""The exams of Slicer's DICOM database that have a T1Gd."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.sequences.choice import Series, choose_series
from PCNSLSurvivalLib.imaging.sequences.header import SeriesHeader

_DATE_DIGITS = 8


@dataclass(frozen=True, kw_only=True)
class DatabaseExam:
    """One study with a T1Gd; names stay in the table on this screen."""

    patient: str
    date: str
    """Date of the study, YYYY-MM-DD; empty where the header has none."""
    study: str
    series: str
    """Description of the series taken as T1Gd."""
    seriesUID: str
    files: tuple[str, ...]


def examsIn(database: Any, found: list[DatabaseExam]) -> Iterator[None]:
    """Put every exam with a T1Gd into ``found``; a generator for ``InPieces``, a pause after each series.

    Args:
        database: ``slicer.dicomDatabase``.
        found: Filled in the order of the database.
    """
    for patient in database.patients():
        for study in database.studiesForPatient(patient):
            series, uids = [], []
            for uid in database.seriesForStudy(study):
                series.append(_seriesOf(database, uid))
                uids.append(uid)
                yield
            choice = choose_series(series).get(MRSequence.T1GD)
            if choice is not None:
                uid = uids[choice.place]
                found.append(
                    DatabaseExam(
                        patient=str(database.nameForPatient(patient)).replace("^", " ").strip(),
                        date=_dateOf(database, uid),
                        study=str(database.descriptionForStudy(study)),
                        series=series[choice.place].name,
                        seriesUID=uid,
                        files=tuple(database.filesForSeries(uid)),
                    )
                )


def _dateOf(database: Any, uid: str) -> str:
    instances = database.instancesForSeries(uid)
    text = str(database.instanceValue(instances[0], "0008,0020") or "").strip() if instances else ""
    return f"{text[:4]}-{text[4:6]}-{text[6:]}" if len(text) == _DATE_DIGITS and text.isdigit() else text


def _seriesOf(database: Any, uid: str) -> Series:
    instances = database.instancesForSeries(uid)
    header = SeriesHeader()
    if instances:
        first = instances[0]
        header = SeriesHeader.read(lambda group, element: database.instanceValue(first, f"{group:04X},{element:04X}"))
    return Series(name=str(database.descriptionForSeries(uid)), header=header)
