"""The methods paragraph of a paper, from what was run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PCNSLSurvivalLib.core.terms import CLASS_THRESHOLD
from PCNSLSurvivalLib.evaluation.auc_test import PERMUTATIONS as CHANCE_PERMUTATIONS
from PCNSLSurvivalLib.evaluation.intervals import RESAMPLES
from PCNSLSurvivalLib.evaluation.out_of_fold import same_shares
from PCNSLSurvivalLib.evaluation.predictions import FoldPredictions
from PCNSLSurvivalLib.evaluation.survival import FEWEST_IN_GROUP, PERMUTATIONS
from PCNSLSurvivalLib.reports.experiment.facts import ExperimentFacts, SurvivalOutcome
from PCNSLSurvivalLib.reports.sentences import counted, listed, times


def cohort_counts(
    arms: Mapping[str, Sequence[FoldPredictions]], outcomes: Mapping[str, SurvivalOutcome], facts: ExperimentFacts
) -> dict[str, int]:
    """Numbers of exams and patients: evaluated, of either class, censored, and excluded; repetitions and folds.

    ``same_shares`` is 1 where every fold has the same share of long survivors.
    """
    classes = {
        case: int(c)
        for folds in arms.values()
        for one in folds
        for case, c in zip(one.cases, one.os_class, strict=True)
    }
    first = next(iter(arms.values()))
    return {
        "cases": len(classes),
        "patients": len({outcomes[case].patient_id if case in outcomes else case for case in classes}),
        "over": sum(classes.values()),
        "up_to": len(classes) - sum(classes.values()),
        "censored": len({case for folds in arms.values() for one in folds for case in one.censored}),
        "excluded": len(facts.excluded),
        "repeats": len({one.repeat for one in first}),
        "folds": len({one.fold for one in first}),
        "same_shares": int(same_shares(first)),
    }


def partition_in_words(counts: Mapping[str, int], facts: ExperimentFacts) -> str:
    """How the patients were divided."""
    if facts.split_by == "site":
        return f"disjoint by patient: one fold per site, which was held out ({counts['folds']} sites)"
    if facts.split_by == "year":
        return "disjoint by patient: the latest years were held out once, and the earlier ones were trained on"
    how_often = times(counts["repeats"])
    return f"stratified by class and disjoint by patient: {counts['folds']}-fold cross-validation, {how_often}"


def methods_paragraphs(
    counts: Mapping[str, int],
    facts: ExperimentFacts,
    reference: str | None,
    further_pairs: Sequence[tuple[str, str]] = (),
    *,
    resamples: int = RESAMPLES,
) -> tuple[str, ...]:
    """Paragraphs of plain text: data, preparation, models, evaluation, differences from the paper.

    Args:
        counts: See ``cohort_counts``.
        facts: What was run.
        reference: Label of the arm with which all others were compared; None where there is no other.
        further_pairs: Labels of arms compared besides, each with what it was compared with.
        resamples: Bootstrap samples of every interval.
    """
    days = f"{facts.threshold_days:g} days"
    data = (
        f"We studied {facts.cohort}: {counted(counts['cases'], 'exam')} of "
        f"{counted(counts['patients'], 'patient')}, {counts['over']} "
        f"with overall survival (OS) of more than {days} and {counts['up_to']} with OS of {days} or less."
    )
    if counts["censored"]:
        data += (
            f" {counted(counts['censored'], 'exam')} censored by day {facts.threshold_days:g} and so without a class "
            "were in the folds: methods that learn from time trained on them. They entered the survival analysis, but "
            f"neither the training of other methods{', nor the fit of the temperature,' if facts.model_arm else ''} "
            "nor classification."
            if facts.learns_from_time
            else f" {counted(counts['censored'], 'exam')} censored by day {facts.threshold_days:g} and so without a "
            "class entered the survival analysis, but not training and classification."
        )
        data += (
            f" A patient who died by day {facts.threshold_days:g} has a class in any case, but a survivor has one only "
            f"if followed beyond day {facts.threshold_days:g}. Leaving exams without a class out therefore raises the "
            "share of short survivors. This biases calibration and can bias the AUC."
        )
    if counts["excluded"]:
        data += f" Excluded before training, for the reasons in left_out.csv: {counted(counts['excluded'], 'exam')}."
    preparation = " ".join(facts.preparation) if facts.preparation else ""
    models = " ".join(part for part in (facts.network, facts.training, facts.pretraining, facts.baselines) if part)
    several = counts["folds"] > 1
    evaluation = (
        f"All arms were evaluated on the same folds, {partition_in_words(counts, facts)}"
        + (f" (seed {facts.seed})" if facts.seed is not None else "")
        + ". Imputation, scaling, feature selection, tuning, calibration, choice of the epoch and early stopping used "
        "training patients only; each held-out fold was predicted once. "
        + (
            "We give mean and standard error over folds, and out-of-fold values with 95 % intervals. "
            if several
            else "Values are given with 95 % intervals. "
        )
        + "The out-of-fold AUC is taken over pairs of patients held out together. Accuracy, macro-averaged precision, "
        f"recall and F1 are given at a probability of {CLASS_THRESHOLD:g}. These, the Brier score, and calibration "
        "slope and intercept are taken over all held-out patients"
        f"{' of a repetition and averaged over the repetitions' if counts['repeats'] > 1 else ''}. "
        f"{_intervals(counts, resamples)} {_against_chance(counts)} "
    )
    if reference is not None:
        compared = listed([f"all others with {reference}", *(f"{arm} with {other}" for arm, other in further_pairs)])
        evaluation += (
            f"Arms were compared, {compared}, by DeLong's test of the out-of-fold AUC over patients, with Holm's "
            "correction for all these pairs. "
        )
        if several:
            evaluation += (
                "Its variance was multiplied by 1 + n / n_train for overlapping training sets. To compare with the "
                "paper, we also give its paired t-test over folds. The corrected resampled t-test (Nadeau and Bengio "
                "2003) is given with Holm's correction for all pairs of one metric. "
            )
    means = [f"over the {counts['repeats']} repetitions"] if counts["repeats"] > 1 else []
    if counts["censored"] and not facts.learns_from_time:
        means.append("for exams without a class over all folds' models")
    evaluation += (
        f"Long survival was predicted from a {'mean ' if means else ''}probability of {CLASS_THRESHOLD:g}"
        + (f", the mean {listed(means)}" if means else "")
        + "."
        + (_without_class(facts) if counts["censored"] else "")
        + " Survival of the two predicted groups was estimated by Kaplan and Meier and compared by the log-rank test. "
        f"Its two-sided p comes from {PERMUTATIONS} permutations of the groups, with Holm's correction over the arms. "
        f"It is given where both groups had {FEWEST_IN_GROUP} patients or more. Harrell's C-index was taken over pairs "
        "of patients judged by the same fold's model, censored ones too. Its interval is made as that of the AUC, but "
        "with the number of observed deaths kept in every sample."
    )
    return tuple(part for part in (data, preparation, models, evaluation, facts.deviations) if part)


def _intervals(counts: Mapping[str, int], resamples: int) -> str:
    """How the intervals of the metrics of the two classes are drawn."""
    text = (
        f"Intervals are percentiles of a bootstrap over patients ({resamples} samples). The samples keep the number of "
        "patients of each class for AUC and recall. They do not for the other metrics, which depend on how common a "
        "class is. "
    )
    if counts["folds"] > 1:
        text += (
            "For overlapping training sets, deviations from the value were widened by the root of 1 + n / n_train. "
            "Here n is the number of patients, and n_train that of the training set of a fold. "
        )
        if counts["same_shares"]:
            text += (
                "The interval of the calibration intercept was not widened: every fold had the same share of long "
                "survivors, to one patient, and so all models learned the same share. "
            )
    else:
        text += "They take the models as given. "
    return f"{text}Where all samples agreed, Wilson's limits were used."


def _against_chance(counts: Mapping[str, int]) -> str:
    """The test of one arm."""
    several = counts["folds"] > 1
    within = " within each fold" if several and counts["repeats"] == 1 else ""
    text = (
        f"The AUC of every arm was tested against 0.5 by {CHANCE_PERMUTATIONS} permutations of the outcomes over "
        f"patients{within}. "
    )
    if several:
        text += (
            "For overlapping training sets, the distances of the permuted AUCs from 0.5 were widened by the same "
            "factor. "
        )
    return f"{text}These p values are not corrected for the number of arms."


def _without_class(facts: ExperimentFacts) -> str:
    """Whose prediction counts for an exam without a class that is in a fold."""
    if not facts.learns_from_time:
        return ""
    return (
        " Methods that learn from time predicted an exam without a class by the model of the fold that held it out"
        + (", and the other methods by the mean over all folds' models" if facts.learns_classes else "")
        + "."
    )
