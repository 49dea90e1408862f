"""Preprocessing that was done to the scans of a case before this software, as one value."""

from __future__ import annotations

from dataclasses import dataclass

from PCNSLSurvivalLib.core.options import option

_SEVERAL_SCANS = ("predict", "explain", "register")
_COMMANDS = (*_SEVERAL_SCANS, "segment", "regions")
_HEADING = "preprocessing that has already been done"


@dataclass(frozen=True, kw_only=True)
class ScanState:
    """What the user knows about the scans; by default nothing was done to them."""

    already_stripped: bool = option(False, "scans are skull-stripped: 0 outside the brain", _COMMANDS, heading=_HEADING)
    """They show the brain alone: neither stripped nor bias-corrected again."""
    already_corrected: bool = option(False, "scans are bias-corrected", _COMMANDS, heading=_HEADING)
    """They have no bias field left."""
    already_registered: bool = option(False, "the other scans are registered to T1Gd", _SEVERAL_SCANS, heading=_HEADING)
    """They lie over T1Gd in millimeters."""


UNTOUCHED = ScanState()
