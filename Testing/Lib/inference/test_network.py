"""Prediction, Grad-CAM and evidence against autograd and against MONAI's own classes."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from made_models import bright_spot_tensors, random_tensors, small_model
from monai.visualize import GradCAM

from PCNSLSurvivalLib.core.terms import OSClass
from PCNSLSurvivalLib.explain.autograd_map import autograd_map
from PCNSLSurvivalLib.explain.grad_cam import pooled_linear_map, signed_evidence
from PCNSLSurvivalLib.explain.methods import METHODS
from PCNSLSurvivalLib.inference.network import NetworkError, SurvivalNetwork, mirrored
from PCNSLSurvivalLib.models.model_folder import bundled_model_path, read_model_folder
from PCNSLSurvivalLib.models.networks.architecture import ResNetArchitecture
from PCNSLSurvivalLib.models.networks.designs import DEPTHS
from PCNSLSurvivalLib.models.networks.folded_resnet import FoldedResNet, brain_share
from PCNSLSurvivalLib.models.networks.resnet3d import build_resnet, load_tensors

ROOT = Path(__file__).resolve().parents[3]


def relative_difference(found, expected):
    return np.abs(found - expected).max() / np.abs(expected).max()


@pytest.mark.parametrize(("channels", "stride"), [(1, 1), (2, 2), (3, 1)])
@pytest.mark.parametrize("depth", DEPTHS)
def test_closed_form_is_autograd_is_monai(depth, channels, stride):
    architecture = ResNetArchitecture(depth=depth, channels=channels, conv1_stride=stride, widen_factor=0.125)
    tensors = random_tensors(architecture, seed=depth + channels)
    reference = build_resnet(architecture)
    load_tensors(reference, tensors)
    edge = 48 if stride == 2 else 32  # two cells of layer4 along every axis
    x = torch.randn((1, channels, edge, edge, edge), generator=torch.Generator().manual_seed(3))
    network = FoldedResNet(architecture, tensors)
    with torch.no_grad():
        features = network.up_to("layer4", x)
        logits = network.head(features)[0]
    layer4, weight, bias = features[0].numpy(), tensors["fc.weight"], tensors["fc.bias"]
    evidence, constant = signed_evidence(layer4, weight, bias)
    assert float(evidence.sum()) + constant == pytest.approx(float(logits[1] - logits[0]), abs=1e-5)
    monai_cam = GradCAM(nn_module=reference, target_layers="layer4")
    for target in OSClass:
        by_monai = monai_cam.compute_map(x, class_idx=int(target))[0, 0].detach().numpy()
        assert by_monai.max() > 0
        assert relative_difference(pooled_linear_map(layer4, weight, int(target)), by_monai) < 1e-5
        for method in METHODS:
            closed = pooled_linear_map(layer4, weight, int(target), method=method)
            by_autograd = autograd_map(features, network.head, int(target), method=method)[0].numpy()
            assert relative_difference(closed, by_autograd) < 1e-5


def brain_in_a_corner(edge, channels=1, seed=7):
    """A case of which one corner shows brain, in the block of cell 0 alone: random numbers there, 0 elsewhere."""
    case = np.zeros((channels, edge, edge, edge), np.float32)
    inside = 8
    case[:, :inside, :inside, :inside] = np.random.default_rng(seed).standard_normal((channels, *[inside] * 3))
    return case


@pytest.mark.parametrize(("depth", "shortcut"), [(10, "B"), (18, "A"), (50, "B")])
def test_cells_counted_by_their_brain_keep_closed_form_autograd_and_monai_equal(depth, shortcut):
    architecture = ResNetArchitecture(depth=depth, widen_factor=0.125, shortcut=shortcut, pooling="brain")
    tensors = random_tensors(architecture, seed=depth)
    reference = build_resnet(architecture)
    load_tensors(reference, tensors)
    x = torch.from_numpy(brain_in_a_corner(48))[None]
    network = FoldedResNet(architecture, tensors)
    with torch.no_grad():
        cells = network.counted(network.up_to("layer4", x), x)
        logits = network.head(cells)[0]
    evidence, constant = signed_evidence(cells[0].numpy(), tensors["fc.weight"], tensors["fc.bias"])
    assert float(evidence.sum()) + constant == pytest.approx(float(logits[1] - logits[0]), abs=1e-5)
    share = brain_share(x, architecture)[0, 0].numpy()
    assert (share == 0).any()
    assert not evidence[share == 0].any()
    monai_cam = GradCAM(nn_module=reference, target_layers="layer4")
    for target in OSClass:
        by_monai = monai_cam.compute_map(x, class_idx=int(target))[0, 0].detach().numpy()
        closed = pooled_linear_map(cells[0].numpy(), tensors["fc.weight"], int(target))
        assert relative_difference(closed, by_monai) < 1e-5
        assert not closed[share == 0].any()
        by_autograd = autograd_map(cells, network.head, int(target), method="hires_cam")[0].numpy()
        assert relative_difference(closed, by_autograd) < 1e-5


def test_every_map_and_the_evidence_are_zero_where_a_cell_shows_no_brain(tmp_path):
    folder = small_model(tmp_path / "untrained", members=2, pooling="brain")
    network, case = SurvivalNetwork(folder, "cpu"), brain_in_a_corner(32)
    for block in ("layer4", "layer3"):
        result = network.predict(case, block=block, target=OSClass.OVER_ONE_YEAR)
        empty = brain_share(torch.from_numpy(case)[None], folder.architecture, block)[0, 0].numpy() == 0
        for one in (result.raw_map, result.other_map):
            assert empty.any()
            assert not one[empty].any()
        assert result.evidence.sum(dtype=float) + result.evidence_constant == pytest.approx(result.log_odds, abs=1e-5)
    nothing = network.predict(np.zeros_like(case))
    assert not nothing.evidence.any()
    assert nothing.log_odds == pytest.approx(nothing.evidence_constant)


@pytest.mark.parametrize("runtime", ["torch", "onnx"])
def test_cells_counted_by_their_brain_come_back_mirrored(tmp_path, runtime):
    folder = small_model(tmp_path / "untrained", pooling="brain")
    network, case = SurvivalNetwork(folder, "cpu", runtime=runtime), brain_in_a_corner(32)
    both = network.predict(case, tta=True)
    assert both.evidence.sum(dtype=float) + both.evidence_constant == pytest.approx(both.log_odds, abs=1e-5)
    assert network.predict(mirrored(case), tta=True).log_odds == pytest.approx(both.log_odds, abs=1e-6)


@pytest.mark.parametrize(("depth", "shortcut"), [(10, "B"), (50, "B"), (18, "A")])
def test_finer_map_of_layer3_is_monais(depth, shortcut):
    architecture = ResNetArchitecture(depth=depth, conv1_stride=2, widen_factor=0.125, shortcut=shortcut)
    tensors = random_tensors(architecture)
    reference = build_resnet(architecture)
    load_tensors(reference, tensors)
    x = torch.randn((1, 1, 48, 48, 48), generator=torch.Generator().manual_seed(4))
    network = FoldedResNet(architecture, tensors)
    with torch.no_grad():
        features = network.up_to("layer3", x)
    monai_cam = GradCAM(nn_module=reference, target_layers="layer3")
    largest = 0.0
    for target in (0, 1):
        found = autograd_map(features, lambda f: network.head(network.above("layer3", f)), target, method="grad_cam")
        expected = monai_cam.compute_map(x, class_idx=target)[:, 0].detach()
        largest = max(largest, float(expected.max()))
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5 * float(expected.max()))
    assert largest > 0


@pytest.fixture(scope="module")
def ensemble(tmp_path_factory):
    return SurvivalNetwork(small_model(tmp_path_factory.mktemp("models") / "three_untrained", members=3), "cpu")


@pytest.fixture
def case():
    return np.random.default_rng(5).standard_normal((1, 32, 32, 32)).astype(np.float32)


@pytest.mark.parametrize("target", [None, OSClass.UP_TO_ONE_YEAR, OSClass.OVER_ONE_YEAR])
def test_evidence_of_an_ensemble_adds_up_to_its_log_odds(ensemble, case, target):
    result = ensemble.predict(case, target=target)
    assert result.evidence.sum(dtype=float) + result.evidence_constant == pytest.approx(result.log_odds, abs=1e-5)
    assert result.probability_over_one_year == pytest.approx(1 / (1 + np.exp(-result.log_odds)))
    assert result.log_odds == pytest.approx((result.logits[:, 1] - result.logits[:, 0]).mean())
    assert result.os_class == (result.probability_over_one_year >= 0.5)
    np.testing.assert_allclose(result.raw_map, result.member_maps.mean(axis=0))
    assert result.target == (result.os_class if target is None else target)
    assert min(result.member_probabilities) <= result.probability_over_one_year <= max(result.member_probabilities)


@pytest.mark.parametrize("block", ["layer4", "layer3"])
def test_the_other_map_is_that_of_the_other_class(ensemble, case, block):
    over = ensemble.predict(case, block=block, target=OSClass.OVER_ONE_YEAR)
    up_to = ensemble.predict(case, block=block, target=OSClass.UP_TO_ONE_YEAR)
    assert (over.other_target, up_to.other_target) == (OSClass.UP_TO_ONE_YEAR, OSClass.OVER_ONE_YEAR)
    np.testing.assert_array_equal(over.other_map, up_to.raw_map)
    np.testing.assert_array_equal(up_to.other_map, over.raw_map)
    assert not np.array_equal(over.raw_map, over.other_map)


@pytest.mark.parametrize("method", ["grad_cam", "hires_cam", "layer_cam"])
@pytest.mark.parametrize("block", ["layer4", "layer3"])
def test_map_lies_on_the_cells_of_its_block(ensemble, case, block, method):
    result = ensemble.predict(case, block=block, method=method, target=OSClass.OVER_ONE_YEAR)
    assert result.stride_voxels == {"layer4": 16, "layer3": 8}[block]
    assert result.raw_map.shape == (32 // result.stride_voxels,) * 3
    assert (result.raw_map >= 0).all()


def test_same_case_gives_the_same_numbers_and_threads_hardly_change_them(ensemble, case):
    first, again = ensemble.predict(case), ensemble.predict(case)
    assert first.log_odds == again.log_odds
    np.testing.assert_array_equal(first.raw_map, again.raw_map)
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1 if threads > 1 else 2)
        other = ensemble.predict(case)
    finally:
        torch.set_num_threads(threads)
    assert other.probability_over_one_year == pytest.approx(first.probability_over_one_year, abs=1e-5)
    np.testing.assert_allclose(other.raw_map, first.raw_map, atol=1e-5)


def test_a_case_prepared_otherwise_is_refused(ensemble, case):
    with pytest.raises(NetworkError) as refused:
        ensemble.predict(case[:, :16])
    assert refused.value.message.code == "prediction.other_shape"
    case[0, 0, 0, 0] = np.nan
    with pytest.raises(NetworkError) as refused:
        ensemble.predict(case)
    assert refused.value.message.code == "prediction.not_numbers"


@pytest.mark.parametrize(
    "problem",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB"),
        RuntimeError("GET was unable to find an engine to execute this computation"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    ],
    ids=["allocator", "workspace of cuDNN", "cuDNN"],
)
@pytest.mark.parametrize("where", ["up_to", "above", "head"])
def test_memory_of_the_device_running_out_ends_on_the_cpu_with_a_sentence(tmp_path, case, monkeypatch, problem, where):
    network = SurvivalNetwork(small_model(tmp_path / "untrained"), "cpu")
    expected = network.predict(case, block="layer3")
    runtime = network._runtime
    run = getattr(FoldedResNet, where)

    def full(self, *given):
        if runtime.device != "cpu":
            raise problem
        return run(self, *given)

    monkeypatch.setattr(FoldedResNet, where, full)
    runtime.device = "cuda"
    result = network.predict(case, block="layer3")
    assert result.device == "cpu"
    assert "computed on the CPU" in str(result.notes[0])
    assert result.log_odds == expected.log_odds
    np.testing.assert_array_equal(result.raw_map, expected.raw_map)


def test_memory_running_out_in_the_map_of_an_earlier_block_ends_on_the_cpu(tmp_path, case, monkeypatch):
    network = SurvivalNetwork(small_model(tmp_path / "untrained"), "cpu")
    expected = network.predict(case, block="layer3")

    def full(*given, **named):
        monkeypatch.undo()
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB")

    monkeypatch.setattr("PCNSLSurvivalLib.inference.runtimes.torch_runtime.autograd_map", full)
    network._runtime.device = "cuda"
    result = network.predict(case, block="layer3")
    assert (result.device, [note.code for note in result.notes]) == ("cpu", ["runtime.memory_short"])
    np.testing.assert_array_equal(result.raw_map, expected.raw_map)


def test_a_device_too_full_for_the_weights_is_left_for_the_cpu(tmp_path, case, monkeypatch):
    folder = small_model(tmp_path / "untrained")
    make = FoldedResNet.__init__

    def full(self, *given, device, **named):
        if device.type != "cpu":
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB")
        make(self, *given, device=device, **named)

    monkeypatch.setattr(FoldedResNet, "__init__", full)
    monkeypatch.setattr(
        "PCNSLSurvivalLib.inference.runtimes.torch_runtime.device_named", lambda device: torch.device("cuda")
    )
    result = SurvivalNetwork(folder, "cuda").predict(case)
    assert (result.device, [note.code for note in result.notes]) == ("cpu", ["runtime.memory_short"])


def test_another_fault_of_the_device_is_not_taken_for_lack_of_memory(tmp_path, case, monkeypatch):
    network = SurvivalNetwork(small_model(tmp_path / "untrained"), "cpu")

    def broken(*given):
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    monkeypatch.setattr(FoldedResNet, "up_to", broken)
    network._runtime.device = "cuda"
    with pytest.raises(RuntimeError, match="illegal memory access"):
        network.predict(case)


def test_float32_is_not_rounded_to_tf32_on_cuda(ensemble, case, monkeypatch):
    seen = []
    run = FoldedResNet.above

    def looked(self, *given):
        seen.append(torch.backends.cudnn.allow_tf32)
        return run(self, *given)

    monkeypatch.setattr(FoldedResNet, "above", looked)
    before = torch.backends.cudnn.allow_tf32
    ensemble.predict(case, block="layer3")  # forward, and the map by differentiation
    assert len(seen) > 5
    assert not any(seen)
    assert torch.backends.cudnn.allow_tf32 == before


def test_test_time_augmentation_averages_the_case_and_its_mirror_image(ensemble, case):
    plain, mirror = ensemble.predict(case), ensemble.predict(mirrored(case))
    both = ensemble.predict(case, tta=True)
    assert both.log_odds == pytest.approx((plain.log_odds + mirror.log_odds) / 2, abs=1e-6)
    assert both.evidence.sum(dtype=float) + both.evidence_constant == pytest.approx(both.log_odds, abs=1e-5)
    assert ensemble.predict(mirrored(case), tta=True).log_odds == pytest.approx(both.log_odds, abs=1e-6)


def test_mirrored_evidence_comes_back_to_its_own_side(tmp_path):
    """A network that sees brightness gives one map for a bright spot, with and without the mirrored pass."""
    architecture = ResNetArchitecture(depth=10, conv1_stride=1, widen_factor=0.125)
    network = SurvivalNetwork(small_model(tmp_path / "untrained", edge=64), "cpu")
    tensors = bright_spot_tensors(architecture)
    network._heads = [(tensors["fc.weight"], tensors["fc.bias"])]
    network._runtime._networks = [FoldedResNet(architecture, tensors)]
    case = np.zeros((1, 64, 64, 64), np.float32)
    case[0, 11:22, 30:35, 30:35] = 1.0
    plain = network.predict(case, target=OSClass.OVER_ONE_YEAR)
    both = network.predict(case, target=OSClass.OVER_ONE_YEAR, tta=True)
    assert np.unravel_index(plain.evidence.argmax(), (4, 4, 4)) == (1, 2, 2)
    np.testing.assert_allclose(both.evidence, plain.evidence, atol=1e-7)
    np.testing.assert_allclose(both.raw_map, plain.raw_map, atol=1e-7)


def test_temperature_divides_log_odds_and_evidence_alike(tmp_path, case):
    folder = small_model(tmp_path / "untrained", members=2)
    plain = SurvivalNetwork(folder, "cpu").predict(case)
    cooler = SurvivalNetwork(replace(folder, temperature=2.5), "cpu").predict(case)
    assert cooler.log_odds == pytest.approx(plain.log_odds / 2.5)
    np.testing.assert_allclose(cooler.evidence, plain.evidence / 2.5, rtol=1e-5)
    assert cooler.os_class == plain.os_class


def test_bf16_changes_the_probability_by_less_than_a_hundredth(tmp_path, case, monkeypatch):
    folder = small_model(tmp_path / "untrained", depth=18)
    monkeypatch.setattr("PCNSLSurvivalLib.inference.runtimes.torch_runtime.has_bf16", lambda device: True)
    half = SurvivalNetwork(folder, "cpu", precision="bf16").predict(case)
    full = SurvivalNetwork(folder, "cpu").predict(case)
    assert half.log_odds != full.log_odds
    assert half.probability_over_one_year == pytest.approx(full.probability_over_one_year, abs=0.01)
    monkeypatch.setattr("PCNSLSurvivalLib.inference.runtimes.torch_runtime.has_bf16", lambda device: False)
    with pytest.raises(NetworkError) as refused:
        SurvivalNetwork(folder, "cpu", precision="bf16")
    assert refused.value.message.code == "runtime.no_bf16"


def test_evidence_that_does_not_add_up_is_refused(ensemble, case, monkeypatch):
    monkeypatch.setattr(
        "PCNSLSurvivalLib.inference.network.signed_evidence",
        lambda *arguments: (signed_evidence(*arguments)[0] * 1.01, 0.0),
    )
    with pytest.raises(NetworkError) as refused:
        ensemble.predict(case)
    assert refused.value.message.code == "prediction.evidence_sum"


def test_bundled_model_predicts_a_whole_case_and_says_what_it_is():
    folder = read_model_folder(bundled_model_path())
    assert folder.demonstration
    assert "DEMONSTRATION" in str(folder.warning)
    assert "virtual_heads_only" in folder.name
    case = np.random.default_rng(6).standard_normal((1, *folder.recipe.network_grid.size)).astype(np.float32)
    result = SurvivalNetwork(folder, "cpu").predict(case)
    assert 0.01 < result.probability_over_one_year < 0.99
    assert result.evidence.std() > 0
    assert result.evidence.sum(dtype=float) + result.evidence_constant == pytest.approx(result.log_odds, abs=1e-4)


def test_prediction_with_torch_needs_no_monai(tmp_path):
    small_model(tmp_path / "untrained")
    script = (
        "import sys; import numpy as np; from pathlib import Path; "
        "from PCNSLSurvivalLib.inference.network import SurvivalNetwork; "
        "from PCNSLSurvivalLib.models.model_folder import read_model_folder; "
        f"network = SurvivalNetwork(read_model_folder(Path({str(tmp_path / 'untrained')!r})), 'cpu', runtime='torch'); "
        "network.predict(np.ones((1, 32, 32, 32), np.float32), block='layer3'); "
        "print('torch' in sys.modules, 'monai' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False"]


def test_defect_15_passes_of_one_network_agree_and_the_spread_is_that_of_networks(ensemble, case):
    """No pass is called Monte Carlo: without dropout, passes have no spread. The members of an ensemble have."""
    one, two = (ensemble.predict(case) for _ in range(2))
    assert one.member_probabilities == two.member_probabilities
    assert len(set(one.member_probabilities)) == 3
    odds = one.logits[:, 1] - one.logits[:, 0]
    assert one.member_probabilities == pytest.approx(1 / (1 + np.exp(-odds)))
