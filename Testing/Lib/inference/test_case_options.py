"""The options of a case: what decides the result of a cohort prediction is derived from them, not listed by hand."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

from PCNSLSurvivalLib.core.terms import OSClass
from PCNSLSurvivalLib.inference.predict import CaseOptions

OTHER_VALUES = {
    bool: lambda value: not value,
    str: lambda value: value + "x",
    type(None): lambda value: OSClass.OVER_ONE_YEAR,
}


def test_every_option_decides_the_result_but_where_it_is_computed_and_kept():
    assert {one.name for one in fields(CaseOptions)} - set(CaseOptions().deciding()) == {"device", "cache_dir"}


def test_changing_any_option_changes_what_is_compared_with_the_kept_result():
    plain = CaseOptions()
    for name, value in plain.deciding().items():
        changed = replace(plain, **{name: OTHER_VALUES[type(value)](value)})
        assert changed.deciding() != plain.deciding(), name
    assert replace(plain, device="cuda", cache_dir=Path("x")).deciding() == plain.deciding()
