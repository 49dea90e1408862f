"""The options of a case: what commands offer, hand on, record and repeat is derived from them, not listed by hand."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Literal, get_args, get_origin, get_type_hints

import pytest

from PCNSLSurvivalLib.cli.__main__ import command_line_parser
from PCNSLSurvivalLib.cli.options.case import case_options
from PCNSLSurvivalLib.core.arguments import ArgumentError, options_of
from PCNSLSurvivalLib.core.options import option_of, words_of
from PCNSLSurvivalLib.core.terms import OSClass
from PCNSLSurvivalLib.inference.case_options import CaseOptions

PLAIN = CaseOptions()
ONLY_IN_PYTHON = {"lesion_labels"}
OFFERED = [(one.name, command) for one in fields(CaseOptions) for command in option_of(one).commands]
NEEDED = {
    "predict": ["--t1gd", "t1gd.nii", "--out", "out"],
    "predict-cohort": ["cohort", "--out", "out"],
    "demo": ["--out", "out"],
    "regions": ["--t1gd", "t1gd.nii", "--atlas", "atlas", "--out", "out"],
    "verify": ["result", "--t1gd", "t1gd.nii"],
}


def other_value(name):
    """Another value than the default, of the option's type."""
    kind = get_type_hints(CaseOptions)[name]
    choices = option_of(next(one for one in fields(CaseOptions) if one.name == name)).choices or get_args(kind)
    if kind is bool:
        return True
    if get_origin(kind) is Literal:
        return choices[-1]
    return {Path: Path("file"), OSClass: OSClass.UP_TO_ONE_YEAR}.get(get_args(kind)[0], (1, 2))


CHANGED = {one.name: replace(PLAIN, **{one.name: other_value(one.name)}) for one in fields(CaseOptions)}


def test_every_option_decides_the_result_but_where_it_is_computed_and_kept():
    assert {one.name for one in fields(CaseOptions)} - set(PLAIN.deciding()) == {"device", "cache_dir"}


def test_changing_any_option_changes_what_is_compared_with_the_kept_result():
    for name in PLAIN.deciding():
        assert CHANGED[name].deciding() != PLAIN.deciding(), name
    assert replace(PLAIN, device="cuda", cache_dir=Path("x")).deciding() == PLAIN.deciding()


def test_every_option_can_be_given_on_the_command_line_or_is_named_here():
    assert {one.name for one in fields(CaseOptions)} - {name for name, _ in OFFERED} == ONLY_IN_PYTHON
    assert all(one.default in (False, None) or option_of(one).commands for one in fields(CaseOptions))
    with pytest.raises(ValueError, match="lesion_labels"):
        words_of(CHANGED["lesion_labels"])


@pytest.mark.parametrize(("name", "command"), OFFERED, ids=lambda each: each)
def test_the_words_for_an_option_are_read_as_that_option(name, command):
    needed = NEEDED.get(command, NEEDED["predict"])
    assert case_options(command_line_parser().parse_args([command, *needed])) == PLAIN
    assert words_of(PLAIN) == []
    assert case_options(command_line_parser().parse_args([command, *needed, *words_of(CHANGED[name])])) == CHANGED[name]


def test_a_record_gives_the_options_again_but_files_and_where_they_ran():
    given_again = {name for name, changed in CHANGED.items() if CaseOptions.of_record(changed.record()) == PLAIN}
    files = {name for name, changed in CHANGED.items() if isinstance(getattr(changed, name), Path)}
    assert given_again == files | {"device"}
    for name, changed in CHANGED.items():
        stored = json.loads(json.dumps(changed.record()))
        again = options_of(CaseOptions.of_record(stored), CaseOptions, "options")
        assert again == (PLAIN if name in given_again else changed), name
    assert CaseOptions.of_record({"option_of_a_later_version": 3}) == PLAIN


@pytest.mark.parametrize("record", [{"tta": "yes"}, {"target": "older"}, {"block": 3}, {"lesion_labels": "1"}])
def test_a_spoiled_record_is_refused(record):
    with pytest.raises(ArgumentError):
        options_of(CaseOptions.of_record(record), CaseOptions, "options")


def test_a_second_run_shares_every_option_but_those_named_here():
    """A new option is repeated by ``verify`` unless its field says otherwise."""
    not_repeated = set(PLAIN.record()) - set(PLAIN.repeated())
    assert not_repeated == {"runtime", "check_explanation", "without_lesion", "robustness"}
