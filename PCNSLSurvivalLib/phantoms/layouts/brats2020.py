"""The BraTS2020 training folder, with the oddities that loaders stumble over."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.geometry import Grid, image_on_grid, resample
from PCNSLSurvivalLib.imaging.io import write_volume
from PCNSLSurvivalLib.phantoms.anatomy.tissues import Tissue
from PCNSLSurvivalLib.phantoms.cohort import CohortPatient, CohortPlan
from PCNSLSurvivalLib.phantoms.layouts.layout import Layout, write_table
from PCNSLSurvivalLib.phantoms.patient import VirtualPatient, scan_patient
from PCNSLSurvivalLib.phantoms.random_fields import stream
from PCNSLSurvivalLib.phantoms.scanner.acquisition import VirtualScan, stripped

_ROOT = "MICCAI_BraTS2020_TrainingData"
_SUFFIXES = {MRSequence.T1: "t1", MRSequence.T1GD: "t1ce", MRSequence.T2: "t2", MRSequence.FLAIR: "flair"}
_LABELS = {Tissue.NECROSIS: 1, Tissue.EDEMA: 2, Tissue.ENHANCING_TUMOR: 4}
_BRATS_GRID = Grid((240, 240, 155), (1.0, 1.0, 1.0), (0.0, -239.0, 0.0), tuple(np.eye(3).ravel()))
# The case with an odd mask name, and the one whose survival is a sentence (the last one of a smaller cohort).
_ODD_MASK_CASE, _ALIVE_CASE = 355, 84
_ODD_MASK_NAME = "W39_1998.09.19_Segm.nii"


class Brats2020Layout(Layout):
    """Registered, stripped, 1 mm volumes of 240 x 240 x 155 voxels; tables beside the case folders.

    Kept from the original: labels 1, 2, 4 and no 3; survival for part of the cases only, identifiers with
    gaps; ``NA`` as a text; ``ALIVE (361 days later)`` for one patient; one mask with a name of its own.
    """

    whole_heads = False

    def name(self, member: CohortPatient) -> str:
        """``BraTS20_Training_001``."""
        return f"BraTS20_Training_{member.number:03d}"

    def folder(self, member: CohortPatient) -> Path:
        """``MICCAI_BraTS2020_TrainingData/BraTS20_Training_001``."""
        return self.out / _ROOT / self.name(member)

    def make(self, member: CohortPatient) -> VirtualPatient:
        """Scan the brain, its middle in the middle of the challenge's grid."""
        around_brain = _head_grid(member.anatomy.size)
        patient = scan_patient(
            member.anatomy,
            member.plan,
            member.protocol,
            sequences=self.sequences,
            brain_only=True,
            on=around_brain,
        )
        shift = sitk.Euler3DTransform()
        shift.SetTranslation(np.subtract(around_brain.origin_lps_mm, _BRATS_GRID.origin_lps_mm).tolist())
        moved = {sequence: _moved(scan, shift) for sequence, scan in patient.acquisitions.items()}
        return replace(patient, acquisitions=moved)

    def write_scans(self, member: CohortPatient, patient: VirtualPatient, folder: Path) -> None:
        """Four stripped volumes and the labels."""
        name = self.name(member)
        for sequence, scan in patient.acquisitions.items():
            write_volume(stripped(scan), folder / f"{name}_{_SUFFIXES[sequence]}.nii.gz")
        labels = image_on_grid(_labels(patient), _BRATS_GRID)
        odd = member.number == _ODD_MASK_CASE
        write_volume(labels, folder / (_ODD_MASK_NAME if odd else f"{name}_seg.nii.gz"))

    def write_tables(self, plan: CohortPlan, members: list[CohortPatient]) -> None:
        """``survival_info.csv`` and ``name_mapping.csv``."""
        (self.out / _ROOT).mkdir(parents=True, exist_ok=True)
        alive = min(_ALIVE_CASE, len(members))
        rows = [
            self._survival_row(m, alive=m.number == alive) for m in members if _has_survival(m) or m.number == alive
        ]
        write_table(self.out / _ROOT / "survival_info.csv", rows)
        columns = ("BraTS_2017_subject_ID", "BraTS_2018_subject_ID", "TCGA_TCIA_subject_ID", "BraTS_2019_subject_ID")
        mapping = [
            {"Grade": "HGG", **dict.fromkeys(columns, "NA"), "BraTS_2020_subject_ID": self.name(member)}
            for member in members
        ]
        write_table(self.out / _ROOT / "name_mapping.csv", mapping)

    def _survival_row(self, member: CohortPatient, *, alive: bool) -> dict[str, object]:
        resection = stream(member.seed, "resection").choice(["GTR", "STR", "NA"], p=[119 / 236, 10 / 236, 107 / 236])
        return {
            "Brats20ID": self.name(member),
            "Age": f"{member.clinical.age_years + 0.013:.3f}",
            "Survival_days": "ALIVE (361 days later)" if alive else member.outcome.true_os_days,
            "Extent_of_Resection": str(resection),
        }


def _has_survival(member: CohortPatient) -> bool:
    """236 of the original's 369 cases have survival: all of the first 129, then some."""
    return member.number <= 129 or bool(stream(member.seed, "survival known").uniform() < 107 / 240)


def _head_grid(size: tuple[float, float, float]) -> Grid:
    """The challenge's voxels placed around the brain in the head frame; the registered protocol has no pose."""
    center = np.array([0.0, 16.0, 6.0]) * size
    return Grid.axis_aligned(center_lps_mm=center, size=_BRATS_GRID.size, spacing_mm=_BRATS_GRID.spacing_mm)


def _moved(scan: VirtualScan, pose: sitk.Euler3DTransform) -> VirtualScan:
    """The same voxels under the challenge's header."""
    names = ("image", "brain_mask", "lesion_mask", "bias_field")
    images = {name: image_on_grid(sitk.GetArrayFromImage(getattr(scan, name)), _BRATS_GRID) for name in names}
    return replace(scan, pose=pose, **images)


def _labels(patient: VirtualPatient) -> np.ndarray:
    """Tumor labels where the tumor or its edema fill at least half of a voxel."""
    labels = np.zeros(_BRATS_GRID.size[::-1], np.uint8)
    pose = patient.poses[MRSequence.T1GD]
    for tissue, label in reversed(_LABELS.items()):
        share = image_on_grid(patient.head.fractions[tissue], patient.head.grid)
        labels[sitk.GetArrayFromImage(resample(share, _BRATS_GRID, transform=pose)) >= 128] = label
    return labels
