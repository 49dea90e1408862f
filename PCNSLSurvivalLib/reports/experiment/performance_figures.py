"""Figures of discrimination, calibration and benefit: one panel an arm, the reference arm behind it in gray."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from PCNSLSurvivalLib.core.terms import ONE_YEAR_DAYS, limit_in_words
from PCNSLSurvivalLib.evaluation.curves import (
    calibration_groups,
    mean_average_precision,
    mean_precision_recall_curve,
    mean_roc_curve,
    net_benefit,
)
from PCNSLSurvivalLib.evaluation.predictions import FoldPredictions, every_held_out
from PCNSLSurvivalLib.reports.experiment.figure_style import BLUE, GRAY, ORANGE, head, panels
from PCNSLSurvivalLib.reports.experiment.tables import ArmResult, interval, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Arms = Mapping[str, Sequence[FoldPredictions]]


def roc_figure(arms: Arms, results: Sequence[ArmResult], reference: str) -> Figure:
    """ROC curves, averaged over the folds, so that only predictions of one model are compared with each other."""
    figure, axes = panels(len(arms))
    for ax, arm, result in zip(axes, arms, results, strict=True):
        ax.plot([0, 1], [0, 1], color=GRAY, lw=0.6, ls=":")
        for of_arm, color, width in _behind_and_before(arms, arm, reference):
            curve = mean_roc_curve(of_arm)
            ax.plot(curve.x, curve.y, color=color, lw=width)
        _square(ax, "1 − specificity", "Sensitivity")
        head(ax, result.label, f"AUC {interval(result.out_of_fold['auc'])}")
    return figure


def precision_recall_figure(arms: Arms, results: Sequence[ArmResult], reference: str) -> Figure:
    """Precision against recall of long survivors, averaged over the folds; dotted, the average precision by chance."""
    figure, axes = panels(len(arms))
    for ax, (arm, folds), result in zip(axes, arms.items(), results, strict=True):
        found, by_chance = mean_average_precision(folds)
        ax.axhline(by_chance, color=GRAY, lw=0.6, ls=":")
        for of_arm, color, width in _behind_and_before(arms, arm, reference):
            curve = mean_precision_recall_curve(of_arm)
            ax.step(curve.x, curve.y, where="pre", color=color, lw=width)
        _square(ax, "Recall", "Precision")
        head(ax, result.label, f"average precision {number(found)} (chance {number(by_chance)})")
    return figure


def calibration_figure(arms: Arms, results: Sequence[ArmResult], threshold_days: float = ONE_YEAR_DAYS) -> Figure:
    """Observed against predicted in fifths of the held-out predictions, with 95 % limits; the predictions below."""
    figure, axes = panels(len(arms))
    for ax, folds, result in zip(axes, arms.values(), results, strict=True):
        os_class, probability = every_held_out(folds)
        groups = calibration_groups(os_class, probability, repeats=len({one.repeat for one in folds}))
        ax.plot([0, 1], [0, 1], color=GRAY, lw=0.6, ls=":")
        error = [groups.observed - groups.low, groups.high - groups.observed]
        ax.errorbar(groups.predicted, groups.observed, error, fmt="o-", color=BLUE, ms=3.5, lw=1.2, elinewidth=0.8)
        for chosen, height in ((os_class == 1, 0.03), (os_class == 0, 0.0)):
            color = BLUE if height else ORANGE
            ax.plot(probability[chosen], np.full(chosen.sum(), height - 0.08), "|", color=color, ms=4, clip_on=False)
        _square(ax, f"Predicted P(OS > {limit_in_words(threshold_days)})", "Observed share", low=-0.1)
        slope, brier = result.out_of_fold["calibration_slope"], result.out_of_fold["brier"]
        head(ax, result.label, f"slope {number(slope.value)}, Brier {number(brier.value)}")
    return figure


def decision_figure(arms: Arms, results: Sequence[ArmResult], reference: str) -> Figure:
    """Net benefit of treating by predicted risk of death within the limit, against treating all patients or none."""
    from matplotlib.lines import Line2D

    figure, axes = panels(len(arms))
    thresholds = np.linspace(0.01, 0.9, 90)
    for ax, (arm, folds), result in zip(axes, arms.items(), results, strict=True):
        os_class = every_held_out(folds)[0]
        ax.axhline(0, color="black", lw=0.6)
        ax.plot(
            thresholds, net_benefit(os_class, np.ones(len(os_class)), thresholds), color=GRAY, lw=0.8, ls="--", zorder=3
        )
        for of_arm, color, width in _behind_and_before(arms, arm, reference):
            truth, probability = every_held_out(of_arm)
            ax.plot(thresholds, net_benefit(truth, 1 - probability, thresholds), color=color, lw=width)
        top = float((os_class == 0).mean())
        ax.set(
            xlim=(0, 0.9), ylim=(-0.15, top + 0.08), title=result.label, xlabel="Threshold risk", ylabel="Net benefit"
        )
    lines = [
        Line2D([], [], color=BLUE, lw=1.5, label="by the model"),
        Line2D([], [], color=GRAY, lw=0.8, ls="--", label="all patients"),
        Line2D([], [], color="black", lw=0.6, label="no patient"),
    ]
    figure.legend(
        handles=lines,
        loc="outside upper center",
        ncols=3 if len(figure.axes) > 1 else 1,
        title="Treat",
        title_fontsize=7,
    )
    return figure


def _behind_and_before(arms: Arms, arm: str, reference: str) -> Iterator[tuple[Sequence[FoldPredictions], str, float]]:
    """The folds to draw in one panel, with color and width: those of the reference first, then the arm's own."""
    if arm != reference:
        yield arms[reference], GRAY, 1.0
    yield arms[arm], BLUE, 1.5


def _square(ax: Axes, x: str, y: str, *, low: float = -0.02) -> None:
    ax.set(xlim=(-0.02, 1.02), ylim=(low, 1.02), xlabel=x, ylabel=y)
    ax.set_xticks([0, 0.5, 1])
    ax.set_yticks([0, 0.5, 1])
    ax.set_box_aspect(1)
