"""The training patients behind some weights, including earlier initial weights: none of them may be in a test set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from PCNSLSurvivalLib.cohorts.shared_patients import KnownPatient


@dataclass(frozen=True, kw_only=True)
class TrainedOn:
    """All training patients behind some weights.

    Attributes:
        patients: Those that are known.
        unknown: Whether weights from another source are behind them, whose training patients are unknown.
    """

    patients: tuple[KnownPatient, ...] = ()
    unknown: bool = False

    def __add__(self, later: TrainedOn) -> TrainedOn:
        return TrainedOn(patients=(*self.patients, *later.patients), unknown=self.unknown or later.unknown)

    def to_json(self) -> dict[str, Any]:
        """The entries of ``job.json`` for the initial weights."""
        return {
            "initial_weights_patients": [asdict(one) for one in self.patients],
            "initial_weights_unknown": self.unknown,
        }

    @classmethod
    def of_job(cls, facts: Mapping[str, Any]) -> TrainedOn:
        """The training patients behind the weights of a job, by its ``job.json``, with those of its initial weights.

        A record without one of them, such as that of a checkpoint file, means that they are unknown.
        """
        own = cls(patients=_patients(facts.get("patients")), unknown="patients" not in facts)
        return cls.of_initial_weights_of(facts) + own

    @classmethod
    def of_initial_weights_of(cls, facts: Mapping[str, Any]) -> TrainedOn:
        """The training patients behind a job's initial weights; none if it had none."""
        if facts.get("initial_weights_sha256") is None:
            return cls()
        return cls(
            patients=_patients(facts.get("initial_weights_patients")),
            unknown=bool(facts.get("initial_weights_unknown", True)),
        )


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
