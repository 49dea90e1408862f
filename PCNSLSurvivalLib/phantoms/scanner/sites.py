"""Several sites with two kinds of scanner; on request, one kind sees more of the patients who live long.

A network that learns the scanner then seems to predict survival, until a site is held out as a whole.
"""

from __future__ import annotations

from dataclasses import replace

from PCNSLSurvivalLib.phantoms.random_fields import stream
from PCNSLSurvivalLib.phantoms.scanner.protocol import Protocol

MOST_SITES = 20
_SNR = (1.3, 0.35)
"""Signal over noise at sites A, C, … and at B, D, …, in shares of the usual: no preparation removes noise."""
_GADOLINIUM = (1.1, 0.8)
"""Contrast agent at them, in shares of the usual dose and time."""


def draw_site(seed: int, sites: int, confounding: float, *, over_one_year: bool) -> int:
    """The site of a patient, from 0.

    Args:
        seed: Of the patient.
        sites: Number of sites.
        confounding: 0: sites have nothing to do with survival; 1: all who live over a year are at sites A, C, …, and
            all others at B, D, …
        over_one_year: Whether the patient lives over a year.
    """
    draw = stream(seed, "site")
    as_expected = draw.uniform() < (1 + confounding) / 2
    kind = 0 if over_one_year == as_expected else 1
    own_kind = range(kind, sites, 2)
    return own_kind[int(draw.integers(len(own_kind)))]


def site_name(site: int) -> str:
    """``site A``, ``site B``, …"""
    return f"site {chr(ord('A') + site)}"


def scanned_at(protocol: Protocol, site: int) -> Protocol:
    """The same exam by the scanner and the habits of a site."""
    kind = site % 2
    sequences = {
        sequence: replace(scan, snr=scan.snr * _SNR[kind], gadolinium=scan.gadolinium * _GADOLINIUM[kind])
        for sequence, scan in protocol.sequences.items()
    }
    return Protocol(seed=protocol.seed, sequences=sequences)
