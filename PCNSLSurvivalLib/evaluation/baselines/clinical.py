"""The clinical baseline's variables: the five of the IELSG score, each once, and the score."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from PCNSLSurvivalLib.cohorts.case import ClinicalVariables

IELSG_VARIABLES = ("age > 60", "ECOG > 1", "LDH > ULN", "CSF protein > ULN", "deep lesion")
IELSG_SCORE = ("IELSG score",)


def ielsg_variables(clinical: Sequence[ClinicalVariables]) -> NDArray[np.float64]:
    """(N, 5) the variables of ``IELSG_VARIABLES`` as 0 or 1; NaN where unknown.

    References:
        Ferreri et al., J Clin Oncol 21:266-272, 2003. doi:10.1200/JCO.2003.09.139
    """
    return np.array(
        [
            [
                _flag(None if one.age_years is None else one.age_years > 60),
                _flag(None if one.ecog is None else one.ecog > 1),
                _flag(one.ldh_elevated),
                _flag(one.csf_protein_elevated),
                _flag(one.deep_lesion),
            ]
            for one in clinical
        ],
        dtype=np.float64,
    ).reshape(len(clinical), len(IELSG_VARIABLES))


def ielsg_score(clinical: Sequence[ClinicalVariables]) -> NDArray[np.float64]:
    """(N, 1) the score, 0 to 5: as recorded, else the sum of the five variables; NaN where one of them is unknown."""
    recorded = np.array([np.nan if one.ielsg_score is None else one.ielsg_score for one in clinical], dtype=np.float64)
    return np.where(np.isnan(recorded), ielsg_variables(clinical).sum(axis=1), recorded)[:, None]


def _flag(known: bool | None) -> float:
    return np.nan if known is None else float(known)
