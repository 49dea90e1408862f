"""One fold is a world of its own: it learns, it never sees what it holds back, and no other fold touches it."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from made_trainings import SETTINGS, folds_of, trained
from monai.transforms import RandAffine
from refusals import refused
from tensorboardX.proto.event_pb2 import Event

from PCNSLSurvivalLib.cohorts.prepared_cohort import COHORT_FILE, read_prepared_cohort
from PCNSLSurvivalLib.cohorts.splits import Fold
from PCNSLSurvivalLib.core.errors import PCNSLSurvivalError, TrainingError
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.experiment.model.trained_networks import member_of
from PCNSLSurvivalLib.imaging.io import read_volume, write_volume
from PCNSLSurvivalLib.models.networks.resnet3d import tensors_of
from PCNSLSurvivalLib.models.networks.weights_file import Tensors
from PCNSLSurvivalLib.training.data.augmentation import AugmentationSettings
from PCNSLSurvivalLib.training.data.dataset import NetworkInputs, labeled_cases
from PCNSLSurvivalLib.training.finished_job import MEMBER
from PCNSLSurvivalLib.training.job import NetworkJob, StartingPoint, _identity
from PCNSLSurvivalLib.training.network import build_network, build_optimizer, build_schedule
from PCNSLSurvivalLib.training.network_outputs import predict_cases
from PCNSLSurvivalLib.training.processes import Processes


def weights(folder: Path) -> bytes:
    return (folder / MEMBER).read_bytes()


def tensors(folder: Path) -> Tensors:
    return member_of(folder, SETTINGS.architecture)


def history(folder: Path) -> list[dict[str, str]]:
    with (folder / "history.csv").open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_defect_1_the_weights_of_every_fold_change_and_the_loss_falls(cohort, tmp_path):
    settings = replace(SETTINGS, epochs=12, patience=12, learning_rate=3e-3)
    for fold in folds_of(cohort)[:2]:
        job = trained(cohort, fold, tmp_path / fold.label, settings)
        seed = int(np.random.SeedSequence((settings.seed, fold.repeat, fold.fold)).generate_state(1, np.uint32)[0])
        before = tensors_of(build_network(settings, 1, None, seed=seed))
        after = tensors(job.folder)
        changed = {name for name in before if not np.array_equal(before[name], after[name])}
        assert changed == set(before), "a tensor was not trained"
        toward = np.array([2 * cohort.exam(name).os_class() - 1 for name in job.facts["validation_cases"]])
        by_epoch = np.logaddexp(0, -toward * job.validation_log_odds).mean(axis=1)
        np.testing.assert_allclose(by_epoch, [float(row["validation_loss"]) for row in history(job.folder)], rtol=1e-4)
        losses = [float(row["train_loss"]) for row in history(job.folder)]
        assert losses[-1] < 0.5 * losses[0]


def test_defect_2_every_training_begins_at_the_same_learning_rate_and_ends_low(cohort, tmp_path):
    rates = []
    for fold in folds_of(cohort)[:2]:
        trained(cohort, fold, tmp_path / fold.label, replace(SETTINGS, warmup_epochs=1, epochs=4, patience=9))
        rates.append([float(row["learning_rate"]) for row in history(tmp_path / fold.label)])
    assert rates[0] == rates[1]
    assert max(rates[0]) == pytest.approx(SETTINGS.learning_rate)
    assert rates[0][-1] == pytest.approx(0.01 * SETTINGS.learning_rate)


def test_defect_3_a_fold_alone_equals_the_same_fold_after_another(cohort, tmp_path):
    first, second, _ = folds_of(cohort)
    trained(cohort, first, tmp_path / "first")
    trained(cohort, second, tmp_path / "after")
    alone = trained(cohort, second, tmp_path / "alone")
    assert weights(tmp_path / "alone") == weights(tmp_path / "after")
    assert alone.facts["best_validation_loss"] == min(
        float(row["validation_loss"]) for row in history(tmp_path / "alone")
    )


def test_defect_4_what_a_fold_holds_back_decides_nothing(cohort, tmp_path):
    """Other scans and other outcomes of the held-out patients: the same weights, from the same epoch."""
    fold = folds_of(cohort)[0]
    honest = trained(cohort, fold, tmp_path / "honest")
    changed = Path(shutil.copytree(cohort.folder, tmp_path / "changed"))
    about = json.loads((changed / COHORT_FILE).read_text(encoding="utf-8"))
    for case in about["cases"]:
        if case["name"] in fold.test:
            case["os_days"] = 2000.0 if case["os_days"] <= 365 else 100.0
            case["death_observed"] = True
            path = changed / "cases" / case["name"] / "t1gd_preprocessed.nii.gz"
            write_volume(read_volume(path) * -2.0, path)
    (changed / COHORT_FILE).write_text(json.dumps(about), encoding="utf-8")
    other = trained(read_prepared_cohort(changed), fold, tmp_path / "other")
    assert weights(other.folder) == weights(honest.folder)
    assert other.facts["best_epoch"] == honest.facts["best_epoch"]
    assert not np.allclose(other.predictions.probability, honest.predictions.probability)
    assert set(honest.facts["train_cases"]) | set(honest.facts["validation_cases"]) == set(fold.train)


def test_defect_13_every_fold_keeps_its_own_weights_and_predicts_whom_it_held_back(cohort, tmp_path):
    jobs = [trained(cohort, fold, tmp_path / fold.label) for fold in folds_of(cohort)]
    assert len({weights(job.folder) for job in jobs}) == 3
    predicted = [case for job in jobs for case in job.predictions.cases]
    assert sorted(predicted) == sorted(case for fold in folds_of(cohort) for case in fold.test)
    for job in jobs:
        held_out = {name for name, out in zip(job.names, job.held_out, strict=True) if out}
        assert set(job.predictions.cases) | set(job.predictions.censored) == held_out
        assert not held_out & set(job.facts["fold"]["train"])


def test_defect_14_asking_a_network_again_and_again_leaves_no_hook(cohort):
    network = build_network(SETTINGS, 1, None, seed=0)
    inputs = NetworkInputs(cohort, (MRSequence.T1GD,), SETTINGS.grid)
    asked = [predict_cases(network, ["P000", "P001"], inputs, Processes(), batch_size=2) for _ in range(3)]
    assert all(np.array_equal(one.features, asked[0].features) for one in asked)
    assert not any(module._forward_hooks or module._backward_hooks for module in network.modules())


def test_defect_16_the_same_job_gives_the_same_bytes_and_another_fold_another_start(cohort, tmp_path):
    settings = replace(SETTINGS, epochs=2, augmentation=AugmentationSettings())
    first, second, _ = folds_of(cohort)
    torch.manual_seed(1)
    np.random.seed(1)  # noqa: NPY002  whatever state the process is in
    one = trained(cohort, first, tmp_path / "one", settings)
    torch.manual_seed(2)
    np.random.seed(2)  # noqa: NPY002
    two = trained(cohort, first, tmp_path / "two", settings)
    assert weights(one.folder) == weights(two.folder)
    elsewhere = replace(first, fold=7)
    assert weights(trained(cohort, elsewhere, tmp_path / "seven", settings).folder) != weights(one.folder)
    assert weights(trained(cohort, second, tmp_path / "second", settings).folder) != weights(one.folder)


def test_a_finished_job_is_found_and_one_with_other_settings_is_refused(cohort, tmp_path):
    fold = folds_of(cohort)[0]
    trained(cohort, fold, tmp_path / "job")
    stamp = (tmp_path / "job" / MEMBER).stat().st_mtime_ns
    trained(cohort, fold, tmp_path / "job")
    assert (tmp_path / "job" / MEMBER).stat().st_mtime_ns == stamp
    with refused(TrainingError, "training.other_finished"):
        trained(cohort, fold, tmp_path / "job", replace(SETTINGS, epochs=4))


def test_a_training_on_scans_that_have_changed_is_neither_found_nor_gone_on_with(cohort, tmp_path, monkeypatch):
    prepared_again = read_prepared_cohort(Path(shutil.copytree(cohort.folder, tmp_path / "cohort")))
    fold = folds_of(cohort)[0]
    trained(cohort, fold, tmp_path / "finished")

    def stop(epoch):
        if epoch.epoch == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained(cohort, fold, tmp_path / "cut", on_epoch=stop, checkpoint_seconds=0.0)
    record = prepared_again.exam(fold.test[0]).folder / "case.json"
    record.write_text(record.read_text(encoding="utf-8").replace("}", ', "signature": "other"}'), encoding="utf-8")
    with refused(TrainingError, "training.other_finished"):
        trained(prepared_again, fold, tmp_path / "finished")
    with refused(TrainingError, "training.other_unfinished"):
        trained(prepared_again, fold, tmp_path / "cut")
    monkeypatch.setattr("PCNSLSurvivalLib.core.version.__version__", "9.9.9")
    with refused(TrainingError, "training.other_finished"):
        trained(cohort, fold, tmp_path / "finished")


def test_another_fit_of_the_lesion_head_is_another_training_only_where_there_is_one(cohort, monkeypatch):
    fold = folds_of(cohort)[0]

    def identities() -> list[str]:
        jobs = [
            NetworkJob(arm="a", fold=fold, sequences=(MRSequence.T1GD,), settings=replace(SETTINGS, lesion_head=head))
            for head in (False, True)
        ]
        return [_identity(cohort, job, fold.train, StartingPoint(), {}) for job in jobs]

    before = identities()
    monkeypatch.setattr("PCNSLSurvivalLib.training.settings._LESION_HEAD_REVISION", 3)
    plain, refitted = identities()
    assert plain == before[0]
    assert refitted != before[1]


@pytest.mark.parametrize(("epochs_done", "weight_averaging"), [(1, 0.0), (3, 0.5)])
def test_a_training_interrupted_after_any_epoch_ends_as_an_undisturbed_one(
    cohort, tmp_path, epochs_done, weight_averaging
):
    settings = replace(
        SETTINGS, epochs=4, patience=9, augmentation=AugmentationSettings(), weight_averaging=weight_averaging
    )
    fold = folds_of(cohort)[0]
    undisturbed = trained(cohort, fold, tmp_path / "undisturbed", settings)
    seen = []

    def stop(epoch):
        seen.append(epoch)
        if len(seen) == epochs_done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained(cohort, fold, tmp_path / "stopped", settings, on_epoch=stop, checkpoint_seconds=0.0)
    assert not (tmp_path / "stopped").exists()
    again = trained(cohort, fold, tmp_path / "stopped", settings, checkpoint_seconds=0.0)
    assert weights(again.folder) == weights(undisturbed.folder)
    assert (again.folder / "predictions.csv").read_bytes() == (undisturbed.folder / "predictions.csv").read_bytes()
    np.testing.assert_array_equal(again.validation_log_odds, undisturbed.validation_log_odds)
    assert not list(tmp_path.glob(".*unfinished"))


def test_a_training_that_an_earlier_version_began_is_continued_without_the_predictions_it_never_kept(cohort, tmp_path):
    fold, settings = folds_of(cohort)[0], replace(SETTINGS, epochs=3, patience=9)

    def stop(epoch):
        if epoch.epoch == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained(cohort, fold, tmp_path / "job", settings, on_epoch=stop, checkpoint_seconds=0.0)
    (path,) = tmp_path.glob(".*unfinished/checkpoint.pt")
    state = torch.load(path, weights_only=True)
    assert state["version"] == 2
    assert len(state.pop("validation_log_odds")) == len(state["history"])
    torch.save(state | {"version": 1}, path)
    job = trained(cohort, fold, tmp_path / "job", settings, checkpoint_seconds=0.0)
    assert job.validation_log_odds is None
    assert len(history(job.folder)) == 3
    assert weights(job.folder) == weights(trained(cohort, fold, tmp_path / "undisturbed", settings).folder)


def test_a_running_mean_of_the_weights_is_what_is_kept(cohort, tmp_path):
    fold = folds_of(cohort)[0]
    settings = replace(SETTINGS, epochs=1, batch_size=2)
    last = tensors(trained(cohort, fold, tmp_path / "last", settings).folder)
    slow = tensors(trained(cohort, fold, tmp_path / "slow", replace(settings, weight_averaging=0.99)).folder)
    quick = tensors(trained(cohort, fold, tmp_path / "quick", replace(settings, weight_averaging=1e-6)).folder)
    name = "layer1.0.conv1.weight"
    assert np.allclose(quick[name], last[name], atol=1e-5)
    assert np.abs(slow[name] - last[name]).mean() > 1e-3 * np.abs(last[name]).mean()


def test_a_full_disk_keeps_the_last_checkpoint(cohort, tmp_path, monkeypatch):
    fold = folds_of(cohort)[0]
    settings = replace(SETTINGS, epochs=3, patience=9)
    undisturbed = trained(cohort, fold, tmp_path / "undisturbed", settings)
    from PCNSLSurvivalLib.training import checkpoints

    save, calls = torch.save, []

    def full(state, stream):
        calls.append(1)
        if len(calls) == 2:
            stream.write(b"half of it")
            raise OSError(28, "No space left on device")
        save(state, stream)

    monkeypatch.setattr(checkpoints.torch, "save", full)
    with refused(TrainingError, "training.checkpoint_disk_full"):
        trained(cohort, fold, tmp_path / "job", settings, checkpoint_seconds=0.0)
    monkeypatch.setattr(checkpoints.torch, "save", save)
    again = trained(cohort, fold, tmp_path / "job", settings)
    assert weights(again.folder) == weights(undisturbed.folder)


@pytest.mark.parametrize(
    ("where", "problem", "code", "values"),
    [
        ("logs.TrainingLog.__call__", OSError(28, "No space left on device"), "files.disk_full", {}),
        ("epochs.training_batches", torch.OutOfMemoryError("CUDA out of memory"), "training.gpu_memory_full", {}),
        ("epochs.training_batches", RuntimeError("unable to find an engine"), "training.gpu_memory_full", {}),
        (
            "checkpoints.torch.save",
            OSError(13, "Permission denied"),
            "training.checkpoint_not_written",
            {"reason": "Permission denied"},
        ),
    ],
)
def test_what_the_computer_runs_out_of_is_told(cohort, tmp_path, monkeypatch, where, problem, code, values):
    def fail(*words, **named):
        raise problem

    monkeypatch.setattr(f"PCNSLSurvivalLib.training.{where}", fail)
    with refused(PCNSLSurvivalError, code, **values):
        trained(cohort, folds_of(cohort)[0], tmp_path / "job", checkpoint_seconds=0.0)


def test_memory_running_out_inside_a_transform_of_monai_is_told_in_a_sentence(cohort, tmp_path, monkeypatch):
    def full(*given, **named):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 32.00 MiB")

    monkeypatch.setattr(RandAffine, "__call__", full)
    augmentation = replace(SETTINGS.augmentation, transforms="monai", probability=1.0)
    with refused(TrainingError, "training.gpu_memory_full"):
        trained(cohort, folds_of(cohort)[0], tmp_path / "job", replace(SETTINGS, augmentation=augmentation))


def test_float32_is_not_rounded_to_tf32_in_training_and_validation(cohort, tmp_path, monkeypatch):
    seen: dict[str, list[bool]] = {"epochs": [], "network_outputs": []}
    for name, found in seen.items():

        def looked(tensors, found=found):
            found.append(torch.backends.cudnn.allow_tf32)
            return tensors

        monkeypatch.setattr(f"PCNSLSurvivalLib.training.{name}.as_network_wants", looked)
    trained(cohort, folds_of(cohort)[0], tmp_path / "job", replace(SETTINGS, epochs=1))
    assert all(seen.values())
    assert not any(flag for found in seen.values() for flag in found)


def test_a_fold_that_names_a_censored_case_or_shares_a_patient_is_refused(cohort, tmp_path):
    fold = folds_of(cohort)[0]
    with refused(TrainingError, "training.case_without_class"):
        trained(cohort, Fold(0, 0, train=(*fold.train, "P012"), test=fold.test), tmp_path / "job")
    with refused(TrainingError, "training.patient_on_both_sides"):
        trained(cohort, Fold(0, 0, train=(*fold.train, fold.test[0]), test=fold.test), tmp_path / "job")


def test_frozen_parts_keep_their_start_and_the_backbone_learns_slower(cohort, tmp_path):
    fold, other, _ = folds_of(cohort)
    start = tensors(trained(cohort, other, tmp_path / "start").folder)
    settings = replace(SETTINGS, frozen=("conv1", "layer1"), batch_norm="frozen", backbone_factor=0.25)
    job = trained(cohort, fold, tmp_path / "job", settings, start=StartingPoint(weights=start))
    after = tensors(job.folder)
    for name in start:
        part = name.split(".")[0]
        same = np.array_equal(start[name], after[name])
        assert same == (part in ("conv1", "bn1", "layer1") or "running" in name), name
    optimizer = build_optimizer(build_network(settings, 1, start, seed=0), settings, transfer=True)
    assert {group["lr"] for group in optimizer.param_groups} == {1e-3, 2.5e-4}
    assert build_schedule(optimizer, settings).get_last_lr()[0] < 1e-3


def test_class_weights_let_both_classes_count_alike_however_many_are_in_them(cohort, tmp_path):
    """One pass that barely moves the network, in one batch: its loss can be computed from the network's start."""
    classes = labeled_cases(cohort).class_of()
    many, few = ([name for name, one in classes.items() if one == which] for which in (0, 1))
    fold = Fold(0, 0, train=(*sorted(many), *sorted(few)[:2]), test=())
    found = {}
    for weighted in (False, True):
        settings = replace(SETTINGS, epochs=1, batch_size=16, learning_rate=1e-9, class_weights=weighted)
        job = trained(cohort, fold, tmp_path / str(weighted), settings)
        seed = int(np.random.SeedSequence((settings.seed, 0, 0)).generate_state(1, np.uint32)[0])
        network = build_network(settings, 1, None, seed=seed).train()
        fit = job.facts["train_cases"]
        with torch.no_grad():
            logits = network(torch.from_numpy(NetworkInputs(cohort, (MRSequence.T1GD,), SETTINGS.grid).batch(fit)))
        target = torch.tensor([classes[name] for name in fit])
        loss = torch.nn.functional.cross_entropy(logits, target, reduction="none")
        assert (target == 0).sum() > 2 * (target == 1).sum()
        alike = (loss[target == 0].mean() + loss[target == 1].mean()) / 2
        found[weighted] = float(history(job.folder)[0]["train_loss"])
        assert found[weighted] == pytest.approx(float(alike if weighted else loss.mean()), rel=1e-4)
    assert found[True] != pytest.approx(found[False], rel=1e-2)


def test_tensorboard_holds_the_curves_of_the_table(cohort, tmp_path):
    job = trained(cohort, folds_of(cohort)[0], tmp_path / "job", replace(SETTINGS, epochs=2))
    (events,) = (job.folder / "tensorboard").iterdir()
    curves: dict[str, list[float]] = {}
    content = events.read_bytes()
    while content:
        # A record is its length, a checksum, the event, and another checksum.
        length = int.from_bytes(content[:8], "little")
        for value in Event.FromString(content[12 : 12 + length]).summary.value:
            curves.setdefault(value.tag, []).append(value.simple_value)
        content = content[16 + length :]
    assert set(curves) == {"train_loss", "validation_loss", "learning_rate", "samples_per_second"}
    for name, values in curves.items():
        assert values == pytest.approx([float(row[name]) for row in history(job.folder)], rel=1e-5)
