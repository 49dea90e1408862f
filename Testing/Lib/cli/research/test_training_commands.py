"""``pretrain``, ``finetune`` and ``cross-validate`` as a user runs them: the experiment's own steps."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from made_experiments import made_cohorts
from made_weights import medicalnet_file
from refusals import refusal

from PCNSLSurvivalLib.cli.__main__ import main
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.experiment.initial_weights import read_initial_weights
from PCNSLSurvivalLib.models import ensemble_calibration
from PCNSLSurvivalLib.models.calibration import HIGHEST, Calibration
from PCNSLSurvivalLib.models.model_folder import read_model_folder
from PCNSLSurvivalLib.models.networks import known_weights
from PCNSLSurvivalLib.models.networks.architecture import ResNetArchitecture
from PCNSLSurvivalLib.models.networks.known_weights import medicalnet_architecture
from PCNSLSurvivalLib.training.lineage import UNKNOWN

pytestmark = pytest.mark.usefixtures("no_figures")


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Sums in another order differ in their last digits."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        yield
        torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """Cohorts, an experiment file, and a start trained on the second cohort."""
    root = made_cohorts(tmp_path_factory.mktemp("made"))
    assert run("pretrain", root / "brats", "--plan", root / "plan.yaml", "--out", root / "start") == 0
    return root


@pytest.fixture(scope="module")
def tuned(made) -> Path:
    """The first cohort's network, fine-tuned from the start."""
    words = ["finetune", made / "pcnsl", "--plan", made / "plan.yaml", "--init-weights", made / "start"]
    assert run(*words, "--out", made / "tuned") == 0
    return made / "tuned"


def run(*words: object) -> int:
    return main([*map(str, words), "--device", "cpu"])


def predictions(out: Path) -> str:
    return (out / "results" / "predictions.csv").read_text(encoding="utf-8")


def test_pretraining_tells_every_epoch_and_is_found_again(made, tmp_path, capsys):
    words = ["pretrain", made / "brats", "--plan", made / "plan.yaml", "--out", tmp_path / "start"]
    assert run(*words) == 0
    told = capsys.readouterr()
    assert told.err.count("training loss") == 3
    assert "6 training exams, 2 validation exams" in told.out
    assert run(*words) == 0
    assert "training loss" not in capsys.readouterr().err
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "thesis.txt").write_text("mine", encoding="utf-8")
    assert run(*words[:-1], tmp_path / "own") == 3
    assert refusal("files.output_holds_others") in capsys.readouterr().err
    member = "member.safetensors"
    assert (tmp_path / "start" / member).read_bytes() == (made / "start" / member).read_bytes()


def test_finetuning_on_the_full_cohort_gives_a_model_without_performance(made, tuned, capsys):
    words = ["finetune", made / "pcnsl", "--plan", made / "plan.yaml", "--init-weights", made / "start"]
    assert run(*words, "--out", tuned) == 0  # it is found
    assert str(tuned / "model") in capsys.readouterr().out
    (tuned / "model" / "notes.txt").write_text("mine", encoding="utf-8")
    assert run(*words, "--out", tuned) == 3
    assert (tuned / "model" / "notes.txt").read_text(encoding="utf-8") == "mine"
    (tuned / "model" / "notes.txt").unlink()
    model = read_model_folder(tuned / "model")
    assert (model.kind, model.training_patients, model.temperature) == ("demonstration", 12, 1.0)
    assert "not available (no held-out set)" in model.read_card()
    assert "8 other exams" in model.read_card()
    facts = json.loads((tuned / "training" / "job.json").read_text(encoding="utf-8"))
    assert facts["initial_weights_sha256"]
    assert facts["epochs"] <= 2  # the plan's finetuning, not its training


