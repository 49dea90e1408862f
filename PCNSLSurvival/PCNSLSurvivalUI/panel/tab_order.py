"""Tab reaches the node selectors of the panel, row by row."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import qt
import slicer


def reachByTab(sections: list[Any], rows: list[Any]) -> None:
    """Let Tab stop at every node selector.

    Slicer passes the focus of the combo box inside a selector on to the selector, which takes none.

    Args:
        sections: All sections of the panel.
        rows: Selectors that follow one another; some were added later, and would come last.
    """
    for section in sections:
        for selector in slicer.util.findChildren(section):
            if selector.inherits("qMRMLNodeComboBox"):
                _combo(selector).setFocusProxy(None)
    for before, after in pairwise(rows):
        qt.QWidget.setTabOrder(_combo(before), _combo(after))


def _combo(selector: Any) -> Any:
    return next(child for child in slicer.util.findChildren(selector) if child.inherits("QComboBox"))
