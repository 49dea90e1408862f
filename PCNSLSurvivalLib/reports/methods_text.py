"""The methods paragraph of a paper, from what was run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PCNSLSurvivalLib.evaluation.predictions import FoldPredictions
from PCNSLSurvivalLib.reports.experiment_facts import CaseOutcome, ExperimentFacts
from PCNSLSurvivalLib.reports.sentences import counted


def cohort_counts(
    arms: Mapping[str, Sequence[FoldPredictions]], outcomes: Mapping[str, CaseOutcome], facts: ExperimentFacts
) -> dict[str, int]:
    """How many examinations and patients were judged, of either class, censored, and left out."""
    classes = {
        case: int(c)
        for folds in arms.values()
        for one in folds
        for case, c in zip(one.cases, one.os_class, strict=True)
    }
    first = next(iter(arms.values()))
    return {
        "cases": len(classes),
        "patients": len({outcomes[case].patient if case in outcomes else case for case in classes}),
        "over": sum(classes.values()),
        "up_to": len(classes) - sum(classes.values()),
        "censored": len({case for folds in arms.values() for one in folds for case in one.censored}),
        "excluded": len(facts.excluded),
        "repeats": len({one.repeat for one in first}),
        "folds": len({one.fold for one in first}),
    }


def methods_paragraphs(counts: Mapping[str, int], facts: ExperimentFacts, reference: str | None) -> tuple[str, ...]:
    """Paragraphs of plain text: data, preparation, models, evaluation."""
    days = f"{facts.threshold_days:g} days"
    data = (
        f"We studied {facts.cohort}: {counted(counts['cases'], 'examination')} of "
        f"{counted(counts['patients'], 'patient')}, {counts['over']} "
        f"with overall survival (OS) of more than {days} and {counts['up_to']} with OS of {days} or less."
    )
    if counts["censored"]:
        data += (
            f" {counted(counts['censored'], 'examination')} censored by day {facts.threshold_days:g} and so without a "
            "class took part in the analysis of survival, but not in training and classification."
        )
    if counts["excluded"]:
        data += (
            f" Left out before anything was trained, for the reasons in left_out.csv: "
            f"{counted(counts['excluded'], 'examination')}."
        )
    preparation = " ".join(facts.preparation) if facts.preparation else ""
    models = " ".join(part for part in (facts.network, facts.training, facts.pretraining, facts.baselines) if part)
    evaluation = (
        f"All arms were judged on the same folds, stratified by class and disjoint by patient: {counts['folds']}-fold "
        f"cross-validation, {counts['repeats']} time{'s' if counts['repeats'] != 1 else ''}"
        + (f" (seed {facts.seed})" if facts.seed is not None else "")
        + ". Imputation, scaling, feature selection, tuning, calibration, choice of the epoch and early stopping used "
        "training patients only; each held-out fold was predicted once. We give mean and standard error over folds; "
        "the out-of-fold AUC over pairs of patients held out together, with a 95 % bootstrap interval over patients, "
        "stratified by class and widened for overlapping training sets; and accuracy, macro-averaged precision, "
        "recall and F1 at a probability of one half, the Brier score, and calibration slope and intercept. "
    )
    if reference is not None:
        evaluation += (
            f"Arms were compared with {reference} by the paired t-test over folds and the corrected resampled t-test "
            "(Nadeau and Bengio 2003) with Holm's correction. "
        )
    evaluation += (
        "Survival of the predicted groups was estimated by Kaplan and Meier and compared by the log-rank test; "
        "Harrell's C-index used all patients with known follow-up, censored ones too."
    )
    return tuple(part for part in (data, preparation, models, evaluation) if part)
