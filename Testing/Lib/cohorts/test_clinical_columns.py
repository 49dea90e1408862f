"""Sex, site, field strength and year of an exam are read from the tables, and never guessed."""

from __future__ import annotations

import pytest

from PCNSLSurvivalLib.cohorts.tables.cell_values import TableRow, column_key
from PCNSLSurvivalLib.cohorts.tables.clinical_columns import clinical_of, sexes_in


def read(**cells: str):
    return told(cells)[0][0]


def told(*lines: dict[str, str]):
    rows = [TableRow(number=2, cells={column_key(name): cell for name, cell in cells.items()}) for cells in lines]
    sexes = sexes_in(rows)
    return [clinical_of(row, sexes) for row in rows]


@pytest.mark.parametrize(
    ("cells", "what"),
    [
        ({"sex": "1"}, "sex"),
        ({"gender": "k"}, "sex"),
        ({"field_t": "15000"}, "field strength"),
        ({"scan_date": "43831"}, "scan year"),
        ({"scan_date": "3/2/19"}, "scan year"),
    ],
)
def test_a_cell_that_is_not_understood_is_told(cells, what):
    assert told(cells)[0][1] == (f"The table gives '{what}' in a way that is not known here, so it counts as unknown.",)


@pytest.mark.parametrize("cells", [{"sex": "F"}, {"sex": "other"}, {"field_t": "1,5"}, {"scan_date": "2019-03-02"}, {}])
def test_a_cell_that_is_understood_needs_no_word(cells):
    assert told(cells)[0][1] == ()


@pytest.mark.parametrize(
    ("cell", "sex"),
    [("F", "female"), ("male", "male"), ("weiblich", "female"), ("Homme", "male"), ("1", None), ("unknown", None)],
)
def test_sex(cell, sex):
    assert read(sex=cell).sex == sex


@pytest.mark.parametrize(
    ("column", "sexes"),
    [
        ("H M", ["male", "female"]),
        ("h m x", ["male", "female", None]),
        ("Hombre M", ["male", "female"]),
        ("H Mulher M", ["male", "female", "female"]),
        ("homem mulher", ["male", "female"]),
        ("M", ["male"]),
        ("M F", ["male", "female"]),
        ("m w d", ["male", "female", None]),
        ("H F", ["male", "female"]),
        ("férfi nő", ["male", "female"]),
    ],
)
def test_m_beside_h_is_a_woman(column, sexes):
    found = told(*({"sex": cell} for cell in column.split()))
    assert [clinical.sex for clinical, _ in found] == sexes
    assert not any(remarks for _, remarks in found)


@pytest.mark.parametrize("column", ["M H F", "M H male", "M H w", "M V"])
def test_m_that_can_be_either_is_unknown_and_told(column):
    (clinical, remarks), *others = told(*({"sex": cell} for cell in column.split()))
    assert clinical.sex is None
    assert "M can be a man or a woman" in " ".join(remarks)
    assert "M can be" not in " ".join(remark for _, remarks in others for remark in remarks)


@pytest.mark.parametrize("column", ["F N", "F B", "M K", "w z", "F N nő"])
def test_a_letter_beside_one_that_is_not_known_is_unknown_and_told(column):
    """F/N of Hungarian has F for men, F/B of Irish as well; of Romanian for women."""
    found = told(*({"sex": cell} for cell in column.split()))
    assert [clinical.sex for clinical, _ in found[:2]] == [None, None]
    assert f"{column[0].upper()} can be a man or a woman" in " ".join(found[0][1])
    assert "not known here" in " ".join(found[1][1])


@pytest.mark.parametrize("code", ["9", "/"])
def test_a_code_for_unknown_beside_one_sex_is_no_letter_of_the_other(code):
    assert [clinical.sex for clinical, _ in told({"sex": "F"}, {"sex": code})] == ["female", None]


def test_a_letter_for_unknown_beside_both_sexes_changes_nothing():
    assert [clinical.sex for clinical, _ in told({"sex": "F"}, {"sex": "N"}, {"sex": "M"})] == ["female", None, "male"]


@pytest.mark.parametrize(
    ("cell", "tesla"), [("3", 3.0), ("1.5 T", 1.5), ("1,5", 1.5), ("3T", 3.0), ("15000", None), ("high", None)]
)
def test_field_strength(cell, tesla):
    assert read(MagneticFieldStrength=cell).field_strength_t == tesla


@pytest.mark.parametrize(
    ("cell", "year"), [("2019", 2019), ("2019-03-02", 2019), ("02.03.2018", 2018), ("20170302", 2017), ("12019", None)]
)
def test_year_of_the_exam(cell, year):
    assert read(scan_date=cell).scan_year == year


def test_site_and_what_is_left_out():
    assert read(Center=" Ulm ").site == "Ulm"
    assert read(age="60").site is None
