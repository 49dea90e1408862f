"""Two exams of a virtual patient whose movement and lesions are known."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import SimpleITK as sitk
from made_heads import brain_shape
from refusals import refusal

from PCNSLSurvivalLib.cli.__main__ import main
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.progress import StepEvent
from PCNSLSurvivalLib.imaging.geometry import Grid, image_on_grid, lps_to_ras, resample
from PCNSLSurvivalLib.imaging.io import write_volume
from PCNSLSurvivalLib.inference.follow_up import LEAST_OVERLAP, Change, _foci_apart, brain_overlap, change_of

STAYS, GOES, COMES = (25.0, -20.0, 10.0), (-25.0, 25.0, 20.0), (-25.0, -30.0, 5.0)
EARLIER = {STAYS: 15.0, GOES: 9.0}
LATER = {STAYS: 10.0, COMES: 9.0}
MOVED = sitk.Euler3DTransform((0.0, 0.0, 0.0), 0.05, -0.04, 0.15, (14.0, -9.0, 11.0))
"""LPS points of the earlier exam to LPS points of the later one."""


def _ml(radius_mm):
    return 4 / 3 * np.pi * radius_mm**3 / 1000


def _exam(lesions, pose):
    """T1Gd, brain and lesion mask, the head moved by ``pose``; computed, so that nothing is interpolated."""
    grid = Grid.axis_aligned(center_lps_mm=np.zeros(3), size=(54, 62, 54), spacing_mm=(4.0, 4.0, 4.0))
    at = grid.index_to_lps(np.stack(np.meshgrid(*map(np.arange, grid.size), indexing="ij"), -1))
    matrix, back = np.reshape(pose.GetInverse().GetMatrix(), (3, 3)), np.array(pose.GetInverse().GetTranslation())
    points = at @ matrix.T + back
    x, y, z = np.moveaxis(points, -1, 0)

    def inside(radii, center=(0.0, 0.0, 0.0)):
        return (((points - center) / radii) ** 2).sum(-1) < 1

    brain = brain_shape(points).transpose(2, 1, 0)
    lesion = np.any([inside((r, r, r), center) for center, r in lesions.items()], axis=0)
    texture = np.sin(x / 11) * np.sin(y / 13 + 1) + np.sin(z / 9 + y / 17) + np.cos(x / 19 - z / 12)
    values = np.where(brain, 300 + 40 * texture, np.where(inside((74, 90, 76)), 60.0, 0.0))
    values = np.where(inside((84, 100, 86)) & ~inside((74, 90, 76)), 500.0, values) + 250 * lesion
    values += np.random.default_rng(len(lesions)).normal(scale=4.0, size=values.shape) + 10
    arrays = (values.astype(np.float32), brain.astype(np.uint8), lesion.astype(np.uint8))
    return [image_on_grid(np.ascontiguousarray(a.transpose(2, 1, 0)), grid) for a in arrays]


@pytest.fixture(scope="module")
def exams(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exams")
    for name, lesions, pose in (("earlier", EARLIER, sitk.Euler3DTransform()), ("later", LATER, MOVED)):
        for part, image in zip(("t1gd", "brain", "lesion"), _exam(lesions, pose), strict=True):
            write_volume(image, folder / f"{name}-{part}.nii.gz")
    return folder


def _follow_up(exams, out, *more, later="later"):
    words = ["follow-up", "--out", str(out), "--already-corrected", "--override-quality", "--progress", "none"]
    for name, files in (("earlier", "earlier"), ("later", later)):
        words += [f"--{name}", str(exams / f"{files}-t1gd.nii.gz")]
        words += [f"--{name}-lesion", str(exams / f"{files}-lesion.nii.gz")]
        words += [f"--{name}-brain-mask", str(exams / f"{files}-brain.nii.gz")]
    return main([*words, *more])


@pytest.fixture(scope="module")
def found(exams, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "result"
    assert _follow_up(exams, out, "--reader-response", "PR") == 0
    return out, json.loads((out / "follow_up.json").read_text(encoding="utf-8"))


def test_volumes_and_change_are_those_of_the_spheres(found):
    _out, stored = found
    before, after = stored["earlier"]["volume_ml"], stored["later"]["volume_ml"]
    assert before == pytest.approx(_ml(15) + _ml(9), rel=0.08)
    assert after == pytest.approx(_ml(10) + _ml(9), rel=0.08)
    products = stored["earlier"]["sum_of_products_mm2"], stored["later"]["sum_of_products_mm2"]
    assert products == pytest.approx((30.0**2 + 18**2, 20.0**2 + 18**2), rel=0.25)
    assert stored["change"]["sum_of_products"] == Change.BETWEEN
    assert "followup.between" in {one["code"] for one in stored["sentences"]}


def test_a_site_is_new_or_gone_only_where_the_moved_head_has_nothing_there(found):
    _out, stored = found
    assert [focus["gone"] for focus in stored["earlier"]["foci"]] == [False, True]
    assert [focus["new"] for focus in stored["later"]["foci"]] == [False, True]
    assert stored["change"]["new_sites"] == 1


def test_the_later_exam_lies_over_the_earlier_one(exams, found):
    out, stored = found
    to_earlier = np.array(stored["later_to_earlier_ras"])
    points = np.random.default_rng(0).uniform(-60, 60, (200, 3))
    moved = lps_to_ras(np.array([MOVED.TransformPoint(point) for point in points.tolist()]))
    back = lps_to_ras(moved @ to_earlier[:3, :3].T + to_earlier[:3, 3])
    assert np.linalg.norm(back - points, axis=1).mean() < 1.0
    earlier, later = (sitk.ReadImage(str(out / f"{name}_lesion_on_earlier.nii.gz")) for name in ("earlier", "later"))
    assert later.GetSize() == earlier.GetSize()
    lps = Grid.of(later).index_to_lps(np.argwhere(sitk.GetArrayFromImage(later) > 0)[:, ::-1].astype(float))
    here = lps[np.linalg.norm(lps - STAYS, axis=1) < 20].mean(axis=0)
    assert np.linalg.norm(here - STAYS) < 2.0
    scan = sitk.ReadImage(str(exams / "later-t1gd.nii.gz"))
    ideal = sitk.GetArrayFromImage(resample(scan, Grid.of(earlier), transform=MOVED))
    written = sitk.GetArrayFromImage(sitk.ReadImage(str(out / "later_on_earlier.nii.gz")))
    assert np.corrcoef(ideal.ravel(), written.ravel())[0, 1] > 0.99


def test_a_focus_of_just_the_least_volume_stops_nothing():
    """29 voxels of 3.4483 mm³: 0.1 mL, or a little less, as the product is rounded."""
    grid = Grid.axis_aligned(center_lps_mm=np.zeros(3), size=(40, 8, 8), spacing_mm=(1.0, 1.0, 100 / 29))
    lesion = np.zeros(grid.size[::-1], np.uint8)
    lesion[4, 4, 3:32] = 1
    brain = image_on_grid(np.ones_like(lesion), grid)
    same = sitk.Transform(3, sitk.sitkIdentity)
    assert len(_foci_apart(image_on_grid(lesion, grid), brain, image_on_grid(lesion * 0, grid), same)) <= 1


def test_the_word_response_is_the_readers_alone(found):
    _out, stored = found
    told = [one["sentence"] for one in stored["sentences"]]
    assert "Response as entered by the reader: PR." in told
    computed = " ".join(one for one in told if "entered by the reader" not in one)
    assert "not an assessment of response" in computed
    for word in ("complete response", "partial response", "stable disease", "progressi", "PR"):
        assert word not in computed
    assert not {str(change) for change in Change} & {"CR", "CRu", "PR", "SD", "PD"}


def test_it_is_said_that_the_person_was_not_checked(found):
    _out, stored = found
    assert "followup.identity" in {one["code"] for one in stored["sentences"]}
    assert StepEvent.of_key("later_exam").title == "Registration of the later exam"
    assert "later_exam" in stored["seconds"]


def test_one_brain_is_not_doubted_and_another_one_is(exams, found, tmp_path):
    _out, stored = found
    assert stored["brain_overlap"]["dice"] > LEAST_OVERLAP
    assert "followup.other_brain" not in {one["code"] for one in stored["warnings"]}
    brain = sitk.ReadImage(str(exams / "earlier-brain.nii.gz"))
    wider = resample(brain, Grid.of(brain), interpolation="nearest", transform=sitk.ScaleTransform(3, (0.9, 1.0, 1.0)))
    still = sitk.Transform(3, sitk.sitkIdentity)
    assert brain_overlap(brain, brain, still) == 1.0
    assert brain_overlap(brain, wider, still) < LEAST_OVERLAP
    # Slices that the later exam does not cover are no difference.
    part = brain[:, :, 10:]
    assert brain_overlap(brain, part, still) == 1.0


def test_brains_that_overlap_less_are_told_in_the_result(exams, tmp_path):
    for part in ("t1gd", "lesion"):
        shutil.copy(exams / f"later-{part}.nii.gz", exams / f"wide-{part}.nii.gz")
    brain = sitk.ReadImage(str(exams / "later-brain.nii.gz"))
    write_volume(sitk.BinaryDilate(brain, [2, 2, 2]), exams / "wide-brain.nii.gz")
    assert _follow_up(exams, tmp_path / "result", later="wide") == 0
    stored = json.loads((tmp_path / "result" / "follow_up.json").read_text(encoding="utf-8"))
    assert stored["brain_overlap"]["dice"] < LEAST_OVERLAP
    (told,) = [one for one in stored["warnings"] if one["code"] == "followup.other_brain"]
    assert f"{stored['brain_overlap']['dice']:.2f}" in told["sentence"]


def test_a_decrease_is_set_as_a_journal_sets_it():
    assert str(Message("followup.volume", earlier=12.0, later=7.8, change=-0.35)).endswith("(−35 %).")
    assert str(Message("followup.volume", earlier=4.0, later=5.0, change=0.25)).endswith("(+25 %).")


def test_one_scan_given_twice_is_refused(exams, tmp_path, capsys):
    assert _follow_up(exams, tmp_path / "out", later="earlier") == 3
    assert refusal("followup.same_scan") in capsys.readouterr().err


@pytest.mark.parametrize(
    ("earlier", "later", "change"),
    [
        (10.0, 0.0, Change.NONE_LEFT),
        (10.0, 5.0, Change.HALVED),
        (10.0, 5.1, Change.BETWEEN),
        (10.0, 12.4, Change.BETWEEN),
        (10.0, 12.5, Change.INCREASED),
        (0.0, 4.0, None),
    ],
)
def test_the_limits_of_the_ipcg_belong_to_decrease_and_increase(earlier, later, change):
    assert change_of(earlier, later) is change
