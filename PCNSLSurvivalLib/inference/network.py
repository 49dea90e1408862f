"""One case through every member of a model: probability, Grad-CAM and evidence from a single forward pass."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from PCNSLSurvivalLib.errors import PCNSLSurvivalError
from PCNSLSurvivalLib.explain.grad_cam import Method, autograd_map, pooled_linear_map, signed_evidence
from PCNSLSurvivalLib.models.architecture import Block
from PCNSLSurvivalLib.models.folded_resnet import FoldedResNet
from PCNSLSurvivalLib.models.model_folder import ModelFolder
from PCNSLSurvivalLib.terms import OSClass

Device = Literal["auto", "cpu", "cuda", "mps"]
Precision = Literal["float32", "bf16"]
FloatMap = NDArray[np.float32]

EVIDENCE_TOLERANCE = 1e-4


class NetworkError(PCNSLSurvivalError):
    """The network cannot run here, or its numbers do not agree with themselves."""


@dataclass(frozen=True, kw_only=True)
class NetworkResult:
    """What the network says of one case, and what it says it from.

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
    evidence: FloatMap
    """(i, j, k) signed contributions of the cells of layer4 to ``log_odds``."""
    evidence_constant: float
    """The part of ``log_odds`` that no scan changes; with all cells of ``evidence`` it adds up to ``log_odds``."""
    evidence_stride_voxels: int
    features: FloatMap
    """(K, C) layer4 averaged over its cells: what the head reads."""
    device: str
    precision: Precision
    notes: tuple[str, ...]
    """Sentences about this run, such as a fall back to the CPU."""
    seconds_forward: float
    seconds_map: float

    @property
    def map_scale(self) -> float:
        """Largest value of ``raw_map``; dividing by it gives 0 to 1. It is 0 for an empty map."""
        return float(self.raw_map.max())

    @property
    def map_is_empty(self) -> bool:
        """Whether no cell speaks for the target class."""
        return self.map_scale <= 0.0

    @property
    def probability_spread(self) -> float | None:
        """Standard deviation of the members' probabilities; None for a single network."""
        if len(self.member_probabilities) < 2:
            return None
        return float(np.std(self.member_probabilities, ddof=1))

    def to_json(self) -> dict[str, Any]:
        """The numbers of the result as plain JSON; maps are volumes and are written elsewhere."""
        return {
            "probability_over_one_year": self.probability_over_one_year,
            "log_odds": self.log_odds,
            "class": self.os_class.label,
            "decision_threshold": self.decision_threshold,
            "member_probabilities": list(self.member_probabilities),
            "probability_spread": self.probability_spread,
            "logits": self.logits.tolist(),
            "grad_cam": {
                "target": self.target.label,
                "method": self.method,
                "block": self.block,
                "cells": list(self.raw_map.shape),
                "stride_voxels": self.stride_voxels,
                "scale": self.map_scale,
                "empty": self.map_is_empty,
            },
            "evidence": {
                "unit": "log-odds of OS > 1 year",
                "constant": self.evidence_constant,
                "for": float(self.evidence[self.evidence > 0].sum()),
                "against": float(self.evidence[self.evidence < 0].sum()),
                "stride_voxels": self.evidence_stride_voxels,
            },
            "device": self.device,
            "precision": self.precision,
            "notes": list(self.notes),
            "seconds": {"forward": round(self.seconds_forward, 3), "map": round(self.seconds_map, 3)},
        }


