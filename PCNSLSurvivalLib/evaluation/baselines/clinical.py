"""The clinical baseline's variables: the five of the IELSG score, each once, and the score."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from PCNSLSurvivalLib.clinical.scores import ielsg_flags
from PCNSLSurvivalLib.cohorts.case import ClinicalVariables

IELSG_VARIABLES = ("age > 60", "ECOG > 1", "LDH > ULN", "CSF protein > ULN", "deep lesion")
IELSG_SCORE = ("IELSG score",)


def ielsg_variables(clinical: Sequence[ClinicalVariables]) -> NDArray[np.float64]:
    """(N, 5) the variables of ``IELSG_VARIABLES`` as 0 or 1; NaN where unknown.

    References:
        Ferreri et al., J Clin Oncol 21:266-272, 2003. doi:10.1200/JCO.2003.09.139
    """
    flags = [
        [
            _flag(known)
            for known in ielsg_flags(
                age_years=one.age_years,
                ecog=one.ecog,
                ldh_elevated=one.ldh_elevated,
                csf_protein_elevated=one.csf_protein_elevated,
                deep_lesion=one.deep_lesion,
            ).values()
        ]
        for one in clinical
    ]
    return np.array(flags, dtype=np.float64).reshape(len(clinical), len(IELSG_VARIABLES))


def ielsg_score(clinical: Sequence[ClinicalVariables]) -> NDArray[np.float64]:
    """(N, 1) the score, 0 to 5: as recorded, else the sum of the five variables; NaN where one of them is unknown."""
    recorded = np.array([np.nan if one.ielsg_score is None else one.ielsg_score for one in clinical], dtype=np.float64)
    return np.where(np.isnan(recorded), ielsg_variables(clinical).sum(axis=1), recorded)[:, None]


def _flag(known: bool | None) -> float:
    return np.nan if known is None else float(known)
