"""A run of our command line on volumes of the scene, which are written to a folder of its own first."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.errors import PCNSLSurvivalError
from PCNSLSurvivalUI.messages import shown
from PCNSLSurvivalUI.process import job
from PCNSLSurvivalUI.process.fault_words import faultInWords
from PCNSLSurvivalUI.process.incremental import InPieces


class ScansJob:
    """Writes the volumes in short pieces, then runs the command line in a process of its own.

    Args:
        write: Writes everything that the command line reads into the folder that it is given, as a generator.
        words: The words of the command line, given the folder; asked for after everything was written.
        onEvent: Gets every progress line of the process.
        ended: Called once: with None after success, otherwise with the sentence for the user. The folder is still
            there; not called after ``close``.
    """

    def __init__(
        self,
        write: Callable[[Path], Iterator[None]],
        words: Callable[[Path], list[str]],
        onEvent: Callable[[dict[str, Any]], None],
        ended: Callable[[str | None], None],
    ) -> None:
        self._words, self._onEvent, self._ended = words, onEvent, ended
        self.folder = Path(slicer.util.tempDirectory())
        self._job: job.Job | None = None
        self._pieces: InPieces | None = InPieces(
            write(self.folder), self._start, lambda problem: self._end(whyNotWritten(problem))
        )

    def close(self) -> None:
        """Stop what is under way, the process and its children included, and remove the folder."""
        if self._pieces is not None:
            self._pieces.cancel()
        if self._job is not None:
            self._job.cancel()
        self._job = self._pieces = None
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self) -> None:
        self._pieces = None
        try:
            self._job = job.Job(self._words(self.folder), self._onEvent, self._end)
        except PCNSLSurvivalError as problem:
            self._end(shown(problem))

    def _end(self, sentence: str | None) -> None:
        self._job = self._pieces = None
        self._ended(sentence)


def whyNotWritten(problem: Exception) -> str:
    """The sentences for the user after the scans could not be written for our process."""
    return faultInWords(problem, _("The scans could not be written ({reason})."))
