"""The items of the reporting guidelines TRIPOD+AI and CLAIM, answered where the software knows the answer.

The items are paraphrased; a paper needs the guidelines themselves.

References:
    Collins et al., TRIPOD+AI statement, BMJ 385:e078378, 2024. doi:10.1136/bmj-2023-078378
    Tejani et al., CLAIM: 2024 update, Radiology: Artificial Intelligence 6(4), 2024. doi:10.1148/ryai.240300
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from PCNSLSurvivalLib.core.terms import CLASS_THRESHOLD
from PCNSLSurvivalLib.reports.experiment.facts import ExperimentFacts
from PCNSLSurvivalLib.reports.sentences import counted, listed

OPEN = "Open: to be completed by the authors."

_PARTITIONS = {
    "site": "Each site was held out once, and the others were trained on; disjoint by patient.",
    "year": "The latest years were held out once, and the earlier ones were trained on; disjoint by patient.",
}


@dataclass(frozen=True, kw_only=True)
class ChecklistItem:
    """One topic: where TRIPOD+AI and CLAIM ask for it, and the answer."""

    topic: str
    tripod_ai: str
    """Number of the item in TRIPOD+AI, "–" where it has none."""
    claim: str
    """Section of CLAIM."""
    answer: str

    @property
    def open(self) -> bool:
        """Whether the answer is left to the authors."""
        return self.answer == OPEN


def checklist(facts: ExperimentFacts, counts: Mapping[str, int], *, explained: bool) -> tuple[ChecklistItem, ...]:
    """Every topic with the run's answer, or ``OPEN``.

    Args:
        facts: The facts of the run.
        counts: Counts of ``methods.text.cohort_counts``.
        explained: Whether the report holds activation maps.
    """
    fewer = min(counts["over"], counts["up_to"])
    rows = (
        ("Title and abstract name the study as development or test of a prediction model", "1, 2", "Title", OPEN),
        ("Clinical background, intended use and users", "3a–3c", "Introduction", OPEN),
        (
            "Objective",
            "4",
            "Introduction",
            f"Development with internal validation: OS over {facts.threshold_days:g} days from the given scans.",
        ),
        ("Source and dates of the data, prospective or retrospective", "5a, 5b", "Study design", OPEN),
        ("Setting, eligibility, treatment", "6a–6c", "Data", OPEN),
        ("Preparation of the images", "7", "Data", " ".join(facts.preparation) or OPEN),
        (
            "Outcome: definition and source",
            "8a",
            "Reference standard",
            f"OS over {facts.threshold_days:g} days; patients censored before have no class "
            f"({counts['censored']} here).",
        ),
        ("Outcome: who assessed it, blinded to what", "8b, 8c", "Reference standard", OPEN),
        ("Predictors", "9a–9c", "Data", f"{listed(facts.predictors)}." if facts.predictors else OPEN),
        (
            "Sample size",
            "10",
            "Data partitions",
            f"Not planned by the software: {counted(counts['cases'], 'exam')}, {fewer} in the smaller class; "
            "see the width of the intervals.",
        ),
        (
            "Missing data",
            "11",
            "Data",
            f"{counted(counts['excluded'], 'exam')} excluded, with reasons."
            + (" Unknown variables were imputed inside each fold." if facts.baselines else ""),
        ),
        (
            "Partition of the data and its level",
            "12a, 16",
            "Data partitions",
            _PARTITIONS.get(
                facts.split_by,
                f"{counts['repeats']} × {counts['folds']}-fold cross-validation, disjoint by patient, stratified by "
                "class.",
            ),
        ),
        (
            "Handling of the variables",
            "12b",
            "Data",
            ("Standardized inside each fold; " if facts.baselines else "") + "images: see their preprocessing.",
        ),
        ("Type of model, architecture", "12c", "Model", facts.network or OPEN),
        (
            "Training, tuning and choice of the final model",
            "12c",
            "Training",
            " ".join(part for part in (facts.training, facts.baselines) if part) or OPEN,
        ),
        ("Initial weights, transfer", "12c", "Training", facts.pretraining or OPEN),
        ("Differences between centers and eras", "12d", "Evaluation", _PARTITIONS.get(facts.split_by, OPEN)),
        (
            "Measures of performance with uncertainty",
            "12e",
            "Evaluation",
            "AUC, accuracy, macro precision, recall, F1, Brier, calibration, net benefit, C-index; 95 % intervals.",
        ),
        ("Recalibration or updating of the model", "12f, 24", "Model", _recalibration(facts)),
        ("How predictions are computed for a new patient", "12g, 15, 22", "Model", _use(facts)),
        (
            "Class imbalance",
            "13",
            "Training",
            f"{counts['over']} against {counts['up_to']}"
            + ("; folds stratified by class." if facts.split_by == "random" else "."),
        ),
        ("Fairness across groups of patients", "14", "Evaluation", OPEN),
        ("Ethics approval and consent", "17", "Other information", OPEN),
        ("Funding, conflicts of interest, protocol, registration", "18a–18d", "Other information", OPEN),
        ("Availability of the data", "18e", "Other information", OPEN),
        (
            "Availability of the code, software versions",
            "18f",
            "Other information",
            "; ".join(f"{name} {version}" for name, version in facts.software.items()) or OPEN,
        ),
        ("Involvement of patients and the public", "19", "Other information", OPEN),
        (
            "Flow of patients",
            "20a",
            "Results",
            f"{counts['cases']} evaluated, {counts['censored']} censored without class, {counts['excluded']} excluded.",
        ),
        ("Characteristics of the patients", "20b, 20c", "Results", "The data report of the prepared cohort."),
        (
            "Patients and outcomes of each analysis",
            "21",
            "Results",
            f"Classification: {counts['cases']}, of which {counts['over']} lived longer. Survival: "
            f"{counts['cases'] + counts['censored']}. The same for every arm.",
        ),
        ("Performance", "23a", "Results", "Tables and figures of this report, from held-out patients only."),
        ("Differences in performance between subgroups", "23b", "Results", OPEN),
        (
            "Explanation of the model",
            "–",
            "Evaluation",
            "Activation maps of held-out patients, with correct and incorrect predictions." if explained else OPEN,
        ),
        (
            "External test",
            "12a",
            "Evaluation",
            "Done." if facts.external_test else "No external validation: performance in other centers is unknown.",
        ),
        (
            "Failure analysis",
            "–",
            "Results",
            "False positives and negatives are in predictions.csv." + (" Examples are shown." if explained else ""),
        ),
        ("Interpretation, limitations, usability in care", "25–27", "Discussion", OPEN),
    )
    return tuple(
        ChecklistItem(topic=topic, tripod_ai=tripod, claim=claim, answer=answer)
        for topic, tripod, claim, answer in rows
    )


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
