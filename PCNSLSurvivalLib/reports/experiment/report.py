"""The report of an experiment: every table and figure of a paper from held-out predictions, in one folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from PCNSLSurvivalLib.cohorts.case import os_class_of
from PCNSLSurvivalLib.core.errors import EvaluationError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.storage.files import refuse_foreign, whole_folder
from PCNSLSurvivalLib.core.terms import RESEARCH_USE_ONLY
from PCNSLSurvivalLib.evaluation.classification import METRICS, PAPER_METRICS
from PCNSLSurvivalLib.evaluation.optimism import EpochScores, measure_optimism
from PCNSLSurvivalLib.evaluation.predictions import FoldPredictions, by_arm, write_predictions
from PCNSLSurvivalLib.reports.experiment.content import ReportContent
from PCNSLSurvivalLib.reports.experiment.csv_tables import (
    write_comparisons_csv,
    write_fold_metrics_csv,
    write_optimism_csv,
    write_results_csv,
    write_survival_csv,
    write_survival_over_time_csv,
)
from PCNSLSurvivalLib.reports.experiment.facts import (
    ActivationExample,
    ExperimentFacts,
    SurvivalOutcome,
    TrainingHistory,
)
from PCNSLSurvivalLib.reports.experiment.figures import FIGURES_FOLDER, planned_figures, save_figures
from PCNSLSurvivalLib.reports.experiment.methods.text import cohort_counts, methods_paragraphs, partition_in_words
from PCNSLSurvivalLib.reports.experiment.reporting_checklist import checklist
from PCNSLSurvivalLib.reports.experiment.survival_results import arms_survival
from PCNSLSurvivalLib.reports.experiment.tables import (
    arm_results,
    comparisons,
    detectable,
    holm_p,
    interval,
    not_measured,
    number,
    p_value,
    results_latex,
    signed,
    starred,
)
from PCNSLSurvivalLib.reports.pages import rendered_page
from PCNSLSurvivalLib.reports.sentences import first_sentence

if TYPE_CHECKING:
    pass

REPORT_FILE = "experiment_report.html"
_OVERALL = {"brier_integrated": "Integrated Brier score", "uno_c": "Uno's C"}
_WRITTEN = (
    REPORT_FILE,
    FIGURES_FOLDER,
    "predictions.csv",
    "results.csv",
    "fold_metrics.csv",
    "comparisons.csv",
    "optimism.csv",
    "survival.csv",
    "survival_over_time.csv",
    "results_table.tex",
    "methods.txt",
)


def refuse_foreign_report(out: Path) -> None:
    """Refuse early a folder that ``write_experiment_report`` would replace and that is no report, or more than one.

    Raises:
        OutputFolderError: See ``refuse_foreign``.
    """
    refuse_foreign(out, ours=_WRITTEN, mark=REPORT_FILE, says=RESEARCH_USE_ONLY)


@dataclass(frozen=True, kw_only=True)
class ArmsShown:
    """How the arms of an experiment are named and compared."""

    labels: Mapping[str, str] = field(default_factory=dict)
    """What an arm is called in tables and figures, by its name; the name itself where there is none."""
    reference: str | None = None
    """Arm against which the others are compared and starred; the first one if None."""
    pairs: Sequence[tuple[str, str]] = ()
    """Further pairs (arm, against) to compare, for example transfer against scratch."""
    missing: Sequence[str] = ()
    """Names, as in tables, of arms that were planned and have no result."""


@dataclass(frozen=True, kw_only=True)
class NetworksShown:
    """What a report shows of the networks themselves."""

    examples: Sequence[ActivationExample] = ()
    """Held-out patients with their activation maps; see ``choose_examples``."""
    histories: Mapping[str, Sequence[TrainingHistory]] = field(default_factory=dict)
    """Loss by epoch of each arm's networks; see ``read_history``."""
    epoch_scores: Mapping[str, Sequence[EpochScores]] = field(default_factory=dict)
    """Predictions of validation exams after every epoch, by network arm and in the order of its folds; none where a
    fold's network is of an earlier version and kept none."""


def write_experiment_report(
    out: Path,
    predictions: Iterable[FoldPredictions],
    *,
    outcomes: Mapping[str, SurvivalOutcome],
    facts: ExperimentFacts | None = None,
    shown: ArmsShown | None = None,
    networks: NetworksShown | None = None,
    resamples: int = 2000,
    overwrite: bool = False,
) -> Path:
    """Write the report of an experiment: HTML, CSV, LaTeX, and every figure as PNG and SVG.

    Args:
        out: Folder to make, whole or not at all.
        predictions: Held-out predictions of all arms, all folds.
        outcomes: Survival by name of case, for example from ``outcomes_of``; of censored cases too.
        facts: What the methods paragraph and the checklist say of the run.
        shown: How the arms are named and compared.
        networks: What there is to see of the networks.
        resamples: Bootstrap samples of every interval.
        overwrite: Allow ``out`` to hold files, which the report replaces.

    Returns:
        The HTML file.

    Raises:
        EvaluationError: There are no predictions, the arms were not judged on the same cases, or the reference arm is
            none of them.
        OutputFolderError: ``out`` cannot be written, or holds files and ``overwrite`` is off.
    """
    arms = by_arm(predictions)
    if not arms:
        raise EvaluationError(Message("experiment_report.no_predictions"))
    shown, networks = shown or ArmsShown(), networks or NetworksShown()
    labels, reference = shown.labels, shown.reference if shown.reference is not None else next(iter(arms))
    if reference not in arms:
        raise EvaluationError(Message("experiment_report.no_reference", arm=reference, known=tuple(arms)))
    facts = facts or ExperimentFacts()
    patients = {case: one.patient_id for case, one in outcomes.items()}
    classes = _classes(outcomes, facts.threshold_days)
    others, extra = _compared_pairs(tuple(arms), reference, shown.pairs)
    counts = cohort_counts(arms, outcomes, facts)
    methods = methods_paragraphs(
        counts,
        facts,
        labels.get(reference, reference) if len(arms) > 1 else None,
        [(labels.get(a, a), labels.get(b, b)) for a, b in extra],
        resamples=resamples,
    )
    content = ReportContent(
        arms=arms,
        reference=reference,
        labels=labels,
        facts=facts,
        results=arm_results(arms, labels, patients=patients, resamples=resamples),
        compared=comparisons(arms, labels, [*others, *extra], patients=patients),
        survival=arms_survival(arms, outcomes, labels, resamples=resamples, class_days=facts.threshold_days),
        missing=shown.missing,
        counts=counts,
        methods=methods,
        items=checklist(facts, counts, explained=bool(networks.examples), compared=len(arms) > 1),
        examples=networks.examples,
        histories=networks.histories,
        optimism={
            arm: measure_optimism(arms[arm], trainings, os_class=classes, patients=patients)
            for arm, trainings in networks.epoch_scores.items()
        },
    )
    with whole_folder(out, overwrite=overwrite) as staging:
        _write_tables(content, staging)
        figures = save_figures(planned_figures(content), staging / FIGURES_FOLDER)
        (staging / REPORT_FILE).write_text(_page(content, figures), encoding="utf-8")
    return out / REPORT_FILE


