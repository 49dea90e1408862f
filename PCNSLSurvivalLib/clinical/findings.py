"""What is known of a patient beside the images, at diagnosis; nothing here is guessed."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal

from PCNSLSurvivalLib.core.errors import ClinicalFindingsError, ModelFolderError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.storage.strict_json import read_json_file

Surgery = Literal["none", "biopsy", "resection"]
SURGERY: tuple[Surgery, ...] = ("none", "biopsy", "resection")

YOUNGEST, OLDEST = 18, 110
"""Years. Both scores were made for adults."""


@dataclass(frozen=True, kw_only=True)
class ClinicalFindings:
    """Clinical findings at diagnosis; None where unknown.

    Raises:
        ClinicalFindingsError: A finding is of the wrong type or out of range.
    """

    age_years: float | None = None
    ecog: int | None = None
    """ECOG performance status, 0 to 4."""
    karnofsky: int | None = None
    """Karnofsky performance status in percent, 0 to 100 in tens. It is not converted to ECOG, nor ECOG to it."""
    ldh_elevated: bool | None = None
    """Serum LDH above the upper limit of normal of the laboratory."""
    csf_protein_elevated: bool | None = None
    """CSF protein above the upper limit of normal of the laboratory."""
    deep_lesion: bool | None = None
    """Periventricular tissue, basal ganglia, corpus callosum, brainstem or cerebellum involved."""
    steroids: bool | None = None
    """Steroids were given before the scan: they can make PCNSL shrink."""
    surgery: Surgery | None = None
    """Before the scan."""

    def __post_init__(self) -> None:
        for name in ("ldh_elevated", "csf_protein_elevated", "deep_lesion", "steroids"):
            self._check(name, isinstance(getattr(self, name), bool), "true or false")
        self._check("age_years", _number_between(self.age_years, YOUNGEST, OLDEST), f"{YOUNGEST} to {OLDEST} years")
        self._check("ecog", self._whole("ecog") and self.ecog in range(5), "a whole number, 0 to 4")
        tens = self._whole("karnofsky") and self.karnofsky in range(0, 101, 10)
        self._check("karnofsky", tens, "0 to 100 in steps of 10")
        self._check("surgery", self.surgery in SURGERY, f"one of {', '.join(SURGERY)}")

    def _whole(self, name: str) -> bool:
        value = getattr(self, name)
        return isinstance(value, int) and not isinstance(value, bool)

    def _check(self, name: str, holds: bool, wanted: str) -> None:
        if getattr(self, name) is not None and not holds:
            raise ClinicalFindingsError(Message("clinical.field_wrong", name=name, wanted=wanted))

    def to_json(self) -> dict[str, Any]:
        """The findings that are known, as they were given."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def read_clinical_findings(path: Path) -> ClinicalFindings:
    """Read the findings of one patient from a JSON file, ``{"age_years": 67, "ecog": 2, …}``; null counts as unknown.

    Raises:
        ClinicalFindingsError: The file is not such an object, or an entry is unknown, of the wrong type or out of
            range.
    """
    try:
        if not path.is_file():
            raise FileNotFoundError("not a regular file")
        stored = read_json_file(path)
    except (OSError, ModelFolderError) as problem:
        raise ClinicalFindingsError(Message("clinical.unreadable")) from problem
    known = [one.name for one in fields(ClinicalFindings)]
    for name in stored:
        if name not in known:
            raise ClinicalFindingsError(Message("clinical.field_unknown", name=name[:40], known=", ".join(known)))
    return ClinicalFindings(**stored)


def _number_between(value: object, least: float, most: float) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return math.isfinite(value) and least <= value <= most
