"""One patient from files to a prediction and a map on the patient's own grid."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from PCNSLSurvivalLib.explain.overlay import map_on_grid
from PCNSLSurvivalLib.imaging.geometry import Grid, canonical, in_voxel_order_of
from PCNSLSurvivalLib.imaging.io import Scan, read_mask, read_scan
from PCNSLSurvivalLib.inference.network import Device, NetworkResult, SurvivalNetwork
from PCNSLSurvivalLib.models.model_folder import ModelFolder
from PCNSLSurvivalLib.preprocessing.pipeline import PreparedCase, prepare_case
from PCNSLSurvivalLib.progress import Listener, StepClock, silent
from PCNSLSurvivalLib.terms import Sequence, Step, Verdict


@dataclass(frozen=True, kw_only=True)
class CaseOptions:
    """What the user says about the scans, and where to compute."""

    device: Device = "auto"
    brain_mask: Path | None = None
    already_stripped: bool = False
    already_corrected: bool = False
    already_registered: bool = False
    override_quality: bool = False


@dataclass(frozen=True, kw_only=True)
class CaseResult:
    """Everything a prediction leaves behind, in memory."""

    model: ModelFolder
    scans: Mapping[Sequence, Scan]
    prepared: PreparedCase
    network: NetworkResult
    brain_mask: sitk.Image
    """``uint8`` on the T1Gd grid, in the file's own voxel order."""
    activation_map: sitk.Image
    """``float32`` on the same grid: raw map over its largest cell, 0 to 1; 0 outside the brain; 0 if empty."""
    options: CaseOptions
    seconds: Mapping[str, float]
    warnings: tuple[str, ...] = field(default=())
    """Sentences the reader of the result must see first."""

    @property
    def cell_size_mm(self) -> tuple[float, float, float]:
        """Edges of one cell of the activation map: it cannot show anything finer."""
        i, j, k = (self.network.stride_voxels * mm for mm in self.prepared.network_grid.spacing_mm)
        return (i, j, k)

    @property
    def brain_volume_ml(self) -> float:
        """Volume of the brain mask."""
        voxels = int(np.count_nonzero(sitk.GetArrayViewFromImage(self.brain_mask)))
        return voxels * Grid.of(self.brain_mask).voxel_volume_ml


def predict_case(
    paths: Mapping[Sequence, Path], model: ModelFolder, options: CaseOptions, listener: Listener = silent
) -> CaseResult:
    """Read, prepare and predict one patient, and explain the prediction.

    Args:
        paths: File or DICOM folder of T1Gd and, if wanted, of T1 and T2.
        model: Which networks to ask.
        options: What is known about the scans.
        listener: Hears of every step.

    Returns:
        The result.

    Raises:
        PCNSLSurvivalError: A scan, the model or the computer does not allow a prediction; its text says why.
    """
    clock = StepClock(listener)
    with clock.step(Step.READ):
        scans = {sequence: read_scan(path, sequence) for sequence, path in paths.items()}
        mask = None if options.brain_mask is None else canonical(read_mask(options.brain_mask, "brain mask"))
    prepared = prepare_case(
        {sequence: canonical(scan.image) for sequence, scan in scans.items()},
        recipe=model.recipe,
        clock=clock,
        brain_mask=mask,
        already_stripped=options.already_stripped,
        already_corrected=options.already_corrected,
        already_registered=options.already_registered,
        override_quality=options.override_quality,
    )
    with clock.step(Step.PREDICTION):
        network_input = prepared.network_input(model.sequences)
        result = SurvivalNetwork(model, options.device).predict(network_input)
    with clock.step(Step.MAP_TO_PATIENT):
        own_grid = Grid.of(scans[Sequence.T1GD].image)
        activation = _scaled_map_on(prepared, result)
    clock.seconds[Step.GRAD_CAM] = round(result.seconds_map, 3)
    return CaseResult(
        model=model,
        scans=scans,
        prepared=prepared,
        network=result,
        brain_mask=in_voxel_order_of(prepared.brain_mask, own_grid),
        activation_map=in_voxel_order_of(activation, own_grid),
        options=options,
        seconds=clock.seconds,
        warnings=_warnings(scans, prepared, result),
    )


def voxel_sha256(image: sitk.Image) -> str:
    """SHA-256 over the values and the grid of a volume: the same scan in another file format has the same one.

    Grids are rounded to a thousandth of a millimeter, since file formats keep different numbers of digits.
    """
    image = canonical(image)
    grid = Grid.of(image)
    digest = hashlib.sha256(np.ascontiguousarray(sitk.GetArrayViewFromImage(image), dtype="<f4").tobytes())
    corners = grid.index_to_lps(np.array([[0, 0, 0], np.array(grid.size) - 1]))
    digest.update(np.round(corners * 1000).astype("<i8").tobytes())
    return digest.hexdigest()


def _scaled_map_on(prepared: PreparedCase, result: NetworkResult) -> sitk.Image:
    """The raw map over its own largest cell, on the canonical T1Gd grid; an empty map stays 0."""
    scale = result.map_scale if not result.map_is_empty else 1.0
    return map_on_grid(
        result.raw_map / scale,
        prepared.network_grid,
        Grid.of(prepared.brain_mask),
        prepared.brain_mask,
        stride_voxels=result.stride_voxels,
    )


def _warnings(scans: Mapping[Sequence, Scan], prepared: PreparedCase, result: NetworkResult) -> tuple[str, ...]:
    judged = [finding.sentence for finding in prepared.findings if finding.verdict is not Verdict.GOOD]
    remarks = [remark for scan in scans.values() for remark in scan.remarks]
    return (*judged, *remarks, *result.notes)
