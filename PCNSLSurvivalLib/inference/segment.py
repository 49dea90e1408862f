"""A proposal of the enhancing tumor of one patient, from the T1Gd file to a mask on its own voxels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.progress import Listener, StepClock, silent
from PCNSLSurvivalLib.core.terms import RESEARCH_USE_ONLY, MRSequence, Step
from PCNSLSurvivalLib.imaging.geometry import Grid, image_on_grid, in_voxel_order_of, lps_to_ras, resample
from PCNSLSurvivalLib.imaging.io import Scan
from PCNSLSurvivalLib.imaging.lesion_measures import Focus, measure_foci, volume_ml
from PCNSLSurvivalLib.inference.case_options import CaseOptions
from PCNSLSurvivalLib.inference.lesion_reader import LesionReader
from PCNSLSurvivalLib.inference.runtimes.names import Device, RuntimeName
from PCNSLSurvivalLib.inference.t1gd_alone import prepare_t1gd
from PCNSLSurvivalLib.models.lesion_reader_folder import ReaderFolder, read_reader_folder
from PCNSLSurvivalLib.preprocessing.pipeline import PreparedCase
from PCNSLSurvivalLib.preprocessing.recipe import NetworkGridStep
from PCNSLSurvivalLib.preprocessing.steps.resampling import network_grid, to_network


@dataclass(frozen=True, kw_only=True)
class LesionProposal:
    """The outline of enhancing tumor that a lesion reader proposes; a person has to confirm or correct it.

    Attributes:
        mask: ``uint8`` on the voxels of the prepared T1Gd, axes most nearly to left, posterior, superior.
        volume_ml: Of the mask.
        interval_ml: The outlined volume and half a milliliter, divided and multiplied by the error (a factor) not
            exceeded in 90 % of fresh virtual heads; for real scans see the card of the reader.
        foci: Connected parts of at least 0.1 mL, the largest first.
        reader: Who outlined.
    """

    mask: sitk.Image
    volume_ml: float
    interval_ml: tuple[float, float]
    foci: tuple[Focus, ...]
    reader: ReaderFolder

    @property
    def message(self) -> Message:
        """What must stand beside the mask, the volume, and the interval."""
        if self.volume_ml == 0:
            return Message("lesion.none_proposed")
        low, high = self.interval_ml
        return Message("lesion.proposal", volume=self.volume_ml, low=low, high=high, foci=len(self.foci))

    def to_json(self) -> dict[str, Any]:
        """The measures as plain JSON values; positions in RAS mm, as Slicer shows them."""
        return {
            "schema": "pcnsl-survival/lesion-proposal",
            "schema_version": "1.0.0",
            "research_use_only": RESEARCH_USE_ONLY,
            "status": "proposal",
            "message": self.message.to_json(),
            "outlines": "enhancing tumor",
            "volume_ml": round(self.volume_ml, 3),
            "volume_interval_ml": [round(v, 3) for v in self.interval_ml],
            "volume_interval": "outlined volume and half a milliliter, divided and multiplied by the error (a factor) "
            "not exceeded in 90 % of fresh virtual heads; for real scans see the card of the reader",
            "foci": [focus_json(focus) for focus in self.foci],
            "reader": self.reader.to_json(),
        }


@dataclass(frozen=True, kw_only=True)
class SegmentResult:
    """Everything that ``segment_case`` found."""

    scan: Scan
    prepared: PreparedCase
    proposal: LesionProposal
    mask: sitk.Image
    """``uint8`` on the file's own grid, in its own voxel order."""
    seconds: Mapping[str, float]
    warnings: tuple[Message, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """``lesion_proposal.json``."""
        grid = Grid.of(self.scan.image)
        return {
            **self.proposal.to_json(),
            "warnings": [message.to_json() for message in self.warnings],
            "t1gd": {"format": self.scan.source_format, "size": list(grid.size), "spacing_mm": list(grid.spacing_mm)},
            "preprocessing": {
                "recipe_sha256": self.prepared.recipe.sha256,
                "already_stripped": self.prepared.known.already_stripped,
                "findings": [finding.to_json() for finding in self.prepared.findings],
            },
            "seconds": dict(self.seconds),
        }


def load_reader(device: Device = "auto", runtime: RuntimeName = "auto") -> LesionReader:
    """The bundled lesion reader with its weights.

    Raises:
        NetworkError: The runtime or the device is not there.
        ModelFolderError: A file of the reader differs from what its metadata says.
    """
    return LesionReader(read_reader_folder(), runtime=runtime, device=device)


def segment_case(
    path: Path,
    reader: LesionReader,
    options: CaseOptions,
    listener: Listener = silent,
) -> SegmentResult:
    """Read and prepare one T1Gd scan, and propose an outline of its enhancing tumor.

    Args:
        path: File or DICOM folder of T1Gd, whole head or skull-stripped.
        reader: Outlines.
        options: What is known about the scan.
        listener: Hears of every step.

    Raises:
        PCNSLSurvivalError: The scan or the computer does not allow it; its text says why.
    """
    clock = StepClock(listener)
    given = prepare_t1gd(path, options, clock)
    with clock.step(Step.LESION_OUTLINE):
        proposal = propose(given.prepared, reader)
    return SegmentResult(
        scan=given.scan,
        prepared=given.prepared,
        proposal=proposal,
        mask=in_voxel_order_of(proposal.mask, Grid.of(given.scan.image)),
        seconds=clock.seconds,
        warnings=(Message("lesion.reader_is_virtual"), *given.warnings),
    )


def propose(prepared: PreparedCase, reader: LesionReader) -> LesionProposal:
    """Outline enhancing tumor on a prepared case.

    Args:
        prepared: Holds T1Gd.
        reader: Outlines.
    """
    settings = reader.folder.settings
    step = NetworkGridStep(size=(settings.grid_size,) * 3, spacing_mm=(settings.spacing_mm,) * 3)
    grid = network_grid(prepared.brain_mask_1mm, step)
    share = to_network(sitk.Cast(prepared.brain_mask_1mm, sitk.sitkFloat32), grid)
    image = to_network(prepared.preprocessed[MRSequence.T1GD], grid)
    probability = reader.probability(image, np.clip(share, 0.0, 1.0))
    sure = certain_foci(probability, cut=settings.probability, peak=settings.peak_probability)
    mask = outline_on(sure, grid, prepared.brain_mask, settings.probability)
    volume = volume_ml(mask)
    return LesionProposal(
        mask=mask,
        volume_ml=volume,
        interval_ml=settings.interval_ml(volume),
        foci=measure_foci(mask, prepared.brain_mask),
        reader=reader.folder,
    )


def certain_foci(probability_ijk: np.ndarray, *, cut: float, peak: float) -> np.ndarray:
    """Drop every focus of which no voxel is likely enough to be tumor.

    A focus is a connected region from ``cut`` on, corners included. With two limits, the faint rim of a tumor belongs
    to the outline, and a faint vessel does not.

    Args:
        probability_ijk: (I, J, K), between 0 and 1.
        cut: Probability from which on a voxel is outlined.
        peak: Probability that at least one voxel of a focus must reach.

    Returns:
        ``probability_ijk`` with 0 in the foci that were dropped.

    References:
        Canny, A Computational Approach to Edge Detection, IEEE TPAMI 8(6), 1986 (its two thresholds).
    """
    labels, count = ndimage.label(probability_ijk >= cut, structure=np.ones((3, 3, 3)))
    peaks = ndimage.maximum(probability_ijk, labels, np.arange(count + 1))
    dropped = np.asarray(peaks) < peak
    dropped[0] = False
    return np.where(dropped[labels], np.float32(0), probability_ijk)


def outline_on(probability_ijk: np.ndarray, grid: Grid, brain_mask: sitk.Image, cut: float) -> sitk.Image:
    """The mask of all voxels of a scan whose probability reaches a cut, inside the brain.

    Args:
        probability_ijk: (I, J, K) on ``grid``.
        grid: Where the probability is known.
        brain_mask: ``uint8`` on the scan's grid.
        cut: Probability from which on a voxel is outlined.

    Returns:
        ``uint8`` on the grid of ``brain_mask``.
    """
    image = image_on_grid(np.ascontiguousarray(probability_ijk.transpose(2, 1, 0), dtype=np.float32), grid)
    there = resample(image, Grid.of(brain_mask))
    return sitk.Mask(sitk.Cast(there >= cut, sitk.sitkUInt8), sitk.Cast(brain_mask > 0, sitk.sitkUInt8))


def focus_json(focus: Focus) -> dict[str, Any]:
    """One focus as plain JSON values; its center in RAS mm, as Slicer shows it."""
    stored = asdict(focus)
    right, anterior, superior = (round(float(v), 1) for v in lps_to_ras(np.asarray(stored.pop("center_lps_mm"))))
    stored["volume_ml"] = round(focus.volume_ml, 3)
    stored["diameters"] = {name: round(value, 1) for name, value in stored["diameters"].items()}
    return {**stored, "center_ras_mm": [right, anterior, superior]}
