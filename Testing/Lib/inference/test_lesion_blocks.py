"""The lesion reader's network gives the same probabilities in torch and in ONNX Runtime."""

import sys

import numpy as np
import pytest
import torch
from refusals import refused

from PCNSLSurvivalLib.inference.lesion_reader import LesionReader
from PCNSLSurvivalLib.inference.runtimes import lesion_blocks
from PCNSLSurvivalLib.inference.runtimes.runtime import NetworkError
from PCNSLSurvivalLib.models.lesion_reader_folder import read_reader_folder
from PCNSLSurvivalLib.models.networks.lesion_unet import LesionUNet
from PCNSLSurvivalLib.models.networks.lesion_unet_onnx import unet_graph, unet_shapes


def _head(seed=5):
    """Noise with a bright ball, inside a ball of brain."""
    draw = np.random.default_rng(seed)
    voxels = np.indices((64, 64, 64))
    brain = (np.linalg.norm(voxels - 32, axis=0) < 30).astype(np.float32)
    bright = np.linalg.norm(voxels - np.array([24, 36, 30])[:, None, None, None], axis=0) < 7
    return ((draw.normal(0, 0.3, brain.shape) + 3 * bright) * brain).astype(np.float32), brain


@pytest.mark.parametrize(("widths", "hidden"), [((4, 8), 8), ((4, 6, 10), 5), ((16, 32, 64, 96), 48)])
def test_names_and_shapes_of_the_weights_are_those_of_the_network(widths, hidden):
    network = LesionUNet(widths, hidden)
    assert unet_shapes(widths, hidden) == {name: tuple(t.shape) for name, t in network.state_dict().items()}


@pytest.mark.parametrize("widths", [(4, 8), (4, 6, 10)])
def test_a_network_of_any_depth_gives_the_probability_of_torch(widths):
    onnxruntime = pytest.importorskip("onnxruntime")
    torch.manual_seed(2)
    network = LesionUNet(widths, 8).eval()
    for name, values in network.named_parameters():
        if "norm" in name:
            torch.nn.init.normal_(values, 0.5, 0.5)
    blocks = torch.randn(2, 2, 32, 32, 32)
    weights = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    session = onnxruntime.InferenceSession(unet_graph(weights, widths, 32), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"blocks": blocks.numpy()})
    expected = lesion_blocks.in_torch(network)(blocks.numpy())
    assert expected.std() > 1e-3
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_bundled_reader_outlines_the_same_voxels_in_both_runtimes():
    pytest.importorskip("onnxruntime")
    folder, (image, brain) = read_reader_folder(), _head()
    first, second = (LesionReader(folder, runtime=one).probability(image, brain) for one in ("torch", "onnx"))
    assert first.max() > folder.settings.probability
    np.testing.assert_allclose(second, first, atol=1e-4)


def test_without_torch_the_small_runtime_is_taken(monkeypatch):
    pytest.importorskip("onnxruntime")
    find_spec = lesion_blocks.find_spec
    monkeypatch.setattr(lesion_blocks, "find_spec", lambda name: None if name == "torch" else find_spec(name))
    monkeypatch.setitem(sys.modules, "PCNSLSurvivalLib.models.networks.lesion_unet", None)
    monkeypatch.setitem(sys.modules, "PCNSLSurvivalLib.inference.runtimes.torch_runtime", None)
    read = lesion_blocks.start_reading(read_reader_folder())
    assert read(np.zeros((1, 2, 64, 64, 64), np.float32)).shape == (1, 64, 64, 64)
    with refused(NetworkError, "runtime.gpu_needs_torch"):
        lesion_blocks.start_reading(read_reader_folder(), device="cuda")
    monkeypatch.setattr(lesion_blocks, "find_spec", lambda name: None)
    with refused(NetworkError, "runtime.none_installed"):
        lesion_blocks.start_reading(read_reader_folder())
