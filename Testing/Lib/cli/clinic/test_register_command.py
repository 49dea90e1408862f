"""``pcnsl-survival register``: a scan registered to T1Gd, its transform in Slicer's frame, and rejections."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from made_heads import made_head

from PCNSLSurvivalLib.cli.__main__ import main
from PCNSLSurvivalLib.cli.clinic.register import matrix_to_t1gd
from PCNSLSurvivalLib.core.errors import PreparationError
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.preprocessing.alignment import read_movements

SHIFT_MM = 6.0


@pytest.fixture(scope="module")
def head(tmp_path_factory):
    """T1Gd, T1 ``SHIFT_MM`` to the left of it, and the brain mask, as files."""
    folder = tmp_path_factory.mktemp("head")
    scans, brain, _lesion = made_head(1, shift_mm=SHIFT_MM)
    for name, image in (("t1gd", scans[MRSequence.T1GD]), ("t1", scans[MRSequence.T1]), ("mask", brain)):
        sitk.WriteImage(image, str(folder / f"{name}.nrrd"))
    return folder


def _register(head, out, *more):
    words = ["register", "--t1gd", str(head / "t1gd.nrrd"), "--brain-mask", str(head / "mask.nrrd")]
    return main([*words, "--out", str(out), "--progress", "json", *more])


def test_a_shifted_scan_comes_back_over_t1gd(head, tmp_path):
    assert _register(head, tmp_path / "out", "--t1", str(head / "t1.nrrd"), "--override-quality") == 0
    stored = json.loads((tmp_path / "out" / "alignment.json").read_text(encoding="utf-8"))["t1"]
    matrix = np.array(stored["scan_to_t1gd_ras"])
    # LPS x runs to the left, RAS x to the right: what lies too far to the left is moved to the right.
    np.testing.assert_allclose(matrix[:3, 3], (SHIFT_MM, 0.0, 0.0), atol=1.5)
    np.testing.assert_allclose(matrix[:3, :3], np.eye(3), atol=0.02)
    fixed, aligned = (sitk.ReadImage(str(p)) for p in (head / "t1gd.nrrd", tmp_path / "out" / stored["file"]))
    moving = sitk.ReadImage(str(head / "t1.nrrd"))
    assert aligned.GetSize() == fixed.GetSize()
    brain = sitk.GetArrayFromImage(sitk.ReadImage(str(head / "mask.nrrd"))) > 0

    def likeness(image):
        return np.corrcoef(*(sitk.GetArrayFromImage(i)[brain] for i in (fixed, image)))[0, 1]

    assert likeness(aligned) > likeness(moving) + 0.1
    assert {found["sequence"] for found in stored["findings"]} >= {"t1"}


def test_without_another_scan_there_is_nothing_to_do(head, tmp_path, capsys):
    assert _register(head, tmp_path / "out") == 3
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["code"] == "register.nothing_given"
    assert not (tmp_path / "out").exists()


def test_the_matrix_takes_points_of_the_scan_to_t1gd_in_ras():
    pose = sitk.Euler3DTransform((5.0, -3.0, 2.0), 0.2, -0.1, 0.3, (4.0, 7.0, -9.0))
    point_lps = np.array((11.0, 23.0, -8.0))
    on_scan = np.array(pose.TransformPoint(point_lps.tolist()))
    flip = np.array((-1.0, -1.0, 1.0))
    back = np.array(matrix_to_t1gd(pose)) @ [*(on_scan * flip), 1.0]
    np.testing.assert_allclose(back[:3], point_lps * flip, atol=1e-9)


def test_a_stored_movement_is_read_back(tmp_path):
    pose = sitk.Euler3DTransform((5.0, -3.0, 2.0), 0.2, -0.1, 3.0, (4.0, 7.0, -9.0))
    stored = {"schema": "pcnsl-survival/alignment", "t2": {"scan_to_t1gd_ras": matrix_to_t1gd(pose)}}
    (tmp_path / "alignment.json").write_text(json.dumps(stored), encoding="utf-8")
    ((name, movement),) = read_movements(tmp_path / "alignment.json").items()
    assert name is MRSequence.T2
    for point_lps in ((11.0, 23.0, -8.0), (-40.0, 0.0, 55.0)):
        np.testing.assert_allclose(movement.TransformPoint(point_lps), pose.TransformPoint(point_lps), atol=1e-9)


def _moved(matrix):
    return json.dumps({"t1": {"scan_to_t1gd_ras": matrix}})


@pytest.mark.parametrize(
    "text",
    [
        *("", "{}", "[1]", '{"t1": 3}', "[" * 100_000),
        *(
            _moved([[1, 0], [0, 1]]),
            _moved([[0] * 4] * 4),
            _moved([[float("nan")] * 4] * 4),
            _moved([[10**400] * 4] * 4),
        ),
    ],
    ids=[
        *("empty", "no scan", "a list", "no movement", "nested without end"),
        *("too small", "not invertible", "no numbers", "numbers of 400 digits"),
    ],
)
def test_what_is_no_alignment_is_refused(tmp_path, text):
    (tmp_path / "alignment.json").write_text(text, encoding="utf-8")
    with pytest.raises(PreparationError) as refused:
        read_movements(tmp_path / "alignment.json")
    assert refused.value.message.code == "alignment.unreadable"


def test_every_sequence_can_be_given_to_predict_and_register(tmp_path):
    from PCNSLSurvivalLib.cli.clinic.predict import add_scan_files, scans_given

    parser = argparse.ArgumentParser()
    add_scan_files(parser)
    words = [word for sequence in MRSequence for word in (f"--{sequence}", f"{sequence}.nii")]
    assert scans_given(parser.parse_args(words)) == {sequence: Path(f"{sequence}.nii") for sequence in MRSequence}
