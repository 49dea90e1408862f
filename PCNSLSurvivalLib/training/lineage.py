"""What is behind some weights, including earlier initial weights.

None of the known patients may be in a test set, and the license of weights made elsewhere stays with what is trained
from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from PCNSLSurvivalLib.cohorts.shared_patients import KnownPatient


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Weights that were made elsewhere, and whose training patients are unknown.

    Attributes:
        in_words: What they are, for cards and methods text.
        model_license: Of a model that is trained from them.
    """

    in_words: str = "weights from another source, whose training patients are unknown"
    model_license: str = "unknown: the license of the initial weights is not known"


UNKNOWN = Origin()
"""Weights of which nothing is recorded."""


@dataclass(frozen=True, kw_only=True)
class TrainedOn:
    """All training patients behind some weights, as far as they are known.

    Attributes:
        patients: Those that are known.
        origins: The weights from elsewhere that are behind them.
    """

    patients: tuple[KnownPatient, ...] = ()
    origins: tuple[Origin, ...] = ()

    @property
    def unknown(self) -> bool:
        """Whether there are other training patients, who are unknown."""
        return bool(self.origins)

    def __add__(self, later: TrainedOn) -> TrainedOn:
        return TrainedOn(
            patients=(*self.patients, *later.patients), origins=tuple(dict.fromkeys((*self.origins, *later.origins)))
        )

    def to_json(self) -> dict[str, Any]:
        """The entries of ``job.json`` for the initial weights."""
        return {
            "initial_weights_patients": [asdict(one) for one in self.patients],
            "initial_weights_origins": [asdict(one) for one in self.origins],
        }

    @classmethod
    def of_job(cls, facts: Mapping[str, Any]) -> TrainedOn:
        """What is behind the weights of a job, by its ``job.json``, with what is behind its initial weights.

        A record without patients, such as that of a checkpoint file, means that they are unknown.
        """
        if "patients" not in facts:
            return cls.of_initial_weights_of(facts) + cls(origins=_origins(facts.get("origins")) or (UNKNOWN,))
        return cls.of_initial_weights_of(facts) + cls(patients=_patients(facts["patients"]))

    @classmethod
    def of_initial_weights_of(cls, facts: Mapping[str, Any]) -> TrainedOn:
        """What is behind a job's initial weights; nothing if it had none."""
        if facts.get("initial_weights_sha256") is None:
            return cls()
        origins = _origins(facts.get("initial_weights_origins"))
        # Folders of earlier versions record only whether there is any.
        if "initial_weights_origins" not in facts and facts.get("initial_weights_unknown", True):
            origins = (UNKNOWN,)
        return cls(patients=_patients(facts.get("initial_weights_patients")), origins=origins)


def _origins(stored: Any) -> tuple[Origin, ...]:
    return tuple(Origin(in_words=one["in_words"], model_license=one["model_license"]) for one in stored or ())


def _patients(stored: Any) -> tuple[KnownPatient, ...]:
    return tuple(
        KnownPatient(
            name=one["name"],
            # Folders of earlier versions call it "patient".
            patient_id=one["patient_id"] if "patient_id" in one else one["patient"],
            aliases=tuple(one["aliases"]),
            t1gd_voxels_sha256=one["t1gd_voxels_sha256"],
        )
        for one in stored or ()
    )
