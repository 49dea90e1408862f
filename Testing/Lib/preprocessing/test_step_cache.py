"""A kept step that was damaged since is computed again, never used and never an error."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import numpy as np
import pytest
import SimpleITK as sitk

from PCNSLSurvivalLib.core.errors import OutputFolderError
from PCNSLSurvivalLib.core.terms import Step
from PCNSLSurvivalLib.preprocessing.recipe import RECIPE
from PCNSLSurvivalLib.preprocessing.step_cache import StepStore


def _volume(size=(12, 10, 8), seed=3):
    values = np.random.default_rng(seed).normal(100, 10, size[::-1]).astype(np.float32)
    image = sitk.GetImageFromArray(values)
    image.SetSpacing((1.1, 1.2, 3.0))
    image.SetDirection((1, 0, 0, 0, 0.96, -0.28, 0, 0.28, 0.96))
    return image


def _image(folder):
    scan = _volume()
    return StepStore(folder).image(Step.BIAS_FIELD, "t1gd", RECIPE.bias_field, (scan,), lambda: scan * 2)


def _pose(folder):
    def found():
        pose = sitk.Euler3DTransform()
        pose.SetTranslation((1.0, 2.0, 3.0))
        return pose

    return StepStore(folder).pose(Step.REGISTRATION, "t1", RECIPE.registration, (_volume(),), found)


KILLED = """
import os, signal, sys
from pathlib import Path
import SimpleITK as sitk
from PCNSLSurvivalLib.core.terms import Step
from PCNSLSurvivalLib.preprocessing.recipe import RECIPE
from PCNSLSurvivalLib.preprocessing.step_cache import StepStore

def write(image, path, **options):
    Path(path).write_bytes(b"half a patient")
    os.kill(os.getpid(), signal.SIGKILL)

sitk.WriteImage = write
scan = sitk.Image(4, 4, 4, sitk.sitkFloat32)
StepStore(Path(sys.argv[1])).image(Step.BIAS_FIELD, "t1gd", RECIPE.bias_field, (scan,), lambda: scan)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9 on Windows")
def test_what_a_killed_run_was_keeping_is_removed_by_the_next(tmp_path):
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert [path for path in tmp_path.rglob("*") if path.is_file()]
    StepStore(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_file_in_the_place_of_the_folder_is_told_in_a_sentence(tmp_path):
    (tmp_path / "steps").touch()
    with pytest.raises(OutputFolderError) as refused:
        StepStore(tmp_path / "steps")
    assert refused.value.message.code == "files.no_folder_for_steps"


DAMAGES = {
    "empty": lambda content: b"",
    "cut": lambda content: content[: len(content) * 2 // 3],
    "garbage": lambda content: bytes(range(256)) * 8,
    "one byte changed": lambda content: content[:-40] + bytes([content[-40] ^ 0x55]) + content[-39:],
}


def test_a_kept_volume_comes_back_as_it_was(tmp_path):
    made, found = _image(tmp_path)
    kept, again = _image(tmp_path)
    assert (found, again) == (False, True)
    assert (sitk.GetArrayViewFromImage(kept) == sitk.GetArrayViewFromImage(made)).all()
    assert kept.GetDirection() == made.GetDirection()
    assert kept.GetPixelID() == made.GetPixelID()


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_volume_is_computed_again(damage, tmp_path):
    made, _ = _image(tmp_path)
    (path,) = tmp_path.glob("*.nrrd")
    path.write_bytes(damage(path.read_bytes()))
    again, found = _image(tmp_path)
    assert not found
    assert (sitk.GetArrayViewFromImage(again) == sitk.GetArrayViewFromImage(made)).all()
    assert _image(tmp_path)[1], "the damaged file was not replaced"


def test_a_volume_of_another_size_is_computed_again(tmp_path):
    _image(tmp_path)
    (path,) = tmp_path.glob("*.nrrd")
    sitk.WriteImage(_volume((6, 6, 6)), str(path))
    again, found = _image(tmp_path)
    assert not found
    assert again.GetSize() == (12, 10, 8)


@pytest.mark.parametrize(
    "content",
    [
        "",
        '{"center": [0, 0',
        "[]",
        "7",
        "{}",
        '{"center": "left", "parameters": [0, 0, 0, 0, 0, 0]}',
        '{"center": [0, 0, 0], "parameters": [0, 0]}',
        json.dumps({"center": [0, 0, 0], "parameters": [float("nan")] * 6}),
        "[" * 100_000,
        "\x00\xff",
    ],
    ids=["empty", "cut", "list", "number", "no entries", "words", "two numbers", "NaN", "nested", "bytes"],
)
def test_a_damaged_pose_is_found_again(content, tmp_path):
    _pose(tmp_path)
    (path,) = tmp_path.glob("*.json")
    path.write_text(content, encoding="latin-1")
    pose, found = _pose(tmp_path)
    assert not found
    assert pose.GetTranslation() == (1.0, 2.0, 3.0)
    assert _pose(tmp_path)[1]
