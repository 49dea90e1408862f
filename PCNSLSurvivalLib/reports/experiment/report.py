"""The report of an experiment: every table and figure of a paper from held-out predictions, in one folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PCNSLSurvivalLib.core.errors import EvaluationError
from PCNSLSurvivalLib.core.files import refuse_foreign, whole_folder
from PCNSLSurvivalLib.core.terms import RESEARCH_USE_ONLY
from PCNSLSurvivalLib.evaluation.classification import METRIC_LABELS, PAPER_METRICS
from PCNSLSurvivalLib.evaluation.predictions import FoldPredictions, by_arm, write_predictions
from PCNSLSurvivalLib.reports.experiment.csv_tables import (
    write_comparisons_csv,
    write_fold_metrics_csv,
    write_results_csv,
    write_survival_csv,
)
from PCNSLSurvivalLib.reports.experiment.facts import (
    ActivationExample,
    ExperimentFacts,
    SurvivalOutcome,
    TrainingHistory,
)
from PCNSLSurvivalLib.reports.experiment.methods_text import cohort_counts, methods_paragraphs
from PCNSLSurvivalLib.reports.experiment.reporting_checklist import checklist
from PCNSLSurvivalLib.reports.experiment.survival_results import ArmSurvival, arms_survival
from PCNSLSurvivalLib.reports.experiment.tables import (
    arm_results,
    comparisons,
    holm_p,
    interval,
    number,
    p_value,
    results_latex,
    starred,
)
from PCNSLSurvivalLib.reports.pages import page_template
from PCNSLSurvivalLib.reports.pictures import png_address
from PCNSLSurvivalLib.reports.sentences import first_sentence

if TYPE_CHECKING:
    from matplotlib.figure import Figure

REPORT_FILE = "experiment_report.html"
FIGURES_FOLDER = "figures"
_PIXELS_AN_INCH = 112
_WRITTEN = (
    REPORT_FILE,
    FIGURES_FOLDER,
    "predictions.csv",
    "results.csv",
    "fold_metrics.csv",
    "comparisons.csv",
    "survival.csv",
    "results_table.tex",
    "methods.txt",
)


def refuse_foreign_report(out: Path) -> None:
    """Refuse early a folder that ``write_experiment_report`` would replace and that is no report, or more than one.

    Raises:
        OutputFolderError: See ``refuse_foreign``.
    """
    refuse_foreign(out, ours=_WRITTEN, mark=REPORT_FILE, says=RESEARCH_USE_ONLY)


def write_experiment_report(
    out: Path,
    predictions: Iterable[FoldPredictions],
    *,
    outcomes: Mapping[str, SurvivalOutcome],
    facts: ExperimentFacts | None = None,
    labels: Mapping[str, str] | None = None,
    reference: str | None = None,
    pairs: Sequence[tuple[str, str]] | None = None,
    examples: Sequence[ActivationExample] = (),
    histories: Mapping[str, Sequence[TrainingHistory]] | None = None,
    resamples: int = 2000,
    overwrite: bool = False,
) -> Path:
    """Write the report of an experiment: HTML, CSV, LaTeX, and every figure as PNG and SVG.

    Args:
        out: Folder to make, whole or not at all.
        predictions: Held-out predictions of all arms, all folds.
        outcomes: Survival by name of case, for example from ``outcomes_of``; of censored cases too.
        facts: What the methods paragraph and the checklist say of the run.
        labels: How an arm is named in tables and figures, by its name; the name itself if left out.
        reference: Arm against which the others are compared and starred; the first one if left out.
        pairs: Further pairs (arm, against) to compare, for example transfer against scratch.
        examples: Held-out patients with their activation maps; see ``choose_examples``.
        histories: Loss by epoch of each arm's networks; see ``read_history``.
        resamples: Bootstrap samples of every interval.
        overwrite: Allow ``out`` to hold files, which the report replaces.

    Returns:
        The HTML file.

    Raises:
        EvaluationError: There are no predictions, the arms were not judged on the same cases, or ``reference`` is none
            of them.
        OutputFolderError: ``out`` cannot be written, or holds files and ``overwrite`` is off.
    """
    arms = by_arm(predictions)
    if not arms:
        raise EvaluationError("There are no predictions to report. Run the experiment first.")
    reference = reference if reference is not None else next(iter(arms))
    if reference not in arms:
        raise EvaluationError(f"The reference arm '{reference}' has no predictions. Choose one of {', '.join(arms)}.")
    facts, labels = facts or ExperimentFacts(), labels or {}
    patients = {case: one.patient_id for case, one in outcomes.items()}
    results = arm_results(arms, labels, patients=patients, resamples=resamples)
    all_pairs = [(arm, reference) for arm in arms if arm != reference]
    compared_with_reference = len(all_pairs)
    for pair in pairs or ():
        # Transfer against scratch of the reference is one of the comparisons with it, the other way round.
        if not any(set(pair) == set(other) for other in all_pairs):
            all_pairs.append(pair)
    compared = comparisons(arms, labels, all_pairs)
    survival = arms_survival(arms, outcomes, labels, resamples=resamples)
    counts = cohort_counts(arms, outcomes, facts)
    methods = methods_paragraphs(
        counts,
        facts,
        labels.get(reference, reference) if len(arms) > 1 else None,
        [(labels.get(a, a), labels.get(b, b)) for a, b in all_pairs[compared_with_reference:]],
    )
    items = checklist(facts, counts, explained=bool(examples))
    with whole_folder(out, overwrite=overwrite) as staging:
        write_predictions((one for folds in arms.values() for one in folds), staging / "predictions.csv")
        write_results_csv(results, staging / "results.csv")
        write_fold_metrics_csv(arms, staging / "fold_metrics.csv")
        write_comparisons_csv(compared, staging / "comparisons.csv")
        write_survival_csv(survival, staging / "survival.csv")
        (staging / "results_table.tex").write_text(results_latex(results, compared, reference), encoding="utf-8")
        (staging / "methods.txt").write_text("\n\n".join((*methods, RESEARCH_USE_ONLY, "")), encoding="utf-8")
        figures = _save_figures(
            staging / FIGURES_FOLDER, arms, results, reference, survival, examples, histories or {}, labels, facts
        )
        html = page_template("experiment_report.html").render(
            research_use_only=RESEARCH_USE_ONLY,
            facts=facts,
            counts=counts,
            metrics=[(metric, METRIC_LABELS[metric]) for metric in PAPER_METRICS],
            results=results,
            reference=reference,
            reference_label=next(one.label for one in results if one.arm == reference),
            starred=lambda result, metric: starred(result, metric, compared, reference),
            holm_p=lambda result: holm_p(result, compared, reference),
            majority=max(counts["over"], counts["up_to"]) / counts["cases"],
            compared=[one for one in compared if one.comparison.metric == "auc"],
            survival=survival,
            figures=figures,
            methods=methods,
            items=items,
            number=number,
            p_value=p_value,
            interval=interval,
            first_sentence=first_sentence,
        )
        (staging / REPORT_FILE).write_text(html, encoding="utf-8")
    return out / REPORT_FILE


def _save_figures(
    folder: Path,
    arms: Mapping[str, Sequence[FoldPredictions]],
    results: Sequence[Any],
    reference: str,
    survival: Sequence[ArmSurvival],
    examples: Sequence[ActivationExample],
    histories: Mapping[str, Sequence[TrainingHistory]],
    labels: Mapping[str, str],
    facts: ExperimentFacts,
) -> list[dict[str, str]]:
    """Draw and save every figure; name, caption and title of each, in the order of the report."""
    from PCNSLSurvivalLib.reports.experiment import activation_figure, performance_figures, survival_figures
    from PCNSLSurvivalLib.reports.experiment.figure_style import save, style

    name_of_reference = next(one.label for one in results if one.arm == reference)
    days = facts.threshold_days
    gray = f"Gray: {name_of_reference}." if len(arms) > 1 else ""
    of_classes_alone = any(not one.lesion_task for of_arm in histories.values() for one in of_arm)
    wanted: list[tuple[str, str, str, Callable[[], Figure] | None]] = [
        (
            "roc",
            "ROC curves",
            "Mean over folds; above: out-of-fold AUC with its 95 % interval. " + gray,
            lambda: performance_figures.roc_figure(arms, results, reference),
        ),
        (
            "precision_recall",
            "Precision and recall",
            f"Mean over folds, for OS > {facts.limit}; dotted: the average precision by chance in folds of this size. "
            + gray,
            lambda: performance_figures.precision_recall_figure(arms, results, reference),
        ),
        (
            "calibration",
            "Calibration",
            "Fifths of the held-out predictions with 95 % Wilson limits for their number of patients; dashes: "
            "predictions of long (blue) and short (orange) survivors.",
            lambda: performance_figures.calibration_figure(arms, results, days),
        ),
        (
            "decision",
            "Decision curves",
            f"Net benefit of acting on a predicted risk of death within {facts.limit}, held-out predictions. " + gray,
            lambda: performance_figures.decision_figure(arms, results, reference),
        ),
        (
            "kaplan_meier",
            "Survival of the predicted groups",
            "Kaplan-Meier estimate with 95 % limits, all patients with known follow-up; ticks: censored; below: "
            "patients at risk.",
            (lambda: survival_figures.kaplan_meier_figure(survival, days)) if survival else None,
        ),
        (
            "activation",
            "Where the network looked",
            "T1Gd of held-out patients and, below, where a network that never saw them found what speaks for the class "
            "it predicted; light blue: lesion mask. Of each kind of right and wrong prediction in the first "
            "repetition, the patient is shown whose probability lies farthest from one half, in the slice with most of "
            "the lesion or, without a mask, with the highest activation.",
            (lambda: activation_figure.activation_figure(examples, days)) if examples else None,
        ),
        (
            "learning",
            "Learning curves",
            "Every fold: training loss (gray), loss on the inner split (blue), chosen epoch (dot)"
            + ("; dotted: always saying one half." if of_classes_alone else "."),
            (lambda: survival_figures.learning_figure(histories, labels)) if histories else None,
        ),
    ]
    folder.mkdir()
    drawn = []
    for name, title, caption, draw in wanted:
        if draw is not None:
            with style():
                figure = draw()
                save(figure, folder, name)
            # One size of letters in all figures of the page.
            width = round(figure.get_figwidth() * _PIXELS_AN_INCH)
            drawn.append(
                {
                    "name": name,
                    "title": title,
                    "caption": caption.strip(),
                    "folder": FIGURES_FOLDER,
                    "width": str(width),
                    # In the page itself, so that the page sent alone has its figures.
                    "address": png_address((folder / f"{name}.png").read_bytes()),
                }
            )
    return drawn
