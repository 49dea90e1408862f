"""A reader's folder comes back as it was written, and a folder that was changed is refused."""

import json

import numpy as np
import pytest

from PCNSLSurvivalLib.core.errors import ModelFolderError
from PCNSLSurvivalLib.models.lesion_reader_folder import (
    ReaderSettings,
    read_reader_folder,
    write_reader_folder,
)

SETTINGS = ReaderSettings(
    name="reader", version="1.0.0", widths=(4, 8), hidden=8, spacing_mm=1.5, grid_size=128, probability=0.5,
    peak_probability=0.9, volume_factor=1.6, trained_on="virtual heads", license="Apache-2.0",
)  # fmt: skip
WEIGHTS = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.ones(4, np.float32)}
SHAPES = {"a": (2, 3), "b": (4,)}


@pytest.fixture
def folder(tmp_path):
    write_reader_folder(tmp_path, SETTINGS, WEIGHTS, card="# Card\n", license_text="Text\n")
    return tmp_path


def test_what_was_written_comes_back(folder):
    read = read_reader_folder(folder)
    assert read.settings == SETTINGS
    assert all(np.array_equal(read.load_weights(SHAPES)[name], WEIGHTS[name]) for name in WEIGHTS)
    assert read.to_json()["trained_on"] == "virtual heads"


def test_the_interval_is_a_factor_to_either_side_and_never_below_zero():
    low, high = SETTINGS.interval_ml(10.0)
    assert (low + 0.5) * 1.6 == pytest.approx(10.5)
    assert (high + 0.5) / 1.6 == pytest.approx(10.5)
    assert SETTINGS.interval_ml(0.0)[0] == 0.0


@pytest.mark.parametrize("name", ["weights.safetensors", "README.md", "LICENSE"])
def test_a_changed_file_is_refused(folder, name):
    content = bytearray((folder / name).read_bytes())
    content[-1] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(ModelFolderError):
        read_reader_folder(folder).load_weights(SHAPES)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("probability", 1.5),
        ("peak_probability", "high"),
        ("widths", [4, "8"]),
        ("spacing_mm", True),
        ("format_version", 1),
        ("name", ""),
        ("new", 1),
    ],
)
def test_metadata_that_does_not_fit_is_refused(folder, key, value):
    stored = json.loads((folder / "metadata.json").read_text())
    stored[key] = value
    (folder / "metadata.json").write_text(json.dumps(stored))
    with pytest.raises(ModelFolderError):
        read_reader_folder(folder)


def test_extra_files_missing_files_and_links_are_refused(folder, tmp_path):
    (folder / "extra.txt").write_text("x")
    with pytest.raises(ModelFolderError):
        read_reader_folder(folder)
    (folder / "extra.txt").unlink()
    (folder / "LICENSE").unlink()
    with pytest.raises(ModelFolderError):
        read_reader_folder(folder)
    (folder / "LICENSE").symlink_to(folder / "README.md")
    with pytest.raises(ModelFolderError):
        read_reader_folder(folder)
