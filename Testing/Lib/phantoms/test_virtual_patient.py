"""The reference patient knows its own truth; these tests hold the scans against it."""

from __future__ import annotations

import json

import numpy as np
import pytest
import SimpleITK as sitk
from refusals import refused

from PCNSLSurvivalLib.core.errors import MissingFilesError
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.geometry import Grid
from PCNSLSurvivalLib.phantoms import VirtualPatient, reference_patient, write_patient
from PCNSLSurvivalLib.phantoms.anatomy import template
from PCNSLSurvivalLib.phantoms.anatomy.tissues import BRAIN_TISSUES, Tissue
from PCNSLSurvivalLib.phantoms.scanner.acquisition import acquire

PLANNED_ML = 13.0


def array(image: sitk.Image) -> np.ndarray:
    return sitk.GetArrayFromImage(image)


def centroid_lps_mm(mask: sitk.Image) -> np.ndarray:
    return Grid.of(mask).index_to_lps(np.argwhere(array(mask))[:, ::-1].mean(axis=0))


def volume_ml(mask: sitk.Image) -> float:
    return float(array(mask).sum()) * Grid.of(mask).voxel_volume_ml


def mean_signal(patient: VirtualPatient, sequence: MRSequence, tissue: Tissue) -> float:
    """Mean of the scan, its shading divided out, where a tissue fills the voxel."""
    scan = patient.acquisitions[sequence]
    share = sitk.GetImageFromArray(patient.head.fractions[tissue])
    share.SetOrigin(patient.head.grid.origin_lps_mm)
    on_scan = array(sitk.Resample(share, scan.image, scan.pose, sitk.sitkLinear))
    there = on_scan > 0.93 * on_scan.max()
    return float((array(scan.image)[there] / array(scan.bias_field)[there]).mean())


def test_lesion_has_the_planned_volume(reference):
    assert reference.plan.volume_ml == PLANNED_ML
    tumor = reference.head.volume_ml(Tissue.ENHANCING_TUMOR) + reference.head.volume_ml(Tissue.NECROSIS)
    assert tumor == pytest.approx(PLANNED_ML, rel=0.03)
    for sequence, mask in reference.lesion_masks.items():
        assert volume_ml(mask) == pytest.approx(PLANNED_ML, rel=0.06), sequence


def test_brain_has_an_adult_volume_and_is_made_of_its_tissues(reference):
    assert 1200 < volume_ml(reference.brain_masks[MRSequence.T1GD]) < 1750
    head = reference.head
    total = sum(fraction.astype(int) for fraction in head.fractions.values())
    assert total.max() == 255
    inside = sum(head.fractions[tissue].astype(int) for tissue in BRAIN_TISSUES)
    deep = head.brain == 255
    assert np.abs(inside[deep] - 255).mean() < 3  # falx and sinuses take a little of the fluid


@pytest.mark.parametrize("sequence", list(MRSequence))
def test_poses_bring_every_scan_to_the_same_head(reference, sequence):
    scan = reference.acquisitions[sequence]
    in_head = np.argwhere(reference.head.lesion >= 128)[:, ::-1].mean(axis=0)
    expected = reference.head.grid.index_to_lps(in_head)
    found = scan.pose.TransformPoint(centroid_lps_mm(scan.lesion_mask).tolist())
    assert np.linalg.norm(np.asarray(found) - expected) < 0.7


def test_true_transform_takes_t1gd_points_to_t2(reference):
    transform = reference.true_transform(MRSequence.T1GD, MRSequence.T2)
    there = transform.TransformPoint(centroid_lps_mm(reference.lesion_masks[MRSequence.T1GD]).tolist())
    gap = np.asarray(there) - centroid_lps_mm(reference.lesion_masks[MRSequence.T2])
    assert np.linalg.norm(gap) < 0.9
    moved = np.asarray(there) - centroid_lps_mm(reference.lesion_masks[MRSequence.T1GD])
    assert np.linalg.norm(moved) > 2.0  # the head really lies elsewhere


@pytest.mark.parametrize("sequence", list(MRSequence))
def test_air_holds_the_rayleigh_noise_of_a_magnitude_image(reference, sequence):
    scan = reference.acquisitions[sequence]
    corner = array(scan.image)[-3:, :30, :30].astype(float)  # above and in front of the head
    assert corner.mean() == pytest.approx(scan.noise_sigma * np.sqrt(np.pi / 2), rel=0.04)
    # Scanners store whole numbers, and rounding adds a variance of 1/12.
    assert corner.var() == pytest.approx(scan.noise_sigma**2 * (2 - np.pi / 2) + 1 / 12, rel=0.12)


