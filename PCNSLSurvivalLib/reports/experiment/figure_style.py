"""Figure style: one typeface, colors that color-blind readers can distinguish, PNG at 300 dpi, SVG with text."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PCNSLSurvivalLib.core.class_colors import OVER_ONE_YEAR, UP_TO_ONE_YEAR, in_hex

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE = in_hex(OVER_ONE_YEAR), in_hex(UP_TO_ONE_YEAR)
GREEN, GRAY = "#009e73", "#8a929a"
"""Of the same set (Okabe and Ito 2008), and what is neither."""
PANEL_WIDTH, PANEL_HEIGHT, MOST_COLUMNS = 2.35, 2.35, 3
PNG_DPI = 300
"""What journals ask for."""

_STYLE: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.titleweight": "bold",
    "axes.labelsize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "svg.fonttype": "none",
    "svg.hashsalt": "pcnsl-survival",
    "figure.facecolor": "white",
}


@contextmanager
def style() -> Iterator[None]:
    """Draw and save in the style of this software's figures; the user's own style is back afterwards."""
    import matplotlib as mpl

    with mpl.rc_context(_STYLE):
        yield


def panels(number: int, *, width: float = PANEL_WIDTH, height: float = PANEL_HEIGHT) -> tuple[Figure, list[Axes]]:
    """A figure of small panels of one size, at most three in a row: the width of a journal's page.

    Returns:
        The figure and ``number`` axes, in reading order.
    """
    from matplotlib.figure import Figure

    columns = min(number, MOST_COLUMNS)
    rows = -(-number // columns)
    figure = Figure(figsize=(width * columns + 0.3, height * rows + 0.2), layout="constrained")
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    for unused in axes[number:]:
        unused.remove()
    return figure, axes[:number]


def head(ax: Axes, title: str, *lines: str) -> None:
    """Title a panel and say numbers between title and axes: inside, some curve or other runs through every corner."""
    ax.set_title(title, pad=4 + 9 * len(lines))
    ax.text(0.5, 1.02, "\n".join(lines), ha="center", va="bottom", fontsize=7, transform=ax.transAxes)


def save(figure: Figure, folder: Path, name: str) -> None:
    """Write ``name.png`` and ``name.svg``, the same bytes for the same figure."""
    figure.savefig(folder / f"{name}.png", dpi=PNG_DPI, metadata={"Software": None})
    figure.set_layout_engine("none")  # as laid out for the PNG
    figure.savefig(folder / f"{name}.svg", metadata={"Date": None, "Creator": None})
