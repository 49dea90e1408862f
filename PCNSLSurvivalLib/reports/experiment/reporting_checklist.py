"""The topics of the reporting guidelines, answered where the software knows the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from PCNSLSurvivalLib.core.terms import CLASS_THRESHOLD
from PCNSLSurvivalLib.reports.experiment.facts import ExperimentFacts
from PCNSLSurvivalLib.reports.experiment.reporting_topics import TOPICS, Topic
from PCNSLSurvivalLib.reports.sentences import counted, listed

OPEN = "Open: to be completed by the authors."

_PARTITIONS = {
    "site": "Each site was held out once, and the others were trained on; disjoint by patient.",
    "year": "The latest years were held out once, and the earlier ones were trained on; disjoint by patient.",
}


@dataclass(frozen=True, kw_only=True)
class ChecklistItem:
    """One topic and its answer."""

    topic: Topic
    answer: str

    @property
    def open(self) -> bool:
        """Whether the answer is left to the authors."""
        return self.answer == OPEN


def checklist(
    facts: ExperimentFacts, counts: Mapping[str, int], *, explained: bool, compared: bool = False
) -> tuple[ChecklistItem, ...]:
    """Every topic with the run's answer, or ``OPEN``.

    Args:
        facts: The facts of the run.
        counts: Counts of ``methods.text.cohort_counts``.
        explained: Whether the report holds activation maps.
        compared: Whether the report compares arms with each other.
    """
    answers = {
        **_on_the_cohort(facts, counts),
        **_on_the_model(facts, counts),
        **_on_the_evaluation(facts, explained=explained, compared=compared),
    }
    return tuple(ChecklistItem(topic=topic, answer=answers.get(topic.key, OPEN)) for topic in TOPICS)


def _on_the_cohort(facts: ExperimentFacts, counts: Mapping[str, int]) -> dict[str, str]:
    return {
        "objective": f"Development with internal validation: "
        f"OS over {facts.threshold_days:g} days from the given scans.",
        "preparation": " ".join(facts.preparation) or OPEN,
        "outcome": f"OS over {facts.threshold_days:g} days; patients censored before have no class "
        f"({counts['censored']} here).",
        "predictors": f"{listed(facts.predictors)}." if facts.predictors else OPEN,
        "sample_size": f"Not planned by the software: {counted(counts['cases'], 'exam')}, "
        f"{_smaller_class(counts)} in the smaller class; "
        "see the width of the intervals.",
        "missing_data": f"{counted(counts['excluded'], 'exam')} excluded, with reasons."
        + (" Unknown variables were imputed inside each fold." if facts.baselines else ""),
        "partition": _PARTITIONS.get(
            facts.split_by,
            f"{counts['repeats']} × {counts['folds']}-fold cross-validation, disjoint by patient, stratified by class.",
        ),
        "centers_and_eras": _PARTITIONS.get(facts.split_by, OPEN),
        "class_imbalance": f"{counts['over']} against {counts['up_to']}"
        + ("; folds stratified by class." if facts.split_by == "random" else "."),
        "flow": f"{counts['cases']} evaluated, {counts['censored']} censored without class, "
        f"{counts['excluded']} excluded.",
        "characteristics": "The data report of the prepared cohort.",
        "outcomes_analyzed": f"Classification: {counts['cases']}, of which {counts['over']} lived longer. Survival: "
        f"{counts['cases'] + counts['censored']}. The same for every arm.",
        "center_count": "More than one: each site was held out once." if facts.split_by == "site" else OPEN,
    }


def _on_the_model(facts: ExperimentFacts, counts: Mapping[str, int]) -> dict[str, str]:
    return {
        "variables": ("Standardized inside each fold; " if facts.baselines else "")
        + "images: see their preprocessing.",
        "network": facts.network or OPEN,
        "training": " ".join(part for part in (facts.training, facts.baselines) if part) or OPEN,
        "initial_weights": facts.pretraining or OPEN,
        "recalibration": _recalibration(facts),
        "use": _use(facts),
        "code_availability": "; ".join(f"{name} {version}" for name, version in facts.software.items()) or OPEN,
        "radiomics": facts.radiomics or OPEN,
        "feature_selection": f"{facts.feature_selection} "
        f"The smaller class has {counted(_smaller_class(counts), 'exam')}."
        if facts.feature_selection
        else OPEN,
        "sequences_used": "Every arm with images looks at one sequence." if facts.network or facts.radiomics else OPEN,
    }


def _on_the_evaluation(facts: ExperimentFacts, *, explained: bool, compared: bool) -> dict[str, str]:
    return {
        "metrics": "AUC, accuracy, macro precision, recall, F1, Brier, calibration, net benefit, C-index; "
        "95 % intervals.",
        "performance": "Tables and figures of this report, from held-out patients only.",
        "explanation": "Activation maps of held-out patients, with correct and incorrect predictions."
        if explained
        else OPEN,
        "external_test": "Done."
        if facts.external_test
        else "No external validation: performance in other centers is unknown.",
        "failures": "False positives and negatives are in predictions.csv."
        + (" Examples are shown." if explained else ""),
        "statistical_comparison": "DeLong's test of the AUC over patients, with Holm's correction, and permuted "
        "outcomes against chance; see the methods."
        if compared
        else OPEN,
        "baselines": "Baselines on clinical variables were judged on the same folds; see the tables."
        if facts.clinical_baselines
        else OPEN,
    }


def _smaller_class(counts: Mapping[str, int]) -> int:
    return min(counts["over"], counts["up_to"])


def _recalibration(facts: ExperimentFacts) -> str:
    if not facts.model_arm:
        return OPEN
    return f"The log-odds of the model of {facts.model_arm} are divided by a temperature, fitted to held-out patients."


def _use(facts: ExperimentFacts) -> str:
    if not facts.model_arm:
        return OPEN
    return (
        f"By the model folder of {facts.model_arm}: mean log-odds of its networks, divided by its temperature; OS over "
        f"{facts.threshold_days:g} days from a probability of {CLASS_THRESHOLD:g}. See its model card."
    )
