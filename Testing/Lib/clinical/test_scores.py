"""IELSG and MSKCC against tables counted by hand, and the bounds that unknown findings leave."""

from __future__ import annotations

import itertools
import json

import pytest

from PCNSLSurvivalLib.clinical.findings import ClinicalFindings, read_clinical_findings
from PCNSLSurvivalLib.clinical.scores import clinical_scores, ielsg_risk
from PCNSLSurvivalLib.core.errors import ClinicalFindingsError
from PCNSLSurvivalLib.core.terms import OSClass

FAVORABLE = {"age_years": 60, "ecog": 1, "ldh_elevated": False, "csf_protein_elevated": False, "deep_lesion": False}
ADVERSE = {"age_years": 61, "ecog": 2, "ldh_elevated": True, "csf_protein_elevated": True, "deep_lesion": True}
RISK_BY_HAND = ["low", "low", "intermediate", "intermediate", "high", "high"]


def scores(**findings):
    return clinical_scores(ClinicalFindings(**findings))


def test_every_combination_of_the_five_ielsg_findings():
    choice = {0: FAVORABLE, 1: ADVERSE}
    percent = {"low": "80% ± 8%", "intermediate": "48% ± 7%", "high": "15% ± 7%"}
    for states in itertools.product((0, 1, None), repeat=5):
        given = {name: choice[state][name] for name, state in zip(FAVORABLE, states, strict=True) if state is not None}
        found = scores(**given)
        ones, unknown = states.count(1), states.count(None)
        assert found.ielsg == (ones, ones + unknown)
        possible = set(RISK_BY_HAND[ones : ones + unknown + 1])
        assert found.risk == (possible.pop() if len(possible) == 1 else None)
        told = " ".join(str(sentence) for sentence in found.sentences)
        assert [risk for risk, text in percent.items() if text in told] == ([] if found.risk is None else [found.risk])


def test_a_score_beyond_five_has_no_risk_group():
    with pytest.raises(ValueError, match="0 to 5"):
        ielsg_risk(6)


@pytest.mark.parametrize(
    ("age", "karnofsky", "classes"),
    [
        (49, 40, (1,)), (49, 70, (1,)), (49, None, (1,)), (49.9, 60, (1,)),
        (50, 70, (2,)), (50, 60, (3,)), (50, None, (2, 3)), (80, 100, (2,)), (80, 0, (3,)),
        (None, 70, (1, 2)), (None, 60, (1, 3)), (None, None, (1, 2, 3)),
    ],
)  # fmt: skip
def test_mskcc_classes(age, karnofsky, classes):
    found = scores(age_years=age, karnofsky=karnofsky)
    assert found.mskcc == classes
    told = str(found.sentences[-1])
    assert ("unknown" in told) == (len(classes) > 1)


def test_ecog_and_karnofsky_are_not_converted_into_each_other():
    assert scores(age_years=70, ecog=4).mskcc == (2, 3)
    assert scores(age_years=70, karnofsky=20).ielsg == (1, 5)


@pytest.mark.parametrize(
    ("findings", "image", "code"),
    [
        (FAVORABLE, OSClass.OVER_ONE_YEAR, "clinical.agree"),
        (FAVORABLE, OSClass.UP_TO_ONE_YEAR, "clinical.disagree"),
        (ADVERSE, OSClass.UP_TO_ONE_YEAR, "clinical.agree"),
        (ADVERSE, OSClass.OVER_ONE_YEAR, "clinical.disagree"),
        ({**FAVORABLE, "ecog": 3, "ldh_elevated": True}, OSClass.OVER_ONE_YEAR, "clinical.intermediate"),
        ({"age_years": 70}, OSClass.OVER_ONE_YEAR, "clinical.open"),
    ],
)
def test_image_and_clinic_are_compared_in_one_sentence(findings, image, code):
    assert scores(**findings).comparison(image, prognostic_meaning=True).code == code
    assert scores(**findings).comparison(image, prognostic_meaning=False).code == "clinical.no_comparison"


def test_a_file_gives_what_is_known_and_null_is_unknown(tmp_path):
    path = tmp_path / "clinic.json"
    path.write_text(json.dumps({"age_years": 67, "ecog": None, "surgery": "biopsy"}), encoding="utf-8")
    assert read_clinical_findings(path) == ClinicalFindings(age_years=67, surgery="biopsy")
    assert read_clinical_findings(path).to_json() == {"age_years": 67, "surgery": "biopsy"}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"age": 67}', "clinical.field_unknown"),
        ('{"age_years": "67"}', "clinical.field_wrong"),
        ('{"age_years": 670}', "clinical.field_wrong"),
        ('{"age_years": true}', "clinical.field_wrong"),
        ('{"ecog": 1.0}', "clinical.field_wrong"),
        ('{"ecog": 5}', "clinical.field_wrong"),
        ('{"ecog": false}', "clinical.field_wrong"),
        ('{"karnofsky": 75}', "clinical.field_wrong"),
        ('{"ldh_elevated": 1}', "clinical.field_wrong"),
        ('{"surgery": "craniotomy"}', "clinical.field_wrong"),
        ('{"age_years": NaN}', "clinical.unreadable"),
        ('{"age_years": 1, "age_years": 2}', "clinical.unreadable"),
        ("[]", "clinical.unreadable"),
        ("age: 67", "clinical.unreadable"),
        (None, "clinical.unreadable"),
    ],
)
def test_what_cannot_be_is_refused(text, code, tmp_path):
    path = tmp_path / "clinic.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(ClinicalFindingsError) as refused:
        read_clinical_findings(path)
    assert refused.value.message.code == code