class SurvivalNetwork:
    """The networks of one model folder, loaded once and used for any number of cases.

    Args:
        folder: The model; its weights are checked and read here.
        device: "auto" takes CUDA, then Apple MPS, then the CPU.
        precision: "float32" is the reference.

    Raises:
        ModelFolderError: The weights are not what the model's metadata says.
        NetworkError: The device is not there.
    """

    def __init__(self, folder: ModelFolder, device: Device = "auto", *, precision: Precision = "float32") -> None:
        self.folder = folder
        self.precision = precision
        self.notes: list[str] = []
        self._members = folder.load_members()
        self._place(choose_device(device))

    def predict(
        self,
        case: NDArray[np.float32],
        *,
        target: OSClass | None = None,
        block: Block = "layer4",
        method: Method = "grad_cam",
    ) -> NetworkResult:
        """Probability of OS over one year, with the map that explains it.

        Args:
            case: (C, I, J, K) prepared input, one channel for each of the model's sequences.
            target: Class to explain; the predicted one if left out.
            block: "layer4", or an earlier block for a finer map.
            method: See ``explain.grad_cam.autograd_map``.

        Returns:
            The result; its evidence adds up to its log-odds.

        Raises:
            NetworkError: The input does not fit the model, or the evidence does not add up.
        """
        self._check(case)
        try:
            return self._predict(case, target, block, method)
        except (torch.OutOfMemoryError, RuntimeError) as problem:
            if self.device.type == "cpu" or "out of memory" not in str(problem).lower():
                raise
        self.notes.append(
            f"The memory of the {self.device.type.upper()} device was not enough; the case was computed on the CPU."
        )
        self._place(torch.device("cpu"))
        return self._predict(case, target, block, method)

    def _predict(
        self, case: NDArray[np.float32], target: OSClass | None, block: Block, method: Method
    ) -> NetworkResult:
        begin = time.perf_counter()
        temperature = self.folder.temperature
        blocks, tops, logits = [], [], []
        with _reproducible(), torch.no_grad():
            batch = torch.from_numpy(np.ascontiguousarray(case, dtype=np.float32))[None]
            for network in self._networks:
                at_block = network.up_to(block, batch)
                top = network.above(block, at_block)
                blocks.append(at_block)
                tops.append(top)
                logits.append(network.head(top))
            all_logits = torch.cat(logits).double().cpu().numpy()
        member_log_odds = (all_logits[:, 1] - all_logits[:, 0]) / temperature
        log_odds = float(member_log_odds.mean())
        probability = float(_logistic(np.array(log_odds)))
        os_class = OSClass(int(probability >= self.folder.decision_threshold))
        target = os_class if target is None else target
        seconds_forward = time.perf_counter() - begin
        with _reproducible(), torch.no_grad():
            maps = [
                self._map(network, at_block, target, block, method)
                for network, at_block in zip(self._networks, blocks, strict=True)
            ]
            evidence, constant = self._evidence(tops, temperature)
            features = torch.cat([top.float().mean(dim=(2, 3, 4)) for top in tops]).cpu().numpy()
        _check_sum(evidence, constant, log_odds)
        member_maps = np.stack(maps)
        architecture = self.folder.architecture
        return NetworkResult(
            probability_over_one_year=probability,
            log_odds=log_odds,
            os_class=os_class,
            decision_threshold=self.folder.decision_threshold,
            member_probabilities=tuple(float(p) for p in _logistic(member_log_odds)),
            logits=all_logits,
            target=target,
            method=method,
            block=block,
            stride_voxels=architecture.cell_stride(block),
            raw_map=member_maps.mean(axis=0),
            member_maps=member_maps,
            evidence=evidence.astype(np.float32),
            evidence_constant=constant,
            evidence_stride_voxels=architecture.cell_stride("layer4"),
            features=features,
            device=self.device.type,
            precision=self.precision,
            notes=tuple(self.notes),
            seconds_forward=seconds_forward,
            seconds_map=time.perf_counter() - begin - seconds_forward,
        )

    def _map(
        self, network: FoldedResNet, features: torch.Tensor, target: OSClass, block: Block, method: Method
    ) -> FloatMap:
        if block == "layer4" and method != "layer_cam":
            raw = pooled_linear_map(features.float(), network.head_weight, int(target))
        else:
            raw = autograd_map(features, lambda x: network.head(network.above(block, x)), int(target), method=method)
        array: FloatMap = raw[0].float().cpu().numpy()
        return array

    def _evidence(self, tops: list[torch.Tensor], temperature: float) -> tuple[NDArray[np.float64], float]:
        shares = [
            signed_evidence(top.cpu(), network.head_weight.cpu(), network.head_bias.cpu())
            for top, network in zip(tops, self._networks, strict=True)
        ]
        cells = np.mean([cells.numpy() for cells, _ in shares], axis=0) / temperature
        return cells, float(np.mean([constant for _, constant in shares])) / temperature

    def _check(self, case: NDArray[np.float32]) -> None:
        wanted = (len(self.folder.sequences), *self.folder.recipe.network_grid.size)
        if tuple(case.shape) != wanted:
            raise NetworkError(
                f"The prepared case has shape {tuple(case.shape)}, the model reads {wanted} (sequences and voxels). "
                "Prepare the scans with the recipe of this model."
            )
        if not np.isfinite(case).all():
            raise NetworkError("The prepared case holds values that are not numbers. Check the scans.")

    def _place(self, device: torch.device) -> None:
        self.device = device
        dtype = torch.bfloat16 if self.precision == "bf16" else torch.float32
        self._networks = [
            FoldedResNet(self.folder.architecture, tensors, device=device, dtype=dtype) for tensors in self._members
        ]


def choose_device(device: Device) -> torch.device:
    """The device to run on.

    Args:
        device: "auto" takes CUDA, then Apple MPS, then the CPU.

    Raises:
        NetworkError: The device asked for is not there.
    """
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if device == "auto":
        return torch.device(next(name for name, present in there.items() if present))
    if not there[device]:
        raise NetworkError(
            f"This computer has no {device.upper()} device that torch can use. Choose --device auto or --device cpu."
        )
    return torch.device(device)


@contextmanager
def _reproducible() -> Iterator[None]:
    """Full float32 and the same algorithm every time, on CUDA too."""
    with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False):
        yield


def _check_sum(evidence: NDArray[np.float64], constant: float, log_odds: float) -> None:
    total = float(evidence.sum()) + constant
    if not abs(total - log_odds) <= EVIDENCE_TOLERANCE * max(1.0, abs(log_odds)):
        raise NetworkError(
            "The evidence of the cells does not add up to the log-odds, so neither is shown. Try --device cpu; "
            "if it happens again, install the model anew."
        )


def _logistic(log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
    return 0.5 * (1.0 + np.tanh(0.5 * log_odds))
