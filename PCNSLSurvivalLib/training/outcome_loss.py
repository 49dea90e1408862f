"""What a network is to be right about: one of two classes, or the time of death."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
import torch
from torch.nn import functional

from PCNSLSurvivalLib.models.networks.time_head import TimeHead
from PCNSLSurvivalLib.training.network_outputs import CasePredictions, mean_log_loss
from PCNSLSurvivalLib.training.settings import TrainingSettings


class OutcomeLoss(Protocol):
    """The loss of one training, in nats."""

    def weights(self, names: Sequence[str]) -> torch.Tensor:
        """(n,) how much each case counts."""

    def losses(self, outputs: torch.Tensor, names: Sequence[str]) -> torch.Tensor:
        """(n,) loss of each case times its weight, from (n, outputs) of the network."""

    def validation_loss(self, predicted: CasePredictions) -> float:
        """Mean negative log-likelihood of the outcomes of some cases."""


class ClassLoss:
    """Cross-entropy of the two OS classes.

    Args:
        classes: OS class by name of case.
        train_cases: Whose classes set the class weights.
        settings: Class weights and label smoothing.
        case_weights: By name; 1 for a case that is not there.
        device: Where the network is.
    """

    def __init__(
        self,
        classes: Mapping[str, int],
        train_cases: Sequence[str],
        settings: TrainingSettings,
        case_weights: Mapping[str, float],
        device: torch.device,
    ) -> None:
        self._classes, self._case_weights, self._device = classes, case_weights, device
        self._smoothing = settings.label_smoothing
        self._class_weights = _class_weights(train_cases, classes, settings, device)

    def weights(self, names: Sequence[str]) -> torch.Tensor:
        """See ``OutcomeLoss``: class weight times weight of the case."""
        return self._class_weights[[self._classes[name] for name in names]] * self._of_case(names)

    def losses(self, outputs: torch.Tensor, names: Sequence[str]) -> torch.Tensor:
        """See ``OutcomeLoss``."""
        target = torch.tensor([self._classes[name] for name in names], device=self._device)
        each = functional.cross_entropy(
            outputs, target, weight=self._class_weights, reduction="none", label_smoothing=self._smoothing
        )
        return each * self._of_case(names)

    def validation_loss(self, predicted: CasePredictions) -> float:
        """See ``OutcomeLoss``; without class weights and label smoothing."""
        names = predicted.names
        weights = [self._case_weights.get(name, 1.0) for name in names]
        return mean_log_loss(predicted, [self._classes[name] for name in names], weights)

    def _of_case(self, names: Sequence[str]) -> torch.Tensor:
        values = [self._case_weights.get(name, 1.0) for name in names]
        return torch.tensor(values, dtype=torch.float32, device=self._device)


class TimeLoss:
    """Negative log-likelihood of a time head; patients censored at any time take part.

    Args:
        head: The intervals.
        survival: Days of follow-up, and whether the death was observed, by name of case.
        device: Where the network is.
    """

    def __init__(self, head: TimeHead, survival: Mapping[str, tuple[float, bool]], device: torch.device) -> None:
        self._head, self._device = head, device
        self._branches = tuple(torch.tensor(table) for table in head.branches)
        with np.errstate(divide="ignore"):
            self._log_weights = {
                name: torch.tensor(np.log(head.likelihood_weights(days, death_observed=died)))
                for name, (days, died) in survival.items()
            }

    def weights(self, names: Sequence[str]) -> torch.Tensor:
        """See ``OutcomeLoss``: every patient counts alike."""
        return torch.ones(len(names), device=self._device)

    def losses(self, outputs: torch.Tensor, names: Sequence[str]) -> torch.Tensor:
        """See ``OutcomeLoss``."""
        root = self._head.root
        further = outputs[:, 2:]
        z = torch.cat([further[:, :root], (outputs[:, 1] - outputs[:, 0])[:, None], further[:, root:]], dim=1)
        later, earlier = (table.to(z) for table in self._branches)
        log_mass = functional.logsigmoid(z) @ later + functional.logsigmoid(-z) @ earlier
        log_weights = torch.stack([self._log_weights[name] for name in names]).to(z)
        return -torch.logsumexp(log_mass + log_weights, dim=1)

    def validation_loss(self, predicted: CasePredictions) -> float:
        """See ``OutcomeLoss``."""
        outputs = torch.tensor(predicted.logits, dtype=torch.float64)
        return float(self.losses(outputs, predicted.names).mean())


def _class_weights(
    train_cases: Sequence[str], classes: Mapping[str, int], settings: TrainingSettings, device: torch.device
) -> torch.Tensor:
    """(2,) weight of each class in the loss; their mean over the training cases is 1."""
    if not settings.class_weights:
        return torch.ones(2, device=device)
    over = sum(classes[name] for name in train_cases)
    counts = torch.tensor([len(train_cases) - over, over], dtype=torch.float32, device=device)
    return len(train_cases) / (2 * counts)
