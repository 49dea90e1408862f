"""The shapes in which cohorts come, one reader each, and the list of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PCNSLSurvivalLib.cohorts.readers.bids import is_bids, read_bids
from PCNSLSurvivalLib.cohorts.readers.brats import brats_root, read_brats
from PCNSLSurvivalLib.cohorts.readers.folders import read_folders
from PCNSLSurvivalLib.cohorts.readers.reading import FoundCohort
from PCNSLSurvivalLib.cohorts.readers.table import read_table_cohort, table_with_paths
from PCNSLSurvivalLib.cohorts.readers.ucsf_pcnsl import is_ucsf_pcnsl, read_ucsf_pcnsl


@dataclass(frozen=True, kw_only=True)
class Layout:
    """A folder layout that is recognized by what lies in it."""

    name: str
    """As the help and the messages list it: "BIDS"."""
    found: Callable[[Path], object]
    """Says yes of a folder of this layout; a quick look at names only."""
    read: Callable[[Path], FoundCohort]


LAYOUTS = (
    Layout(name="UCSF-PCNSL", found=is_ucsf_pcnsl, read=read_ucsf_pcnsl),
    Layout(name="BIDS", found=is_bids, read=read_bids),
    Layout(name="BraTS2020", found=brats_root, read=read_brats),
)
"""In the order in which a folder is compared with them; one that fits none holds one folder per patient."""

KNOWN_LAYOUTS = f"{', '.join(one.name for one in LAYOUTS[:-1])} or {LAYOUTS[-1].name}"
"""The layouts in words, for the help and for messages."""


def read_layout(path: Path) -> FoundCohort:
    """Read a table file, or a folder of whatever layout.

    Raises:
        CohortError: A table lacks a column or holds a cell that cannot be read.
    """
    if not path.is_dir():
        return read_table_cohort(path)
    if (known := next((one for one in LAYOUTS if one.found(path)), None)) is not None:
        return known.read(path)
    table = table_with_paths(path)
    return read_folders(path) if table is None else read_table_cohort(table)
