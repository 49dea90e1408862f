"""``participants.json`` refuses a table whose 0 and 1 are plainly exchanged, and no sound one."""

from __future__ import annotations

import json

import pytest
from refusals import refused

from PCNSLSurvivalLib.cohorts.tables.data_dictionary import check_against_dictionary
from PCNSLSurvivalLib.cohorts.tables.table_file import read_table
from PCNSLSurvivalLib.core.errors import CohortError


@pytest.fixture
def check(tmp_path):
    def write(levels: object) -> None:
        (tmp_path / "participants.tsv").write_text("participant_id\tos_days\tevent\nsub-1\t400\t1\n", encoding="utf-8")
        (tmp_path / "participants.json").write_text(json.dumps({"event": {"Levels": levels}}), encoding="utf-8")
        check_against_dictionary(read_table(tmp_path / "participants.tsv"), tmp_path / "participants.json")

    return write


@pytest.mark.parametrize(
    "zero",
    [
        "lost to follow-up before death",
        "free of death",
        "death absent",
        "death: false",
        "Never died",
        "unknown if dead",
        "no death",
        "not dead",
        "alive, or died of another cause",
        "censored before death",
        {"LongName": "Death", "Description": "not observed"},
        {"LongName": "Censored", "Description": "last contact before death"},
    ],
)
@pytest.mark.parametrize("one", ["dead", "death observed", "no longer alive", "yes", None])
def test_a_sound_table_is_read(check, zero, one):
    check({"0": zero, "1": one})


@pytest.mark.parametrize(
    "zero", ["dead", "Deceased.", "DIED", "death", "Patient died", "dead at last follow-up", {"LongName": "Death"}]
)
def test_zero_for_dead_is_refused(check, zero):
    with refused(
        CohortError,
        "table.dictionary_0_is_dead",
        dictionary="participants.json",
        column="event",
        table="participants.tsv",
    ):
        check({"0": zero})


@pytest.mark.parametrize(
    "levels",
    [
        {"1": "alive"},
        {"1": "Censored"},
        {"1": {"LongName": "alive", "Description": "seen in the clinic"}},
        {"1": "still alive at last contact"},
        {"0": "died within the first year", "1": "alive after the first year"},
    ],
)
def test_one_for_alive_is_refused(check, levels):
    with refused(
        CohortError,
        "table.dictionary_1_is_alive",
        dictionary="participants.json",
        column="event",
        table="participants.tsv",
    ):
        check(levels)
