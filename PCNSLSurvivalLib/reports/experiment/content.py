"""What the report of an experiment shows, computed once: tables, figures and page are made from this value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PCNSLSurvivalLib.evaluation.optimism import Optimism
from PCNSLSurvivalLib.evaluation.predictions import FoldPredictions
from PCNSLSurvivalLib.reports.experiment.facts import ActivationExample, ExperimentFacts, TrainingHistory
from PCNSLSurvivalLib.reports.experiment.reporting_checklist import ChecklistItem
from PCNSLSurvivalLib.reports.experiment.survival_results import ArmSurvival
from PCNSLSurvivalLib.reports.experiment.tables import AdjustedComparison, ArmResult


@dataclass(frozen=True, kw_only=True, eq=False)
class ReportContent:
    """The results of an experiment.

    Attributes:
        arms: Folds of each arm, by its name.
        reference: The arm with which the others are compared.
        labels: How an arm is named in tables and figures; its name where it is not listed.
        facts: What methods paragraph and checklist know of the run.
        results: Metrics of each arm.
        compared: Comparisons of pairs of arms.
        survival: Survival of the groups that each arm predicts.
        missing: Names of arms that were planned and have no result.
        counts: Patients and exams, as the methods paragraph counts them.
        methods: Paragraphs for a methods section.
        items: The reporting checklist, answered as far as the software knows.
        examples: Held-out patients with their activation maps.
        histories: Loss by epoch of each arm's networks.
        optimism: Of choosing the epoch on the patients who are reported, by network arm.
    """

    arms: Mapping[str, Sequence[FoldPredictions]]
    reference: str
    labels: Mapping[str, str]
    facts: ExperimentFacts
    results: Sequence[ArmResult]
    compared: Sequence[AdjustedComparison]
    survival: Sequence[ArmSurvival]
    missing: Sequence[str]
    counts: Mapping[str, int]
    methods: Sequence[str]
    items: Sequence[ChecklistItem]
    examples: Sequence[ActivationExample]
    histories: Mapping[str, Sequence[TrainingHistory]]
    optimism: Mapping[str, Optimism]

    @property
    def reference_label(self) -> str:
        """How the reference arm is named."""
        return self.labels.get(self.reference, self.reference)
