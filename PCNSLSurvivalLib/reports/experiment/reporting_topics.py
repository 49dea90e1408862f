"""Where TRIPOD+AI, CLAIM, CLEAR and METRICS ask for each topic of a report.

The items are paraphrased; a paper needs the guidelines themselves. METRICS also grades how a study was done: its score
is the authors' to compute, so no topic gives points.

References:
    Collins et al., TRIPOD+AI statement, BMJ 385:e078378, 2024. doi:10.1136/bmj-2023-078378
    Tejani et al., CLAIM: 2024 update, Radiology: Artificial Intelligence 6(4), 2024. doi:10.1148/ryai.240300
    Kocak et al., CheckList for EvaluAtion of Radiomics research (CLEAR), Insights Imaging 14:75, 2023.
        doi:10.1186/s13244-023-01415-8
    Kocak et al., METhodological RadiomICs Score (METRICS), Insights Imaging 15:8, 2024.
        doi:10.1186/s13244-023-01572-w
"""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(frozen=True)
class Topic:
    """One topic, and where the four guidelines ask for it."""

    key: str
    words: str
    """The topic as printed."""
    tripod_ai: str
    """Number of the item in TRIPOD+AI, "–" where it has none."""
    claim: str
    """Section of CLAIM, "–" where it has none."""
    clear: tuple[int, ...]
    """Numbers of the items in CLEAR."""
    metrics: tuple[int, ...]
    """Numbers of the items in METRICS."""

    @property
    def clear_in_words(self) -> str:
        """Items of CLEAR as printed."""
        return ", ".join(str(number) for number in self.clear) or "–"

    @property
    def metrics_in_words(self) -> str:
        """Items of METRICS as printed, each with its weight."""
        return ", ".join(f"{number} ({METRICS_WEIGHTS[number - 1]:.4f})" for number in self.metrics) or "–"


TOPICS: tuple[Topic, ...] = (
    Topic(
        "title",
        "Title and abstract name the study as development or test of a prediction model",
        "1, 2",
        "Title",
        (1, 2, 3),
        (),
    ),
    Topic("background", "Clinical background, intended use and users", "3a–3c", "Introduction", (4, 5), ()),
    Topic("objective", "Objective", "4", "Introduction", (6,), ()),
    Topic(
        "data_source",
        "Source and dates of the data, prospective or retrospective",
        "5a, 5b",
        "Study design",
        (10, 13),
        (),
    ),
    Topic("setting", "Setting, eligibility, treatment", "6a–6c", "Data", (11,), (2,)),
    Topic("preparation", "Preparation of the images", "7", "Data", (21, 22), (11,)),
    Topic("outcome", "Outcome: definition and source", "8a", "Reference standard", (18,), (3,)),
    Topic("outcome_assessment", "Outcome: who assessed it, blinded to what", "8b, 8c", "Reference standard", (), ()),
    Topic("predictors", "Predictors", "9a–9c", "Data", (17,), ()),
    Topic("sample_size", "Sample size", "10", "Data partitions", (9,), ()),
    Topic("missing_data", "Missing data", "11", "Data", (29,), ()),
    Topic("partition", "Partition of the data and its level", "12a, 16", "Data partitions", (15, 38), (18, 26)),
    Topic("variables", "Handling of the variables", "12b", "Data", (32,), ()),
    Topic("network", "Type of model, architecture", "12c", "Model", (34,), ()),
    Topic("training", "Training, tuning and choice of the final model", "12c", "Training", (35, 37), ()),
    Topic("initial_weights", "Initial weights, transfer", "12c", "Training", (), ()),
    Topic("centers_and_eras", "Differences between centers and eras", "12d", "Evaluation", (), ()),
    Topic("metrics", "Measures of performance with uncertainty", "12e", "Evaluation", (39, 40), (20, 21, 22)),
    Topic("recalibration", "Recalibration or updating of the model", "12f, 24", "Model", (), ()),
    Topic("use", "How predictions are computed for a new patient", "12g, 15, 22", "Model", (), ()),
    Topic("class_imbalance", "Class imbalance", "13", "Training", (30,), ()),
    Topic("fairness", "Fairness across groups of patients", "14", "Evaluation", (), ()),
    Topic("ethics", "Ethics approval and consent", "17", "Other information", (8,), ()),
    Topic("funding", "Funding, conflicts of interest, protocol, registration", "18a–18d", "Other information", (), ()),
    Topic("data_availability", "Availability of the data", "18e", "Other information", (53, 54), (28,)),
    Topic(
        "code_availability", "Availability of the code, software versions", "18f", "Other information", (55, 56), (29,)
    ),
    Topic("patient_involvement", "Involvement of patients and the public", "19", "Other information", (), ()),
    Topic("flow", "Flow of patients", "20a", "Results", (), ()),
    Topic("characteristics", "Characteristics of the patients", "20b, 20c", "Results", (44,), ()),
    Topic("outcomes_analyzed", "Patients and outcomes of each analysis", "21", "Results", (), ()),
    Topic("performance", "Performance", "23a", "Results", (47,), ()),
    Topic("subgroups", "Differences in performance between subgroups", "23b", "Results", (), ()),
    Topic("explanation", "Explanation of the model", "–", "Evaluation", (43,), ()),
    Topic("external_test", "External test", "12a", "Evaluation", (38,), (27,)),
    Topic("failures", "Failure analysis", "–", "Results", (), ()),
    Topic(
        "interpretation", "Interpretation, limitations, usability in care", "25–27", "Discussion", (49, 50, 51, 52), ()
    ),
    Topic("guideline", "Adherence to a guideline, registered or chosen beforehand", "–", "–", (7,), (1,)),
    Topic("flowcharts", "Flowcharts of eligibility and of the technical steps", "–", "–", (12, 45), ()),
    Topic("shared_patients", "Patients shared with other publications", "–", "–", (14,), ()),
    Topic(
        "protocol",
        "Imaging protocol, its standing in practice, time to the reference standard",
        "–",
        "–",
        (16,),
        (5, 6, 7),
    ),
    Topic("center_count", "Number of centers", "–", "–", (), (4,)),
    Topic("lesion_masks", "Lesion masks: method, readers, reliability", "–", "–", (19, 20, 31), (8, 9, 10)),
    Topic("radiomics", "Radiomics: region, classes, discretization", "–", "–", (23, 25, 26), ()),
    Topic(
        "radiomics_details",
        "Radiomics: image types, number of features, software and its remaining parameters",
        "–",
        "–",
        (24, 27, 28),
        (12, 13),
    ),
    Topic("feature_selection", "Selection of features, their number beside the patients", "–", "–", (33,), (16,)),
    Topic("fragile_features", "Features that are not robust or redundant", "–", "–", (46,), (14, 15)),
    Topic("robustness", "Robustness of the networks", "–", "–", (), (17,)),
    Topic("confounders", "Confounders", "–", "–", (36,), (19,)),
    Topic("statistical_comparison", "Statistical comparison of models", "–", "–", (41,), ()),
    Topic("sequences_used", "One sequence or several", "–", "–", (), (23,)),
    Topic("baselines", "Comparison with the clinic and with classical models", "–", "–", (42, 48), (24, 25)),
    Topic("model_availability", "Availability of the model, ready to use", "–", "–", (57, 58), (30,)),
)
