"""The methods paragraph and the checklist say what was done, and leave open what was not."""

from __future__ import annotations

from typing import get_args

import pytest

from PCNSLSurvivalLib.evaluation.baselines.arms import BASELINE_ARMS, CLINICAL_ARMS, RADIOMICS_ARMS, BaselineArm
from PCNSLSurvivalLib.evaluation.baselines.classifiers import Classifier
from PCNSLSurvivalLib.reports.experiment.facts import ExperimentFacts
from PCNSLSurvivalLib.reports.experiment.methods.baselines import (
    baselines_in_words,
    clinical_predictors,
    radiomics_in_words,
)
from PCNSLSurvivalLib.reports.experiment.methods.text import methods_paragraphs
from PCNSLSurvivalLib.reports.experiment.reporting_checklist import OPEN, checklist
from PCNSLSurvivalLib.reports.experiment.reporting_topics import CLEAR_ITEMS, METRICS_WEIGHTS, TOPICS

ONE = {
    "cases": 30,
    "patients": 30,
    "over": 20,
    "up_to": 10,
    "censored": 1,
    "excluded": 1,
    "repeats": 1,
    "folds": 5,
    "same_shares": 1,
}
NOTHING_KNOWN = ExperimentFacts(excluded={"sub-07": "no T1Gd"})


def answers(facts: ExperimentFacts) -> dict[str, str]:
    return {item.topic.key: item.answer for item in checklist(facts, ONE, explained=False)}


def test_every_classifier_has_words():
    for classifier in get_args(Classifier):
        arm = BaselineArm(name="any", label="any", classifier=classifier)
        assert "Baselines were  on" not in baselines_in_words([arm])
    unknown = BaselineArm(name="any", label="any", classifier="forest")  # type: ignore[arg-type]
    with pytest.raises(KeyError):
        baselines_in_words([unknown])


def test_the_number_of_bootstrap_samples_is_told():
    assert "(2000 samples)" in " ".join(methods_paragraphs(ONE, NOTHING_KNOWN, None))
    assert "(50 samples)" in " ".join(methods_paragraphs(ONE, NOTHING_KNOWN, None, resamples=50))


def test_every_kind_of_interval_and_test_is_told():
    text = " ".join(methods_paragraphs({**ONE, "repeats": 2}, NOTHING_KNOWN, "T1Gd"))
    for part in (
        "tested against 0.5 by 9999 permutations",
        "by DeLong's test of the out-of-fold AUC over patients",
        "keep the number of patients of each class for AUC and recall. They do not for the other metrics",
        "The interval of the calibration intercept was not widened",
        "with the number of observed deaths kept",
        "of a repetition and averaged over the repetitions",
    ):
        assert part in text
    other = " ".join(methods_paragraphs({**ONE, "same_shares": 0}, NOTHING_KNOWN, None))
    assert "calibration intercept was not" not in other
    assert "averaged over the repetitions" not in other
    assert "DeLong" not in other


def test_nothing_is_widened_where_patients_were_held_out_once():
    facts = ExperimentFacts(split_by="year")
    text = " ".join(methods_paragraphs({**ONE, "folds": 1}, facts, "T1Gd"))
    for part in ("overlapping", "widened", "n_train", "over folds", "t-test"):
        assert part not in text
    assert "by DeLong's test of the out-of-fold AUC over patients, with Holm's correction" in text
    assert "They take the models as given" in text


def test_permutations_within_folds_are_told():
    assert "over patients within each fold." in " ".join(methods_paragraphs(ONE, NOTHING_KNOWN, None))
    assert "within each fold." not in " ".join(methods_paragraphs({**ONE, "repeats": 2}, NOTHING_KNOWN, None))


def test_one_exam_is_one_exam():
    text = " ".join(methods_paragraphs(ONE, NOTHING_KNOWN, None))
    assert "1 exam censored by day 365" in text
    assert "1 exam excluded" in answers(NOTHING_KNOWN)["missing_data"]
    assert "1 exams" not in text + str(answers(NOTHING_KNOWN))


