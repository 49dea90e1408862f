"""Our arithmetic on the architecture against MONAI's networks themselves."""

import copy

import numpy as np
import pytest
import torch
from made_models import random_tensors
from monai.networks.nets import resnet

from PCNSLSurvivalLib.core.errors import ModelFolderError
from PCNSLSurvivalLib.models.networks.architecture import ResNetArchitecture
from PCNSLSurvivalLib.models.networks.designs import BLOCKS
from PCNSLSurvivalLib.models.networks.folded_resnet import FoldedResNet
from PCNSLSurvivalLib.models.networks.resnet3d import build_resnet, load_tensors, monai_arguments, tensors_of

VARIANTS = [
    ResNetArchitecture(depth=depth, channels=channels, conv1_stride=stride, widen_factor=0.125, shortcut=shortcut)
    for depth, channels, stride, shortcut in [
        (10, 1, 1, "B"), (10, 3, 2, "B"), (18, 2, 1, "B"), (18, 1, 2, "A"), (34, 1, 2, "A"), (34, 3, 1, "B"),
        (50, 1, 2, "B"), (50, 2, 1, "A"),
    ]
] + [
    ResNetArchitecture(depth=10, widen_factor=0.125, max_pool=False),
    ResNetArchitecture(depth=10, channels=2, widen_factor=0.125, pooling="brain"),
    ResNetArchitecture(depth=50, widen_factor=1.0, bias_downsample=False),
]  # fmt: skip


@pytest.mark.parametrize("architecture", VARIANTS, ids=str)
def test_our_list_of_tensors_is_monais(architecture):
    with torch.device("meta"):
        state = build_resnet(architecture).state_dict()
    shapes = {name: tuple(t.shape) for name, t in state.items() if t.is_floating_point()}
    assert shapes == architecture.tensor_shapes()


@pytest.mark.parametrize("architecture", VARIANTS[:-1], ids=str)
def test_folded_network_gives_the_numbers_of_monais(architecture):
    tensors = random_tensors(architecture)
    network = build_resnet(architecture)
    load_tensors(network, tensors)
    network.eval()
    x = torch.randn((2, architecture.channels, 32, 36, 40), generator=torch.Generator().manual_seed(1))
    x[..., 22:] = 0.0
    folded = FoldedResNet(architecture, tensors)
    with torch.no_grad():
        expected, found = network(x), folded.head(folded.counted(folded.up_to("layer4", x), x))
    assert expected.abs().max() > 0.1
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("architecture", VARIANTS[:-1], ids=str)
def test_gradients_are_those_of_finite_differences(architecture):
    """Also through shortcuts of type A, which MONAI cuts off from the gradient."""
    network = build_resnet(architecture).double().eval()
    draw = torch.Generator().manual_seed(3)
    x = torch.randn((1, architecture.channels, 32, 32, 32), generator=draw, dtype=torch.float64)
    weight = network.layer1[0].conv1.weight
    direction = torch.randn(weight.shape, generator=draw, dtype=torch.float64)
    network(x)[0, 1].backward()
    by_autograd = float((weight.grad * direction).sum())
    step = 1e-8  # small: a ReLU that switches in between would count
    with torch.no_grad():
        weight += step * direction
        above = float(network(x)[0, 1])
        weight -= 2 * step * direction
        below = float(network(x)[0, 1])
    assert by_autograd == pytest.approx((above - below) / (2 * step), rel=0.01)


def test_a_copy_of_a_network_counts_cells_by_its_own_input():
    """Weight averaging copies the network, and several scans pass through it one after the other."""
    network = build_resnet(ResNetArchitecture(depth=10, widen_factor=0.125, pooling="brain")).eval()
    copied = copy.deepcopy(network)
    full = torch.randn((1, 1, 32, 32, 32), generator=torch.Generator().manual_seed(4))
    with torch.no_grad():
        expected = network(full)
        assert torch.equal(network(torch.zeros_like(full))[0], network.fc.bias)
        assert torch.equal(copied(full), expected)


def test_shortcut_a_keeps_monais_numbers_and_tensors():
    architecture = ResNetArchitecture(depth=18, widen_factor=0.125, shortcut="A")
    ours = build_resnet(architecture).eval()
    theirs = resnet.resnet18(**monai_arguments(architecture)).eval()
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn((1, 1, 33, 34, 35), generator=torch.Generator().manual_seed(4))
    with torch.no_grad():
        assert torch.equal(ours(x), theirs(x))


def test_instance_norm_network_gives_the_numbers_of_monais():
    architecture = ResNetArchitecture(depth=18, widen_factor=0.25, bias_downsample=False, norm="instance")
    network = build_resnet(architecture).eval()
    tensors = tensors_of(network)
    assert {n: t.shape for n, t in tensors.items()} == architecture.tensor_shapes()
    x = torch.randn((1, 1, 64, 64, 64), generator=torch.Generator().manual_seed(2))
    folded = FoldedResNet(architecture, tensors)
    with torch.no_grad():
        torch.testing.assert_close(folded.head(folded.up_to("layer4", x)), network(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("stride", "max_pool"), [(1, True), (2, True), (2, False)])
def test_every_cell_looks_around_the_voxel_that_its_stride_says(stride, max_pool):
    """Probe with one bright voxel at a time: a cell's field of view is centered on voxel ``cell_stride * n``."""
    architecture = ResNetArchitecture(depth=10, conv1_stride=stride, widen_factor=0.125)
    tensors = random_tensors(architecture)
    for name, array in tensors.items():  # all convolutions positive, all normalizations the identity
        if len(array.shape) == 5:
            tensors[name] = np.full_like(array, 1.0 / np.prod(array.shape[1:]))
        else:
            tensors[name] = np.full_like(array, float(name.endswith(("norm.weight", "running_var"))))
        if ("bn" in name or "downsample.1" in name) and name.endswith(".weight"):
            tensors[name] = np.ones_like(array)
    network = FoldedResNet(architecture, tensors)
    length = 128 * stride
    probes = torch.zeros((length, 1, length, 8, 8))
    probes[torch.arange(length), 0, torch.arange(length)] = 1.0
    for block in BLOCKS:
        cell_stride = architecture.cell_stride(block)
        with torch.no_grad():
            answers = torch.cat([network.up_to(block, part)[:, 0, :, 0, 0] for part in probes.split(32)])
        assert answers.shape[1] == architecture.cells(block, (length, 8, 8))[0]
        cell = answers.shape[1] // 2
        seen = torch.nonzero(answers[:, cell] > 0)[:, 0]
        assert seen[0] > 0, "the field of view must end inside the probed row"
        assert seen[-1] < length - 1
        assert (seen[0] + seen[-1]) / 2 == pytest.approx(cell_stride * cell, abs=0.5 * stride)


def test_only_listed_networks_can_be_asked_for():
    with pytest.raises(ModelFolderError) as refused:
        ResNetArchitecture(depth=101)
    assert refused.value.message.code == "model.network_argument"
    with pytest.raises(ModelFolderError) as refused:
        ResNetArchitecture(depth=10, widen_factor=1000.0)
    assert refused.value.message.code == "model.network_argument"
    with pytest.raises(ModelFolderError) as refused:
        ResNetArchitecture(depth=10, conv1_stride=True)
    assert refused.value.message.code == "model.network_argument"
    with pytest.raises(ModelFolderError) as refused:
        ResNetArchitecture.from_json({"depth": 10})
    assert refused.value.message.code == "model.network_arguments"
