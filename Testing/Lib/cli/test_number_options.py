"""Every number that a command takes has limits: others end with 2 and a sentence, before any work.

The options are read from the parser itself, so that a new one is tried without being listed here.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator

import pytest

from PCNSLSurvivalLib.cli.__main__ import command_line_parser, main
from PCNSLSurvivalLib.cli.options.numbers import decimal_number, whole_number

NEVER = ("", "x", "nan", "inf", "-inf", "-1", "1e400", "1_000", "٣", "9" * 30, "9" * 5000, "0x10", "1 000", "1,5")
NO_WHOLE = ("1.5", "1e3", "-0.0")


def number_options(
    parser: argparse.ArgumentParser, words: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Words of the command and the option, for every option whose value becomes a number."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, command in action.choices.items():
                yield from number_options(command, (*words, name))
        elif action.option_strings and callable(action.type) and _is_number(action):
            yield words, action.option_strings[0]


def _is_number(action: argparse.Action) -> bool:
    try:
        value = action.type(str(action.default or (min(action.choices) if action.choices else 3)))
    except argparse.ArgumentTypeError:
        return False
    return isinstance(value, int | float)


OPTIONS = list(number_options(command_line_parser()))


def _action(words: tuple[str, ...], option: str) -> argparse.Action:
    parser = command_line_parser()
    for word in words:
        (choices,) = (one.choices for one in parser._actions if isinstance(one, argparse._SubParsersAction))
        parser = choices[word]
    return parser._option_string_actions[option]


def test_the_numbers_of_every_command_are_found():
    assert len(OPTIONS) >= 19
    assert {words[0] for words, _ in OPTIONS} >= {
        "preprocess",
        "phantom",
        "baselines",
        "experiment",
        "validate",
        "model",
    }


@pytest.mark.parametrize(("words", "option"), OPTIONS, ids=lambda value: value if isinstance(value, str) else value[-1])
def test_a_number_out_of_range_is_refused_with_its_limits(words, option, capsys):
    action = _action(words, option)
    whole = isinstance(action.type(str(action.default or 1)), int)
    for text in (*NEVER, *(NO_WHOLE if whole else ())):
        with pytest.raises(SystemExit) as ended:
            main([*words, f"{option}={text}"])
        assert ended.value.code == 2, text
        said = capsys.readouterr().err
        assert f"argument {option}: " in said
        assert "must be" in said or "invalid choice" in said
        assert len(said.splitlines()[-1]) < 300


@pytest.mark.parametrize(("least", "most"), [(0, 5), (2, 1000)])
def test_the_limits_themselves_are_taken(least, most):
    read = whole_number(least, most)
    assert [read(str(least)), read(str(most)), read(f"+{most}")] == [least, most, most]
    for beyond in (least - 1, most + 1):
        with pytest.raises(argparse.ArgumentTypeError, match=f"from {least} to {most}"):
            read(str(beyond))


def test_decimals_are_read_within_their_limits():
    read = decimal_number(0.5, 0.97)
    assert [read("0.5"), read(".97"), read("5e-1"), read("+0.6")] == [0.5, 0.97, 0.5, 0.6]
    for beyond in (math.nextafter(0.97, 1), 0.49):
        with pytest.raises(argparse.ArgumentTypeError, match=r"from 0\.5 to 0\.97"):
            read(repr(beyond))
