"""Progress of a run on the terminal, in a log file, or as JSON lines for another program."""

from __future__ import annotations

import argparse
import json
import sys

from PCNSLSurvivalLib.core.messages import step_words
from PCNSLSurvivalLib.core.progress import Listener, StepEvent, silent

_CHOICES = ("auto", "json", "none")

_BAR = "{desc:<36} {bar:24} {percentage:3.0f} % {postfix}"


def add_progress_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--progress`` to a command."""
    parser.add_argument(
        "--progress",
        choices=_CHOICES,
        default="auto",
        help="progress bars, one JSON object per line on stdout, or nothing",
    )


def stderr_is_terminal() -> bool:
    """Whether bars can be shown; a stderr that was closed before the start, as by ``2>&-``, is None."""
    return sys.stderr is not None and sys.stderr.isatty()


def listener_for(choice: str) -> Listener:
    """The listener that ``--progress`` names.

    Args:
        choice: "auto": bars on a terminal, one line per step elsewhere; "json": one JSON object per line on stdout;
            "none": nothing.
    """
    if choice == "json":
        return _json_line
    if choice == "none":
        return silent
    return TerminalProgress() if stderr_is_terminal() else _plain_line


def _json_line(event: StepEvent) -> None:
    print(json.dumps(event.to_json()), flush=True)


def _plain_line(event: StepEvent) -> None:
    if event.state == "finished":
        print(f"{event.title:<36} {event.seconds:6.1f} s", file=sys.stderr, flush=True)
    elif event.state == "skipped":
        print(f"{step_words(event.step)!s:<36} skipped: {event.reason}", file=sys.stderr, flush=True)
    elif event.state == "kept":
        print(f"{event.title:<36} cached from an earlier run", file=sys.stderr, flush=True)


class TerminalProgress:
    """One bar per step, which stays with its seconds when the step has finished."""

    def __init__(self) -> None:
        from tqdm import tqdm

        self._new_bar = tqdm
        self._bar: tqdm | None = None

    def __call__(self, event: StepEvent) -> None:
        """Show one event."""
        if event.state == "started":
            self._bar = self._new_bar(total=1.0, desc=event.title, bar_format=_BAR, file=sys.stderr)
        elif event.state in ("skipped", "kept"):
            _plain_line(event)
        elif self._bar is not None:
            self._bar.n = event.fraction or 0.0
            if event.state == "finished":
                self._bar.set_postfix_str(f"{event.seconds:.1f} s")
                self._bar.close()
                self._bar = None
            else:
                self._bar.refresh()
