"""Brain extractors: the recipe names one, and a new one needs no change beside its file and the list."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from hashlib import sha256

import pytest
import SimpleITK as sitk
from refusals import refused

from PCNSLSurvivalLib.cli.__main__ import command_line_parser, main
from PCNSLSurvivalLib.core.errors import MissingFilesError, PreparationError
from PCNSLSurvivalLib.preprocessing.brain_extractors.extractor import BrainExtractor
from PCNSLSurvivalLib.preprocessing.recipe import BrainExtractionStep
from PCNSLSurvivalLib.preprocessing.steps.brain_extraction import EXTRACTORS, brain_extractor, extract_brain


class Threshold(BrainExtractor):
    """An extractor that takes every bright voxel for brain."""

    package = "threshold-bet"
    version = "1"
    license = "CC0-1.0"
    download_mb = 3
    reference = "Example, 2026"
    files = {"weights/limit.txt": sha256(b"0.5").hexdigest()}  # noqa: RUF012

    def extract(self, t1gd: sitk.Image, step: BrainExtractionStep) -> sitk.Image:
        self.check()
        return t1gd > float((self.folder / "limit.txt").read_text(encoding="utf-8"))


@pytest.fixture
def threshold(monkeypatch, tmp_path):
    monkeypatch.setenv("PCNSL_SURVIVAL_HOME", str(tmp_path / "home"))
    monkeypatch.setitem(EXTRACTORS, "threshold-bet-1", Threshold())
    command_line_parser.cache_clear()  # its choices are those of the first command
    yield EXTRACTORS["threshold-bet-1"]
    command_line_parser.cache_clear()


def _wheel(folder, content):
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / "threshold_bet-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("weights/limit.txt", content)
        wheel.writestr("threshold_bet/__init__.py", "raise SystemExit('nothing of a wheel is run')")
    return folder


def test_the_recipe_chooses_the_extractor_and_the_command_installs_it(threshold, tmp_path):
    scan = sitk.GaussianSource(sitk.sitkFloat32, (16, 16, 16), (4.0,) * 3, (8.0,) * 3, 1.0)
    step = BrainExtractionStep(method="threshold-bet-1")
    with pytest.raises(MissingFilesError) as error:
        extract_brain(scan, step)
    command = "pcnsl-survival install-brain-extractor --method threshold-bet-1"
    assert error.value.message.values == {"command": command, "mb": 3}
    wheels = str(_wheel(tmp_path / "wheels", b"0.5"))
    assert main([*command.split()[1:], "--wheels", wheels]) == 0
    assert sorted(path.name for path in threshold.folder.iterdir()) == ["limit.txt"]
    mask = extract_brain(scan, step)
    assert sitk.GetArrayViewFromImage(mask).sum() == (sitk.GetArrayViewFromImage(scan) > 0.5).sum() > 0


def test_another_file_under_the_name_of_the_wheel_is_refused(threshold, tmp_path):
    with pytest.raises(MissingFilesError) as error:
        threshold.install(_wheel(tmp_path / "wheels", b"0.4"))
    assert error.value.message.code == "brain_extractor.not_ours"
    assert not threshold.folder.exists()
    with pytest.raises(MissingFilesError) as error:
        threshold.install(tmp_path)
    assert error.value.message.values == {"title": "threshold-bet 1", "requirement": "threshold-bet==1"}


def test_the_default_recipe_names_the_first_extractor_and_an_unknown_one_is_refused():
    assert brain_extractor().method == BrainExtractionStep().method
    assert all(method == extractor.method for method, extractor in EXTRACTORS.items())
    with refused(PreparationError, "brain_extractor.unknown", method="hd-bet-2", known=("deepbet-1.0.2",)):
        extract_brain(sitk.Image(4, 4, 4, sitk.sitkFloat32), BrainExtractionStep(method="hd-bet-2"))


def test_the_list_of_extractors_needs_no_array_library():
    """``--help`` names them, and .ci/offline.py runs where nothing is installed."""
    code = (
        "import sys; from PCNSLSurvivalLib.preprocessing.steps.brain_extraction import EXTRACTORS; "
        "assert not {'numpy', 'SimpleITK', 'torch'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
