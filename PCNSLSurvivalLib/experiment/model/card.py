"""The card of a model from an experiment: training patients and held-out performance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from scipy.special import expit, logit

from PCNSLSurvivalLib.core.terms import RESEARCH_USE_ONLY
from PCNSLSurvivalLib.evaluation.classification import METRIC_LABELS
from PCNSLSurvivalLib.evaluation.out_of_fold import Estimate, out_of_fold_metrics
from PCNSLSurvivalLib.evaluation.predictions import FoldPredictions
from PCNSLSurvivalLib.experiment.plan import ExperimentPlan
from PCNSLSurvivalLib.models.calibration import HIGHEST, Calibration

NOTHING_TOLD = (
    f"The temperature is at its bound of {HIGHEST:g}: held-out probabilities were uninformative, and "
    "the probabilities of the model are all close to 0.5."
)
_OF_PROBABILITIES = ("brier", "calibration_slope", "calibration_intercept")
"""What a temperature changes; it moves no patient past another, nor past one half."""
_VIRTUAL = """# DEMONSTRATION: trained on virtual heads only; must not be used on patients

Its training patients are virtual: probabilities and maps have no prognostic value.

"""


def model_card(
    plan: ExperimentPlan,
    whom: str,
    calibration: Calibration,
    folds: Sequence[FoldPredictions],
    patients: Mapping[str, str],
    started_from: str,
) -> str:
    """The card, as Markdown.

    Args:
        plan: What was run.
        whom: The training cohort, counted.
        calibration: The temperature of the folder.
        folds: Held-out predictions of the model's arm, at temperature 1.
        patients: Whose examination each case is.
        started_from: Description of the initial weights.
    """
    before = out_of_fold_metrics(folds, patients=patients, seed=plan.seed)
    after = out_of_fold_metrics(_divided(folds, calibration.temperature), patients=patients, seed=plan.seed)
    performance = "\n".join(
        f"| {METRIC_LABELS[name]} | {_shown(one)} |" for name, one in before.items() if name not in _OF_PROBABILITIES
    )
    probabilities = "\n".join(
        f"| {METRIC_LABELS[name]} | {_shown(before[name])} | {_shown(after[name])} |" for name in _OF_PROBABILITIES
    )
    return f"""{_VIRTUAL if plan.virtual_patients else ""}\
# One-year overall survival of primary CNS lymphoma: {plan.model_arm}

| | |
|---|---|
| Network | 3D {plan.network.name}, width multiplier {plan.network.widen_factor:g}; {plan.splits} members |
| Training patients | {whom} |
| Initial weights | {started_from} |
| Outcome | OS of more than {plan.threshold_days:g} days |
| Calibration | temperature {calibration.temperature:.2f}, from held-out predictions |
| License | Apache-2.0 |

## Performance on held-out patients

{plan.splits}-fold cross-validation, {plan.repeats} {"time" if plan.repeats == 1 else "times"}; 95 % intervals. All
values are those of single networks, not of the ensemble in this folder.

| | |
|---|---|
{performance}

## Calibration before and after temperature scaling

This folder divides the log-odds by its temperature. The temperature was fitted on the same held-out predictions, so the
right column is slightly optimistic.

| | temperature 1 | temperature {calibration.temperature:.2f} |
|---|---|---|
{probabilities}
{_told_nothing(calibration)}
{RESEARCH_USE_ONLY}

Made by `pcnsl-survival experiment`.
"""


def _divided(folds: Sequence[FoldPredictions], temperature: float) -> list[FoldPredictions]:
    """The same predictions with their log-odds divided; a probability of 0 or 1 stays one."""
    return [replace(one, probability=expit(logit(one.probability) / temperature)) for one in folds]


def _told_nothing(calibration: Calibration) -> str:
    return f"\n{NOTHING_TOLD}\n" if calibration.at_bound else ""


def _shown(one: Estimate) -> str:
    return f"{one.value:.2f} ({one.low:.2f} to {one.high:.2f})"
