"""The experiment's tables: the paper's t-test and the corrected one, as values and in LaTeX."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from PCNSLSurvivalLib.evaluation.auc_test import AUCTest, detectable_difference, p_against_chance, paired_auc_test
from PCNSLSurvivalLib.evaluation.classification import METRICS, PAPER_METRICS, SHARE
from PCNSLSurvivalLib.evaluation.comparison import Comparison, compare, fold_values, holm
from PCNSLSurvivalLib.evaluation.intervals import standard_error
from PCNSLSurvivalLib.evaluation.optimism import Optimism
from PCNSLSurvivalLib.evaluation.out_of_fold import Estimate, out_of_fold_metrics
from PCNSLSurvivalLib.evaluation.predictions import FoldPredictions

SIGNIFICANT = 0.05


@dataclass(frozen=True, kw_only=True)
class ArmResult:
    """Everything the tables say of one arm."""

    arm: str
    label: str
    folds: int
    fold_mean: Mapping[str, float]
    """Mean over the folds where the metric is defined."""
    fold_standard_error: Mapping[str, float]
    out_of_fold: Mapping[str, Estimate]
    p_against_chance: float
    """Of the out-of-fold AUC against 0.5, from permuted outcomes."""


@dataclass(frozen=True, kw_only=True)
class AdjustedComparison:
    """A comparison and its p values after Holm's correction over all pairs compared by that metric."""

    comparison: Comparison
    label: str
    against_label: str
    corrected_holm_p: float
    paired: AUCTest
    """The AUCs compared over patients; of any metric's comparison the same."""
    paired_holm_p: float

    @property
    def paired_interval(self) -> Estimate:
        """The out-of-fold difference with the 95 % limits of the test over patients; no AUCs differ by more than 1."""
        low, high = self.paired.interval()
        return Estimate(value=self.paired.difference, low=max(low, -1.0), high=min(high, 1.0))

    @property
    def corrected_interval(self) -> Estimate:
        """The difference over folds with the 95 % limits of the corrected t-test."""
        t = self.comparison.corrected
        half = float(stats.t.ppf(0.975, t.degrees_of_freedom)) * t.standard_error if t.degrees_of_freedom else np.nan
        low, high = t.difference - half, t.difference + half
        if METRICS[self.comparison.metric].limits == SHARE:
            low, high = max(low, -1.0), min(high, 1.0)
        return Estimate(value=t.difference, low=low, high=high)


def arm_results(
    arms: Mapping[str, Sequence[FoldPredictions]],
    labels: Mapping[str, str],
    *,
    patients: Mapping[str, str] | None = None,
    resamples: int = 2000,
) -> tuple[ArmResult, ...]:
    """The result of every arm, in the order of ``arms``."""
    results = []
    for arm, folds in arms.items():
        values = {metric: fold_values(folds, metric) for metric in METRICS}
        results.append(
            ArmResult(
                arm=arm,
                label=labels.get(arm, arm),
                folds=len(folds),
                fold_mean={
                    m: float(v[np.isfinite(v)].mean()) if np.isfinite(v).any() else np.nan for m, v in values.items()
                },
                fold_standard_error={metric: standard_error(v) for metric, v in values.items()},
                out_of_fold=out_of_fold_metrics(folds, patients=patients, resamples=resamples),
                p_against_chance=p_against_chance(folds, patients=patients),
            )
        )
    return tuple(results)


def comparisons(
    arms: Mapping[str, Sequence[FoldPredictions]],
    labels: Mapping[str, str],
    pairs: Sequence[tuple[str, str]],
    *,
    metrics: Sequence[str] = PAPER_METRICS,
    patients: Mapping[str, str] | None = None,
) -> tuple[AdjustedComparison, ...]:
    """Each pair compared by each metric; Holm's correction runs over the pairs of one metric.

    Raises:
        EvaluationError: Two arms were not judged on the same held-out cases.
    """
    found = []
    paired = [paired_auc_test(arms[arm], arms[against], patients=patients) for arm, against in pairs]
    paired_holm = holm([one.p for one in paired])
    for metric in metrics:
        of_metric = [compare(arms[arm], arms[against], metric) for arm, against in pairs]
        adjusted = holm([one.corrected.p for one in of_metric])
        found += [
            AdjustedComparison(
                comparison=one,
                label=labels.get(one.arm, one.arm),
                against_label=labels.get(one.against, one.against),
                corrected_holm_p=float(p),
                paired=over_patients,
                paired_holm_p=float(paired_p),
            )
            for one, p, over_patients, paired_p in zip(of_metric, adjusted, paired, paired_holm, strict=True)
        ]
    return tuple(found)


