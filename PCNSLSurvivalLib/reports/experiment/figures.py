"""The figures of an experiment's report, in the order of the page: what each shows, and how it is saved."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PCNSLSurvivalLib.reports.experiment.content import ReportContent
from PCNSLSurvivalLib.reports.pictures import png_address

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIGURES_FOLDER = "figures"
_PIXELS_PER_INCH = 112


@dataclass(frozen=True)
class PlannedFigure:
    """One figure that is not drawn yet."""

    name: str
    """Of its files."""
    title: str
    caption: str
    draw: Callable[[], Figure] | None
    """None where the experiment has nothing for it."""


def planned_figures(content: ReportContent) -> list[PlannedFigure]:
    """Every figure, in order."""
    from PCNSLSurvivalLib.reports.experiment import activation_figure, performance_figures, survival_figures

    days, limit = content.facts.threshold_days, content.facts.limit
    gray = f"Gray: {content.reference_label}." if len(content.arms) > 1 else ""
    of_classes_alone = any(not one.lesion_task for of_arm in content.histories.values() for one in of_arm)
    return [
        PlannedFigure(
            "roc",
            "ROC curves",
            "Mean over folds; above: out-of-fold AUC with its 95 % interval. " + gray,
            lambda: performance_figures.roc_figure(content.arms, content.results, content.reference),
        ),
        PlannedFigure(
            "precision_recall",
            "Precision and recall",
            f"Mean over folds, for OS > {limit}; dotted: the average precision by chance in folds of this size. "
            + gray,
            lambda: performance_figures.precision_recall_figure(content.arms, content.results, content.reference),
        ),
        PlannedFigure(
            "calibration",
            "Calibration",
            "Quintiles of the held-out predictions with 95 % Wilson intervals by number of patients; dashes: "
            "predictions of long (blue) and short (orange) survivors.",
            lambda: performance_figures.calibration_figure(content.arms, content.results, days),
        ),
        PlannedFigure(
            "decision",
            "Decision curves",
            f"Net benefit of treating by the predicted risk of death within {limit}, held-out predictions. " + gray,
            lambda: performance_figures.decision_figure(content.arms, content.results, content.reference),
        ),
        PlannedFigure(
            "kaplan_meier",
            "Survival of the predicted groups",
            "Kaplan-Meier estimate with 95 % limits, all patients with known follow-up; ticks: censored; below: "
            "patients at risk.",
            (lambda: survival_figures.kaplan_meier_figure(content.survival, days)) if content.survival else None,
        ),
        PlannedFigure(
            "activation",
            "Class activation maps of held-out patients",
            "Top: T1Gd of held-out patients. Bottom: Grad-CAM map of the predicted class, by the network of the "
            "patient's held-out fold. Light blue: lesion mask. For each type of correct and incorrect prediction in "
            "the first repetition, the patient with the probability farthest from 0.5 is shown. The slice is the one "
            "with the largest lesion area or, without a mask, with the highest activation.",
            (lambda: activation_figure.activation_figure(content.examples, days)) if content.examples else None,
        ),
        PlannedFigure(
            "learning",
            "Learning curves",
            "Every fold: training loss (gray), validation loss (blue), chosen epoch (dot)"
            + ("; dotted: chance level ln 2." if of_classes_alone else "."),
            (lambda: survival_figures.learning_figure(content.histories, content.labels))
            if content.histories
            else None,
        ),
    ]


def save_figures(figures: Iterable[PlannedFigure], folder: Path) -> list[dict[str, str]]:
    """Draw and save figures as PNG and SVG.

    Args:
        figures: What to draw; those without anything to draw are left out.
        folder: Folder to make.

    Returns:
        For the page, of each figure: name, title, caption, folder, width in CSS pixels, and the PNG as an address.
    """
    from PCNSLSurvivalLib.reports.experiment.figure_style import save, style

    folder.mkdir()
    drawn = []
    for planned in figures:
        if planned.draw is None:
            continue
        with style():
            figure = planned.draw()
            save(figure, folder, planned.name)
        drawn.append(
            {
                "name": planned.name,
                "title": planned.title,
                "caption": planned.caption.strip(),
                "folder": FIGURES_FOLDER,
                # One size of letters in all figures of the page.
                "width": str(round(figure.get_figwidth() * _PIXELS_PER_INCH)),
                # In the page itself, so that the page sent alone has its figures.
                "address": png_address((folder / f"{planned.name}.png").read_bytes()),
            }
        )
    return drawn
