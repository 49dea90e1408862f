"""What the help of every command has in common: the default of each option, and what the software is for."""

from __future__ import annotations

import argparse

from PCNSLSurvivalLib.core.terms import RESEARCH_USE_ONLY


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


def show_alike(command: argparse.ArgumentParser) -> None:
    """Let the help of a command, and of commands below it, state defaults and that it is for research only."""
    command.formatter_class = _WithDefaults
    if RESEARCH_USE_ONLY not in (command.description or ""):
        command.description = f"{command.description or ''} {RESEARCH_USE_ONLY}".strip()
    for action in command._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                show_alike(below)