def _classes(outcomes: Mapping[str, SurvivalOutcome], threshold_days: float) -> dict[str, int]:
    """OS class by name of the cases that have one."""
    known = {case: os_class_of(one.os_days, one.death_observed, threshold_days) for case, one in outcomes.items()}
    return {case: int(one) for case, one in known.items() if one is not None}


def _compared_pairs(
    arms: tuple[str, ...], reference: str, pairs: Sequence[tuple[str, str]]
) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Every arm against the reference, and the further pairs that are not among these, whichever way round."""
    others = [(arm, reference) for arm in arms if arm != reference]
    extra: list[tuple[str, str]] = []
    for pair in pairs:
        # Transfer against scratch of the reference is one of the comparisons with it, the other way round.
        if not any(set(pair) == set(other) for other in (*others, *extra)):
            extra.append(pair)
    return others, extra


def _write_tables(content: ReportContent, staging: Path) -> None:
    """Every number as CSV, the results table in LaTeX, and the methods paragraph."""
    write_predictions((one for folds in content.arms.values() for one in folds), staging / "predictions.csv")
    write_results_csv(content.results, staging / "results.csv")
    write_fold_metrics_csv(content.arms, staging / "fold_metrics.csv")
    write_comparisons_csv(content.compared, staging / "comparisons.csv")
    write_optimism_csv(content.optimism, staging / "optimism.csv")
    write_survival_csv(content.survival, staging / "survival.csv")
    write_survival_over_time_csv(content.survival, staging / "survival_over_time.csv")
    latex = results_latex(content.results, content.compared, content.reference)
    (staging / "results_table.tex").write_text(latex, encoding="utf-8")
    methods = "\n\n".join((*content.methods, RESEARCH_USE_ONLY, ""))
    (staging / "methods.txt").write_text(methods, encoding="utf-8")


def _over_time(content: ReportContent) -> tuple[list[str], list[tuple[str, list[str]]]]:
    """Heads of the columns, and a row of cells for each arm: metrics of survival weighted for censoring."""
    words = {"brier": "Brier score", "auc": "AUC", "calibration": "Predicted − observed survival"}
    heads: dict[str, str] = {}
    for one in content.survival:
        for metric in one.over_time:
            kind, _, at = metric.partition("_")
            heads[metric] = f"{words.get(kind, '')} at day {at}"
    heads |= {key: words for key, words in _OVERALL.items() if key in heads}
    rows = [
        (
            one.label,
            [
                interval(found, 3 if metric.startswith("brier") else 2) if (found := one.over_time.get(metric)) else ""
                for metric in heads
            ],
        )
        for one in content.survival
    ]
    return list(heads.values()), rows


def _page(content: ReportContent, figures: Sequence[Mapping[str, str]]) -> str:
    """The report as HTML."""
    counts, compared, reference = content.counts, content.compared, content.reference
    return rendered_page(
        "experiment_report.html",
        research_use_only=RESEARCH_USE_ONLY,
        facts=content.facts,
        counts=counts,
        several=counts["folds"] > 1,
        metrics=[(metric, about.label) for metric, about in METRICS.items()],
        paper_metrics=PAPER_METRICS,
        results=content.results,
        missing=content.missing,
        reference=reference,
        reference_label=content.reference_label,
        starred=lambda result, metric: starred(result, metric, compared, reference),
        holm_p=lambda result: holm_p(result, compared, reference),
        majority=max(counts["over"], counts["up_to"]) / counts["cases"],
        compared=[one for one in compared if one.comparison.metric == "auc"],
        optimism=[(content.labels.get(arm, arm), one) for arm, one in content.optimism.items()],
        not_measured=not_measured,
        refitted=[
            content.labels.get(arm, arm)
            for arm in content.optimism
            if any(one.lesion_head for one in content.histories.get(arm, ()))
        ],
        survival=content.survival,
        over_time=_over_time(content),
        figures=figures,
        methods=content.methods,
        items=content.items,
        number=number,
        p_value=p_value,
        interval=interval,
        first_sentence=first_sentence,
        signed=signed,
        partition=partition_in_words(counts, content.facts),
        detectable=detectable(compared, reference),
    )
