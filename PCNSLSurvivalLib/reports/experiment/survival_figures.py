"""Kaplan-Meier curves of the groups that each arm predicts, and the learning curves of the networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from PCNSLSurvivalLib.core.terms import ONE_YEAR_DAYS, limit_in_words
from PCNSLSurvivalLib.evaluation.survival import kaplan_meier
from PCNSLSurvivalLib.reports.experiment.facts import TrainingHistory
from PCNSLSurvivalLib.reports.experiment.figure_style import BLUE, GRAY, ORANGE, head, panels
from PCNSLSurvivalLib.reports.experiment.survival_results import ArmSurvival
from PCNSLSurvivalLib.reports.experiment.tables import interval, p_value

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DAYS_A_YEAR = 365.25
_GROUPS = ((True, BLUE, ">"), (False, ORANGE, "≤"))


def kaplan_meier_figure(arms: Sequence[ArmSurvival], threshold_days: float = ONE_YEAR_DAYS) -> Figure:
    """Kaplan-Meier curves of the two predicted groups of each arm, with 95 % limits, ticks at censored patients."""
    from matplotlib.lines import Line2D

    figure, axes = panels(len(arms), height=3.0)
    for ax, one in zip(axes, arms, strict=True):
        _groups(ax, one, threshold_days)
        tested = [f"log-rank p {_equal(p_value(one.log_rank.p))}"] if not one.log_rank.too_small else []
        head(ax, one.label, f"C {interval(one.c_index)}", *tested, *one.remarks)
    limit = limit_in_words(threshold_days, short=True)
    lines = [Line2D([], [], color=color, lw=1.4, label=f"predicted OS {sign} {limit}") for _, color, sign in _GROUPS]
    figure.legend(handles=lines, loc="outside upper center", ncols=2)
    return figure


def _groups(ax: Axes, one: ArmSurvival, threshold_days: float) -> None:
    last = float(one.os_days.max()) / DAYS_A_YEAR
    ticks = np.unique(np.round(np.linspace(0, last, 4), 1 if last < 3 else 0))
    for line, (over, color, _) in enumerate(_GROUPS):
        chosen = one.predicted_long == over
        if not chosen.any():
            continue
        curve = kaplan_meier(one.os_days[chosen], one.death_observed[chosen])
        years = curve.days / DAYS_A_YEAR
        ax.step(years, curve.survival, where="post", color=color, lw=1.4)
        ax.fill_between(years, curve.low, curve.high, step="post", color=color, alpha=0.15, lw=0)
        at = np.searchsorted(curve.days, curve.censored_days, side="right") - 1
        ax.plot(curve.censored_days / DAYS_A_YEAR, curve.survival[at], "|", color=color, ms=5, mew=0.8)
        for tick in ticks:
            risk = int((curve.follow_up_days >= tick * DAYS_A_YEAR).sum())
            ax.text(tick, -0.35 - 0.09 * line, str(risk), color=color, ha="center", fontsize=6.5, clip_on=False)
    ax.text(-0.02 * last, -0.26, "at risk", fontsize=6.5, color=GRAY, ha="left")
    ax.axvline(threshold_days / DAYS_A_YEAR, color=GRAY, lw=0.6, ls=":")
    ax.set(xlim=(0, last * 1.02), ylim=(0, 1.02), ylabel="Survival")
    # The empty lines keep room for the numbers at risk.
    ax.set_xlabel("Years" + 3 * "\n", labelpad=1)
    ax.set_xticks(ticks)


def learning_figure(histories: Mapping[str, Sequence[TrainingHistory]], labels: Mapping[str, str]) -> Figure:
    """Loss by epoch of every fold of each arm: training in gray, validation in blue, a dot at the best epoch.

    The chance level of the cross-entropy, ln 2, is dotted. It does not apply to a loss that includes a lesion task.
    """
    from matplotlib.ticker import MaxNLocator

    figure, axes = panels(len(histories))
    for ax, (arm, of_arm) in zip(axes, histories.items(), strict=True):
        for one in of_arm:
            epochs = np.arange(1, len(one.validation_loss) + 1)
            ax.plot(epochs, one.train_loss, color=GRAY, lw=0.6)
            ax.plot(epochs, one.validation_loss, color=BLUE, lw=0.8)
            ax.plot(one.best_epoch + 1, one.validation_loss[one.best_epoch], "o", color=BLUE, ms=3)
        if any(one.lesion_task for one in of_arm):
            ax.set(ylabel="Loss (classes and lesion)")
        else:
            ax.axhline(np.log(2), color=GRAY, lw=0.6, ls=":")
            ax.set(ylabel="Cross-entropy (nats)")
        ax.set(title=labels.get(arm, arm), xlabel="Epoch")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


def _equal(p: str) -> str:
    return p if p.startswith(("<", "–")) else f"= {p}"
