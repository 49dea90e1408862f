"""Write the report of a validation: HTML, CSV and figures, in one folder."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PCNSLSurvivalLib.core.storage.csv_cells import plain_cell
from PCNSLSurvivalLib.core.storage.files import refuse_foreign, whole_folder
from PCNSLSurvivalLib.core.terms import ONE_YEAR_DAYS, RESEARCH_USE_ONLY, limit_in_words
from PCNSLSurvivalLib.evaluation.out_of_fold import Estimate
from PCNSLSurvivalLib.evaluation.predictions import write_predictions
from PCNSLSurvivalLib.reports.experiment.csv_tables import write_results_csv, write_survival_csv
from PCNSLSurvivalLib.reports.experiment.facts import ExperimentFacts
from PCNSLSurvivalLib.reports.experiment.figures import FIGURES_FOLDER, PlannedFigure, save_figures
from PCNSLSurvivalLib.reports.experiment.reporting_checklist import ChecklistItem, checklist
from PCNSLSurvivalLib.reports.experiment.tables import interval, number, p_value, signed
from PCNSLSurvivalLib.reports.pages import rendered_page
from PCNSLSurvivalLib.reports.sentences import counted, first_sentence, listed
from PCNSLSurvivalLib.reports.validation.content import ValidationContent
from PCNSLSurvivalLib.reports.validation.subgroups import FEWEST_OF_A_CLASS

REPORT_FILE = "validation_report.html"
_WRITTEN = (
    REPORT_FILE,
    FIGURES_FOLDER,
    "predictions.csv",
    "results.csv",
    "survival.csv",
    "differences.csv",
    "subgroups.csv",
    "methods.txt",
)


def refuse_foreign_report(out: Path) -> None:
    """Refuse early a folder that ``write_validation_report`` would replace and that is no such report, or more.

    Raises:
        OutputFolderError: See ``refuse_foreign``.
    """
    refuse_foreign(out, ours=_WRITTEN, mark=REPORT_FILE, says=RESEARCH_USE_ONLY)


def write_validation_report(out: Path, content: ValidationContent, *, resamples: int) -> Path:
    """Write the report.

    Args:
        out: Folder to make, whole or not at all; an earlier report in it is replaced.
        content: The results.
        resamples: Bootstrap samples of every interval, for the methods paragraph.

    Returns:
        The HTML file.

    Raises:
        OutputFolderError: ``out`` cannot be written.
    """
    methods = methods_paragraphs(content, resamples)
    with whole_folder(out, overwrite=True) as staging:
        write_predictions((one for folds in content.arms.values() for one in folds), staging / "predictions.csv")
        write_results_csv(content.results, staging / "results.csv")
        write_survival_csv(content.survival, staging / "survival.csv")
        _write_differences(content, staging / "differences.csv")
        _write_subgroups(content, staging / "subgroups.csv")
        (staging / "methods.txt").write_text("\n\n".join((*methods, RESEARCH_USE_ONLY, "")), encoding="utf-8")
        figures = save_figures(_figures(content), staging / FIGURES_FOLDER)
        page = rendered_page(
            "validation_report.html",
            research_use_only=RESEARCH_USE_ONLY,
            content=content,
            counts=content.counts,
            limit=limit_in_words(ONE_YEAR_DAYS),
            figures=figures,
            methods=methods,
            items=validation_checklist(content),
            fewest=FEWEST_OF_A_CLASS,
            survival={one.arm: one for one in content.survival},
            not_known=Estimate(value=float("nan"), low=float("nan"), high=float("nan")),
            interval=interval,
            number=number,
            p_value=p_value,
            signed=signed,
            first_sentence=first_sentence,
        )
        (staging / REPORT_FILE).write_text(page, encoding="utf-8")
    return out / REPORT_FILE


def methods_paragraphs(content: ValidationContent, resamples: int) -> tuple[str, ...]:
    """Paragraphs of plain text: patients, models, evaluation."""
    counts = content.counts
    models = [f"{one.arm} (version {one.version}, SHA-256 {one.checksum[:12]})" for one in content.models]
    patients = (
        f"We tested {listed(models)} on {content.cohort}: {counted(counts['cases'], 'exam')} of "
        f"{counted(counts['patients'], 'patient')}, {counts['over']} with overall survival (OS) of more than "
        f"{ONE_YEAR_DAYS:g} days and {counts['up_to']} with OS of {ONE_YEAR_DAYS:g} days or less."
    )
    if counts["censored"]:
        patients += (
            f" {counted(counts['censored'], 'exam')} censored by day {ONE_YEAR_DAYS:g} entered the survival "
            "analysis alone. Leaving them out of the classification makes the share of long survivors too low."
        )
    if counts["excluded"]:
        patients += f" Excluded: {counted(counts['excluded'], 'exam')}; the report lists the reasons."
    use = "Models were used as they stand: no weight, temperature or threshold was changed. " + " ".join(
        _overlap_in_words(content)
    )
    thresholds = sorted({folds[0].threshold for folds in content.arms.values()})
    evaluation = (
        "Every metric has a 95 % percentile interval from a bootstrap over patients "
        f"({resamples} samples). Accuracy, macro-averaged precision, recall and F1 are those at the decision threshold "
        f"of the model (a probability of {listed([f'{threshold:g}' for threshold in thresholds])}). AUC, Brier score, "
        "calibration slope and intercept, and Harrell's C-index need no threshold. Differences are of the same "
        "patients in the same samples; the p of two "
        "AUCs is DeLong's. Survival of the predicted groups was estimated by Kaplan and Meier and compared by the "
        "log-rank test with a permutation p. Subgroups were fixed by the software before the test; their intervals are "
        "not corrected for their number."
    )
    return patients, use, evaluation


def _overlap_in_words(content: ValidationContent) -> list[str]:
    told = []
    for one in content.models:
        if not one.knows_training_patients:
            told.append(f"{one.arm} does not list its training patients: shared patients were not detected.")
        elif one.unknown_initial_weights:
            told.append(
                f"No training patient of {one.arm} is in the cohort; those of its first initial weights are unknown."
            )
        else:
            told.append(f"No training patient of {one.arm} is in the cohort, by identifier or T1Gd voxels.")
    return told


def validation_checklist(content: ValidationContent) -> tuple[ChecklistItem, ...]:
    """The reporting checklist, with the rows that a validation answers otherwise than a development."""
    counts = content.counts
    fewer = min(counts["over"], counts["up_to"])
    names = listed([one.arm for one in content.models])
    groups = listed(list(dict.fromkeys(one.by.lower() for one in content.subgroups)))
    answers = {
        "objective": f"Evaluation of finished models ({names}) on another cohort: OS over {ONE_YEAR_DAYS:g} days.",
        "sample_size": f"{counted(counts['cases'], 'exam')}, {fewer} in the smaller class; see the width of the "
        "intervals.",
        "missing_data": f"{counted(counts['excluded'], 'exam')} excluded, with reasons; scores are compared "
        "on the patients who have them.",
        "partition": "None: every patient is a test patient. " + " ".join(_overlap_in_words(content)),
        "variables": "As the model folder stores it.",
        "network": "See the card of the model (`pcnsl-survival model show`).",
        "training": "None here; see the card of the model.",
        "initial_weights": "None here; see the card of the model.",
        "recalibration": "None: models were used as they stand.",
        "use": "`pcnsl-survival predict --model`, with the same folder.",
        "class_imbalance": f"{counts['over']} against {counts['up_to']}.",
        "flow": f"{counts['cases']} evaluated, {counts['censored']} censored without class, "
        f"{counts['excluded']} excluded.",
        "performance": "Tables and figures of this report.",
        "external_test": "This is one.",
    }
    if len(content.models) > 1:
        answers["statistical_comparison"] = "Paired differences on the same patients, with intervals."
    if content.subgroups:
        answers["subgroups"] = f"Table of subgroups: {groups}."
        answers["fairness"] = f"Performance by {groups}; no correction was made."
    facts = ExperimentFacts(cohort=content.cohort, virtual=content.virtual, external_test=True)
    rows = checklist(facts, counts, explained=False)
    return tuple(replace(row, answer=answers.get(row.topic.key, row.answer)) for row in rows)


def _figures(content: ValidationContent) -> list[PlannedFigure]:
    from PCNSLSurvivalLib.reports.experiment import performance_figures, survival_figures

    first = content.results[0]
    gray = f"Gray: {first.label}." if len(content.arms) > 1 else ""
    arms, results, limit = content.arms, content.results, limit_in_words(ONE_YEAR_DAYS)
    return [
        PlannedFigure(
            "roc",
            "ROC curves",
            f"AUC with its 95 % interval. {gray}",
            lambda: performance_figures.roc_figure(arms, results, first.arm),
        ),
        PlannedFigure(
            "calibration",
            "Calibration",
            "Quintiles of the predictions with 95 % Wilson intervals; dashes: predictions of long (blue) and short "
            "(orange) survivors.",
            lambda: performance_figures.calibration_figure(arms, results),
        ),
        PlannedFigure(
            "decision",
            "Decision curves",
            f"Net benefit of treating by the predicted risk of death within {limit}. {gray}",
            lambda: performance_figures.decision_figure(arms, results, first.arm),
        ),
        PlannedFigure(
            "kaplan_meier",
            "Survival of the predicted groups",
            "Kaplan-Meier estimate with 95 % limits, all patients with known follow-up; ticks: censored; below: "
            "patients at risk.",
            (lambda: survival_figures.kaplan_meier_figure(content.survival)) if content.survival else None,
        ),
    ]


def _write_differences(content: ValidationContent, path: Path) -> None:
    rows: list[Sequence[object]] = []
    for one in content.differences:
        for metric, found in one.values.items():
            p = one.auc_test.p if metric == "auc" else float("nan")
            rows.append((one.arm, one.against, one.patients, metric, found.value, found.low, found.high, p))
    _write(path, ("arm", "against", "exams", "metric", "difference", "low95", "high95", "p"), rows)


def _write_subgroups(content: ValidationContent, path: Path) -> None:
    head = ("arm", "by", "group", "exams", "over_one_year", "observed_share", "mean_probability")
    limits = ("auc", "auc_low95", "auc_high95", "brier", "brier_low95", "brier_high95")
    rows = [
        (
            *(one.arm, one.by, one.name, one.exams, one.over, one.observed, one.predicted),
            *(one.auc.value, one.auc.low, one.auc.high, one.brier.value, one.brier.low, one.brier.high),
        )
        for one in content.subgroups
    ]
    _write(path, (*head, *limits), rows)


def _write(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(header)
        for row in rows:
            table.writerow(["" if isinstance(cell, float) and cell != cell else plain_cell(cell) for cell in row])
