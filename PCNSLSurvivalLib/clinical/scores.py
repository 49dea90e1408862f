"""IELSG score and MSKCC class of one patient, with bounds where a finding is unknown, and their published survival.

They are facts about groups of patients in publications, and say nothing certain about one patient.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from PCNSLSurvivalLib.clinical.findings import ClinicalFindings
from PCNSLSurvivalLib.core.messages import Message, os_class_words
from PCNSLSurvivalLib.core.terms import OSClass

IELSG_SOURCE = "Ferreri et al., J Clin Oncol 21:266-272, 2003, doi:10.1200/JCO.2003.09.139"
MSKCC_SOURCE = "Abrey et al., J Clin Oncol 24:5711-5715, 2006, doi:10.1200/JCO.2006.08.2941"

Risk = Literal["low", "intermediate", "high"]

_RISK_WORDS: dict[Risk, Message] = {
    "low": Message("word.low_risk"),
    "intermediate": Message("word.intermediate_risk"),
    "high": Message("word.high_risk"),
}
_TWO_YEAR_OS_PERCENT: dict[Risk, tuple[int, int]] = {"low": (80, 8), "intermediate": (48, 7), "high": (15, 7)}
"""2-year OS and its standard deviation in percent (Ferreri et al. 2003): 105 patients with all five findings known."""

_MSKCC_WORDS = {1: Message("word.mskcc_1"), 2: Message("word.mskcc_2"), 3: Message("word.mskcc_3")}
_FINDING_WORDS = {
    "age_years": Message("word.age"),
    "ecog": Message("word.ecog"),
    "karnofsky": Message("word.karnofsky"),
    "ldh_elevated": Message("word.ldh"),
    "csf_protein_elevated": Message("word.csf_protein"),
    "deep_lesion": Message("word.deep_structures"),
}


def ielsg_flags(
    *,
    age_years: float | None,
    ecog: int | None,
    ldh_elevated: bool | None,
    csf_protein_elevated: bool | None,
    deep_lesion: bool | None,
) -> dict[str, bool | None]:
    """The five adverse findings of the IELSG score by name; None where unknown."""
    return {
        "age_years": None if age_years is None else age_years > 60,
        "ecog": None if ecog is None else ecog > 1,
        "ldh_elevated": ldh_elevated,
        "csf_protein_elevated": csf_protein_elevated,
        "deep_lesion": deep_lesion,
    }


def ielsg_risk(score: int) -> Risk:
    """Risk group of a score: 0 and 1 low, 2 and 3 intermediate, 4 and 5 high."""
    if not 0 <= score <= 5:
        raise ValueError("the IELSG score is 0 to 5")
    return "low" if score <= 1 else "intermediate" if score <= 3 else "high"


def mskcc_classes(findings: ClinicalFindings) -> tuple[int, ...]:
    """The MSKCC classes that the known findings allow, in order: 1 to 3."""
    young = (True, False) if findings.age_years is None else (findings.age_years < 50,)
    fit = (True, False) if findings.karnofsky is None else (findings.karnofsky >= 70,)
    possible = {1 if younger else 2 if fitter else 3 for younger in young for fitter in fit}
    return tuple(sorted(possible))


@dataclass(frozen=True, kw_only=True)
class ClinicalScores:
    """Both scores of one patient."""

    findings: ClinicalFindings
    ielsg: tuple[int, int]
    """Lowest and highest score that the unknown findings allow."""
    mskcc: tuple[int, ...]
    """Possible classes."""

    @property
    def risk(self) -> Risk | None:
        """IELSG risk group; None where the unknown findings decide it."""
        risks = {ielsg_risk(score) for score in self.ielsg}
        return risks.pop() if len(risks) == 1 else None

    @property
    def sentences(self) -> tuple[Message, ...]:
        """Both scores in words, the published survival of a settled risk group after its score."""
        return (*self._ielsg_sentences(), *self._mskcc_sentences())

    def comparison(self, image: OSClass, *, prognostic_meaning: bool) -> Message:
        """Whether image and IELSG score agree.

        Args:
            image: Class predicted from the image.
            prognostic_meaning: Of the model; a demonstration model is compared with nothing.
        """
        if not prognostic_meaning:
            return Message("clinical.no_comparison")
        if self.risk is None:
            return Message("clinical.open")
        if self.risk == "intermediate":
            return Message("clinical.intermediate")
        favorable = image is OSClass.OVER_ONE_YEAR
        if favorable == (self.risk == "low"):
            return Message("clinical.agree")
        return Message("clinical.disagree", image=os_class_words(image), risk=_RISK_WORDS[self.risk])

    def to_json(self, image: OSClass, *, prognostic_meaning: bool) -> dict[str, Any]:
        """Findings as given, scores, their sources and sentences."""
        return {
            "findings": self.findings.to_json(),
            "ielsg": {"lowest": self.ielsg[0], "highest": self.ielsg[1], "risk": self.risk, "source": IELSG_SOURCE},
            "mskcc": {"classes": list(self.mskcc), "source": MSKCC_SOURCE},
            "sentences": [sentence.to_json() for sentence in self.sentences],
            "comparison": self.comparison(image, prognostic_meaning=prognostic_meaning).to_json(),
        }

    def _ielsg_sentences(self) -> tuple[Message, ...]:
        lowest, highest = self.ielsg
        missing = tuple(_FINDING_WORDS[name] for name, flag in _flags(self.findings).items() if flag is None)
        if len(missing) == 5:
            return (Message("clinical.ielsg_unknown"),)
        if not missing:
            score = Message("clinical.ielsg", score=lowest, risk=_RISK_WORDS[ielsg_risk(lowest)])
        else:
            risks = dict.fromkeys(ielsg_risk(each) for each in range(lowest, highest + 1))
            words = tuple(_RISK_WORDS[risk] for risk in risks)
            score = Message("clinical.ielsg_range", lowest=lowest, highest=highest, missing=missing, risks=words)
        if self.risk is None:
            return (score,)
        percent, sd = _TWO_YEAR_OS_PERCENT[self.risk]
        return (score, Message("clinical.ielsg_os", percent=percent, sd=sd))

    def _mskcc_sentences(self) -> tuple[Message, ...]:
        if len(self.mskcc) == 1:
            number = self.mskcc[0]
            return (Message("clinical.mskcc", number=number, definition=_MSKCC_WORDS[number]),)
        missing = tuple(
            _FINDING_WORDS[name] for name in ("age_years", "karnofsky") if getattr(self.findings, name) is None
        )
        return (Message("clinical.mskcc_range", numbers=tuple(str(one) for one in self.mskcc), missing=missing),)


def clinical_scores(findings: ClinicalFindings) -> ClinicalScores:
    """IELSG score (Ferreri et al. 2003) and MSKCC class (Abrey et al. 2006), bounded where findings are unknown."""
    flags = list(_flags(findings).values())
    lowest = sum(flag is True for flag in flags)
    return ClinicalScores(
        findings=findings,
        ielsg=(lowest, lowest + sum(flag is None for flag in flags)),
        mskcc=mskcc_classes(findings),
    )


def _flags(findings: ClinicalFindings) -> dict[str, bool | None]:
    return ielsg_flags(
        age_years=findings.age_years,
        ecog=findings.ecog,
        ldh_elevated=findings.ldh_elevated,
        csf_protein_elevated=findings.csf_protein_elevated,
        deep_lesion=findings.deep_lesion,
    )
