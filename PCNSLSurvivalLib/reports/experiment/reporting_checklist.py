"""The items of TRIPOD+AI, CLAIM, CLEAR and METRICS, answered where the software knows the answer.

The items are paraphrased; a paper needs the guidelines themselves. METRICS also grades how a study was done: its score
is the authors' to compute, so an answer here gives no points.

References:
    Collins et al., TRIPOD+AI statement, BMJ 385:e078378, 2024. doi:10.1136/bmj-2023-078378
    Tejani et al., CLAIM: 2024 update, Radiology: Artificial Intelligence 6(4), 2024. doi:10.1148/ryai.240300
    Kocak et al., CheckList for EvaluAtion of Radiomics research (CLEAR), Insights Imaging 14:75, 2023.
        doi:10.1186/s13244-023-01415-8
    Kocak et al., METhodological RadiomICs Score (METRICS), Insights Imaging 15:8, 2024.
        doi:10.1186/s13244-023-01572-w
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from PCNSLSurvivalLib.core.terms import CLASS_THRESHOLD
from PCNSLSurvivalLib.reports.experiment.facts import ExperimentFacts
from PCNSLSurvivalLib.reports.sentences import counted, listed

OPEN = "Open: to be completed by the authors."

CLEAR_ITEMS = 58
METRICS_WEIGHTS: tuple[float, ...] = (
    *(0.0368, 0.0735, 0.0919),  # study design
    *(0.0438, 0.0292, 0.0438, 0.0292),  # imaging data
    *(0.0337, 0.0225, 0.0112),  # segmentation
    *(0.0622, 0.0311, 0.0415),  # image processing and feature extraction
    *(0.0200, 0.0200, 0.0300, 0.0200),  # feature processing
    *(0.0599, 0.0300),  # preparation for modeling
    *(0.0352, 0.0234, 0.0176, 0.0117, 0.0293, 0.0176),  # metrics and comparison
    *(0.0375, 0.0749),  # testing
    *(0.0075, 0.0075, 0.0075),  # open science
)
"""Weight of each item of METRICS, from item 1 on, with every conditional item applied (table 1 of the paper)."""

_PARTITIONS = {
    "site": "Each site was held out once, and the others were trained on; disjoint by patient.",
    "year": "The latest years were held out once, and the earlier ones were trained on; disjoint by patient.",
}


@dataclass(frozen=True, kw_only=True)
class ChecklistItem:
    """One topic: where the four guidelines ask for it, and the answer."""

    topic: str
    tripod_ai: str
    """Number of the item in TRIPOD+AI, "–" where it has none."""
    claim: str
    """Section of CLAIM, "–" where it has none."""
    clear: tuple[int, ...]
    """Numbers of the items in CLEAR."""
    metrics: tuple[int, ...]
    """Numbers of the items in METRICS."""
    answer: str

    @property
    def clear_in_words(self) -> str:
        """Items of CLEAR as printed."""
        return ", ".join(str(number) for number in self.clear) or "–"

    @property
    def metrics_in_words(self) -> str:
        """Items of METRICS as printed, each with its weight."""
        return ", ".join(f"{number} ({METRICS_WEIGHTS[number - 1]:.4f})" for number in self.metrics) or "–"

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
    fewer = min(counts["over"], counts["up_to"])
    rows: tuple[tuple[str, str, str, tuple[int, ...], tuple[int, ...], str], ...] = (
        (
            "Title and abstract name the study as development or test of a prediction model",
            "1, 2",
            "Title",
            (1, 2, 3),
            (),
            OPEN,
        ),
        ("Clinical background, intended use and users", "3a–3c", "Introduction", (4, 5), (), OPEN),
        (
            "Objective",
            "4",
            "Introduction",
            (6,),
            (),
            f"Development with internal validation: OS over {facts.threshold_days:g} days from the given scans.",
        ),
        ("Source and dates of the data, prospective or retrospective", "5a, 5b", "Study design", (10, 13), (), OPEN),
        ("Setting, eligibility, treatment", "6a–6c", "Data", (11,), (2,), OPEN),
        ("Preparation of the images", "7", "Data", (21, 22), (11,), " ".join(facts.preparation) or OPEN),
        (
            "Outcome: definition and source",
            "8a",
            "Reference standard",
            (18,),
            (3,),
            f"OS over {facts.threshold_days:g} days; patients censored before have no class "
            f"({counts['censored']} here).",
        ),
        ("Outcome: who assessed it, blinded to what", "8b, 8c", "Reference standard", (), (), OPEN),
        ("Predictors", "9a–9c", "Data", (17,), (), f"{listed(facts.predictors)}." if facts.predictors else OPEN),
        (
            "Sample size",
            "10",
            "Data partitions",
            (9,),
            (),
            f"Not planned by the software: {counted(counts['cases'], 'exam')}, {fewer} in the smaller class; "
            "see the width of the intervals.",
        ),
        (
            "Missing data",
            "11",
            "Data",
            (29,),
            (),
            f"{counted(counts['excluded'], 'exam')} excluded, with reasons."
            + (" Unknown variables were imputed inside each fold." if facts.baselines else ""),
        ),
        (
            "Partition of the data and its level",
            "12a, 16",
            "Data partitions",
            (15, 38),
            (18, 26),
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
            (32,),
            (),
            ("Standardized inside each fold; " if facts.baselines else "") + "images: see their preprocessing.",
        ),
        ("Type of model, architecture", "12c", "Model", (34,), (), facts.network or OPEN),
        (
            "Training, tuning and choice of the final model",
            "12c",
            "Training",
            (35, 37),
            (),
            " ".join(part for part in (facts.training, facts.baselines) if part) or OPEN,
        ),
        ("Initial weights, transfer", "12c", "Training", (), (), facts.pretraining or OPEN),
        ("Differences between centers and eras", "12d", "Evaluation", (), (), _PARTITIONS.get(facts.split_by, OPEN)),
        (
            "Measures of performance with uncertainty",
            "12e",
            "Evaluation",
            (39, 40),
            (20, 21, 22),
            "AUC, accuracy, macro precision, recall, F1, Brier, calibration, net benefit, C-index; 95 % intervals.",
        ),
        ("Recalibration or updating of the model", "12f, 24", "Model", (), (), _recalibration(facts)),
        ("How predictions are computed for a new patient", "12g, 15, 22", "Model", (), (), _use(facts)),
        (
            "Class imbalance",
            "13",
            "Training",
            (30,),
            (),
            f"{counts['over']} against {counts['up_to']}"
            + ("; folds stratified by class." if facts.split_by == "random" else "."),
        ),
        ("Fairness across groups of patients", "14", "Evaluation", (), (), OPEN),
        ("Ethics approval and consent", "17", "Other information", (8,), (), OPEN),
        ("Funding, conflicts of interest, protocol, registration", "18a–18d", "Other information", (), (), OPEN),
        ("Availability of the data", "18e", "Other information", (53, 54), (28,), OPEN),
        (
            "Availability of the code, software versions",
            "18f",
            "Other information",
            (55, 56),
            (29,),
            "; ".join(f"{name} {version}" for name, version in facts.software.items()) or OPEN,
        ),
        ("Involvement of patients and the public", "19", "Other information", (), (), OPEN),
        (
            "Flow of patients",
            "20a",
            "Results",
            (),
            (),
            f"{counts['cases']} evaluated, {counts['censored']} censored without class, {counts['excluded']} excluded.",
        ),
        (
            "Characteristics of the patients",
            "20b, 20c",
            "Results",
            (44,),
            (),
            "The data report of the prepared cohort.",
        ),
        (
            "Patients and outcomes of each analysis",
            "21",
            "Results",
            (),
            (),
            f"Classification: {counts['cases']}, of which {counts['over']} lived longer. Survival: "
            f"{counts['cases'] + counts['censored']}. The same for every arm.",
        ),
        ("Performance", "23a", "Results", (47,), (), "Tables and figures of this report, from held-out patients only."),
        ("Differences in performance between subgroups", "23b", "Results", (), (), OPEN),
        (
            "Explanation of the model",
            "–",
            "Evaluation",
            (43,),
            (),
            "Activation maps of held-out patients, with correct and incorrect predictions." if explained else OPEN,
        ),
        (
            "External test",
            "12a",
            "Evaluation",
            (38,),
            (27,),
            "Done." if facts.external_test else "No external validation: performance in other centers is unknown.",
        ),
        (
            "Failure analysis",
            "–",
            "Results",
            (),
            (),
            "False positives and negatives are in predictions.csv." + (" Examples are shown." if explained else ""),
        ),
        ("Interpretation, limitations, usability in care", "25–27", "Discussion", (49, 50, 51, 52), (), OPEN),
        ("Adherence to a guideline, registered or chosen beforehand", "–", "–", (7,), (1,), OPEN),
        ("Flowcharts of eligibility and of the technical steps", "–", "–", (12, 45), (), OPEN),
        ("Patients shared with other publications", "–", "–", (14,), (), OPEN),
        (
            "Imaging protocol, its standing in practice, time to the reference standard",
            "–",
            "–",
            (16,),
            (5, 6, 7),
            OPEN,
        ),
        (
            "Number of centers",
            "–",
            "–",
            (),
            (4,),
            "More than one: each site was held out once." if facts.split_by == "site" else OPEN,
        ),
        ("Lesion masks: method, readers, reliability", "–", "–", (19, 20, 31), (8, 9, 10), OPEN),
        ("Radiomics: region, classes, discretization", "–", "–", (23, 25, 26), (), facts.radiomics or OPEN),
        (
            "Radiomics: image types, number of features, software and its remaining parameters",
            "–",
            "–",
            (24, 27, 28),
            (12, 13),
            OPEN,
        ),
        (
            "Selection of features, their number beside the patients",
            "–",
            "–",
            (33,),
            (16,),
            f"{facts.feature_selection} The smaller class has {counted(fewer, 'exam')}."
            if facts.feature_selection
            else OPEN,
        ),
        ("Features that are not robust or redundant", "–", "–", (46,), (14, 15), OPEN),
        ("Robustness of the networks", "–", "–", (), (17,), OPEN),
        ("Confounders", "–", "–", (36,), (19,), OPEN),
        (
            "Statistical comparison of models",
            "–",
            "–",
            (41,),
            (),
            "Corrected resampled t-test and DeLong's test of the AUC, with Holm's correction; see the methods."
            if compared
            else OPEN,
        ),
        (
            "One sequence or several",
            "–",
            "–",
            (),
            (23,),
            "Every arm with images looks at one sequence." if facts.network or facts.radiomics else OPEN,
        ),
        (
            "Comparison with the clinic and with classical models",
            "–",
            "–",
            (42, 48),
            (24, 25),
            "Baselines on clinical variables were judged on the same folds; see the tables."
            if facts.clinical_baselines
            else OPEN,
        ),
        ("Availability of the model, ready to use", "–", "–", (57, 58), (30,), OPEN),
    )
    return tuple(
        ChecklistItem(topic=topic, tripod_ai=tripod, claim=claim, clear=clear, metrics=metrics, answer=answer)
        for topic, tripod, claim, clear, metrics, answer in rows
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