@pytest.mark.slow
def test_a_start_given_to_cross_validate_equals_the_pretraining_of_the_experiment(made, tmp_path, capsys, monkeypatch):
    plan = ["--plan", made / "plan.yaml", "--quiet"]
    arm = ["cross-validate", made / "pcnsl", "--arm", "t1gd_transfer", *plan]
    assert run(*arm, "--init-weights", made / "start", "--out", tmp_path / "by_start") == 0
    assert run(*arm, "--pretrain-cohort", made / "brats", "--out", tmp_path / "by_cohort") == 0
    assert predictions(tmp_path / "by_start") == predictions(tmp_path / "by_cohort")
    assert read_model_folder(tmp_path / "by_start" / "model").training_patients == 12
    methods = (tmp_path / "by_start" / "results" / "methods.txt").read_text(encoding="utf-8")
    assert "trained for the same OS classes on 8 exams of a second cohort, none" in methods
    capsys.readouterr()
    nothing = Calibration(temperature=HIGHEST, patients=12, loss_before=1.0, loss_after=0.69)
    monkeypatch.setattr(ensemble_calibration, "fit_temperature", lambda log_odds, over_one_year: nothing)
    assert run(*arm, "--init-weights", made / "start", "--out", tmp_path / "by_start") == 0
    assert "held-out probabilities were uninformative" in capsys.readouterr().out


def test_a_baseline_is_cross_validated_too(made, tmp_path):
    words = ["cross-validate", made / "pcnsl", "--arm", "logistic_clinical", "--plan", made / "plan.yaml"]
    assert run(*words, "--out", tmp_path / "out") == 0
    assert predictions(tmp_path / "out").count("logistic_clinical") == 4 * 2 + 12 * 2
    assert not (tmp_path / "out" / "model").exists()


SHARED = ", ".join(f"B00{number} = B00{number}" for number in range(8))


def test_a_patient_of_the_start_is_refused_in_the_cohort(made, tmp_path, capsys):
    for words in (["finetune", made / "brats"], ["cross-validate", made / "brats", "--arm", "t1gd_transfer"]):
        out = tmp_path / words[0]
        assert run(*words, "--plan", made / "plan.yaml", "--init-weights", made / "start", "--out", out) == 3
        assert f"8 ({SHARED})" in capsys.readouterr().err
        assert not out.exists()


@pytest.mark.parametrize(
    ("words", "place"),
    [
        (["finetune", "pcnsl", "--plan", "plan.yaml"], "model"),
        (["cross-validate", "pcnsl", "--plan", "plan.yaml"], "model"),
        (["cross-validate", "pcnsl", "--plan", "plan.yaml"], "results"),
        (["baselines", "pcnsl", "--prepared", "pcnsl"], "results"),
    ],
)
def test_files_of_others_are_not_replaced(made, tmp_path, capsys, monkeypatch, words, place):
    monkeypatch.chdir(made)
    own = tmp_path / "out" / place / "configs" / "metadata.json"
    own.parent.mkdir(parents=True)
    own.write_text("{}", encoding="utf-8")
    (tmp_path / "out" / "jobs").mkdir()
    device = [] if words[0] == "baselines" else ["--device", "cpu"]
    assert main([*words, "--out", str(tmp_path / "out"), *device]) == 3
    assert (
        f"'{place}' in the output folder, where the results go, holds other files; nothing was changed"
        in capsys.readouterr().err
    )
    assert own.read_text(encoding="utf-8") == "{}"