@pytest.mark.parametrize("sequence", list(MRSequence))
def test_bias_field_is_smooth_with_the_stated_amplitude(reference, sequence):
    scan = reference.acquisitions[sequence]
    log_field = np.log(array(scan.bias_field))
    inside = log_field[array(scan.brain_mask) > 0]
    assert inside.mean() == pytest.approx(0.0, abs=1e-3)
    assert inside.std() == pytest.approx(reference.protocol.sequences[sequence].bias_amplitude, rel=0.02)
    steps_per_mm = np.abs(np.diff(log_field, axis=1)) / scan.image.GetSpacing()[1]
    assert steps_per_mm.max() < 0.05


def test_sequences_look_as_a_radiologist_expects(reference):
    def order(sequence: MRSequence, *tissues: Tissue) -> list[float]:
        return [mean_signal(reference, sequence, tissue) for tissue in tissues]

    tumor, edema = Tissue.ENHANCING_TUMOR, Tissue.EDEMA
    gray, white, csf = Tissue.GRAY_MATTER, Tissue.WHITE_MATTER, Tissue.CSF
    t1 = order(MRSequence.T1, Tissue.FAT, white, gray, tumor, csf)
    assert t1 == sorted(t1, reverse=True)
    t1gd = order(MRSequence.T1GD, tumor, white, gray, csf)
    assert t1gd == sorted(t1gd, reverse=True)
    assert t1gd[0] > 1.3 * t1gd[1]
    t2 = order(MRSequence.T2, csf, edema, tumor, white)
    assert t2 == sorted(t2, reverse=True)
    flair = order(MRSequence.FLAIR, edema, gray, white, csf)
    assert flair == sorted(flair, reverse=True)
    assert mean_signal(reference, MRSequence.T1, Tissue.BONE) < 0.35 * t1[1]


def test_the_same_head_scanned_again_gives_the_same_bytes(reference):
    protocol = reference.protocol
    again = acquire(reference.head, MRSequence.T2, protocol.sequences[MRSequence.T2], seed=protocol.seed)
    assert array(again.image).tobytes() == array(reference.scans[MRSequence.T2]).tobytes()


@pytest.mark.slow
def test_same_seed_gives_the_same_bytes(reference):
    again = reference_patient(sequences=(MRSequence.T2,))
    assert array(again.scans[MRSequence.T2]).tobytes() == array(reference.scans[MRSequence.T2]).tobytes()
    assert Grid.of(again.scans[MRSequence.T2]) == Grid.of(reference.scans[MRSequence.T2])


def test_patient_is_written_with_all_truths(reference, tmp_path):
    write_patient(reference, tmp_path / "patient")
    for sequence, image in reference.scans.items():
        read = sitk.ReadImage(str(tmp_path / "patient" / f"{sequence}.nii.gz"))
        assert np.array_equal(array(read), array(image))
        truth = tmp_path / "patient" / "truth"
        pose = sitk.ReadTransform(str(truth / f"{sequence}_to_head.tfm"))
        point = (12.0, -20.0, 8.0)
        expected = reference.poses[sequence].TransformPoint(point)
        assert pose.TransformPoint(point) == pytest.approx(expected, abs=1e-6)
        field = reference.bias_fields[sequence]
        kept = sitk.ReadImage(str(truth / f"{sequence}_bias_field.nii.gz"))
        back = sitk.Resample(kept, field, sitk.Transform(), sitk.sitkLinear)
        brain = array(reference.brain_masks[sequence]) > 0
        assert np.abs(array(back)[brain] / array(field)[brain] - 1).max() < 0.02
    values = json.loads((truth / "patient.json").read_text(encoding="utf-8"))
    labels = array(sitk.ReadImage(str(truth / "tissues.nii.gz")))
    white = labels == values["tissue_labels"]["white_matter"]
    assert 300 < white.sum() / 1000 < 800


def test_missing_tissue_maps_are_told_in_a_sentence(monkeypatch):
    monkeypatch.setattr(template.importlib.util, "find_spec", lambda name: None)
    with refused(MissingFilesError, "phantom.no_template"):
        template.brain_template.__wrapped__()
