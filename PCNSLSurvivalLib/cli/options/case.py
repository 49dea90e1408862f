"""The options of a case on the command line: what a command offers is read from the fields of ``CaseOptions``."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import Field, fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

from PCNSLSurvivalLib.core.options import flag_of, option_of
from PCNSLSurvivalLib.inference.case_options import FILES, CaseOptions


def add_case_options(parser: argparse.ArgumentParser, command: str) -> None:
    """Add the options that name ``command`` among those that offer them."""
    parts: dict[str, argparse._ActionsContainer] = {"": parser}
    for one in fields(CaseOptions):
        told = option_of(one)
        if command in told.commands:
            if told.heading not in parts:
                parts[told.heading] = parser.add_argument_group(told.heading)
            _add(parts[told.heading], one)


def add_inference_device(parser: argparse.ArgumentParser) -> None:
    """Add ``--device`` to a command that runs a network, but predicts nothing with these options."""
    _add(parser, next(one for one in fields(CaseOptions) if one.name == "device"))


def case_options(args: argparse.Namespace) -> CaseOptions:
    """The options of a case, each under its own name; one that a command does not offer keeps its default."""
    given = {one.name: getattr(args, one.name) for one in fields(CaseOptions) if hasattr(args, one.name)}
    return CaseOptions(**given)


def _add(part: argparse._ActionsContainer, one: Field[Any]) -> None:
    told = option_of(one)
    how: dict[str, Any] = {"dest": one.name, "default": one.default, "help": told.help}
    if one.default is False:
        how["action"] = "store_true"
    elif one.name in FILES:
        how |= {"type": Path, "metavar": told.metavar}
    elif isinstance(told.choices, Mapping):
        how |= {"type": _one_of(told.choices), "metavar": f"{{{','.join(told.choices)}}}"}
    else:
        how["choices"] = told.choices or get_args(get_type_hints(CaseOptions)[one.name])
    part.add_argument(flag_of(one), **how)


def _one_of(choices: Mapping[str, Any]) -> Callable[[str], Any]:
    """The type of an option of which each word stands for something else."""

    def read(text: str) -> Any:
        if text not in choices:
            raise argparse.ArgumentTypeError(f"choose from {', '.join(choices)}")
        return choices[text]

    return read
