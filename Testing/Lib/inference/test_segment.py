"""The proposal lies where the tumor is in the patient, whatever the voxel order, tilt or field of view of the file."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
import SimpleITK as sitk
from made_heads import brain_shape
from made_models import small_model, small_recipe

from PCNSLSurvivalLib.cli.__main__ import main
from PCNSLSurvivalLib.core.terms import RESEARCH_USE_ONLY, MRSequence
from PCNSLSurvivalLib.imaging.geometry import Grid, image_on_grid
from PCNSLSurvivalLib.inference import t1gd_alone
from PCNSLSurvivalLib.inference.case_options import CaseOptions
from PCNSLSurvivalLib.inference.segment import certain_foci, segment_case
from PCNSLSurvivalLib.models.lesion_reader_folder import ReaderSettings
from PCNSLSurvivalLib.results.lesion_proposal import MASK, MEASURES, write_segment_folder

CENTER, RADIUS_MM = np.array([28.0, -15.0, 22.0]), 12.0
OFFSET = np.array([5.0, -40.0, 60.0])


def _turn(degrees):
    turn = sitk.Euler3DTransform()
    turn.SetRotation(np.deg2rad(degrees), 0.0, np.deg2rad(degrees / 2))
    return turn.GetMatrix()


STRAIGHT = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
SAID = CaseOptions(already_stripped=True, already_corrected=True)


def _head(direction=STRAIGHT, spacing=(2.2, 2.2, 2.6), size=(70, 84, 60)):
    """A stripped brain with noise, and a bright ball in it."""
    middle = np.reshape(direction, (3, 3)) @ ((np.asarray(size) - 1) / 2 * np.asarray(spacing))
    grid = Grid(size, spacing, tuple(float(v) for v in OFFSET - middle), tuple(direction))
    k, j, i = np.meshgrid(*[np.arange(n) for n in size[::-1]], indexing="ij")
    points = grid.index_to_lps(np.stack([i, j, k], -1)) - OFFSET
    brain = brain_shape(points.transpose(2, 1, 0, 3))
    lesion = ((points - CENTER) ** 2).sum(-1) < RADIUS_MM**2
    draw = np.random.default_rng(2)
    values = 400 + 40 * np.sin(points[..., 0] / 9) + 40 * np.cos(points[..., 1] / 11) + draw.normal(0, 12, brain.shape)
    values[lesion] = 900
    return image_on_grid((values * brain).astype(np.int16), grid), image_on_grid(lesion.astype(np.uint8), grid)


def _reader(level=4.0):
    """Stands in for the network: bright is tumor."""
    settings = ReaderSettings(
        name="threshold", version="1", widths=(16, 32), hidden=16, spacing_mm=1.5, grid_size=128, probability=0.5,
        peak_probability=0.9, volume_factor=1.5, trained_on="nothing", license="none",
    )  # fmt: skip
    folder = SimpleNamespace(settings=settings, to_json=lambda: {"name": "threshold"})
    return SimpleNamespace(folder=folder, probability=lambda image, brain: np.clip(image - level + 0.5, 0, 1) * brain)


@pytest.fixture
def prepared_on_2_mm(monkeypatch):
    """The made head has coarser voxels than that."""
    monkeypatch.setattr(t1gd_alone, "RECIPE", small_recipe())


FORMS = {
    "straight": lambda image: image,
    "flipped": lambda image: sitk.Flip(image, (True, False, True)),
    "sagittal": lambda image: sitk.PermuteAxes(image, (1, 2, 0)),
    "oblique": lambda image: image,
    "cropped": lambda image: sitk.Crop(image, (0, 0, 8), (0, 0, 0)),
}


@pytest.mark.usefixtures("prepared_on_2_mm")
@pytest.mark.parametrize("form", FORMS)
def test_the_mask_is_on_the_files_own_voxels_and_on_the_tumor(form, tmp_path):
    head = _head(direction=_turn(14.0)) if form == "oblique" else _head()
    image, truth = map(FORMS[form], head)
    sitk.WriteImage(image, str(tmp_path / "t1gd.nii.gz"))
    result = segment_case(tmp_path / "t1gd.nii.gz", _reader(), SAID)
    stored = write_segment_folder(result, tmp_path)
    mask = sitk.ReadImage(str(tmp_path / MASK))
    assert Grid.of(mask).matches(Grid.of(image), tolerance_mm=0.01)
    found, real = (sitk.GetArrayFromImage(one) > 0 for one in (mask, truth))
    assert 2 * (found & real).sum() / (found.sum() + real.sum()) > 0.9
    (focus,) = result.proposal.foci
    assert focus.center_lps_mm == pytest.approx(CENTER + OFFSET, abs=0.5)
    assert focus.side == "left"
    assert focus.diameters.longest_mm == pytest.approx(2 * RADIUS_MM, abs=3.0)
    assert stored == json.loads((tmp_path / MEASURES).read_text(encoding="utf-8"))
    assert stored["foci"][0]["center_ras_mm"] == pytest.approx((CENTER + OFFSET) * (-1, -1, 1), abs=0.5)
    low, high = stored["volume_interval_ml"]
    assert low < stored["volume_ml"] < high
    assert (high + 0.5) / (stored["volume_ml"] + 0.5) == pytest.approx(
        (stored["volume_ml"] + 0.5) / (low + 0.5), rel=1e-3
    )
    assert "and half a milliliter, divided and multiplied by the error" in stored["volume_interval"]
    assert stored["volume_ml"] == pytest.approx(4 / 3 * np.pi * RADIUS_MM**3 / 1000, rel=0.1)


def test_a_focus_that_is_nowhere_likely_is_dropped_and_a_likely_one_keeps_its_faint_rim():
    probability = np.zeros((20, 20, 20), np.float32)
    probability[2:6, 2:6, 2:6] = 0.4
    probability[3, 3, 3] = 0.95
    probability[6, 6, 6] = 0.35
    probability[12:18, 12:18, 12:18] = 0.85
    kept = certain_foci(probability, cut=0.3, peak=0.9)
    assert np.array_equal(kept[:8, :8, :8], probability[:8, :8, :8])
    assert not kept[10:].any()
    assert not certain_foci(np.zeros((3, 3, 3), np.float32), cut=0.3, peak=0.9).any()


@pytest.mark.usefixtures("prepared_on_2_mm")
def test_a_head_without_tumor_gets_an_empty_mask_and_no_focus(tmp_path):
    image, _ = _head()
    sitk.WriteImage(image, str(tmp_path / "t1gd.nii.gz"))
    result = segment_case(tmp_path / "t1gd.nii.gz", _reader(level=99.0), SAID)
    assert result.proposal.volume_ml == 0
    assert result.proposal.foci == ()
    assert result.proposal.interval_ml == pytest.approx((0.0, 0.25))
    assert "lesion.reader_is_virtual" in [message.code for message in result.warnings]


@pytest.fixture(scope="module")
def stripped_patient(coarse_reference, tmp_path_factory):
    """The T1Gd of a virtual patient without skull and without shading, and the mask of its tumor."""
    folder = tmp_path_factory.mktemp("patient")
    even = sitk.Cast(coarse_reference.scans[MRSequence.T1GD], sitk.sitkFloat32) / sitk.Cast(
        coarse_reference.bias_fields[MRSequence.T1GD], sitk.sitkFloat32
    )
    stripped = sitk.Mask(sitk.Cast(even, sitk.sitkInt16), coarse_reference.brain_masks[MRSequence.T1GD])
    sitk.WriteImage(stripped, str(folder / "t1gd.nii.gz"))
    return folder / "t1gd.nii.gz", coarse_reference.lesion_masks[MRSequence.T1GD]


WORDS = ["--already-stripped", "--already-corrected", "--progress", "none", "--debug"]


def test_the_bundled_reader_finds_the_tumor_of_a_virtual_patient(stripped_patient, tmp_path, capsys):
    path, truth = stripped_patient
    assert main(["segment", "--t1gd", str(path), "--out", str(tmp_path / "out"), *WORDS]) == 0
    assert {file.name for file in (tmp_path / "out").iterdir()} == {MASK, MEASURES}
    mask, real = (sitk.GetArrayFromImage(one) > 0 for one in (sitk.ReadImage(str(tmp_path / "out" / MASK)), truth))
    assert 2 * (mask & real).sum() / (mask.sum() + real.sum()) > 0.5
    printed = capsys.readouterr().out
    assert "proposal" in printed
    assert RESEARCH_USE_ONLY in printed
    assert main(["segment", "--t1gd", str(path), "--out", str(tmp_path / "out"), *WORDS[:-1]]) == 3  # not overwritten


def test_predict_uses_the_proposal_and_says_so(stripped_patient, tmp_path):
    path, truth = stripped_patient
    predict = ["predict", "--t1gd", str(path), "--model", str(small_model(tmp_path / "small_untrained").path), *WORDS]
    assert main([*predict, "--segment", "--out", str(tmp_path / "out")]) == 0
    stored = json.loads((tmp_path / "out" / "prediction.json").read_text(encoding="utf-8"))
    measures = json.loads((tmp_path / "out" / MEASURES).read_text(encoding="utf-8"))
    codes = [warning["code"] for warning in stored["warnings"]]
    assert {"lesion.proposal", "lesion.proposal_used"} <= set(codes)
    assert measures["volume_ml"] > 1
    assert stored["evidence"]["regional_attribution"]["lesion"] is not None
    assert {MASK, MEASURES} <= set(stored["files_sha256"])
    assert stored["lesion"]["source"] == "proposal"
    assert stored["lesion"]["volume_ml"] == measures["volume_ml"]
    evidence = [focus.pop("evidence") for focus in stored["lesion"]["foci"]]
    assert stored["lesion"]["foci"] == measures["foci"]
    assert sum(evidence) == pytest.approx(stored["evidence"]["regional_attribution"]["lesion"], rel=0.05, abs=1e-4)
    report = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "proposed outline of the lesion" in report
    largest = measures["foci"][0]
    longest, across = (largest["diameters"][f"{name}_mm"] for name in ("longest", "perpendicular"))
    assert f'<td class="n">{largest["volume_ml"]:.1f}</td><td class="n">{longest:.0f} × {across:.0f}</td>' in report
    assert f'<td>{largest["side"]}</td><td class="n">{evidence[0]:+.3f}</td>' in report

    corrected = tmp_path / "corrected.nii.gz"
    sitk.WriteImage(truth, str(corrected))
    assert main([*predict, "--lesion-mask", str(corrected), "--out", str(tmp_path / "again")]) == 0
    given = json.loads((tmp_path / "again" / "prediction.json").read_text(encoding="utf-8"))
    truth_ml = np.count_nonzero(sitk.GetArrayViewFromImage(truth)) * np.prod(truth.GetSpacing()) / 1000
    assert given["lesion"]["source"] == "given"
    assert given["lesion"]["volume_ml"] == pytest.approx(truth_ml, abs=1e-3)
    lesions = [one["evidence"]["regional_attribution"]["lesion"] for one in (stored, given)]
    assert lesions[0] != lesions[1]
    assert not [warning for warning in given["warnings"] if str(warning["code"]).startswith("lesion.")]
