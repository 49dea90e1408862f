"""A computer without torch goes from a whole head to the report, and gets the numbers of torch."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from made_heads import made_head
from made_models import small_model

from PCNSLSurvivalLib.cli.__main__ import main
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.preprocessing.brain_extractors.deepbet import Deepbet

ROOT = Path(__file__).resolve().parents[3]

WITHOUT_TORCH = """
import sys
from importlib.machinery import PathFinder
from importlib import metadata

class NoTorch(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.split(".")[0] in ("torch", "monai") else super().find_spec(name, path, target)

    @classmethod
    def find_distributions(cls, context=metadata.DistributionFinder.Context()):
        return (d for d in super().find_distributions(context) if (d.metadata["Name"] or "").lower() != "torch")

sys.meta_path[sys.meta_path.index(PathFinder)] = NoTorch
from PCNSLSurvivalLib.cli.__main__ import main
code = main(sys.argv[1:])
assert not {"torch", "monai"} & set(sys.modules)
sys.exit(code)
"""


def _blocked(words):
    """The command line in a process that finds neither torch nor monai."""
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, *map(str, words)],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def _stored(folder):
    return json.loads((folder / "prediction.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("outline", ["given", pytest.param("found", marks=pytest.mark.slow)])
def test_prediction_of_a_whole_head_without_torch_gives_the_numbers_of_torch(outline, tmp_path):
    """That both runtimes find the same brain is tested on smaller volumes in every run (test_deepbet_onnx)."""
    t1gd, model = tmp_path / "t1gd.nii.gz", tmp_path / "model"
    scans, brain, _lesion = made_head(3)
    sitk.WriteImage(scans[MRSequence.T1GD], str(t1gd))
    small_model(model)
    words = ["predict", "--t1gd", str(t1gd), "--model", str(model), "--override-quality"]
    if outline == "given":
        sitk.WriteImage(brain, str(tmp_path / "brain.nii.gz"))
        words += ["--brain-mask", str(tmp_path / "brain.nii.gz")]
    elif not Deepbet().is_installed():
        pytest.skip("the brain extraction networks are not installed (pcnsl-survival install-brain-extractor)")
    words += ["--progress", "none", "--debug", "--out"]
    assert main([*words, str(tmp_path / "torch")]) == 0
    done = _blocked([*words, tmp_path / "onnx"])
    assert done.returncode == 0, done.stderr
    by_torch, by_onnx = _stored(tmp_path / "torch"), _stored(tmp_path / "onnx")
    assert (by_torch["runtime"], by_onnx["runtime"]) == ("torch", "onnx")
    assert "torch" not in by_onnx["software"]
    assert "onnxruntime" in by_onnx["software"]
    assert by_onnx["log_odds"] == pytest.approx(by_torch["log_odds"], abs=1e-4)
    assert {path.name for path in (tmp_path / "onnx").iterdir()} == {
        path.name for path in (tmp_path / "torch").iterdir()
    }
    masks = [
        sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / name / "brain_mask.nii.gz"))) for name in ("torch", "onnx")
    ]
    assert masks[0].any()
    assert np.array_equal(*masks)


def test_the_check_of_an_installation_runs_without_torch():
    done = _blocked(["doctor", "--json"])
    assert done.returncode == 0, done.stderr
    text = json.loads(done.stdout)["text"]
    assert "torch absent" in text
    assert "ONNX Runtime on CPU reproduces the stored answer" in text
