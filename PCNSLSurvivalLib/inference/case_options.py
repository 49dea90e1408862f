"""What the user says about one case: the scans' state, where to compute, what to explain and what else to ask."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from PCNSLSurvivalLib.core.terms import OSClass
from PCNSLSurvivalLib.explain.grad_cam import Method
from PCNSLSurvivalLib.inference.runtimes.runtime import Device, Precision, RuntimeName
from PCNSLSurvivalLib.models.networks.designs import MAP_BLOCK, Block
from PCNSLSurvivalLib.preprocessing.scan_state import ScanState

_RESULT_STAYS = {"changes_result": False}


@dataclass(frozen=True, kw_only=True)
class CaseOptions(ScanState):
    """What the user says about the scans, where to compute, and what to explain."""

    device: Device = field(default="auto", metadata=_RESULT_STAYS)
    runtime: RuntimeName = "auto"
    precision: Precision = "float32"
    tta: bool = False
    """Test-time augmentation: average with the left-right mirrored case."""
    target: OSClass | None = None
    """Class whose map is drawn; the predicted one if left out."""
    block: Block = MAP_BLOCK
    method: Method = "grad_cam"
    lesion_mask: Path | None = None
    """On the voxels of T1Gd; only for the attribution by region and the checks of the explanation."""
    lesion_labels: tuple[int, ...] | None = None
    """Labels of the mask that are lesion; every label but 0 if None."""
    segment: bool = False
    """Propose an outline of the enhancing tumor; it stands in for ``lesion_mask`` where none is given."""
    check_explanation: bool = False
    without_lesion: bool = False
    """Predict again with the lesion filled from its surroundings, and with a control region filled."""
    robustness: bool = False
    """Predict disturbed copies of the case."""
    other_brain_mask: Path | None = None
    """Of another program, on the voxels of T1Gd; one of the disturbed copies takes it."""
    brain_mask: Path | None = None
    alignment: Path | None = None
    """The movements that laid other scans over T1Gd, as ``register`` writes them: judged with the scans."""
    compare_t1: Path | None = None
    """A T1 that the model does not read: only compared with T1Gd, so that swapped scans are noticed."""
    override_quality: bool = False
    prepared: Path | None = None
    """Who prepared the scans before, and the scans as they were loaded: JSON of the Slicer module."""
    cache_dir: Path | None = field(default=None, metadata=_RESULT_STAYS)
    """Folder in which the long steps are kept, and found again."""
    clinical: Path | None = None
    """Clinical findings of the patient as JSON: the published scores are given beside the prediction."""

    def deciding(self) -> dict[str, Any]:
        """The options that can change the result, by name; a new option counts unless its field says otherwise."""
        return {one.name: getattr(self, one.name) for one in fields(self) if one.metadata.get("changes_result", True)}
