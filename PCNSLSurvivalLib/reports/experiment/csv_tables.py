"""The experiment's numbers as CSV, every digit kept, an empty cell where a number is not defined."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from PCNSLSurvivalLib.core.storage.csv_cells import plain_cell
from PCNSLSurvivalLib.evaluation.classification import METRICS
from PCNSLSurvivalLib.evaluation.comparison import fold_values
from PCNSLSurvivalLib.evaluation.optimism import Optimism
from PCNSLSurvivalLib.evaluation.predictions import FoldPredictions
from PCNSLSurvivalLib.reports.experiment.survival_results import ArmSurvival
from PCNSLSurvivalLib.reports.experiment.tables import AdjustedComparison, ArmResult, not_measured

_RESULTS = "arm,label,metric,folds,fold_mean,fold_standard_error,out_of_fold,low95,high95,p_of_auc_one_half"
_COMPARISONS = (
    "arm,against,metric,difference,paper_se,paper_t,paper_p,corrected_se,corrected_t,corrected_df,corrected_p,"
    "corrected_p_holm,corrected_low95,corrected_high95,paired_auc_difference,paired_auc_se,paired_auc_p,"
    "paired_auc_p_holm"
)
_OPTIMISM = "arm,epoch_chosen_by,auc,auc_without_skill,low95,high95,epochs,validation_exams,remark"
_SURVIVAL = (
    "arm,label,patients,censored,c_index,low95,high95,predicted_long,predicted_short,deaths_of_predicted_long,"
    "expected_deaths_of_predicted_long,log_rank_p,log_rank_p_holm,remarks"
)


def write_results_csv(results: Iterable[ArmResult], path: Path) -> None:
    """One row an arm and metric: mean and standard error over folds, out-of-fold value and its 95 % interval."""
    rows = []
    for one in results:
        for metric in METRICS:
            found = one.out_of_fold[metric]
            over_folds = (one.folds, one.fold_mean[metric], one.fold_standard_error[metric])
            p = one.p_against_chance if metric == "auc" else float("nan")
            rows.append((one.arm, one.label, metric, *over_folds, found.value, found.low, found.high, p))
    _write(path, _RESULTS.split(","), rows)


def write_comparisons_csv(compared: Iterable[AdjustedComparison], path: Path) -> None:
    """One row a pair and metric: the paper's t-test, the corrected one, Holm's p; of the AUC the test over patients."""
    rows = []
    for one in compared:
        pair = (one.comparison.arm, one.comparison.against, one.comparison.metric)
        paper, corrected = one.comparison.paper, one.comparison.corrected
        of_paper = (corrected.difference, paper.standard_error, paper.t, paper.p)
        honest = (corrected.standard_error, corrected.t, corrected.degrees_of_freedom, corrected.p)
        over_folds = one.corrected_interval
        limits = (one.corrected_holm_p, over_folds.low, over_folds.high)
        is_auc = one.comparison.metric == "auc"
        found = one.paired
        of_auc = (found.difference, found.standard_error, found.p, one.paired_holm_p)
        paired = of_auc if is_auc else (float("nan"),) * 4
        rows.append((*pair, *of_paper, *honest, *limits, *paired))
    _write(path, _COMPARISONS.split(","), rows)


def write_fold_metrics_csv(arms: Mapping[str, Sequence[FoldPredictions]], path: Path) -> None:
    """One row per fold and arm with every metric; repeats and folds count from 1."""
    rows = []
    for arm, folds in arms.items():
        values = np.array([fold_values(folds, metric) for metric in METRICS])
        for one, of_fold in zip(folds, values.T, strict=True):
            place = (arm, one.repeat + 1, one.fold + 1)
            rows.append((*place, len(one.cases), int(one.os_class.sum()), *of_fold.tolist()))
    _write(path, ["arm", "repeat", "fold", "cases", "long_survivors", *METRICS], rows)


def write_optimism_csv(optimism: Mapping[str, Optimism], path: Path) -> None:
    """One row a network arm and rule for choosing the epoch: AUC with true and with permuted outcomes."""
    rows = []
    for arm, one in optimism.items():
        for rule, score in (("validation loss", one.held_out), ("AUC of the reported patients", one.best_epoch)):
            without = score.without_skill
            auc = (score.value, without.value, without.low, without.high)
            remark = not_measured(one) if score is one.best_epoch else ""
            rows.append((arm, rule, *auc, one.epochs, one.exams, remark))
    _write(path, _OPTIMISM.split(","), rows)


def write_survival_csv(survival: Iterable[ArmSurvival], path: Path) -> None:
    """One row an arm: C-index with its interval, sizes, deaths and log-rank p of the predicted groups."""
    rows = []
    for one in survival:
        c_index, test = one.c_index, one.log_rank
        of_arm = (one.arm, one.label, len(one.os_days), one.censored, c_index.value, c_index.low, c_index.high)
        groups = (*test.patients, test.observed, test.expected, test.p, one.log_rank_holm_p)
        rows.append((*of_arm, *groups, "; ".join(one.remarks)))
    _write(path, _SURVIVAL.split(","), rows)


def write_survival_over_time_csv(survival: Iterable[ArmSurvival], path: Path) -> None:
    """One row an arm and metric weighted for censoring, with its interval."""
    rows = [
        (one.arm, one.label, metric, found.value, found.low, found.high)
        for one in survival
        for metric, found in one.over_time.items()
    ]
    _write(path, ["arm", "label", "metric", "value", "low", "high"], rows)


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(header)
        table.writerows(
            ["" if isinstance(cell, float) and not np.isfinite(cell) else plain_cell(cell) for cell in row]
            for row in rows
        )