def test_a_patient_of_the_start_s_own_start_is_refused_in_the_cohort(made, tuned, tmp_path, capsys):
    start = read_initial_weights(tuned / "training")
    assert start.in_words == "a network trained on 12 other exams, itself initialized from weights of 8 more"
    words = ["cross-validate", made / "brats", "--arm", "t1gd_transfer", "--plan", made / "plan.yaml"]
    assert run(*words, "--init-weights", tuned / "training", "--out", tmp_path / "out") == 3
    assert f"8 ({SHARED})" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_license_of_weights_made_elsewhere_stays_with_all_that_is_trained_from_them(
    elsewhere, tmp_path, monkeypatch
):
    """A narrow network stands in for BrainIAC's ResNet-50, in a file of the same form."""
    state = torch.load(elsewhere / "resnet_10.pth", weights_only=True)["state_dict"]
    narrow = ResNetArchitecture(depth=10, widen_factor=0.125, bias_downsample=False)
    monkeypatch.setattr(known_weights, "BRAINIAC_ARCHITECTURE", narrow)
    backbone = {name.replace("module.", "backbone."): one for name, one in state.items() if "conv_seg" not in name}
    torch.save({"state_dict": backbone}, tmp_path / "BrainIAC.ckpt")
    words = ["finetune", elsewhere / "brats", "--plan", elsewhere / "elsewhere.yaml"]
    assert run(*words, "--init-weights", tmp_path / "BrainIAC.ckpt", "--out", tmp_path / "tuned") == 0
    out = tmp_path / "out"
    words = ["cross-validate", elsewhere / "pcnsl", "--arm", "t1gd_transfer", "--plan", elsewhere / "elsewhere.yaml"]
    assert run(*words, "--init-weights", tmp_path / "tuned" / "training", "--out", out) == 0
    before = f"itself initialized from {UNKNOWN.in_words} ({known_weights.BRAINIAC.in_words}; SHA-256 "
    assert f"({before}" in (out / "results" / "methods.txt").read_text(encoding="utf-8")
    assert f"8 other exams, {before}" in read_model_folder(out / "model").read_card()
    for folder in (tmp_path / "tuned" / "model", out / "model"):
        model = read_model_folder(folder)
        assert model.license == known_weights.BRAINIAC.model_license
        assert f"| License | {model.license} |" in model.read_card()
        assert model.license in (folder / "LICENSE").read_text(encoding="utf-8")
        for path in folder.rglob("*"):
            assert path.is_dir() or b"Apache" not in path.read_bytes(), path


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--arm", "t1gd_transfer"], "initial weights for each sequence with --init-weights"),
        (["--arm", "t2_transfer", "--init-weights", "start"], "No arm uses the weights that --init-weights names"),
        (["--arm", "t1gd_scratch", "--init-weights", "start"], "No arm uses the weights that --init-weights names"),
        (["--arm", "t1gd_magic"], "There is no arm 't1gd_magic'. Choose one of t1gd_scratch,"),
        (["--arm", "t1gd_transfer", "--init-weights", "pcnsl"], "The folder of initial weights is a prepared cohort."),
        (["--arm", "t1gd_transfer", "--init-weights", "."], "The folder of initial weights holds no training"),
    ],
)
def test_what_does_not_fit_is_told_in_a_sentence(made, tmp_path, capsys, monkeypatch, words, sentence):
    monkeypatch.chdir(made)
    assert run("cross-validate", "pcnsl", "--plan", "plan.yaml", "--out", tmp_path / "out", *words) == 3
    assert sentence in capsys.readouterr().err


def test_a_start_of_another_network_is_refused(made, tmp_path, capsys):
    (tmp_path / "plan.yaml").write_text(
        (made / "plan.yaml").read_text(encoding="utf-8").replace("32, 32, 32", "48, 32, 32"), encoding="utf-8"
    )
    words = ["finetune", made / "pcnsl", "--plan", tmp_path / "plan.yaml", "--init-weights", made / "start"]
    assert run(*words, "--out", tmp_path / "out") == 3
    assert refusal("initial_weights.other_network") in capsys.readouterr().err
    held_back = Path(shutil.copytree(made / "start", tmp_path / "start"))
    facts = json.loads((held_back / "job.json").read_text(encoding="utf-8"))
    facts["fold"]["test"] = ["B000"]
    (held_back / "job.json").write_text(json.dumps(facts), encoding="utf-8")
    words = ["finetune", made / "pcnsl", "--plan", made / "plan.yaml", "--init-weights", held_back]
    assert run(*words, "--out", tmp_path / "out") == 3
    assert refusal("initial_weights.not_pretrained") in capsys.readouterr().err


def test_a_start_of_other_classes_and_a_model_of_other_classes_are_refused_before_training(made, tmp_path, capsys):
    plan = (made / "plan.yaml").read_text(encoding="utf-8") + "threshold_days: 730\n"
    (tmp_path / "plan.yaml").write_text(plan, encoding="utf-8")
    words = [made / "pcnsl", "--plan", tmp_path / "plan.yaml", "--out", tmp_path / "out"]
    assert run("cross-validate", *words, "--arm", "t1gd_transfer", "--init-weights", made / "start") == 3
    assert refusal("initial_weights.other_threshold", trained_days=365, days=730) in capsys.readouterr().err
    assert run("finetune", *words) == 3
    assert refusal("experiment.finetune_other_threshold", days=730) in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def elsewhere(made) -> Path:
    """A file in MedicalNet's form, and an experiment file for networks that take it, as narrow as those of tests."""
    architecture = ResNetArchitecture(depth=10, widen_factor=0.125, bias_downsample=False)
    state = medicalnet_file(made / "resnet_10.pth", architecture)
    # Its batch normalization has plausible statistics, as that of a trained network.
    for name, tensor in state.items():
        if name.endswith("running_var"):
            tensor.fill_(1.0)
        elif tensor.ndim > 1:
            tensor.mul_(0.05)
    torch.save({"state_dict": state}, made / "resnet_10.pth")
    plan = (made / "plan.yaml").read_text(encoding="utf-8")
    (made / "elsewhere.yaml").write_text(
        plan.replace("widen_factor: 0.125", "widen_factor: 0.125, bias_downsample: false"), encoding="utf-8"
    )
    return made


