"""The output of the network for one case, and the input it was computed from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from PCNSLSurvivalLib.core.messages import Message, os_class_words
from PCNSLSurvivalLib.core.terms import OSClass
from PCNSLSurvivalLib.explain.methods import Method
from PCNSLSurvivalLib.inference.runtimes.names import Precision
from PCNSLSurvivalLib.inference.runtimes.runtime import FloatMap
from PCNSLSurvivalLib.models.familiarity import Familiarity
from PCNSLSurvivalLib.models.networks.designs import Block
from PCNSLSurvivalLib.models.networks.time_head import PredictedSurvival


@dataclass(frozen=True, kw_only=True)
class NetworkResult:
    """Probability, maps and evidence of one case.

    Maps lie on cells of the network grid: cell n of an axis is centered on voxel ``stride_voxels * n``
    (see ``explain.overlay.map_on_grid``).
    """

    probability_over_one_year: float
    """Probability of OS over one year, 0 to 1: the logistic function of ``log_odds``."""
    log_odds: float
    """Mean of the members' log-odds of OS over one year, calibrated."""
    os_class: OSClass
    decision_threshold: float
    member_probabilities: tuple[float, ...]
    logits: NDArray[np.float64]
    """(K, 2) logits of the K members: OS up to one year, OS over one year."""
    target: OSClass
    """The class whose logit ``raw_map`` explains."""
    method: Method
    block: Block
    stride_voxels: int
    raw_map: FloatMap
    """(i, j, k) mean of the members' raw maps, at least 0, in logits."""
    member_maps: FloatMap
    """(K, i, j, k) raw maps of the members."""
    other_map: FloatMap
    """(i, j, k) as ``raw_map``, for the other class: readers switch between both without another run."""
    evidence: FloatMap
    """(i, j, k) signed contributions of the cells of layer4 to ``log_odds``."""
    evidence_constant: float
    """The part of ``log_odds`` that no scan changes; with all cells of ``evidence`` it adds up to ``log_odds``."""
    evidence_stride_voxels: int
    features: FloatMap
    """(K, C) layer4 averaged over all its cells alike: what is compared with the training scans."""
    familiarity: Familiarity
    """How far the case lies from the training scans."""
    survival: PredictedSurvival | None = None
    """Of a model with a time head; its value at one year is ``probability_over_one_year``."""
    test_time_augmentation: bool
    runtime: str
    device: str
    precision: Precision
    notes: tuple[Message, ...]
    """On this run, such as a fall back to the CPU."""
    seconds_forward: float
    seconds_map: float

    @property
    def map_scale(self) -> float:
        """Largest value of ``raw_map``; dividing by it gives 0 to 1. It is 0 for an empty map."""
        return float(self.raw_map.max())

    @property
    def other_target(self) -> OSClass:
        """The class whose logit ``other_map`` explains."""
        return OSClass(1 - self.target)

    @property
    def map_is_empty(self) -> bool:
        """Whether no region supports the target class."""
        return self.map_scale <= 0.0

    @property
    def map_message(self) -> Message:
        """What the map shows."""
        if self.map_is_empty:
            return Message("map.empty", os_class=os_class_words(self.target))
        return Message("map.shows", os_class=os_class_words(self.target))

    @property
    def probability_spread(self) -> float | None:
        """Standard deviation of the members' probabilities; None for a single network.

        It is how far the members disagree, and no interval of the probability: they share most of their training
        patients, and so most of their errors.
        """
        if len(self.member_probabilities) < 2:
            return None
        return float(np.std(self.member_probabilities, ddof=1))

    def to_json(self) -> dict[str, Any]:
        """The numbers of the result as plain JSON; maps are volumes and are written elsewhere."""
        return {
            "probability_over_one_year": self.probability_over_one_year,
            "log_odds": self.log_odds,
            "class": self.os_class.key,
            "decision_threshold": self.decision_threshold,
            "member_probabilities": list(self.member_probabilities),
            "probability_spread": self.probability_spread,
            "logits": self.logits.tolist(),
            **({} if self.survival is None else {"survival_curve": self.survival.to_json()}),
            "grad_cam": {
                "target": self.target.key,
                "method": self.method,
                "block": self.block,
                "cells": list(self.raw_map.shape),
                "stride_voxels": self.stride_voxels,
                "scale": self.map_scale,
                "empty": self.map_is_empty,
                **self.map_message.to_json(),
            },
            "evidence": {
                "unit": "log-odds of OS > 1 year",
                "constant": self.evidence_constant,
                "for": float(self.evidence[self.evidence > 0].sum(dtype=float)),
                "against": float(self.evidence[self.evidence < 0].sum(dtype=float)),
                "stride_voxels": self.evidence_stride_voxels,
            },
            "familiarity": self.familiarity.to_json(),
            "test_time_augmentation": self.test_time_augmentation,
            "runtime": self.runtime,
            "device": self.device,
            "precision": self.precision,
            "notes": [note.to_json() for note in self.notes],
            "seconds": {"forward": round(self.seconds_forward, 3), "map": round(self.seconds_map, 3)},
        }
