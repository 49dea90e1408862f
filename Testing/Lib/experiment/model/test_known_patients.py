"""A model folder knows its training patients again without naming them."""

from __future__ import annotations

import json

import pytest
from made_cohorts import made_cohort

from PCNSLSurvivalLib.cohorts.prepared_cohort import read_prepared_cohort
from PCNSLSurvivalLib.cohorts.shared_patients import KnownPatient
from PCNSLSurvivalLib.experiment.model.known_patients import exams_of, training_patients
from PCNSLSurvivalLib.models.training_patients import TrainingPatients


def known(name: str, *aliases: str, voxels: str = "") -> KnownPatient:
    return KnownPatient(name=name, patient_id=name, aliases=aliases, t1gd_voxels_sha256=voxels)


@pytest.fixture(scope="module")
def exams(tmp_path_factory):
    return read_prepared_cohort(made_cohort(tmp_path_factory.mktemp("cohort") / "c", patients=4)).exams


def test_the_same_scan_is_known_under_any_name_and_the_same_name_alone_is_not(exams):
    training = training_patients(
        [KnownPatient.of(exams[0]), known(exams[1].name), known("X9", exams[2].name, voxels="other")]
    )
    assert exams_of(training, exams) == (exams[0], exams[2])


def test_public_identifiers_count_with_other_time_points():
    training = training_patients([known("BraTS20_Training_007"), known("TCGA-02-0033-01")])
    again = training_patients([known("TCGA-02-0033-99")])
    assert set(again.public) < set(training.public)


def test_no_name_is_stored_and_the_list_comes_back():
    training = training_patients([known("Miller", "BraTS20_Training_001", voxels="ab")], unknown=True)
    stored = json.dumps(training.to_json())
    assert "Miller" not in stored
    assert "raining_001" not in stored
    assert TrainingPatients.from_json(json.loads(stored)) == training
    for wrong in ({}, {**training.to_json(), "public": [1]}, {**training.to_json(), "more": 1}):
        with pytest.raises(ValueError, match="training patients"):
            TrainingPatients.from_json(wrong)
