"""Figures of discrimination, calibration and benefit: one panel an arm, the reference arm behind it in gray."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from PCNSLSurvivalLib.evaluation.curves import (
    average_precision,
    calibration_groups,
    net_benefit,
    precision_recall_curve,
    roc_curve,
)
from PCNSLSurvivalLib.evaluation.predictions import FoldPredictions, pooled
from PCNSLSurvivalLib.reports.experiment_tables import ArmResult, interval, number
from PCNSLSurvivalLib.reports.figure_style import BLUE, GRAY, ORANGE, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Arms = Mapping[str, Sequence[FoldPredictions]]
_GRID = np.linspace(0, 1, 201)


def roc_figure(arms: Arms, results: Sequence[ArmResult], reference: str) -> Figure:
    """ROC curves, averaged over the folds, so that only predictions of one model are compared with each other."""
    figure, axes = panels(len(arms))
    for ax, (arm, folds), result in zip(axes, arms.items(), results, strict=True):
        ax.plot([0, 1], [0, 1], color=GRAY, lw=0.6, ls=":")
        if arm != reference:
            ax.plot(_GRID, mean_roc(arms[reference]), color=GRAY, lw=1)
        ax.plot(_GRID, mean_roc(folds), color=BLUE, lw=1.5)
        ax.text(
            0.98, 0.04, f"AUC {interval(result.out_of_fold['auc'])}", ha="right", fontsize=7, transform=ax.transAxes
        )
        _square(ax, result.label, "1 − specificity", "Sensitivity")
    return figure


def mean_roc(folds: Sequence[FoldPredictions]) -> NDArray[np.float64]:
    """Sensitivity at each of the 201 points of 1 - specificity, the mean over folds that hold both classes."""
    curves = []
    for one in folds:
        if 0 < one.os_class.sum() < len(one.cases):
            curve = roc_curve(one.os_class, one.probability)
            # The last, so the highest, point of each vertical step.
            last = np.append(np.diff(curve.x) > 0, True)
            values = np.interp(_GRID, curve.x[last], curve.y[last])
            values[0] = 0.0
            curves.append(values)
    return np.mean(curves, axis=0) if curves else np.full_like(_GRID, np.nan)


def precision_recall_figure(arms: Arms, results: Sequence[ArmResult], reference: str) -> Figure:
    """Precision against recall of OS over one year, from one mean probability for each patient."""
    figure, axes = panels(len(arms))
    for ax, (arm, folds), result in zip(axes, arms.items(), results, strict=True):
        _, os_class, probability = pooled(folds)
        ax.axhline(os_class.mean(), color=GRAY, lw=0.6, ls=":")
        if arm != reference:
            behind = precision_recall_curve(*pooled(arms[reference])[1:])
            ax.step(behind.x, behind.y, where="post", color=GRAY, lw=1)
        curve = precision_recall_curve(os_class, probability)
        ax.step(curve.x, curve.y, where="post", color=BLUE, lw=1.5)
        area = number(average_precision(os_class, probability))
        ax.text(0.02, 0.04, f"Average precision {area}", fontsize=7, transform=ax.transAxes)
        _square(ax, result.label, "Recall", "Precision")
    return figure


def calibration_figure(arms: Arms, results: Sequence[ArmResult]) -> Figure:
    """Observed against predicted in fifths of the patients, with 95 % limits; the patients' predictions below."""
    figure, axes = panels(len(arms))
    for ax, folds, result in zip(axes, arms.values(), results, strict=True):
        _, os_class, probability = pooled(folds)
        groups = calibration_groups(os_class, probability)
        ax.plot([0, 1], [0, 1], color=GRAY, lw=0.6, ls=":")
        error = [groups.observed - groups.low, groups.high - groups.observed]
        ax.errorbar(groups.predicted, groups.observed, error, fmt="o-", color=BLUE, ms=3.5, lw=1.2, elinewidth=0.8)
        for chosen, height in ((os_class == 1, 0.03), (os_class == 0, 0.0)):
            color = BLUE if height else ORANGE
            ax.plot(probability[chosen], np.full(chosen.sum(), height - 0.08), "|", color=color, ms=4, clip_on=False)
        slope = number(result.out_of_fold["calibration_slope"].value)
        text = f"slope {slope}, Brier {number(result.out_of_fold['brier'].value)}"
        _square(ax, result.label, "Predicted P(OS > 1 year)", "Observed share", low=-0.1)
        # Above the panel: inside, some curve or other runs through every corner.
        ax.set_title(result.label, pad=13)
        ax.text(0.5, 1.02, text, ha="center", va="bottom", fontsize=7, transform=ax.transAxes)
    return figure


def decision_figure(arms: Arms, results: Sequence[ArmResult], reference: str) -> Figure:
    """Net benefit of acting on a predicted risk of death within one year, against acting on everybody or nobody."""
    figure, axes = panels(len(arms))
    thresholds = np.linspace(0.01, 0.9, 90)
    for ax, (arm, folds), result in zip(axes, arms.items(), results, strict=True):
        _, os_class, probability = pooled(folds)
        ax.axhline(0, color="black", lw=0.6)
        ax.plot(thresholds, net_benefit(os_class, np.ones(len(os_class)), thresholds), color=GRAY, lw=0.8, ls="--")
        if arm != reference:
            _, of_reference, behind = pooled(arms[reference])
            ax.plot(thresholds, net_benefit(of_reference, 1 - behind, thresholds), color=GRAY, lw=1)
        ax.plot(thresholds, net_benefit(os_class, 1 - probability, thresholds), color=BLUE, lw=1.5)
        top = float((os_class == 0).mean())
        ax.set(
            xlim=(0, 0.9), ylim=(-0.15, top + 0.08), title=result.label, xlabel="Threshold risk", ylabel="Net benefit"
        )
    if axes:
        axes[0].text(
            0.02, 0.03, "dashed: act on everybody\nblack: on nobody", fontsize=6.5, transform=axes[0].transAxes
        )
    return figure


def _square(ax: Axes, title: str, x: str, y: str, *, low: float = -0.02) -> None:
    ax.set(xlim=(-0.02, 1.02), ylim=(low, 1.02), title=title, xlabel=x, ylabel=y)
    ax.set_xticks([0, 0.5, 1])
    ax.set_yticks([0, 0.5, 1])
    ax.set_box_aspect(1)
