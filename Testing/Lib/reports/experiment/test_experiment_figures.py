"""What the figures of an experiment draw: the curves that the printed numbers belong to, and no text over them."""

from __future__ import annotations

import numpy as np
import pytest
from made_predictions import made_folds, made_outcomes
from matplotlib.figure import Figure
from matplotlib.image import imread

from PCNSLSurvivalLib.evaluation.classification import classification_metrics
from PCNSLSurvivalLib.evaluation.comparison import fold_values
from PCNSLSurvivalLib.evaluation.predictions import by_arm
from PCNSLSurvivalLib.reports.experiment import figure_style
from PCNSLSurvivalLib.reports.experiment.facts import TrainingHistory
from PCNSLSurvivalLib.reports.experiment.figure_style import BLUE, ORANGE, style
from PCNSLSurvivalLib.reports.experiment.performance_figures import (
    calibration_figure,
    decision_figure,
    precision_recall_figure,
    roc_figure,
)
from PCNSLSurvivalLib.reports.experiment.survival_figures import kaplan_meier_figure, learning_figure
from PCNSLSurvivalLib.reports.experiment.survival_results import arms_survival
from PCNSLSurvivalLib.reports.experiment.tables import arm_results, number


@pytest.fixture(scope="module")
def arms():
    return by_arm([*made_folds("network", skill=1.5), *made_folds("svm", skill=0.5)])


@pytest.fixture(scope="module")
def results(arms):
    return arm_results(arms, {}, resamples=20)


def test_figures_have_300_dots_per_inch(users_png_dpi, monkeypatch, tmp_path):
    monkeypatch.setattr(figure_style, "PNG_DPI", users_png_dpi)
    figure_style.save(Figure(figsize=(1.0, 0.5)), tmp_path, "empty")
    assert imread(tmp_path / "empty.png").shape[:2] == (150, 300)


def line_of(ax, color):
    """The thick line of an arm itself."""
    (line,) = (one for one in ax.lines if one.get_color() == color and one.get_linewidth() == 1.5)
    return line.get_xdata(), line.get_ydata()


def test_the_drawn_roc_curve_has_the_folds_mean_auc_under_it(arms, results):
    figure = roc_figure(arms, results, "network")
    for ax, folds in zip(figure.axes, arms.values(), strict=True):
        x, y = line_of(ax, BLUE)
        assert np.trapezoid(y, x) == pytest.approx(fold_values(folds, "auc").mean())


def test_the_drawn_calibration_is_of_the_predictions_that_slope_and_brier_score_are_of(arms, results):
    figure = calibration_figure(arms, results)
    for ax, one in zip(figure.axes, results, strict=True):
        ticks = {color: line.get_xdata() for line in ax.lines if (color := line.get_color()) in (BLUE, ORANGE)
                 and line.get_marker() == "|"}  # fmt: skip
        os_class = np.repeat([1, 0], [len(ticks[BLUE]), len(ticks[ORANGE])])
        drawn = classification_metrics(os_class, np.concatenate([ticks[BLUE], ticks[ORANGE]]))
        assert drawn["brier"] == pytest.approx(one.out_of_fold["brier"].value)
        assert any(f"Brier {number(float(drawn['brier']))}" in text.get_text() for text in ax.texts)


def test_no_text_lies_over_the_curves(arms, results):
    survival = arms_survival(arms, made_outcomes(), {}, resamples=20)
    for figure in (
        roc_figure(arms, results, "network"),
        precision_recall_figure(arms, results, "network"),
        calibration_figure(arms, results),
        decision_figure(arms, results, "network"),
        kaplan_meier_figure(survival),
    ):
        with style():
            figure.draw_without_rendering()
        for ax in figure.axes:
            inside = ax.get_window_extent().padded(-1)
            assert not [text.get_text() for text in ax.texts if text.get_window_extent().overlaps(inside)]


def history(*, lesion_task):
    return TrainingHistory(
        label="fold", train_loss=(3.0, 2.0), validation_loss=(3.1, 2.5), best_epoch=1, lesion_task=lesion_task
    )


def test_always_saying_one_half_is_drawn_where_the_loss_is_cross_entropy_alone():
    figure = learning_figure({"plain": [history(lesion_task=False)], "lesion": [history(lesion_task=True)]}, {})
    plain, lesion = figure.axes
    assert [line.get_ydata()[0] for line in plain.lines if line.get_linestyle() == ":"] == [pytest.approx(np.log(2))]
    assert plain.get_ylabel() == "Cross-entropy (nats)"
    assert [line for line in lesion.lines if line.get_linestyle() == ":"] == []
    assert "lesion" in lesion.get_ylabel()
    assert "nats" not in lesion.get_ylabel()
