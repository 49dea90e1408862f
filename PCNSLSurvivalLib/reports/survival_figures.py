"""Kaplan-Meier curves of the groups that each arm predicts, and the learning curves of the networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from PCNSLSurvivalLib.evaluation.predictions import FoldPredictions, pooled
from PCNSLSurvivalLib.evaluation.survival import concordance_index, concordance_interval, kaplan_meier, log_rank_p
from PCNSLSurvivalLib.reports.experiment_facts import CaseOutcome, TrainingHistory
from PCNSLSurvivalLib.reports.experiment_tables import number, p_value
from PCNSLSurvivalLib.reports.figure_style import BLUE, GRAY, ORANGE, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DAYS_A_YEAR = 365.25
_GROUPS = ((True, BLUE, "> 1 y"), (False, ORANGE, "≤ 1 y"))


@dataclass(frozen=True, kw_only=True)
class ArmSurvival:
    """Survival of all patients of whom an arm says something, censored ones too; (N,) arrays."""

    label: str
    os_days: NDArray[np.float64]
    death_observed: NDArray[np.bool_]
    probability: NDArray[np.float64]
    """Predicted probability of OS over one year, the mean over the networks that never saw the patient."""
    c_index: float
    c_index_interval: tuple[float, float]
    log_rank_p: float
    """Between the groups predicted to live over one year and not."""
    without_follow_up: int
    """Predicted patients whose survival is not known, left out here."""

    @property
    def censored(self) -> int:
        """Patients whose death was not observed."""
        return int((~self.death_observed).sum())


def arm_survival(
    label: str, folds: Sequence[FoldPredictions], outcomes: Mapping[str, CaseOutcome], *, resamples: int = 2000
) -> ArmSurvival | None:
    """Survival by one arm's predictions; None where no predicted patient has a known survival."""
    cases, _, probability = pooled(folds)
    said = dict(zip(cases, probability.tolist(), strict=True))
    of_censored: dict[str, list[float]] = {}
    for one in folds:
        for case, p in zip(one.censored, one.censored_probability, strict=True):
            of_censored.setdefault(case, []).append(float(p))
    said |= {case: float(np.mean(values)) for case, values in of_censored.items()}
    known = [
        (found.os_days, bool(found.death_observed), p)
        for case, p in said.items()
        if (found := outcomes.get(case)) is not None and found.os_days is not None and found.death_observed is not None
    ]
    if not known:
        return None
    days, deaths, p = (np.array(column) for column in zip(*known, strict=True))
    return ArmSurvival(
        label=label,
        os_days=days.astype(np.float64),
        death_observed=deaths,
        probability=p,
        c_index=float(concordance_index(days, deaths, 1 - p)),
        c_index_interval=concordance_interval(days, deaths, 1 - p, resamples=resamples),
        log_rank_p=log_rank_p(days, deaths, p >= 0.5),
        without_follow_up=len(said) - len(known),
    )


def kaplan_meier_figure(arms: Sequence[ArmSurvival]) -> Figure:
    """Kaplan-Meier curves of the two predicted groups of each arm, with 95 % limits, ticks at censored patients."""
    from matplotlib.lines import Line2D

    figure, axes = panels(len(arms), height=2.75)
    for ax, one in zip(axes, arms, strict=True):
        _groups(ax, one)
        low, high = one.c_index_interval
        text = f"log-rank p {_equal(p_value(one.log_rank_p))}\nC {number(one.c_index)} [{number(low)}, {number(high)}]"
        ax.text(0.98, 0.97, text, va="top", ha="right", fontsize=7, transform=ax.transAxes)
    lines = [Line2D([], [], color=color, lw=1.4, label=f"predicted OS {name}") for _, color, name in _GROUPS]
    figure.legend(handles=lines, loc="outside upper center", ncols=2)
    return figure


def _groups(ax: Axes, one: ArmSurvival) -> None:
    last = float(one.os_days.max()) / DAYS_A_YEAR
    ticks = np.unique(np.round(np.linspace(0, last, 4), 1 if last < 3 else 0))
    for line, (over, color, _) in enumerate(_GROUPS):
        chosen = (one.probability >= 0.5) == over
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
    ax.axvline(1, color=GRAY, lw=0.6, ls=":")
    ax.set(xlim=(0, last * 1.02), ylim=(0, 1.02), title=one.label, ylabel="Survival")
    # The empty lines keep room for the numbers at risk.
    ax.set_xlabel("Years" + 3 * "\n", labelpad=1)
    ax.set_xticks(ticks)


def learning_figure(histories: Mapping[str, Sequence[TrainingHistory]], labels: Mapping[str, str]) -> Figure:
    """Loss by epoch of every fold of each arm: training in gray, the inner split in blue, a dot at the chosen epoch."""
    from matplotlib.ticker import MaxNLocator

    figure, axes = panels(len(histories))
    for ax, (arm, of_arm) in zip(axes, histories.items(), strict=True):
        for one in of_arm:
            epochs = np.arange(1, len(one.inner_loss) + 1)
            ax.plot(epochs, one.train_loss, color=GRAY, lw=0.6)
            ax.plot(epochs, one.inner_loss, color=BLUE, lw=0.8)
            ax.plot(one.best_epoch + 1, one.inner_loss[one.best_epoch], "o", color=BLUE, ms=3)
        ax.axhline(np.log(2), color=GRAY, lw=0.6, ls=":")
        ax.set(title=labels.get(arm, arm), xlabel="Epoch", ylabel="Loss (nats)")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


def _equal(p: str) -> str:
    return p if p.startswith(("<", "–")) else f"= {p}"
