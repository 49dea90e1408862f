"""Choice of the best epoch, and early stopping: by validation loss, never by the fold that is reported."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from PCNSLSurvivalLib.core.errors import TrainingError
from PCNSLSurvivalLib.core.messages import Message


@dataclass
class EarlyStopping:
    """State of one training; a new one is made for each."""

    patience: int
    best_epoch: int = -1
    best_loss: float = math.inf
    last_epoch: int = -1

    def improved(self, epoch: int, validation_loss: float) -> bool:
        """Take note of an epoch; True if its weights are the best so far.

        Raises:
            TrainingError: The loss is not a number.
        """
        if not math.isfinite(validation_loss):
            raise TrainingError(Message("training.diverged"))
        self.last_epoch = epoch
        if validation_loss < self.best_loss:
            self.best_epoch, self.best_loss = epoch, validation_loss
            return True
        return False

    @property
    def over(self) -> bool:
        """Whether ``patience`` epochs have passed without a better one."""
        return self.last_epoch - self.best_epoch >= self.patience

    def state(self) -> dict[str, Any]:
        """Plain values for a checkpoint."""
        return {"best_epoch": self.best_epoch, "best_loss": self.best_loss, "last_epoch": self.last_epoch}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from ``state``."""
        self.best_epoch, self.best_loss = int(state["best_epoch"]), float(state["best_loss"])
        self.last_epoch = int(state["last_epoch"])
