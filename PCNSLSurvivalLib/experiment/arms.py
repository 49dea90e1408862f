"""The arms of an experiment that have a network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PCNSLSurvivalLib.core.terms import MRSequence

Initialization = Literal["scratch", "transfer"]


@dataclass(frozen=True, kw_only=True)
class NetworkArm:
    """A network on one sequence, with one kind of initialization."""

    sequence: MRSequence
    initialization: Initialization

    @property
    def name(self) -> str:
        """In files and tables: ``t1gd_transfer``."""
        return f"{self.sequence}_{self.initialization}"


@dataclass(frozen=True, kw_only=True)
class FusionArm:
    """A regression on the log-odds of a network and the clinical variables."""

    network: NetworkArm

    @property
    def name(self) -> str:
        """In files and tables: ``t1gd_transfer_clinical``."""
        return f"{self.network.name}_clinical"

    @property
    def pairs_name(self) -> str:
        """Of its networks that leave two folds out: ``t1gd_transfer_pairs``."""
        return f"{self.network.name}_pairs"
