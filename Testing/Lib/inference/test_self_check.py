"""The check of an installation finds what is wrong, computes on every device, and tells nothing about the user."""

import getpass
import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from PCNSLSurvivalLib.cli.__main__ import main
from PCNSLSurvivalLib.core.storage.installed_files import data_home
from PCNSLSurvivalLib.inference import self_check
from PCNSLSurvivalLib.inference.runtimes import automatic_device, stored_answer
from PCNSLSurvivalLib.inference.runtimes.start_runtime import start_runtime
from PCNSLSurvivalLib.models import installed_models
from PCNSLSurvivalLib.models.model_folder import bundled_model_path
from PCNSLSurvivalLib.models.networks.resnet3d import build_resnet
from PCNSLSurvivalLib.preprocessing.recipe import RECIPE, BrainExtractionStep
from PCNSLSurvivalLib.preprocessing.steps.brain_extraction import brain_extractor


def _codes(found):
    return {check.message.code: check.verdict for check in found.checks}


@pytest.fixture
def bundled_only(monkeypatch):
    monkeypatch.setattr(self_check, "model_paths", lambda: [bundled_model_path()])


def test_monai_gives_the_stored_answer():
    network = build_resnet(stored_answer.ARCHITECTURE).eval()
    tensors = {name: torch.from_numpy(array) for name, array in stored_answer.stored_network().items()}
    missing, unknown = network.load_state_dict(tensors, strict=False)
    assert not unknown
    assert all(name.endswith("num_batches_tracked") for name in missing)
    network = network.double()
    with torch.no_grad():
        logits = network(torch.from_numpy(stored_answer.stored_case())[None].double())[0]
    assert float(logits[1] - logits[0]) == pytest.approx(stored_answer.LOG_ODDS, abs=1e-6)


def test_every_runtime_reproduces_the_stored_answer(bundled_only):
    agreed = [check for check in self_check.self_check().checks if check.message.code == "check.device_agrees"]
    assert {(check.message.values["runtime"], check.message.values["device"]) for check in agreed} >= {
        ("torch", "CPU"),
        ("ONNX Runtime", "CPU"),
    }
    assert all(check.message.values["difference"] < 1e-5 for check in agreed)


def test_auto_passes_over_a_device_that_computes_otherwise(monkeypatch):
    monkeypatch.setattr(automatic_device, "devices_present", lambda: ["mps", "cpu"])
    monkeypatch.setattr(automatic_device, "torch_difference", lambda device: 0.0 if device == "cpu" else 0.3)
    automatic_device.automatic_device.cache_clear()
    try:
        started = start_runtime(stored_answer.ARCHITECTURE, [stored_answer.stored_network()], stored_answer.SIZE)
    finally:
        automatic_device.automatic_device.cache_clear()
    assert started.device == "cpu"
    assert str(started.notes[0]).startswith("The MPS device did not reproduce")


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_no_number_is_no_agreement(wrong):
    class Broken:
        def run(self, case, block):
            return [type("Output", (), {"logits": np.array([0.0, wrong])})]

    assert stored_answer.difference_from_stored(lambda tensors: Broken()) == float("inf")


def test_a_device_without_its_operators_counts_as_different(monkeypatch):
    def start(*_arguments, **_options):
        raise RuntimeError("no kernel image is available for execution on the device")

    monkeypatch.setattr(automatic_device, "TorchRuntime", start)
    automatic_device.torch_difference.cache_clear()
    assert automatic_device.torch_difference("cuda") == float("inf")
    automatic_device.torch_difference.cache_clear()


def test_a_changed_weights_file_and_a_missing_brain_extraction_are_found(tmp_path, monkeypatch):
    damaged = tmp_path / "home" / "models" / "our_model_v1.0.0"
    shutil.copytree(bundled_model_path(), damaged)
    weights = damaged / "models" / "member_0.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    monkeypatch.setenv("PCNSL_SURVIVAL_HOME", str(tmp_path / "home"))
    found = self_check.self_check()
    codes = _codes(found)
    assert codes["check.model_refused"] == codes["brain_extractor.not_installed"] == "fault"
    assert codes["check.model_ready"] == "ok"
    assert found.faults == 2


def test_a_damaged_brain_extraction_is_found(tmp_path, monkeypatch, bundled_only):
    monkeypatch.setenv("PCNSL_SURVIVAL_HOME", str(tmp_path))
    extractor = brain_extractor()
    extractor.folder.mkdir(parents=True)
    for name in extractor.files:
        (extractor.folder / Path(name).name).write_bytes(b"changed")
    assert _codes(self_check.self_check())["brain_extractor.damaged"] == "fault"


def test_a_brain_extraction_that_only_an_installed_model_names_is_looked_at(monkeypatch):
    recipe = replace(RECIPE, brain_extraction=BrainExtractionStep(method="other-bet-1.0"))
    monkeypatch.setattr(self_check, "_models", lambda: ([SimpleNamespace(recipe=recipe)], []))
    assert _codes(self_check.self_check())["brain_extractor.unknown"] == "fault"


def test_a_full_disk_is_found(monkeypatch, bundled_only):
    monkeypatch.setattr(self_check, "_free_gb", lambda folder: 0.5)
    assert _codes(self_check.self_check())["check.disk_short"] == "fault"


def test_extras_that_are_not_installed_are_told_and_are_no_fault(monkeypatch, bundled_only):
    monkeypatch.setattr(self_check, "absent_extras", lambda: ["training", "research"])
    found = self_check.self_check()
    (told,) = (check for check in found.checks if check.message.code == "check.extras_absent")
    assert (told.verdict, told.message.values["extras"]) == ("note", ("training", "research"))


def test_the_command_prints_versions_but_no_folder_and_no_user(capsys, monkeypatch, tmp_path, bundled_only):
    monkeypatch.setattr(installed_models, "models_home", lambda: tmp_path)
    code = main(["doctor"])
    text = capsys.readouterr().out
    assert f"torch {torch.__version__.split('+')[0]}" in text
    assert code == (3 if "Problems found" in text else 0)
    for private in (str(Path.home()), str(data_home()), str(Path.cwd()), "/", "\\"):
        assert private not in text
    if len(user := getpass.getuser()) > 4:
        assert user not in text
    assert main(["doctor", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["text"] == text.rstrip("\n")
