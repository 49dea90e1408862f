"""The files of one patient, read and checked against T1Gd."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import SimpleITK as sitk

from PCNSLSurvivalLib.core.errors import GridMismatchError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.geometry import Grid, canonical
from PCNSLSurvivalLib.imaging.io import Mask, Scan, read_mask_file, read_scan
from PCNSLSurvivalLib.inference.case_options import CaseOptions


@dataclass(frozen=True)
class Input:
    """A scan as it was given."""

    source_format: str
    """"NIfTI", "NRRD", "MetaImage" or "DICOM"."""
    grid: Grid
    """In the file's own voxel order."""


@dataclass(frozen=True, kw_only=True)
class CaseFiles:
    """What was read of one patient."""

    inputs: dict[MRSequence, Input]
    scans: dict[MRSequence, Scan]
    """In canonical order."""
    brain_mask: Mask | None
    lesion_mask: Mask | None
    lesion: sitk.Image | None
    """``lesion_mask`` in canonical order, on the voxels of T1Gd."""
    other_brain: sitk.Image | None
    """The brain mask of another program, in canonical order, on the voxels of T1Gd."""
    compared_t1: Scan | None
    """A T1 that is only compared with T1Gd."""

    @property
    def t1gd(self) -> Scan:
        """The scan that every case has."""
        return self.scans[MRSequence.T1GD]

    @property
    def remarks(self) -> tuple[Message, ...]:
        """What the readers said of the scans, then of the masks."""
        masks: list[Mask] = [one for one in (self.brain_mask, self.lesion_mask) if one is not None]
        read: list[Scan | Mask] = [*self.scans.values(), *masks]
        return tuple(remark for one in read for remark in one.remarks)


def read_case_files(paths: Mapping[MRSequence, Path], options: CaseOptions) -> CaseFiles:
    """Read the scans, the masks and the T1 to compare.

    Args:
        paths: File or DICOM folder of T1Gd and, if wanted, of other sequences.
        options: Names the files of the masks.

    Raises:
        UnreadableScanError: A file cannot be read.
        GridMismatchError: A mask does not lie on the voxels of T1Gd.
    """
    inputs, scans = {}, {}
    for sequence, path in paths.items():
        scan = read_scan(path, sequence)
        inputs[sequence] = Input(scan.source_format, Grid.of(scan.image))
        scans[sequence] = replace(scan, image=canonical(scan.image))
    t1gd = scans[MRSequence.T1GD]
    of_brain, of_lesion = Message("word.brain_mask"), Message("word.lesion_mask")
    brain_mask = None if options.brain_mask is None else read_mask_file(options.brain_mask, of_brain)
    lesion_mask = lesion = other_brain = None
    if options.lesion_mask is not None:
        lesion_mask = read_mask_file(options.lesion_mask, of_lesion, labels=options.lesion_labels, may_be_empty=True)
        lesion = _on_t1gd(lesion_mask, t1gd, Message("grid.lesion_mask_on_t1gd"))
    if options.other_brain_mask is not None:
        other = read_mask_file(options.other_brain_mask, of_brain)
        other_brain = _on_t1gd(other, t1gd, Message("grid.brain_mask_on_t1gd"))
    t1 = None if options.compare_t1 is None else read_scan(options.compare_t1, MRSequence.T1)
    return CaseFiles(
        inputs=inputs,
        scans=scans,
        brain_mask=brain_mask,
        lesion_mask=lesion_mask,
        lesion=lesion,
        other_brain=other_brain,
        compared_t1=t1,
    )


def _on_t1gd(mask: Mask, t1gd: Scan, otherwise: Message) -> sitk.Image:
    """A mask in canonical order, which must lie on the voxels of T1Gd.

    Raises:
        GridMismatchError: It does not; ``otherwise`` is its sentence.
    """
    image = canonical(mask.image)
    if not Grid.of(image).matches(Grid.of(t1gd.image), tolerance_mm=0.01):
        raise GridMismatchError(otherwise)
    return image