@pytest.mark.parametrize("classes", [True, False])
def test_who_judges_and_leaves_out_an_exam_without_a_class_is_told(classes):
    biased = "biases calibration and can bias the AUC"
    by_time = ExperimentFacts(learns_from_time=True, learns_classes=classes)
    text = " ".join(methods_paragraphs(ONE, by_time, None))
    assert biased in text
    assert "neither the training of other methods nor classification" in text
    assert "predicted an exam without a class by the model of the fold that held it out" in text
    assert ("over all folds' models" in text) == classes
    made = ExperimentFacts(learns_from_time=True, model_arm="t1gd_scratch")
    assert "nor the fit of the temperature, nor" in " ".join(methods_paragraphs(ONE, made, None))
    by_class = " ".join(methods_paragraphs(ONE, NOTHING_KNOWN, None))
    assert biased in by_class
    assert "for exams without a class over all folds' models" in by_class
    assert "held it out" not in " ".join(methods_paragraphs({**ONE, "censored": 0}, by_time, None))


@pytest.mark.parametrize(
    "topic",
    [
        "predictors",
        "training",
        "recalibration",
        "use",
    ],
)
def test_what_the_run_did_not_do_stays_open(topic):
    assert answers(NOTHING_KNOWN)[topic] == OPEN
    told = ExperimentFacts(predictors=("T1Gd",), baselines=baselines_in_words(CLINICAL_ARMS), model_arm="t1gd_transfer")
    assert answers(told)[topic] != OPEN


def test_variables_are_imputed_only_where_there_are_any():
    assert "imputed" not in answers(NOTHING_KNOWN)["missing_data"]
    assert "imputed" in answers(ExperimentFacts(baselines=baselines_in_words(CLINICAL_ARMS)))["missing_data"]


def test_the_baselines_that_ran_are_told_and_no_others():
    everything = baselines_in_words(BASELINE_ARMS)
    for part in (
        "support vector machines, logistic regression and Cox regression with a ridge penalty on",
        "The penalty of Cox regression",
        "five IELSG",
        "T1, T2, FLAIR and T1Gd",
        "Platt",
        "F stat",
    ):
        assert part in everything
    logistic = baselines_in_words([arm for arm in CLINICAL_ARMS if arm.classifier == "logistic"])
    assert "Platt" not in logistic
    assert "Cox" not in logistic
    assert "C was chosen" not in baselines_in_words([arm for arm in CLINICAL_ARMS if arm.classifier == "cox"])
    assert "radiomics" not in logistic
    assert "IELSG" not in baselines_in_words(RADIOMICS_ARMS)
    assert clinical_predictors(RADIOMICS_ARMS) == ()
    assert baselines_in_words([]) == ""
    assert "in the lesion mask (1 mm) of every patient" in everything
    assert "in the whole brain (2 mm) of every patient" in baselines_in_words(RADIOMICS_ARMS, "brain")


def test_every_item_of_clear_and_metrics_has_its_topic():
    """58 items of CLEAR, 30 of METRICS; the weights of METRICS add up to one."""
    assert {number for topic in TOPICS for number in topic.clear} == set(range(1, CLEAR_ITEMS + 1))
    graded = [number for topic in TOPICS for number in topic.metrics]
    assert sorted(graded) == list(range(1, 31))
    assert sum(METRICS_WEIGHTS) == pytest.approx(1.0, abs=1e-9)
    (external,) = (topic for topic in TOPICS if topic.key == "external_test")
    assert (external.clear_in_words, external.metrics_in_words) == ("38", "27 (0.0749)")


@pytest.mark.parametrize(
    ("topic", "known"),
    [
        ("radiomics", ExperimentFacts(radiomics="Radiomics of T1Gd.")),
        ("feature_selection", ExperimentFacts(feature_selection="Ten.")),
        ("baselines", ExperimentFacts(clinical_baselines=True)),
        ("sequences_used", ExperimentFacts(network="ResNet.")),
        ("center_count", ExperimentFacts(split_by="site")),
    ],
)
def test_a_topic_of_radiomics_is_answered_by_what_ran(topic, known):
    assert answers(NOTHING_KNOWN)[topic] == OPEN
    assert answers(known)[topic] != OPEN


def test_a_comparison_is_told_only_where_arms_were_compared():
    def told(*, compared: bool) -> str:
        items = checklist(NOTHING_KNOWN, ONE, explained=False, compared=compared)
        return next(item.answer for item in items if item.topic.key == "statistical_comparison")

    assert told(compared=False) == OPEN
    assert "DeLong" in told(compared=True)


def test_radiomics_are_described_only_where_there_are_any():
    assert "T1Gd" in radiomics_in_words(RADIOMICS_ARMS)
    assert radiomics_in_words(CLINICAL_ARMS) == ""
