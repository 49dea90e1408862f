"""What the commands have in common: help that states defaults and what the software is for, and how a path is read."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PCNSLSurvivalLib.core.terms import RESEARCH_USE_ONLY

if TYPE_CHECKING:
    from _typeshed import SupportsWrite


class _WithDefaults(argparse.HelpFormatter):
    """States the default of an option that has one and does not state it itself."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        told = action.help
        if not told or "default" in told or isinstance(action.default, bool) or action.default == argparse.SUPPRESS:
            return told
        if not action.option_strings or action.default is None or action.default in ([], ()):
            return told
        if isinstance(action.default, list | tuple):
            return f"{told} (default {', '.join(map(str, action.default))})"
        return f"{told} (default %(default)s)"


class CommandParser(argparse.ArgumentParser):
    """A parser that refuses an empty path, and whose help passes over no full disk or closed pipe in silence."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.register("type", Path, _path_given)

    def _print_message(self, message: str, file: SupportsWrite[str] | None = None) -> None:
        if file is not None and file is sys.stdout:
            file.write(message)
        else:
            super()._print_message(message, file)


def _path_given(text: str) -> Path:
    """A path; an empty one, as of a shell variable that is not set, would be the current folder and all in it."""
    if not text:
        raise argparse.ArgumentTypeError("the path is empty")
    return Path(text)


def commands_below(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Every command of a parser, those of a command with actions, such as ``model check``, included.

    A command without a description of its own gets the line that lists it.
    """
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for listed in action._choices_actions:
                below = action.choices[listed.dest]
                if not below.description and listed.help:
                    below.description = f"{listed.help[0].upper()}{listed.help[1:]}."
                yield below
                yield from commands_below(below)


def show_alike(command: argparse.ArgumentParser) -> None:
    """Let the help of a command state defaults and that it is for research only."""
    command.formatter_class = _WithDefaults
    if RESEARCH_USE_ONLY not in (command.description or ""):
        command.description = f"{command.description or ''} {RESEARCH_USE_ONLY}".strip()