def detectable(compared: Iterable[AdjustedComparison], reference: str) -> str:
    """Which difference in AUC from the reference these patients could have shown; empty where that is not known."""
    errors = [
        one.paired.standard_error
        for one in compared
        if one.comparison.metric == "auc" and one.comparison.against == reference and one.paired.standard_error > 0
    ]
    if not errors:
        return ""
    least, most = (detectable_difference(error) for error in (min(errors), max(errors)))
    test = (
        "This holds for one arm against the reference, by the paired test over patients at 5 %, without correction for "
        "the number of arms."
    )
    if least > 1:
        return (
            "With these patients and folds, not even a difference in AUC from 0 to 1 would be found in 4 of 5 such "
            f"studies. {test}"
        )
    nowhere = ""
    between = f"{least:.2f} to {most:.2f}, depending on the arm," if f"{least:.2f}" != f"{most:.2f}" else f"{least:.2f}"
    if most > 1:
        between = f"{least:.2f} with the least uncertain arm"
        nowhere = " With some arms, not even a difference from 0 to 1 would be found so often."
    return (
        f"With these patients and folds, a true difference in AUC of {between} would be found in 4 of 5 such studies. "
        f"A smaller one is likely missed.{nowhere} {test}"
    )


def starred(result: ArmResult, metric: str, compared: Iterable[AdjustedComparison], reference: str) -> bool:
    """Whether the paper's own t-test calls the arm different from the reference arm by this metric."""
    return any(
        one.comparison.arm == result.arm
        and one.comparison.against == reference
        and one.comparison.metric == metric
        and one.comparison.paper.p < SIGNIFICANT
        for one in compared
    )


def number(value: float, digits: int = 2) -> str:
    """A number as the tables print it, "–" where it is not defined."""
    return f"{value:z.{digits}f}" if np.isfinite(value) else "–"


def p_value(p: float) -> str:
    """A p value as the tables print it."""
    if not np.isfinite(p):
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def not_measured(optimism: Optimism) -> str:
    """Why the table of optimism has no score of the best epoch; empty where it has one."""
    if not np.isfinite(optimism.epochs):
        return "not measured: networks of an earlier version"
    if not np.isfinite(optimism.best_epoch.value):
        return "not measured: no fold has validation exams of both classes"
    return ""


def interval(estimate: Estimate, digits: int = 2) -> str:
    """A number and its interval as the tables print them, "–" where it is not defined; a line may break between."""
    if not np.isfinite(estimate.value):
        return "–"
    low, high = number(estimate.low, digits), number(estimate.high, digits)
    return f"{number(estimate.value, digits)} [{low},\N{NO-BREAK SPACE}{high}]"


def signed(estimate: Estimate) -> str:
    """A difference with its sign and interval; "–" where it is not defined."""
    if not np.isfinite(estimate.value):
        return "–"
    if not np.isfinite(estimate.low):
        return f"{estimate.value:+.2f}"
    return f"{estimate.value:+.2f} [{estimate.low:+.2f},\N{NO-BREAK SPACE}{estimate.high:+.2f}]"


_SHORT_HEADS = {"precision": "Precision", "recall": "Recall", "f1": "F1"}


def results_latex(results: Sequence[ArmResult], compared: Sequence[AdjustedComparison], reference: str) -> str:
    """The results as a LaTeX table for the package booktabs, across both columns of a page."""
    name = _tex(next((one.label for one in results if one.arm == reference), "the reference"))
    heads = " & ".join(_tex(_SHORT_HEADS.get(metric, METRICS[metric].label)) for metric in PAPER_METRICS)
    lines = [
        r"\begin{table*}",
        r"\centering\small\setlength{\tabcolsep}{4pt}",
        r"\caption{Mean (standard error) over folds, as in the paper, precision, recall and F1 macro-averaged; "
        r"out-of-fold AUC with its 95\,\% interval. * $p<0.05$ in the uncorrected paired t-test against " + name + r"; "
        r"$p_{\mathrm{Holm}}$: paired test of the out-of-fold AUC over patients, with Holm's correction.}",
        r"\begin{tabular}{@{}l" + "c" * (len(PAPER_METRICS) + 2) + "@{}}",
        r"\toprule",
        rf" & \multicolumn{{{len(PAPER_METRICS)}}}{{c}}{{Mean over folds (standard error)}} & Out-of-fold & AUC \\",
        "Arm & " + heads + r" & AUC [95\,\%] & $p_{\mathrm{Holm}}$ \\",
        r"\midrule",
    ]
    for one in results:
        cells = [
            f"{number(one.fold_mean[m])} ({number(one.fold_standard_error[m])})"
            + ("*" if starred(one, m, compared, reference) else "")
            for m in PAPER_METRICS
        ]
        lines.append(
            " & ".join(
                [_tex(one.label), *cells, interval(one.out_of_fold["auc"]), _tex(holm_p(one, compared, reference))]
            )
            + r" \\"
        )
    lines += [r"\bottomrule", r"\end{tabular}", r"\end{table*}", ""]
    return "\n".join(lines)


def holm_p(result: ArmResult, compared: Iterable[AdjustedComparison], reference: str) -> str:
    """The adjusted p of an arm's AUC against the reference, over patients; empty for the reference itself."""
    for one in compared:
        c = one.comparison
        if (c.arm, c.against, c.metric) == (result.arm, reference, "auc"):
            return p_value(one.paired_holm_p)
    return ""


def _tex(text: str) -> str:
    for sign, written in (("\\", r"\textbackslash{}"), ("&", r"\&"), ("%", r"\%"), ("_", r"\_"), ("#", r"\#")):
        text = text.replace(sign, written)
    return text.replace("<", "$<$").replace(">", "$>$").replace("–", "--").replace("≤", r"$\leq$")
