"""One case through every member of a model: probability, Grad-CAM and evidence from a single forward pass."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import OSClass
from PCNSLSurvivalLib.explain.grad_cam import pooled_linear_map, signed_evidence
from PCNSLSurvivalLib.explain.methods import Method
from PCNSLSurvivalLib.inference.network_result import NetworkResult
from PCNSLSurvivalLib.inference.runtimes.names import Device, Precision, RuntimeName
from PCNSLSurvivalLib.inference.runtimes.runtime import FloatMap, MemberOutput, NetworkError
from PCNSLSurvivalLib.inference.runtimes.start_runtime import start_runtime
from PCNSLSurvivalLib.models.calibration import logistic
from PCNSLSurvivalLib.models.familiarity import judge_familiarity
from PCNSLSurvivalLib.models.model_folder import ModelFolder
from PCNSLSurvivalLib.models.networks.designs import HEAD_TENSORS, MAP_BLOCK, Block
from PCNSLSurvivalLib.models.networks.weights_file import Tensors

__all__ = ["Device", "FloatMap", "NetworkError", "NetworkResult", "SurvivalNetwork"]

EVIDENCE_TOLERANCE = 1e-4


class SurvivalNetwork:
    """The networks of one model folder, loaded once and used for any number of cases.

    Args:
        folder: The model; its weights are checked and read here.
        device: "auto" takes CUDA, then Apple MPS, where they reproduce the stored answer, otherwise the CPU.
        runtime: "auto" takes torch where it is installed, otherwise ONNX Runtime.
        precision: "float32" is the reference; "bf16" only where the hardware has it.
        threads: CPU threads; the runtime's own choice if left out.
        members: Other weights in place of the folder's, such as scrambled ones.

    Raises:
        ModelFolderError: The weights are not what the model's metadata says.
        NetworkError: The device, runtime or precision is not there.
    """

    def __init__(
        self,
        folder: ModelFolder,
        device: Device = "auto",
        *,
        runtime: RuntimeName = "auto",
        precision: Precision = "float32",
        threads: int | None = None,
        members: Sequence[Tensors] | None = None,
    ) -> None:
        self.folder = folder
        self.precision = precision
        members = folder.load_members() if members is None else members
        self._heads = [tuple(tensors[name] for name in HEAD_TENSORS) for tensors in members]
        self._runtime = start_runtime(
            folder.architecture,
            members,
            folder.recipe.network_grid.size,
            runtime=runtime,
            device=device,
            precision=precision,
            threads=threads,
        )

    def predict(
        self,
        case: FloatMap,
        *,
        target: OSClass | None = None,
        block: Block = MAP_BLOCK,
        method: Method = "grad_cam",
        tta: bool = False,
    ) -> NetworkResult:
        """Probability of OS over one year, with the map that explains it.

        Args:
            case: (C, I, J, K) prepared input, one channel for each of the model's sequences.
            target: Class to explain; the predicted one if left out.
            block: "layer4", or an earlier block for a finer map (torch only).
            method: See ``explain.grad_cam`` and ``explain.autograd_map``.
            tta: Test-time augmentation: average with the answer to the left-right mirrored case.

        Returns:
            The result; its evidence adds up to its log-odds.

        Raises:
            NetworkError: The input does not fit the model, or the evidence does not add up.
        """
        self._check(case, block, tta)
        begin = time.perf_counter()
        views = [self._runtime.run(case, block)]
        if tta:
            views.append(self._runtime.run(mirrored(case), block))
        said = np.mean([[output.logits for output in outputs] for outputs in views], axis=0)
        logits, time_head = said[:, :2], self.folder.architecture.time_head
        temperature = self.folder.temperature
        member_log_odds = (logits[:, 1] - logits[:, 0]) / temperature
        log_odds = float(member_log_odds.mean())
        probability = float(logistic(log_odds))
        os_class = OSClass(int(probability >= self.folder.decision_threshold))
        target = os_class if target is None else target
        seconds_forward = time.perf_counter() - begin
        layer4 = _over_views([[output.layer4 for output in outputs] for outputs in views])
        evidence, constant = self._evidence(layer4, temperature)
        # bf16 rounds what the head reads; its sum is then the exact log-odds of the rounded cells.
        _check_sum(evidence, constant, log_odds)
        member_maps, other_maps = (
            _over_views([[self._map(n, output, explained, block, method) for n, output in enumerate(v)] for v in views])
            for explained in (target, OSClass(1 - target))
        )
        architecture = self.folder.architecture
        features = np.mean([[output.features for output in outputs] for outputs in views], axis=0)
        return NetworkResult(
            probability_over_one_year=probability,
            log_odds=log_odds,
            os_class=os_class,
            decision_threshold=self.folder.decision_threshold,
            member_probabilities=tuple(float(p) for p in logistic(member_log_odds)),
            logits=logits,
            target=target,
            method=method,
            block=block,
            stride_voxels=architecture.cell_stride(block),
            raw_map=member_maps.mean(axis=0),
            member_maps=member_maps,
            other_map=other_maps.mean(axis=0),
            evidence=evidence.astype(np.float32),
            evidence_constant=constant,
            evidence_stride_voxels=architecture.cell_stride(MAP_BLOCK),
            features=features,
            survival=None if time_head is None else time_head.predicted(log_odds, said[:, 2:].mean(axis=0)),
            familiarity=judge_familiarity(self.folder.familiarity, case, features, sequences=self.folder.sequences),
            test_time_augmentation=tta,
            runtime=self._runtime.name,
            device=self._runtime.device,
            precision=self.precision,
            notes=tuple(self._runtime.notes),
            seconds_forward=seconds_forward,
            seconds_map=time.perf_counter() - begin - seconds_forward,
        )

    def _map(self, member: int, output: MemberOutput, target: OSClass, block: Block, method: Method) -> FloatMap:
        if block == MAP_BLOCK:
            return pooled_linear_map(output.layer4, self._heads[member][0], int(target), method=method)
        return self._runtime.gradient_map(member, output, target=int(target), block=block, method=method)

    def _evidence(self, layer4: FloatMap, temperature: float) -> tuple[NDArray[np.float64], float]:
        shares = [signed_evidence(cells, *head) for cells, head in zip(layer4, self._heads, strict=True)]
        cells = np.mean([cells for cells, _ in shares], axis=0) / temperature
        return cells, float(np.mean([constant for _, constant in shares])) / temperature

    def _check(self, case: FloatMap, block: Block, tta: bool) -> None:
        grid = self.folder.recipe.network_grid
        wanted = (len(self.folder.sequences), *grid.size)
        if tuple(case.shape) != wanted:
            raise NetworkError(Message("prediction.other_shape", shape=case.shape, wanted=wanted))
        if not np.isfinite(case).all():
            raise NetworkError(Message("prediction.not_numbers"))
        if tta and grid.size[0] % self.folder.architecture.cell_stride(MAP_BLOCK):
            raise NetworkError(Message("prediction.no_mirror"))


def mirrored(case: FloatMap) -> FloatMap:
    """Mirror (C, I, ...) left to right about voxel 0, so that cells fall on cells again.

    Voxel i goes to voxel I - i, and voxel 0, at the rim, stays: cell n, centered on voxel ``stride * n``, then
    becomes cell N - n. Mirroring about the middle would put all cells between the old ones. The same call on
    cells brings them back.
    """
    return np.roll(case[:, ::-1], 1, axis=1)


def _over_views(views: list[list[FloatMap]]) -> FloatMap:
    """Mean over the case and its mirrored view, which is mirrored back: (members, ..., i, j, k)."""
    plain = np.stack(views[0])
    if len(views) == 1:
        return plain
    back = [np.roll(np.flip(array, axis=-3), 1, axis=-3) for array in views[1]]
    mean: FloatMap = ((plain + np.stack(back)) / 2).astype(np.float32)
    return mean


def _check_sum(evidence: NDArray[np.float64], constant: float, log_odds: float) -> None:
    total = float(evidence.sum()) + constant
    if not abs(total - log_odds) <= EVIDENCE_TOLERANCE * max(1.0, abs(log_odds)):
        raise NetworkError(Message("prediction.evidence_sum"))
