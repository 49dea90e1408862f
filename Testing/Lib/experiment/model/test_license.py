"""A model is under the strictest license of the weights behind it."""

from __future__ import annotations

from PCNSLSurvivalLib.experiment.model.license import license_of
from PCNSLSurvivalLib.models.model_license import APACHE
from PCNSLSurvivalLib.models.networks.known_weights import BRAINIAC, DEEPBET, MEDICALNET, KnownWeights
from PCNSLSurvivalLib.training.lineage import UNKNOWN, Origin, TrainedOn


def origin(known: KnownWeights) -> Origin:
    return Origin(in_words=known.in_words, model_license=known.model_license)


def test_random_weights_and_those_of_own_patients_give_an_apache_model():
    assert license_of(TrainedOn()) is APACHE


def test_deepbet_is_known_by_its_checksum_and_medicalnet_only_by_its_format():
    of_deepbet, of_medicalnet = (license_of(TrainedOn(origins=(origin(one),))) for one in (DEEPBET, MEDICALNET))
    assert of_deepbet.name == "Apache-2.0"
    assert of_medicalnet.name == "Apache-2.0, if the initial weights are MedicalNet's (MIT)"
    for one in (of_deepbet, of_medicalnet):
        assert "license: MIT" in one.text
        assert APACHE.text in one.text
    assert "do not use this model commercially" not in of_deepbet.text
    assert "do not use this model commercially" in of_medicalnet.text, "another file may have its format"


def test_weights_of_unknown_license_give_no_apache_model():
    found = license_of(TrainedOn(origins=(UNKNOWN,)))
    assert found.name.startswith("unknown")
    assert "Apache" not in found.text


def test_the_restricted_weights_decide_beside_others():
    found = license_of(TrainedOn(origins=(origin(DEEPBET), origin(BRAINIAC))))
    assert found.name == BRAINIAC.model_license
    assert "Apache" not in found.text
    assert BRAINIAC.in_words in found.text
