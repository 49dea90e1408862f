"""A row of the catalogue, and how it is tried."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Build = Callable[[Path], Path]
"""Makes the input in an empty folder and returns the file or folder to be given."""


@dataclass(frozen=True)
class Row:
    """One input.

    Attributes:
        name: What is wrong or odd about it.
        build: Makes it.
        says: A part of the sentence it is refused with; for an input that is read, of its remark, or empty.
        words: The command line, ``{}`` standing for the input, ``{in}`` for the folder it was made in, ``{out}`` for
            a folder to be made; empty for an
            input that is read, whose every voxel is then held against its place.
        code: Exit code.
    """

    name: str
    build: Build
    says: str = ""
    words: tuple[str, ...] = ()
    code: int = 3

    def __str__(self) -> str:
        return self.name

    def command(self, given: Path, made_in: Path, out: Path) -> list[str]:
        """The words of the command line."""
        places = {"{out}": str(out), "{in}": str(made_in), "{}": str(given)}
        words = list(self.words)
        for mark, place in places.items():
            words = [word.replace(mark, place) for word in words]
        return words
