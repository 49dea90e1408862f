"""A virtual patient on disk: the scans, and every truth beside them."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from PCNSLSurvivalLib.core.storage.files import whole_folder
from PCNSLSurvivalLib.imaging.geometry import Grid, image_on_grid
from PCNSLSurvivalLib.imaging.io import write_volume
from PCNSLSurvivalLib.phantoms.anatomy.head import Head
from PCNSLSurvivalLib.phantoms.anatomy.tissues import Tissue
from PCNSLSurvivalLib.phantoms.patient import VirtualPatient

# The shading is smooth: on knots this far apart, linear interpolation gives it back within 0.5 %.
_FIELD_SPACING_MM = 4.0


def write_patient(patient: VirtualPatient, folder: Path, *, overwrite: bool = False) -> None:
    """Write the scans as NIfTI and the truths in ``truth/`` beside them, whole or not at all.

    Args:
        patient: What to write.
        folder: New folder; it gets ``t1gd.nii.gz``, ``t1.nii.gz``, … and ``truth/`` (see ``write_truth``).
        overwrite: Replace what the folder holds.

    Raises:
        OutputFolderError: The folder holds files and ``overwrite`` is off, or cannot be written.
    """
    with whole_folder(folder, overwrite=overwrite) as staging:
        for sequence, image in patient.scans.items():
            write_volume(image, staging / f"{sequence}.nii.gz")
        (staging / "truth").mkdir()
        write_truth(patient, staging / "truth")


def write_truth(patient: VirtualPatient, folder: Path) -> None:
    """Write everything that is known about a virtual patient into an existing folder.

    For each scan, on its own grid: ``t1gd_brain_mask.nii.gz``, ``t1gd_lesion_mask.nii.gz``; its shading
    ``t1gd_bias_field.nii.gz`` on 4 mm voxels of the same block; ``t1gd_to_head.tfm``, the rigid transform
    from LPS points of the scan to LPS points of the head frame. In the head frame, at 1 mm:
    ``tissues.nii.gz`` (labels named in ``patient.json``) and the fractions of gray matter, white matter, CSF
    and edema in 255ths. ``patient.json`` has the values the patient was made from.
    """
    for sequence, scan in patient.acquisitions.items():
        write_volume(scan.brain_mask, folder / f"{sequence}_brain_mask.nii.gz")
        write_volume(scan.lesion_mask, folder / f"{sequence}_lesion_mask.nii.gz")
        write_volume(_coarse_field(scan.bias_field), folder / f"{sequence}_bias_field.nii.gz")
        sitk.WriteTransform(scan.pose, str(folder / f"{sequence}_to_head.tfm"))
    head = patient.head
    labels, names = tissue_labels(head)
    write_volume(image_on_grid(labels, head.grid), folder / "tissues.nii.gz")
    for tissue in (Tissue.GRAY_MATTER, Tissue.WHITE_MATTER, Tissue.CSF, Tissue.EDEMA):
        write_volume(image_on_grid(head.fractions[tissue], head.grid), folder / f"{tissue}_fraction.nii.gz")
    values = {
        "tissue_labels": names,
        "anatomy": asdict(patient.anatomy),
        "lesions": asdict(patient.plan),
        "protocol": {str(name): asdict(scan) for name, scan in patient.protocol.sequences.items()},
        "noise_sigma": {str(name): scan.noise_sigma for name, scan in patient.acquisitions.items()},
    }
    (folder / "patient.json").write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


def tissue_labels(head: Head) -> tuple[np.ndarray, dict[str, int]]:
    """The tissue that fills most of each voxel, as (K, J, I) ``uint8`` labels, and the label of each tissue.

    Label 0 is air.
    """
    solid = [tissue for tissue in Tissue if tissue is not Tissue.AIR and tissue in head.fractions]
    labels = np.zeros(head.brain.shape, np.uint8)
    filled = sum(head.fractions[tissue].astype(np.uint16) for tissue in solid)
    most = (255 - np.asarray(filled)).astype(np.uint8)
    for number, tissue in enumerate(solid, start=1):
        more = head.fractions[tissue] > most
        labels[more] = number
        most[more] = head.fractions[tissue][more]
    return labels, {str(tissue): number for number, tissue in enumerate(solid, start=1)}


def _coarse_field(field: sitk.Image) -> sitk.Image:
    """The field at the centers of coarser voxels that still reach over the whole scan."""
    grid = Grid.of(field)
    spacing = np.maximum(_FIELD_SPACING_MM, grid.spacing_mm)
    size = np.ceil((np.asarray(grid.size) - 1) * grid.spacing_mm / spacing).astype(int) + 1
    spacing = np.where(size > 1, (np.asarray(grid.size) - 1) * grid.spacing_mm / np.maximum(size - 1, 1), spacing)
    i, j, k = (int(n) for n in size)
    x, y, z = (float(edge) for edge in spacing)
    coarse = Grid((i, j, k), (x, y, z), grid.origin_lps_mm, grid.direction_lps)
    index = [np.rint(np.linspace(0, n - 1, m)).astype(int) for n, m in zip(grid.size, coarse.size, strict=True)]
    values = sitk.GetArrayFromImage(field)[np.ix_(index[2], index[1], index[0])]
    return image_on_grid(values, coarse)
