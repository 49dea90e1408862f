"""Patient identities: one person has one ``patient_id``, whatever the names of the exams."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from PCNSLSurvivalLib.cohorts.case import CohortCase
from PCNSLSurvivalLib.cohorts.case_names import one_spelling

# Identifiers under which a person is known beyond one cohort, up to the part that names the person. The cases that
# BraTS took over from its first years carry the year 2013, or TCIA, before the number of the person.
_PUBLIC = (
    r"tcga-[a-z0-9]{2}-[a-z0-9]{4}",
    r"brats\d*_(?:2013|tcia)_(?:pat)?\d+",
    r"(?:brats\d*-?[a-z]*|upenn-gbm|ucsf-pdgm|cptac|ivygap|rembrandt)[-_](?:training[-_]|validation[-_])?0*\d+",
    r"w\d+(?=_\d{4}\.\d{2}\.\d{2})",
)

_LOOK_ALIKE = str.maketrans(
    "АВЕКМНОРСТУХІЈЅаеорсухіјѕ" + "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧο", "ABEKMHOPCTYXIJSaeopcyxijs" + "ABEZHIKMNOPTYXo"
)
"""Cyrillic and Greek letters in the shape of Latin ones."""


def person_of(identifier: str) -> tuple[str, bool]:
    """An identifier without its exam and leading zeros, and whether a public data set gave it.

    UCSF-PDGM writes 004 in its table and 0004 in its folders, UPENN-GBM and later BraTS editions add the time
    point, TCGA the sample.
    """
    text = one_spelling(identifier).casefold()
    found = next((match for pattern in _PUBLIC if (match := re.match(pattern, text))), None)
    person = text if found is None else found[0]
    return re.sub(r"(?<=[-_])0+(?=\d+$)", "", person) if not person.startswith("tcga") else person, found is not None


def merge_patient_identities(cases: Iterable[CohortCase]) -> tuple[tuple[CohortCase, ...], tuple[str, ...]]:
    """Give all exams of one person one ``patient_id``, so that no person is on both sides of a fold.

    One person are exams of one ``patient``, of one key in the cohort's own tables, of one person in a public
    data set, and those whose aliases name the same person or each other. Names that merely look alike stay apart.

    Args:
        cases: Of one cohort.

    Returns:
        The cases in their order, each with the first name that its person has; and a sentence where that changed one.
    """
    cases = tuple(cases)
    aliases = {_beyond(alias) for case in cases for alias in case.aliases}
    marks = [_marks_of(case, aliases) for case in cases]
    group = list(range(len(cases)))

    def first_of(number: int) -> int:
        while group[number] != number:
            number = group[number]
        return number

    holder: dict[tuple[str, str], int] = {}
    for number, of_case in enumerate(marks):
        for mark in of_case:
            one, other = sorted((first_of(holder.setdefault(mark, number)), first_of(number)))
            group[other] = one
    joined = tuple(replace(case, patient_id=cases[first_of(number)].patient_id) for number, case in enumerate(cases))
    names: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for before, after in zip(cases, joined, strict=True):
        names[after.patient_id][before.patient_id] = None
    told = [" = ".join(of_one) for of_one in names.values() if len(of_one) > 1]
    if not told:
        return joined, ()
    return joined, (
        f"{len(told)} {'patient has' if len(told) == 1 else 'patients have'} several names, by their public "
        f"identifiers, aliases or keys, and {'counts' if len(told) == 1 else 'count'} once each: {'; '.join(told)}.",
    )


def names_alike(cases: Iterable[CohortCase], others: Iterable[str] = ()) -> tuple[str, ...]:
    """A sentence on names that differ in leading zeros, capitals, dashes or 'sub-' alone, as spreadsheets alter them.

    Letters of another script in the shape of Latin ones, and wide ones of Chinese and Japanese keyboards, count alike.

    Args:
        cases: Of one cohort, one ``patient_id`` per person.
        others: Patients whom a table names and who have no scan.
    """
    alike: defaultdict[str, set[str]] = defaultdict(set)
    for name in (*(case.patient_id for case in cases), *others):
        latin = unicodedata.normalize("NFKC", name.strip()).translate(_LOOK_ALIKE)
        latin = re.sub(r"(?<=\d)\.0$", "", latin)  # 17 becomes 17.0 where another row of the column is empty
        plain = re.sub(r"^(?:sub[-_])+", "", latin.casefold())
        alike[re.sub(r"(?<![0-9])0+(?=[0-9])", "", re.sub(r"[\W_]+", "_", plain))].add(name)
    told = [" and ".join(sorted(names)) for names in alike.values() if len(names) > 1]
    if not told:
        return ()
    return (
        "Some names differ in zeros, capitals, punctuation or script alone and count as different patients: "
        f"{'; '.join(sorted(told))}. If they are one, give them one name.",
    )


def _marks_of(case: CohortCase, aliases: set[str]) -> set[tuple[str, str]]:
    """All marks of the patient's identity in an exam."""
    marks = {("patient", one_spelling(case.patient_id))}
    if case.person_key:
        marks.add(("key", case.person_key))
    marks |= {("beyond", _beyond(alias)) for alias in case.aliases}
    for identifier in (case.name, case.patient_id):
        beyond = _beyond(identifier)
        if person_of(identifier)[1] or beyond in aliases:
            marks.add(("beyond", beyond))
    return marks


def _beyond(identifier: str) -> str:
    """The person of a public identifier; any other identifier counts with every zero."""
    person, public = person_of(identifier)
    return person if public else one_spelling(identifier).casefold()
