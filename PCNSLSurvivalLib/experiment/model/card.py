"""The card of a model from an experiment: training patients and held-out performance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from scipy.special import expit, logit

from PCNSLSurvivalLib.core.terms import RESEARCH_USE_ONLY
from PCNSLSurvivalLib.evaluation.classification import METRICS
from PCNSLSurvivalLib.evaluation.out_of_fold import Estimate, out_of_fold_metrics
from PCNSLSurvivalLib.evaluation.predictions import FoldPredictions
from PCNSLSurvivalLib.experiment.plan import ExperimentPlan
from PCNSLSurvivalLib.models.calibration import HIGHEST
from PCNSLSurvivalLib.models.ensemble_calibration import EnsembleCalibration
from PCNSLSurvivalLib.reports.sentences import times

NOTHING_TOLD = (
    f"The temperature is at its bound of {HIGHEST:g}: held-out probabilities were uninformative, and "
    "the probabilities of the model are all close to 0.5."
)
_VIRTUAL = """# DEMONSTRATION: trained on virtual heads only; must not be used on patients

Its training patients are virtual: probabilities and maps have no prognostic value.

"""


def model_card(
    plan: ExperimentPlan,
    whom: str,
    calibration: EnsembleCalibration,
    folds: Sequence[FoldPredictions],
    patients: Mapping[str, str],
    started_from: str,
    license_name: str,
) -> str:
    """The card, as Markdown.

    Args:
        plan: What was run.
        whom: The training cohort, counted.
        calibration: The temperature of the folder, and of single networks.
        folds: Held-out predictions of the model's arm, at temperature 1.
        patients: Whose exam each case is.
        started_from: Description of the initial weights.
        license_name: Of the folder.
    """
    before = out_of_fold_metrics(folds, patients=patients, seed=plan.seed)
    alone, shipped = calibration.temperature_of(1), calibration.temperature_of(plan.splits)
    after = out_of_fold_metrics(_divided(folds, alone), patients=patients, seed=plan.seed)
    performance = "\n".join(
        f"| {METRICS[name].label} | {_shown(one)} |"
        for name, one in before.items()
        if not METRICS[name].of_probabilities
    )
    probabilities = "\n".join(
        f"| {METRICS[name].label} | {_shown(before[name])} | {_shown(after[name])} |"
        for name in before
        if METRICS[name].of_probabilities
    )
    return f"""{_VIRTUAL if plan.virtual_patients else ""}\
# One-year overall survival of primary CNS lymphoma: {plan.model_arm}

| | |
|---|---|
| Network | 3D {plan.network.name}, width multiplier {plan.network.widen_factor:g}; {plan.splits} members |
| Training patients | {whom} |
| Initial weights | {started_from} |
| Outcome | {outcome_in_words(plan)} |
| Calibration | temperature {shipped:.2f} of the mean of {plan.splits} networks, from held-out predictions |
| License | {license_name} |

## Single networks on held-out patients

{plan.splits}-fold cross-validation, {times(plan.repeats)}; 95 % intervals. Each
network is evaluated on the patients it was not trained on. The mean of the {plan.splits} networks in this folder has no
such patients: `pcnsl-survival validate` evaluates it on another cohort.

| | |
|---|---|
{performance}

## Calibration

This folder divides the mean log-odds of its {plan.splits} networks by {shipped:.2f}. {_how_fitted(calibration, plan)}

Single networks, before and after division by their own temperature. It was fitted on the same predictions, so the right
column is slightly optimistic.

| | temperature 1 | temperature {alone:.2f} |
|---|---|---|
{probabilities}
{_told_nothing(calibration)}
{RESEARCH_USE_ONLY}

Made by `pcnsl-survival experiment`.
"""


def outcome_in_words(plan: ExperimentPlan) -> str:
    """What a network of the plan predicts."""
    over = f"OS of more than {plan.threshold_days:g} days"
    if plan.outcome == "class":
        return over
    limits = ", ".join(f"{days:g}" for days in plan.intervals_days)
    return f"survival at days {limits}; at day {plan.threshold_days:g}: {over}"


def _divided(folds: Sequence[FoldPredictions], temperature: float) -> list[FoldPredictions]:
    """The same predictions with their log-odds divided; a probability of 0 or 1 stays one."""
    return [replace(one, probability=expit(logit(one.probability) / temperature)) for one in folds]


def _how_fitted(calibration: EnsembleCalibration, plan: ExperimentPlan) -> str:
    """Where the temperature comes from, and how it was carried over to the mean of all networks."""
    means = "single networks" if calibration.networks == 1 else f"means of {calibration.networks} networks"
    fitted = f"It was fitted on held-out predictions of {means} ({calibration.held_out.temperature:.2f})"
    if calibration.held_out.at_bound or calibration.networks == plan.splits:
        return f"{fitted}."
    if calibration.between is None:
        return (
            f"{fitted} and not corrected for the mean of {plan.splits}: too few patients were predicted by two "
            "networks that had not seen them. Probabilities are likely too close to 0.5."
        )
    return (
        f"{fitted} and corrected for the mean of {plan.splits}, in which networks disagree less (variance of the "
        f"log-odds between networks {calibration.between:.2f}, between patients {calibration.variance:.2f})."
    )


def _told_nothing(calibration: EnsembleCalibration) -> str:
    return f"\n{NOTHING_TOLD}\n" if calibration.held_out.at_bound else ""


def _shown(one: Estimate) -> str:
    return f"{one.value:.2f} ({one.low:.2f} to {one.high:.2f})"
