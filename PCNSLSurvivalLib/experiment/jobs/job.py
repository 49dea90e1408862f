"""The experiment's jobs, each named by the SHA-256 of everything that decides its numbers.

A job is one fold of one arm, or the pre-training of one sequence. Its folder's name holds the hash, so that a job
is done when its folder is there, whatever happened in between, and a changed plan or cohort never meets old results.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from PCNSLSurvivalLib.cohorts.splits import Fold
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.experiment.plan import Training

Kind = Literal["pretraining", "network", "baseline", "fusion"]

JOBS = "jobs"


@dataclass(frozen=True, kw_only=True)
class Job:
    """One piece of work that one process does from beginning to end.

    Attributes:
        kind: Pre-training of a network, or one fold of a network, of a baseline, or of a network with the clinic.
        arm: Whose: ``t1gd_transfer``, ``svm_clinical``; of a pre-training ``t1gd_pretraining``.
        fold: The outer fold; None for a pre-training.
        decided_by: Everything that decides the numbers, as plain JSON values.
        sequence: What a network looks at; None for a baseline.
        pretraining: The pre-training whose weights it starts from.
        needs: The networks whose predictions a fusion reads.
    """

    kind: Kind
    arm: str
    fold: Fold | None
    decided_by: Mapping[str, Any]
    sequence: MRSequence | None = None
    pretraining: Job | None = None
    needs: tuple[Job, ...] = ()

    @property
    def key(self) -> str:
        """SHA-256 of everything that decides the numbers, that of the jobs it waits for included."""
        decided = {**self.decided_by, "pretraining": self.pretraining.key if self.pretraining else None}
        if self.needs:
            decided["needs"] = [job.key for job in self.needs]
        text = json.dumps([self.kind, self.arm, decided], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def waits_for(self) -> tuple[Job, ...]:
        """Jobs that must be finished before it."""
        return self.needs if self.pretraining is None else (self.pretraining, *self.needs)

    @property
    def label(self) -> str:
        """In a table or a progress line: 't1gd_transfer repeat1_fold3'."""
        return f"{self.arm} {self.fold.label}" if self.fold else self.arm

    @property
    def training(self) -> Training | None:
        """Which of the plan's settings train its network; None for a baseline."""
        if self.kind == "network":
            return "training" if self.pretraining is None else "finetuning"
        return "pretraining" if self.kind == "pretraining" else None

    def folder(self, out: Path) -> Path:
        """Where its results lie once it is finished."""
        where = self.fold.label if self.fold else "all"
        return out / JOBS / self.arm / f"{where}_{self.key[:12]}"
