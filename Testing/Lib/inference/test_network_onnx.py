"""ONNX Runtime gives the numbers of torch, and needs no torch to do so."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from made_models import random_tensors, small_model

from PCNSLSurvivalLib.inference.network import NetworkError, SurvivalNetwork
from PCNSLSurvivalLib.models.networks.architecture import ResNetArchitecture
from PCNSLSurvivalLib.models.networks.folded_resnet import FoldedResNet
from PCNSLSurvivalLib.models.networks.folding import fold
from PCNSLSurvivalLib.models.networks.onnx_graph import onnx_graph

ROOT = Path(__file__).resolve().parents[3]

VARIANTS = [
    ResNetArchitecture(
        depth=depth, channels=channels, conv1_stride=stride, widen_factor=0.125, shortcut=shortcut, norm=norm
    )
    for depth, channels, stride, shortcut, norm in [
        (10, 1, 1, "B", "batch"), (18, 2, 2, "A", "batch"), (34, 1, 1, "A", "batch"), (50, 3, 2, "B", "batch"),
        (18, 1, 2, "B", "instance"),
    ]
] + [ResNetArchitecture(depth=10, channels=2, widen_factor=0.125, pooling="brain")]  # fmt: skip


@pytest.mark.parametrize("architecture", VARIANTS, ids=str)
def test_the_graph_is_valid_onnx_and_gives_the_numbers_of_torch(architecture):
    size = (64, 64, 70)
    tensors = random_tensors(architecture)
    graph = onnx_graph(architecture, fold(architecture, tensors), size)
    assert graph == onnx_graph(architecture, fold(architecture, tensors), size)
    onnx.checker.check_model(onnx.load_from_string(graph), full_check=True)
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    x = torch.randn((1, architecture.channels, *size), generator=torch.Generator().manual_seed(1))
    x[..., 30:] = 0.0
    logits, layer4, *features = session.run(None, {"image": x.numpy()})
    network = FoldedResNet(architecture, tensors)
    with torch.no_grad():
        uncounted = network.up_to("layer4", x)
        expected = network.counted(uncounted, x)
    assert len(features) == (architecture.pooling == "brain")
    for one in features:
        np.testing.assert_allclose(one, uncounted.mean((2, 3, 4)).numpy(), rtol=1e-4, atol=1e-5)
    assert layer4.shape[2:] == architecture.cells("layer4", size)
    np.testing.assert_allclose(layer4, expected.numpy(), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(logits, network.head(expected).numpy(), atol=1e-5)


def test_both_runtimes_predict_and_explain_alike(tmp_path):
    folder = small_model(tmp_path / "untrained", members=2, channels=2)
    case = np.random.default_rng(1).standard_normal((2, 32, 32, 32)).astype(np.float32)
    by_torch = SurvivalNetwork(folder, "cpu", runtime="torch").predict(case, tta=True)
    by_onnx = SurvivalNetwork(folder, "cpu", runtime="onnx").predict(case, tta=True)
    assert (by_torch.runtime, by_onnx.runtime) == ("torch", "onnx")
    assert by_onnx.probability_over_one_year == pytest.approx(by_torch.probability_over_one_year, abs=1e-4)
    np.testing.assert_allclose(by_onnx.raw_map, by_torch.raw_map, atol=1e-4 * by_torch.map_scale)
    np.testing.assert_allclose(by_onnx.evidence, by_torch.evidence, atol=1e-4)


def test_what_onnx_runtime_cannot_do_is_said(tmp_path):
    folder = small_model(tmp_path / "untrained")
    with pytest.raises(NetworkError) as refused:
        SurvivalNetwork(folder, "cuda", runtime="onnx")
    assert refused.value.message.code == "runtime.onnx_is_float32_on_cpu"
    with pytest.raises(NetworkError) as refused:
        SurvivalNetwork(folder, runtime="onnx").predict(np.zeros((1, 32, 32, 32), np.float32), block="layer3")
    assert refused.value.message.code == "runtime.onnx_layer4_only"


def test_a_computer_without_torch_and_monai_predicts_and_explains(tmp_path):
    folder = small_model(tmp_path / "untrained")
    case = np.random.default_rng(2).standard_normal((1, 32, 32, 32)).astype(np.float32)
    np.save(tmp_path / "case.npy", case)
    script = """
import sys
import numpy as np
from importlib.machinery import PathFinder

class NoTorch(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.split(".")[0] in ("torch", "monai") else super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = NoTorch
from pathlib import Path
from PCNSLSurvivalLib.inference.network import SurvivalNetwork
from PCNSLSurvivalLib.models.model_folder import read_model_folder
here = Path(sys.argv[1])
result = SurvivalNetwork(read_model_folder(here / "untrained")).predict(np.load(here / "case.npy"))
assert "torch" not in sys.modules
print(result.runtime, result.log_odds, float(result.raw_map.sum()))
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    runtime, log_odds, total = done.stdout.split()
    expected = SurvivalNetwork(folder, "cpu", runtime="torch").predict(case)
    assert runtime == "onnx"
    assert float(log_odds) == pytest.approx(expected.log_odds, abs=1e-4)
    assert float(total) == pytest.approx(float(expected.raw_map.sum()), rel=1e-4)
