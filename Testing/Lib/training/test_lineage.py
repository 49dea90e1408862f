"""What is behind some weights comes back from the record of a training, also of an earlier version."""

from __future__ import annotations

import json

from PCNSLSurvivalLib.cohorts.shared_patients import KnownPatient
from PCNSLSurvivalLib.training.lineage import UNKNOWN, Origin, TrainedOn

PATIENT = KnownPatient(name="B000", patient_id="B000", aliases=(), t1gd_voxels_sha256="ab")
RESTRICTED = Origin(in_words="weights of others", model_license="non-commercial")


def test_an_origin_and_its_license_are_kept_over_any_number_of_trainings():
    behind = TrainedOn(origins=(RESTRICTED,))
    for _ in range(3):
        record = {"patients": [], "initial_weights_sha256": "cd", **behind.to_json()}
        behind = TrainedOn.of_job(json.loads(json.dumps(record)))
    assert behind.origins == (RESTRICTED,)
    assert behind.unknown


def test_trainings_from_the_same_weights_have_one_origin():
    one = TrainedOn(patients=(PATIENT,), origins=(RESTRICTED,))
    assert (one + one).origins == (RESTRICTED,)


def test_a_record_of_an_earlier_version_tells_only_whether_there_is_an_origin():
    record = {"patients": [], "initial_weights_sha256": "cd", "initial_weights_patients": []}
    assert TrainedOn.of_job(record | {"initial_weights_unknown": True}).origins == (UNKNOWN,)
    assert TrainedOn.of_job(record | {"initial_weights_unknown": False}).origins == ()
    assert TrainedOn.of_job(record).origins == (UNKNOWN,)
    assert TrainedOn.of_job({"weights_file_sha256": "cd", "origin": "a file"}).origins == (UNKNOWN,)
    assert TrainedOn.of_job({"patients": [], "initial_weights_sha256": None}).origins == ()
