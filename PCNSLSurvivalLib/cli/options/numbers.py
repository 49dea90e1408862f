"""Number types of options: a number that cannot be meant is refused at parse time, with its limits."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable

MOST_JOBS = 1024
HIGHEST_SEED = 2**32 - 1
LONGEST_DAYS = 36525
"""A century, as in tables of survival."""

_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]{1,18}(?:\.[0-9]{0,18})?|\.[0-9]{1,18})(?:[eE][+-]?[0-9]{1,2})?")
_SHOWN = 20


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """The type of an option that takes whole numbers from ``least`` to ``most``."""

    def read(text: str) -> int:
        # int() also reads 1_000 and the digits of every script.
        if not _WHOLE.fullmatch(text):
            raise argparse.ArgumentTypeError(f"must be a whole number from {least} to {most}, not {_short(text)}")
        if not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"must be from {least} to {most}, not {_short(text)}")
        return int(text)

    return read


def decimal_number(least: float, most: float) -> Callable[[str], float]:
    """The type of an option that takes decimal numbers from ``least`` to ``most``, and neither NaN nor infinity."""

    def read(text: str) -> float:
        if not _DECIMAL.fullmatch(text):
            raise argparse.ArgumentTypeError(f"must be a number from {least:g} to {most:g}, not {_short(text)}")
        if not least <= float(text) <= most:
            raise argparse.ArgumentTypeError(f"must be from {least:g} to {most:g}, not {_short(text)}")
        return float(text)

    return read


def _short(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")
