"""The brain extraction in ONNX Runtime computes what it computes in torch, and its weights are read as data only."""

import pickle
import zipfile

import numpy as np
import onnx
import pytest
import torch

from PCNSLSurvivalLib.preprocessing.brain_extractors.deepbet import Deepbet
from PCNSLSurvivalLib.preprocessing.brain_extractors.deepbet_networks import load_torchscript
from PCNSLSurvivalLib.preprocessing.brain_extractors.deepbet_onnx import OnnxLinkNet, linknet_graph
from PCNSLSurvivalLib.preprocessing.steps.torchscript_weights import read_torchscript_weights

FILES = ["bbox_model.pt", "model.pt"]


def _installed(name):
    if not Deepbet().is_installed():
        pytest.skip("the brain extraction networks are not installed (pcnsl-survival install-brain-extractor)")
    return Deepbet().folder / name


@pytest.mark.parametrize("name", FILES)
def test_the_weights_are_those_that_torch_reads(name):
    path = _installed(name)
    expected = load_torchscript(path).state_dict()
    found = read_torchscript_weights(path)
    assert found.keys() == expected.keys()
    assert all(np.array_equal(found[key], expected[key].numpy()) for key in found)


@pytest.mark.parametrize("name", FILES)
def test_both_runtimes_give_the_same_brain_probability(name):
    path = _installed(name)
    i, j, k = np.meshgrid(*(np.linspace(-1, 1, n) for n in (64, 96, 64)), indexing="ij")
    head = np.where(i**2 + j**2 + k**2 < 0.5, 0.55, 0.3) + 0.05 * np.sin(7 * i + 5 * j * k)
    volume = head.astype(np.float32)
    with torch.inference_mode():
        expected = load_torchscript(path)(torch.from_numpy(volume)[None, None])[0, 1].numpy()
    found = OnnxLinkNet(path)(volume)
    assert 0.05 < expected.mean() < 0.95, "both classes are there"
    assert np.abs(found - expected).max() < 1e-3
    assert ((found > 0.5) != (expected > 0.5)).mean() < 1e-5


def test_the_graph_is_valid_onnx():
    weights = read_torchscript_weights(_installed("model.pt"))
    onnx.checker.check_model(onnx.load_from_string(linknet_graph(weights)), full_check=True)


class _Harm:
    def __reduce__(self):
        return print, ("executed",)


def test_code_in_a_weights_file_is_refused_and_not_run(tmp_path, capsys):
    with zipfile.ZipFile(tmp_path / "model.pt", "w") as archive:
        archive.writestr("model/data.pkl", pickle.dumps(_Harm()))
    with pytest.raises(pickle.UnpicklingError, match="print"):
        read_torchscript_weights(tmp_path / "model.pt")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("offset", "shape"), [(0, (5,)), (3, (2,)), (-1, (2,))])
def test_a_tensor_beyond_its_storage_is_refused(offset, shape):
    from PCNSLSurvivalLib.preprocessing.steps.torchscript_weights import _tensor

    with pytest.raises(pickle.UnpicklingError):
        _tensor(np.zeros(4, "<f4"), offset, shape, (1,))
