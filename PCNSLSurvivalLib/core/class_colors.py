"""The colors of the two OS classes, which are those of evidence against and for OS > 1 year: in every page and view."""

from __future__ import annotations

from collections.abc import Iterable

RGB = tuple[int, int, int]

UP_TO_ONE_YEAR: RGB = (213, 94, 0)
"""Vermilion of the color-blind safe set of Okabe and Ito (2008)."""
OVER_ONE_YEAR: RGB = (0, 114, 178)
"""Blue of the same set."""
AGAINST_ON_SCAN: RGB = (255, 128, 38)
"""Evidence against where it lies on a dark scan."""
FOR_ON_SCAN: RGB = (38, 179, 230)
"""Evidence for, there."""


def in_hex(color: Iterable[int]) -> str:
    """A color as pages and widgets take it: "#d55e00"."""
    return "#{:02x}{:02x}{:02x}".format(*color)
