"""Transfer starts load exactly, or not at all, and say what they loaded."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from made_models import small_model
from made_weights import medicalnet_file
from monai.networks.nets import resnet50
from refusals import refused
from torch import nn

from PCNSLSurvivalLib.core.errors import ModelFolderError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.experiment.initial_weights import read_initial_weights
from PCNSLSurvivalLib.experiment.plan import ExperimentPlan
from PCNSLSurvivalLib.models.networks.architecture import ResNetArchitecture
from PCNSLSurvivalLib.models.networks.designs import HEAD_TENSORS
from PCNSLSurvivalLib.models.networks.folded_resnet import FoldedResNet
from PCNSLSurvivalLib.models.networks.known_weights import (
    BRAINIAC,
    BRAINIAC_ARCHITECTURE,
    DEEPBET,
    DEEPBET_ARCHITECTURE,
    MEDICALNET,
    medicalnet_architecture,
)
from PCNSLSurvivalLib.models.networks.pretrained import (
    known_weights,
    load_initial_weights,
)
from PCNSLSurvivalLib.models.networks.resnet3d import build_resnet, load_tensors
from PCNSLSurvivalLib.preprocessing.brain_extractors.deepbet import Deepbet
from PCNSLSurvivalLib.preprocessing.brain_extractors.deepbet_networks import load_torchscript


@pytest.mark.parametrize("depth", [10, *(pytest.param(n, marks=pytest.mark.slow) for n in (18, 34, 50))])
def test_raw_medicalnet_file_starts_every_tensor_of_the_backbone(tmp_path, depth, monkeypatch):
    architecture = medicalnet_architecture(depth)
    state = medicalnet_file(tmp_path / "resnet.pth", architecture)
    tensors, report = load_initial_weights(tmp_path / "resnet.pth", architecture)
    assert report.missing == HEAD_TENSORS
    assert set(report.loaded) == set(architecture.tensor_shapes()) - set(HEAD_TENSORS)
    assert not report.mismatched
    assert not report.unexpected
    assert "module." not in "".join(report.ignored)
    np.testing.assert_array_equal(tensors["layer4.0.conv2.weight"], state["module.layer4.0.conv2.weight"].numpy())
    load_tensors(build_resnet(architecture), tensors)
    assert known_weights(tmp_path / "resnet.pth") is MEDICALNET


def test_a_file_of_brainiac_starts_every_tensor_of_the_backbone_and_its_projection_is_left_out(tmp_path):
    """The file as its authors' loader reads it: MONAI's ResNet-50 with another first convolution, below "backbone"."""
    module = nn.Module()
    module.backbone = resnet50(pretrained=False)
    module.backbone.conv1 = nn.Conv3d(1, 64, kernel_size=7, stride=2, padding=3, bias=False)
    module.backbone.fc = nn.Identity()
    module.projection_head = nn.Linear(2048, 128)
    checkpoint = {"epoch": 1, "pytorch-lightning_version": "2.0", "state_dict": module.state_dict()}
    torch.save(checkpoint, tmp_path / "BrainIAC.ckpt")
    tensors, report = load_initial_weights(tmp_path / "BrainIAC.ckpt", BRAINIAC_ARCHITECTURE)
    assert report.missing == HEAD_TENSORS
    assert {name for name in report.ignored if "num_batches" not in name} == {
        "projection_head.weight",
        "projection_head.bias",
    }
    x = torch.randn((1, 1, 32, 32, 32), generator=torch.Generator().manual_seed(0))
    network = build_resnet(BRAINIAC_ARCHITECTURE)
    load_tensors(network, tensors)
    network.fc = nn.Identity()
    with torch.no_grad():
        torch.testing.assert_close(network.eval()(x), module.backbone.eval()(x), rtol=1e-4, atol=1e-4)
    assert known_weights(tmp_path / "BrainIAC.ckpt") is BRAINIAC
    with refused(
        ModelFolderError,
        "weights.no_backbone",
        network="ResNet-10",
        advice=Message("weights.fit", network="ResNet-50", entry="{depth: 50, widen_factor: 1.0}"),
    ):
        load_initial_weights(tmp_path / "BrainIAC.ckpt", ResNetArchitecture(depth=10))
    weights = read_initial_weights(tmp_path / "BrainIAC.ckpt")
    conditional = (
        "in the format of BrainIAC's ResNet-50; if it is the file that its authors distribute: trained on about"
    )
    assert conditional in weights.in_words
    assert "license: no commercial use" in weights.in_words
    (origin,) = weights.trained_on.origins
    assert origin.model_license.startswith("non-commercial")


def test_a_start_of_one_channel_serves_three_and_equal_channels_give_the_same_features(tmp_path):
    medicalnet_file(tmp_path / "resnet.pth", medicalnet_architecture(10))
    one, _ = load_initial_weights(tmp_path / "resnet.pth", medicalnet_architecture(10))
    three, _ = load_initial_weights(tmp_path / "resnet.pth", medicalnet_architecture(10, channels=3))
    x = torch.randn((1, 1, 24, 24, 24), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        first = build_resnet(medicalnet_architecture(10)).conv1
        first.weight.copy_(torch.from_numpy(one["conv1.weight"]))
        expected = first(x)
        found = torch.nn.functional.conv3d(
            x.expand(1, 3, 24, 24, 24), torch.from_numpy(three["conv1.weight"]), None, 2, 3
        )
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("architecture", "about"),
    [
        (ResNetArchitecture(depth=10), "missing"),  # a bias in the shortcut that MedicalNet does not have
        (medicalnet_architecture(18), "unexpected"),
        (ResNetArchitecture(depth=10, widen_factor=0.5, bias_downsample=False), "mismatched"),
    ],
)
def test_anything_but_the_exact_backbone_is_refused_with_the_account(tmp_path, architecture, about):
    medicalnet_file(tmp_path / "resnet.pth", medicalnet_architecture(10))
    with refused(
        ModelFolderError,
        "weights.no_backbone",
        network=architecture.name,
        advice=Message(
            "weights.fit_medicalnet",
            network="ResNet-10",
            entry="{depth: 10, widen_factor: 1.0, shortcut: B, bias_downsample: false}",
        ),
    ) as caught:
        load_initial_weights(tmp_path / "resnet.pth", architecture)
    (row,) = [line for line in caught.value.message.values["table"].splitlines() if line.startswith(about)]
    assert int(row.split()[1]) > 0
    assert (
        "They are MedicalNet's ResNet-10: write 'network: {depth: 10, widen_factor: 1.0, shortcut: B, "
        "bias_downsample: false}' in the experiment file." in str(caught.value)
    )


def test_a_model_folder_of_ours_is_a_start_with_or_without_its_head(tmp_path):
    model = small_model(tmp_path / "untrained")
    (own,) = model.load_members()
    kept, report = load_initial_weights(model.path, model.architecture, keep_head=True)
    assert report.missing == ()
    np.testing.assert_array_equal(kept["fc.weight"], own["fc.weight"])
    fresh, report = load_initial_weights(model.path, model.architecture, seed=1)
    assert report.missing == HEAD_TENSORS
    assert report.ignored == HEAD_TENSORS
    assert not np.array_equal(fresh["fc.weight"], own["fc.weight"])
    np.testing.assert_array_equal(fresh["layer3.0.bn1.running_var"], own["layer3.0.bn1.running_var"])


def test_a_checkpoint_with_code_is_refused_and_does_not_run(tmp_path):
    class Payload:
        def __reduce__(self):
            return (os.system, (f"touch {tmp_path / 'ran'}",))

    torch.save({"state_dict": Payload()}, tmp_path / "bad.pth")
    with refused(ModelFolderError, "weights.unreadable"):
        load_initial_weights(tmp_path / "bad.pth", ResNetArchitecture(depth=10))
    assert not (tmp_path / "ran").exists()
    torch.save([1, 2], tmp_path / "list.pth")
    with refused(ModelFolderError, "weights.no_table"):
        load_initial_weights(tmp_path / "list.pth", ResNetArchitecture(depth=10))
    with refused(ModelFolderError, "weights.unreadable"):
        load_initial_weights(tmp_path / "absent.pth", ResNetArchitecture(depth=10))


def test_the_encoder_of_deepbet_computes_what_it_computes_in_its_own_network():
    if not Deepbet().is_installed():
        pytest.skip("the brain extraction networks are not installed (pcnsl-survival install-brain-extractor)")
    tensors, report = load_initial_weights("deepbet", DEEPBET_ARCHITECTURE)
    weights = read_initial_weights(Path("deepbet"))
    assert weights.known is DEEPBET
    plan = ExperimentPlan(network=DEEPBET_ARCHITECTURE)
    np.testing.assert_array_equal(weights.tensors(plan)["conv1.weight"], tensors["conv1.weight"])
    assert len(report.loaded) == 20
    assert report.missing == HEAD_TENSORS
    x = torch.randn((1, 1, 64, 64, 64), generator=torch.Generator().manual_seed(0))
    outliner = load_torchscript(Deepbet().outliner)
    with torch.no_grad():
        # The traced stages share one ReLU, which they take as an argument that only TorchScript itself can pass.
        relu = getattr(outliner.conv, "2")._c
        expected = x
        for stage in (outliner.init, outliner.down0, outliner.down1, outliner.down2, outliner.down3):
            expected = stage._c._get_method("forward")(relu, expected)
        found = FoldedResNet(DEEPBET_ARCHITECTURE, tensors).up_to("layer4", x)
        network = build_resnet(DEEPBET_ARCHITECTURE).eval()
        load_tensors(network, tensors)
        layers = nn.Sequential(
            network.conv1, network.bn1, network.act, network.maxpool,
            network.layer1, network.layer2, network.layer3, network.layer4,
        )  # fmt: skip
        by_monai = layers(x)
    assert found.shape == expected.shape
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(by_monai, expected, rtol=1e-4, atol=1e-4)
