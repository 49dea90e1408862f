"""The paper's qualitative figure: T1Gd near the tumor and the activation map, for each kind of right and wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from PCNSLSurvivalLib.core.errors import EvaluationError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import ONE_YEAR_DAYS, limit_in_words
from PCNSLSurvivalLib.reports.colors import activation_rgb, gradient_stops
from PCNSLSurvivalLib.reports.experiment.facts import OUTCOME_LABELS, ActivationExample

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_OPACITY = 0.6
_FAINTEST = 0.15  # below it the map is clear, so that the brain under it stays readable


def activation_figure(examples: Sequence[ActivationExample], threshold_days: float = ONE_YEAR_DAYS) -> Figure:
    """One column an example: the axial T1Gd slice, and under it the same slice with the map.

    The slice is the one through most of the lesion, or through the highest activation where there is no lesion mask.
    Seen as radiologists do: the patient's right is on the left of the picture.

    Args:
        examples: As ``choose_examples`` found them, with the pictures filled in.
        threshold_days: Limit of the OS classes.

    Raises:
        EvaluationError: There is no example, or a map is not on the voxels of its scan.
    """
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure

    if not examples:
        raise EvaluationError(Message("experiment_report.no_example"))
    figure = Figure(figsize=(1.75 * len(examples) + 0.75, 3.9), layout="constrained")
    rows = figure.subplots(2, len(examples), squeeze=False)
    for column, one in enumerate(examples):
        if one.activation.shape != one.t1gd.shape or (one.lesion is not None and one.lesion.shape != one.t1gd.shape):
            raise EvaluationError(Message("experiment_report.map_off_scan", patient=one.number))
        gray, activation = _upright(_gray(one.t1gd)[..., one.slice_index()]), _upright(_slice(one))
        for ax, picture in (
            (rows[0][column], np.stack([gray] * 3, axis=-1)),
            (rows[1][column], _over(gray, activation)),
        ):
            ax.imshow(picture, interpolation="bilinear")
            ax.set_axis_off()
            if one.lesion is not None and one.lesion.any():
                lesion = _upright(one.lesion[..., one.slice_index()]).astype(float)
                ax.contour(lesion, [0.5], colors="#7fd4ff", linewidths=0.7)
        _annotate(rows[0][column], rows[1][column], one, limit_in_words(threshold_days, short=True))
    scale = LinearSegmentedColormap.from_list("activation", [(at, color) for at, color in gradient_stops()])
    from matplotlib.cm import ScalarMappable

    bar = figure.colorbar(ScalarMappable(cmap=scale), ax=list(rows[:, -1]), fraction=0.05, pad=0.02, aspect=30)
    bar.set_label("Activation (share of the map's maximum)")
    bar.outline.set_linewidth(0.5)
    return figure


def _annotate(top: Axes, bottom: Axes, one: ActivationExample, limit: str) -> None:
    top.set_title(f"Patient {one.number}\n{OUTCOME_LABELS[one.outcome]}", fontsize=8)
    truth = ">" if one.outcome in ("TP", "FN") else "≤"
    bottom.text(
        0.5,
        -0.02,
        f"OS {truth} {limit}\npredicted P(> {limit}) {one.probability:.2f}\nmap explains {one.activation_of}",
        ha="center",
        va="top",
        fontsize=7,
        transform=bottom.transAxes,
    )
    if one.map_is_empty or _slice(one).max() < _FAINTEST:
        nothing = "no activation" if one.map_is_empty else "no activation in this slice"
        bottom.text(0.5, 0.03, nothing, color="white", fontsize=7, ha="center", transform=bottom.transAxes)
    for ax in (top, bottom):
        for x, side in ((0.02, "R"), (0.98, "L")):
            ax.text(
                x, 0.5, side, color="white", fontsize=6.5, ha="left" if x < 0.5 else "right", transform=ax.transAxes
            )
    width, size = one.t1gd.shape[:2]
    centimeters = 5 if 50 / one.voxel_mm < width - 8 else 1
    length = 10 * centimeters / one.voxel_mm
    top.plot([4, 4 + length], [size - 6, size - 6], color="white", lw=1.2)
    top.text(4 + length / 2, size - 9, f"{centimeters} cm", color="white", fontsize=6.5, ha="center", va="bottom")


def _slice(one: ActivationExample) -> NDArray[np.floating]:
    highest = float(one.activation.max())
    return np.clip(one.activation[..., one.slice_index()] / (highest if highest > 0 else 1.0), 0, 1)


def _gray(volume: NDArray[np.floating]) -> NDArray[np.floating]:
    """Intensities between the 1st and the 99.5th percentile of the brain as 0 to 1."""
    brain = volume[volume != 0]
    low, high = np.percentile(brain, (1, 99.5)) if brain.size else (0.0, 1.0)
    return np.where(volume != 0, np.clip((volume - low) / max(high - low, 1e-6), 0, 1), 0)


def _upright(plane_ij: NDArray) -> NDArray:
    """(I, J) to rows from anterior to posterior and columns from the patient's right to left."""
    return plane_ij.T


def _over(gray: NDArray[np.floating], activation: NDArray[np.floating]) -> NDArray[np.floating]:
    opacity = (_OPACITY * np.clip((activation - _FAINTEST) / (1 - _FAINTEST), 0, 1) ** 0.5)[..., None]
    return (1 - opacity) * gray[..., None] + opacity * activation_rgb(activation) / 255
