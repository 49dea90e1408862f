"""Clinical variables of virtual patients, and the prognostic score that follows from them."""

from __future__ import annotations

from dataclasses import dataclass

from PCNSLSurvivalLib.phantoms.disease.diseases import LesionFeatures
from PCNSLSurvivalLib.phantoms.random_fields import stream


@dataclass(frozen=True, kw_only=True)
class ClinicalData:
    """What the clinic knows besides the scan.

    Attributes:
        age_years: Age at diagnosis.
        sex: "female" or "male".
        ecog: ECOG performance status, 0 to 4.
        ldh_elevated: Serum LDH above the upper normal limit.
        csf_protein_elevated: CSF protein above the limit; None without lumbar puncture.
        deep_structures: Any lesion in periventricular tissue, basal ganglia, callosum, brainstem, cerebellum.
    """

    age_years: float
    sex: str
    ecog: int
    ldh_elevated: bool
    csf_protein_elevated: bool | None
    deep_structures: bool

    @property
    def ielsg_score(self) -> int | None:
        """IELSG score, 0 to 5; None when the CSF protein is not known.

        References:
            Ferreri et al., Prognostic scoring system for primary CNS lymphomas, J Clin Oncol 21(2), 2003.
            doi:10.1200/JCO.2003.09.139
        """
        if self.csf_protein_elevated is None:
            return None
        flags = (
            self.age_years > 60,
            self.ecog > 1,
            self.ldh_elevated,
            self.csf_protein_elevated,
            self.deep_structures,
        )
        return sum(flags)


def draw_clinical(seed: int, features: LesionFeatures, age_years: float) -> ClinicalData:
    """Draw clinical variables with the frequencies of unselected PCNSL patients (assumed; see docs/phantoms.md)."""
    draw = stream(seed, "clinical")
    return ClinicalData(
        age_years=round(age_years, 1),
        sex=str(draw.choice(["female", "male"], p=[0.45, 0.55])),
        ecog=int(draw.choice([0, 1, 2, 3, 4], p=[0.12, 0.36, 0.28, 0.18, 0.06])),
        ldh_elevated=bool(draw.uniform() < 0.38),
        csf_protein_elevated=bool(draw.uniform() < 0.55) if draw.uniform() < 0.80 else None,
        deep_structures=features.deep,
    )
