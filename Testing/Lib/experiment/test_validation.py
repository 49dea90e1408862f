"""A finished model on another cohort: fresh patients are evaluated, training patients are refused."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_cohorts import made_cohort
from refusals import refused

from PCNSLSurvivalLib.cli.__main__ import main
from PCNSLSurvivalLib.cohorts.prepared_cohort import read_prepared_cohort
from PCNSLSurvivalLib.cohorts.shared_patients import KnownPatient
from PCNSLSurvivalLib.core.errors import CohortError, ExperimentError
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.evaluation.classification import classification_metrics
from PCNSLSurvivalLib.experiment import validation
from PCNSLSurvivalLib.experiment.model.known_patients import training_patients
from PCNSLSurvivalLib.experiment.validation import refuse_training_patients, validate
from PCNSLSurvivalLib.models.model_folder import bundled_model_path, read_model_folder
from PCNSLSurvivalLib.models.model_license import APACHE
from PCNSLSurvivalLib.models.networks.architecture import ResNetArchitecture
from PCNSLSurvivalLib.models.write_model_folder import ModelDescription, write_model_folder
from PCNSLSurvivalLib.preprocessing.recipe import RECIPE, NetworkGridStep
from PCNSLSurvivalLib.reports.validation.subgroups import TestPatient, subgroups_of

PATIENTS = 16


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    folder = made_cohort(
        tmp_path_factory.mktemp("c") / "fresh", patients=PATIENTS, censored=2, seed=5, sequences=(MRSequence.T1GD,)
    )
    about = json.loads((folder / "cohort.json").read_text(encoding="utf-8"))
    for number, case in enumerate(about["cases"]):
        case["clinical"] |= {"sex": ("female", "male")[number // 2 % 2], "site": "AB"[number // 3 % 2]}
        if number == 3:
            case["clinical"]["ldh_elevated"] = None
    (folder / "cohort.json").write_text(json.dumps(about), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    root = tmp_path_factory.mktemp("m")
    architecture = ResNetArchitecture(depth=10, widen_factor=0.125)
    tensors = {name: np.zeros(shape, dtype=np.float32) for name, shape in architecture.tensor_shapes().items()}
    for name in ("one", "two"):
        (root / name).mkdir()
        write_model_folder(
            root / name,
            architecture=architecture,
            members=[tensors],
            sequences=(MRSequence.T1GD,),
            recipe=replace(RECIPE, network_grid=NetworkGridStep(size=(16,) * 3, spacing_mm=(3.0,) * 3)),
            description=ModelDescription(
                name=f"model_{name}",
                version="1.0.0",
                kind="demonstration",
                description="Made for a test.",
                intended_use="Tests.",
                data_source="None.",
                training_cohort="no patient",
                training_patients=0,
                card="# Test\n",
                license=APACHE,
            ),
        )
    return root


class Brightness:
    """In place of a network: the brighter the lesion, the sooner the death; the second model sees half of it."""

    def __init__(self, folder, *args, **options):
        self._gain = 0.5 if folder.name == "model_two" else 1.0

    def predict(self, case):
        p = 1 / (1 + np.exp(self._gain * 200 * (float(case.mean()) - 0.005)))
        return type("Result", (), {"probability_over_one_year": p})


@pytest.fixture(scope="module")
def results(cohort, models, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "validation"
    words = ["validate", models / "one", cohort, "--against", models / "two", "--out", out, "--resamples", 200]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(validation, "SurvivalNetwork", Brightness)
        assert main([*map(str, words), "--device", "cpu", "--quiet"]) == 0
    return out / "results"


def rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_patient_is_evaluated_once_by_each_model(results):
    predictions = rows(results / "predictions.csv")
    assert len(predictions) == 2 * (PATIENTS + 2)
    assert len({(row["arm"], row["case"]) for row in predictions}) == len(predictions)


def test_scores_and_the_second_model_are_compared_on_the_patients_that_have_them(results):
    found = {row["against"]: row for row in rows(results / "differences.csv") if row["metric"] == "auc"}
    numbers = {against: int(row["exams"]) for against, row in found.items()}
    assert numbers.pop("IELSG score") == PATIENTS - 1
    assert numbers.pop("Lesion volume") == PATIENTS
    assert list(numbers.values()) == [PATIENTS]
    for row in found.values():
        assert float(row["low95"]) <= float(row["difference"]) <= float(row["high95"])


def test_subgroups_divide_the_patients(results):
    found = [row for row in rows(results / "subgroups.csv") if row["arm"] == rows(results / "subgroups.csv")[0]["arm"]]
    for by in ("Sex", "Site", "Lesion volume"):
        assert sum(int(row["exams"]) for row in found if row["by"] == by) == PATIENTS, by
    assert {row["group"] for row in found if row["by"] == "Site"} == {"A", "B"}


def test_a_mask_without_a_part_large_enough_counts_as_no_lesion():
    patients = {str(count): TestPatient(lesion_count=count) for count in (0, 1, 2, 5, None)}
    found = {group.name: group.cases for group in subgroups_of(patients) if group.by.startswith("Lesions")}
    assert found == {"none": {"0"}, "one": {"1"}, "several": {"2", "5"}}


def test_the_page_says_what_was_not_known_and_fills_the_rows_of_a_validation(results):
    page = (results / "validation_report.html").read_text(encoding="utf-8")
    assert "does not list its training patients" in page
    assert "demonstration model" in page
    assert "None: models were used as they stand." in page
    assert "Table of subgroups:" in page
    assert page.count("data:image/png") == 4
    assert "No external validation" not in page


def test_a_cohort_that_shares_patients_is_refused_with_their_number(cohort, models):
    prepared = read_prepared_cohort(cohort)
    model = read_model_folder(models / "one")
    known = training_patients(KnownPatient.of(exam) for exam in prepared.exams[:3])
    with refused(CohortError, "validation.training_patients", count=3, model="model_one") as error:
        refuse_training_patients(replace(model, known_patients=known), prepared)
    header, *lines = error.value.message.values["lines"].splitlines()
    assert (header, [line.split(",")[0] for line in lines]) == ("name,reason", ["P000", "P001", "P002"])
    others = replace(prepared, exams=prepared.exams[3:])
    refuse_training_patients(replace(model, known_patients=known), others)


def test_what_cannot_be_judged_is_refused(cohort, models):
    model, prepared = read_model_folder(models / "one"), read_prepared_cohort(cohort)
    with refused(ExperimentError, "validation.same_model"):
        validate([model, model], prepared, device="cpu")
    long = tuple(exam for exam in prepared.exams if (exam.os_days or 0) > 365)
    with refused(ExperimentError, "validation.one_class"):
        validate([model], replace(prepared, exams=long), device="cpu")


def test_a_model_that_knows_the_truth_gets_the_auc_it_deserves(cohort, models, monkeypatch):
    prepared = read_prepared_cohort(cohort)

    class Oracle:
        def __init__(self, *args, **options):
            people = validation.participants(prepared, (), 365)
            self._days = iter([exam.os_days for exam in (*people.labeled, *people.censored)])

        def predict(self, case):
            return type("Result", (), {"probability_over_one_year": min(next(self._days) / 4000, 1.0)})

    monkeypatch.setattr(validation, "SurvivalNetwork", Oracle)
    model = read_model_folder(models / "one")
    content = validate([replace(model, decision_threshold=365.5 / 4000)], prepared, resamples=100)
    assert content.results[0].out_of_fold["accuracy"].value == content.results[0].fold_mean["accuracy"] == 1.0
    assert content.survival[0].log_rank.patients == (8, 10)  # two censored early are below the threshold
    content = validate([model], prepared, resamples=100)
    assert content.results[0].out_of_fold["accuracy"].value < 1.0
    assert content.results[0].out_of_fold["auc"].value == 1.0
    volume = next(one for one in content.scores if one.label == "Lesion volume")
    difference = next(one for one in content.differences if one.against == "Lesion volume")
    assert difference.values["auc"].value == pytest.approx(1.0 - volume.auc.value)
    assert np.isnan(content.subgroups[0].auc.value) or content.subgroups[0].auc.value == 1.0


def test_the_card_of_the_bundled_model_is_judged_as_a_validation_would(tmp_path, monkeypatch):
    """Both judge the same fresh patients; the signal is faint, so that the slope of the calibration is defined."""
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[3] / "Resources" / "experiments"))
    from fresh_patients import judge

    model = read_model_folder(bundled_model_path())
    prepared = read_prepared_cohort(
        made_cohort(tmp_path / "fresh", patients=12, signal=0.2, sequences=(MRSequence.T1GD,))
    )
    card = list(judge(model, prepared))
    metrics = classification_metrics([row.over_one_year for row in card], [row.probability for row in card])
    content = validate([model], prepared, device="cpu", resamples=100)
    found = {name: estimate.value for name, estimate in content.results[0].out_of_fold.items()}
    assert {name: metrics[name] for name in found} == pytest.approx(found, abs=1e-6)
