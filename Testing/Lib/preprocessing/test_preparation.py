"""The reference patient, prepared from whole head to network input, against the truths it was made from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from made_grids import grids

from PCNSLSurvivalLib.core.errors import GridMismatchError
from PCNSLSurvivalLib.core.progress import StepClock, StepEvent
from PCNSLSurvivalLib.core.terms import MRSequence, Step
from PCNSLSurvivalLib.imaging.geometry import Grid, canonical, image_on_grid, resample
from PCNSLSurvivalLib.imaging.io import read_scan
from PCNSLSurvivalLib.phantoms import VirtualPatient
from PCNSLSurvivalLib.preprocessing.pipeline import PreparedCase, prepare_case
from PCNSLSurvivalLib.preprocessing.recipe import RECIPE, NetworkGridStep, ResampleStep
from PCNSLSurvivalLib.preprocessing.scan_state import ScanState
from PCNSLSurvivalLib.preprocessing.step_cache import StepStore
from PCNSLSurvivalLib.preprocessing.steps.resampling import network_grid, to_network

SEQUENCES = (MRSequence.T1GD, MRSequence.T1, MRSequence.T2)


@pytest.fixture(scope="module")
def patient(coarse_reference: VirtualPatient) -> VirtualPatient:
    return coarse_reference


def _canonical(image: sitk.Image) -> sitk.Image:
    return canonical(sitk.Cast(image, sitk.sitkFloat32))


def _array(image: sitk.Image) -> np.ndarray:
    return sitk.GetArrayFromImage(image)


@pytest.fixture(scope="module")
def prepared(predicted_reference: Path) -> PreparedCase:
    """With the steps that the prediction of this patient kept."""
    scans = {name: read_scan(predicted_reference / f"{name}.nii.gz", name).image for name in SEQUENCES}
    store = StepStore(predicted_reference / "cache")
    kept: list[StepEvent] = []
    case = prepare_case(scans, recipe=RECIPE, clock=StepClock(kept.append), store=store)
    assert [event.step for event in kept if event.state == "kept"].count(Step.BRAIN_EXTRACTION) == 1
    return case


def test_the_brain_mask_agrees_with_the_truth_and_keeps_the_lesion(patient, prepared):
    found = _array(prepared.brain_mask) > 0
    truth = _array(_canonical(patient.brain_masks[MRSequence.T1GD])) > 0
    lesion = _array(_canonical(patient.lesion_masks[MRSequence.T1GD])) > 0
    assert 2 * (found & truth).sum() / (found.sum() + truth.sum()) >= 0.95
    assert (found & lesion).sum() / lesion.sum() >= 0.99


@pytest.mark.parametrize("sequence", [MRSequence.T1, MRSequence.T2])
def test_registration_finds_the_head_pose_to_a_millimeter(sequence, patient, prepared):
    brain = Grid.of(prepared.brain_mask_1mm)
    points = brain.index_to_lps(np.argwhere(_array(prepared.brain_mask_1mm) > 0)[::5000, ::-1])
    truth = patient.true_transform(MRSequence.T1GD, sequence)
    found = prepared.transforms[sequence]
    errors = [np.subtract(found.TransformPoint(p), truth.TransformPoint(p)) for p in points.tolist()]
    moved = [np.subtract(truth.TransformPoint(p), p) for p in points.tolist()]
    assert np.linalg.norm(moved, axis=1).mean() > 2.0, "the poses must differ for this to say anything"
    assert np.linalg.norm(errors, axis=1).mean() <= 1.0


def test_the_bias_field_that_is_removed_is_the_one_that_was_put_in(patient, prepared):
    native, corrected = (_array(scans[MRSequence.T1GD]) for scans in (prepared.native, prepared.corrected))
    brain = (_array(prepared.brain_mask) > 0) & (native > 0) & (corrected > 0)
    truth = _array(_canonical(patient.bias_fields[MRSequence.T1GD]))[brain]
    assert np.corrcoef(np.log(native[brain] / corrected[brain]), np.log(truth))[0, 1] >= 0.95


def test_all_scans_share_one_isotropic_grid_and_are_zero_outside_the_brain(prepared):
    outside = _array(prepared.brain_mask_1mm) == 0
    for image in prepared.preprocessed.values():
        assert Grid.of(image).matches(Grid.of(prepared.brain_mask_1mm))
        assert image.GetSpacing() == pytest.approx((1.0, 1.0, 1.0))
        assert (_array(image)[outside] == 0).all()
    assert prepared.network_input(SEQUENCES).shape == (3, *RECIPE.network_grid.size)


def test_gain_and_offset_of_the_scanner_do_not_reach_the_network(patient):
    t1gd = _canonical(patient.scans[MRSequence.T1GD])
    brain_mask = canonical(patient.brain_masks[MRSequence.T1GD])
    coarse = replace(RECIPE, resampling=ResampleStep(spacing_mm=(2.0, 2.0, 2.0)))

    def network_input(scan: sitk.Image) -> np.ndarray:
        case = prepare_case(
            {MRSequence.T1GD: scan}, recipe=coarse, clock=StepClock(), brain_mask=brain_mask,
            known=ScanState(already_corrected=True),
        )  # fmt: skip
        return case.network_input((MRSequence.T1GD,))

    plain, changed = network_input(t1gd), network_input(t1gd * 3.0 + 100.0)
    assert np.linalg.norm(plain) > 0
    assert np.linalg.norm(changed - plain) < 0.01 * np.linalg.norm(plain)


def test_a_mask_on_other_voxels_is_refused(patient, prepared):
    half = sitk.Shrink(prepared.brain_mask, [2, 2, 2])
    with pytest.raises(GridMismatchError) as refused:
        prepare_case(
            {MRSequence.T1GD: _canonical(patient.scans[MRSequence.T1GD])},
            recipe=RECIPE,
            clock=StepClock(),
            brain_mask=half,
            known=ScanState(already_corrected=True),
        )
    assert refused.value.message.code == "grid.brain_mask_on_t1gd"


@hypothesis_settings(max_examples=40)
@given(grid=grids(), crop=st.tuples(*[st.integers(0, 4)] * 6))
def test_a_point_of_the_patient_lies_at_the_same_millimeters_in_the_network_grid(grid, crop):
    """A smooth bump drawn on any grid has its center of mass at the same place after the way to the network."""
    center = grid.center_lps_mm
    brain_grid = Grid.axis_aligned(center_lps_mm=center, size=(40, 40, 40), spacing_mm=(3.0, 3.0, 3.0))
    index = np.stack(np.meshgrid(*[np.arange(n) for n in brain_grid.size], indexing="ij"), axis=-1)
    points = brain_grid.index_to_lps(index)
    spot = center + np.array([11.0, -7.0, 5.0])
    bump = np.exp(-(np.linalg.norm(points - spot, axis=-1) ** 2) / (2 * 8.0**2)).transpose(2, 1, 0)
    ball = (np.linalg.norm(points - center, axis=-1) < 55).transpose(2, 1, 0).astype(np.uint8)
    turned = Grid.of(image_on_grid(np.zeros((47, 47, 47), np.uint8), brain_grid))
    turned = Grid((47, 47, 47), (2.7, 2.7, 2.7), turned.origin_lps_mm, grid.direction_lps)
    shift = center - turned.center_lps_mm
    origin = np.asarray(turned.origin_lps_mm) + shift
    turned = Grid(turned.size, turned.spacing_mm, tuple(origin), turned.direction_lps)
    image = resample(image_on_grid(bump.astype(np.float32), brain_grid), turned)
    mask = resample(image_on_grid(ball, brain_grid), turned, interpolation="nearest")
    low, high = crop[:3], [n - rest for n, rest in zip(turned.size, crop[3:], strict=True)]
    block = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    image, mask = canonical(image[block]), canonical(mask[block])
    target = network_grid(mask, NetworkGridStep(size=(43, 43, 43), spacing_mm=(3.0, 3.0, 3.0)))
    sampled = to_network(image, target)
    cells = np.stack(np.meshgrid(*[np.arange(n) for n in target.size], indexing="ij"), axis=-1)
    found = (target.index_to_lps(cells) * sampled[..., None]).sum(axis=(0, 1, 2)) / sampled.sum()
    assert found == pytest.approx(spot, abs=0.1)
