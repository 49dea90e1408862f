"""The shapes in which cohorts come: BIDS, BraTS2020, UCSF-PCNSL and a plain table."""

from __future__ import annotations

from PCNSLSurvivalLib.phantoms.layouts.bids import BidsLayout
from PCNSLSurvivalLib.phantoms.layouts.brats2020 import Brats2020Layout
from PCNSLSurvivalLib.phantoms.layouts.layout import Layout
from PCNSLSurvivalLib.phantoms.layouts.table import TableLayout
from PCNSLSurvivalLib.phantoms.layouts.ucsf_pcnsl import UcsfPcnslLayout

LAYOUTS: dict[str, type[Layout]] = {
    "bids": BidsLayout,
    "brats2020": Brats2020Layout,
    "ucsf-pcnsl": UcsfPcnslLayout,
    "table": TableLayout,
}

__all__ = ["LAYOUTS", "BidsLayout", "Brats2020Layout", "Layout", "TableLayout", "UcsfPcnslLayout"]
