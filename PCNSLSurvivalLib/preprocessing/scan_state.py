"""Preprocessing that was done to the scans of a case before this software, as one value."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ScanState:
    """What the user knows about the scans; by default nothing was done to them."""

    already_stripped: bool = False
    """They show the brain alone: neither stripped nor bias-corrected again."""
    already_corrected: bool = False
    """They have no bias field left."""
    already_registered: bool = False
    """They lie over T1Gd in millimeters."""


UNTOUCHED = ScanState()
