"""The training patients of a model folder, as hashes: enough to refuse a test on one of them, no name of anybody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class TrainingPatients:
    """Hashes of everything by which a training patient is known again.

    Attributes:
        public: Identifiers that count in every cohort: those of public data sets, and aliases.
        own: Names in the training cohort. Another cohort may have its own 'sub-001', so they count only where the
            other side names them as an alias.
        voxels: SHA-256 of T1Gd, voxel by voxel.
        unknown: Whether weights whose training patients are unknown are behind the model.
    """

    public: tuple[str, ...]
    own: tuple[str, ...]
    voxels: tuple[str, ...]
    unknown: bool = False

    def holds(self, *, public: set[str], own: set[str], voxels: str) -> bool:
        """Whether a patient with these hashes is one of them."""
        by_name = (public & {*self.public, *self.own}) | (own & set(self.public))
        return bool(by_name) or voxels in self.voxels

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> TrainingPatients:
        """From JSON.

        Raises:
            ValueError: An entry is missing, unknown, or of another kind.
        """
        lists = {name: stored.get(name) for name in ("public", "own", "voxels")}
        hashes = [mark for value in lists.values() if isinstance(value, list) for mark in value]
        right = all(isinstance(value, list) for value in lists.values()) and all(isinstance(h, str) for h in hashes)
        if set(stored) != {*lists, "unknown"} or not right or not isinstance(stored["unknown"], bool):
            raise ValueError("training patients")
        return cls(**{name: tuple(value or ()) for name, value in lists.items()}, unknown=stored["unknown"])