def test_weights_of_medicalnet_are_finetuned(elsewhere, tmp_path):
    words = ["finetune", elsewhere / "pcnsl", "--plan", elsewhere / "elsewhere.yaml"]
    assert run(*words, "--init-weights", elsewhere / "resnet_10.pth", "--out", tmp_path / "tuned") == 0
    facts = json.loads((tmp_path / "tuned" / "training" / "job.json").read_text(encoding="utf-8"))
    assert (facts["arm"], facts["settings"]["epochs"]) == ("t1gd_transfer", 2)
    model = read_model_folder(tmp_path / "tuned" / "model")
    assert f"| Initial weights | {UNKNOWN.in_words} (SHA-256 " in model.read_card()
    assert "| License | unknown: the license of the initial weights is not known |" in model.read_card()
    # Two careful passes leave a backbone near its start and far from any random one.
    start = torch.load(elsewhere / "resnet_10.pth", weights_only=True)["state_dict"]["module.layer3.0.conv1.weight"]
    (tensors,) = model.load_members()
    assert np.corrcoef(tensors["layer3.0.conv1.weight"].ravel(), start.numpy().ravel())[0, 1] > 0.9


def test_weights_of_medicalnet_start_every_fold_of_a_transfer_arm(elsewhere, tmp_path):
    out = tmp_path / "out"
    words = ["cross-validate", elsewhere / "pcnsl", "--arm", "t1gd_transfer", "--plan", elsewhere / "elsewhere.yaml"]
    assert run(*words, "--init-weights", elsewhere / "resnet_10.pth", "--out", out) == 0
    jobs = [
        json.loads(path.read_text(encoding="utf-8")) for path in (out / "jobs" / "t1gd_transfer").glob("*/job.json")
    ]
    assert len(jobs) == 4
    assert len({job["initial_weights_sha256"] for job in jobs}) == 1
    methods = (out / "results" / "methods.txt").read_text(encoding="utf-8")
    assert f"Transfer arms were initialized from {UNKNOWN.in_words}" in methods
    assert "with a new head." in methods
    assert "for at most 2 epochs" in methods
    assert "Pre-training" not in methods


def test_weights_that_do_not_fit_say_what_they_fit(elsewhere, tmp_path, capsys):
    medicalnet_file(tmp_path / "resnet_18.pth", medicalnet_architecture(18))
    words = ["finetune", elsewhere / "pcnsl", "--plan", elsewhere / "elsewhere.yaml", "--out", tmp_path / "out"]
    assert run(*words, "--init-weights", tmp_path / "resnet_18.pth") == 3
    entry = "{depth: 18, widen_factor: 1.0, shortcut: A, bias_downsample: false}"
    assert str(Message("weights.fit_medicalnet", network="ResNet-18", entry=entry)) in capsys.readouterr().err
    (tmp_path / "text.pth").write_text("no weights", encoding="utf-8")
    assert run(*words, "--init-weights", tmp_path / "text.pth") == 3
    assert refusal("weights.unreadable") in capsys.readouterr().err
    assert run(*words, "--init-weights", tmp_path / "absent.pth") == 3
    assert refusal("initial_weights.not_found") in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_an_experiment_is_no_work_for_torchrun(made, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert run("cross-validate", made / "pcnsl", "--plan", made / "plan.yaml", "--out", tmp_path / "out") == 3
    assert refusal("experiment.no_torchrun") in capsys.readouterr().err
