"""One command runs the whole grid; killed at any moment, it ends as if nothing had happened and repeats nothing."""

from __future__ import annotations

import csv
import errno
import json
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from distributed import LocalCluster
from made_experiments import TINY, finished, kill, made_cohorts, run_here, run_to_the_end, start, tables
from refusals import refusal, refused

from PCNSLSurvivalLib.cli.__main__ import main
from PCNSLSurvivalLib.cohorts.prepared_cohort import read_prepared_cohort
from PCNSLSurvivalLib.core.errors import TrainingError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.experiment import examples, run
from PCNSLSurvivalLib.experiment.model.from_experiment import model_description
from PCNSLSurvivalLib.experiment.model.trained_networks import member_of
from PCNSLSurvivalLib.experiment.plan import read_plan
from PCNSLSurvivalLib.experiment.run import Experiment
from PCNSLSurvivalLib.models.model_folder import read_model_folder
from PCNSLSurvivalLib.models.model_license import APACHE
from PCNSLSurvivalLib.reports.experiment import report
from PCNSLSurvivalLib.training import processes
from PCNSLSurvivalLib.training.finished_job import read_job

JOBS = 1 + 2 * 4 + 4
"""Of the made experiment: one pre-training, two networks and a baseline in two folds twice."""


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    return made_cohorts(tmp_path_factory.mktemp("made"))


@pytest.fixture(scope="module")
def undisturbed(root) -> Path:
    done = run_here(root, root / "undisturbed")
    assert done.returncode == 0, done.stderr
    (root / "told.txt").write_text(done.stderr, encoding="utf-8")
    return root / "undisturbed"


def test_one_command_leaves_every_table_every_figure_and_a_model(root, undisturbed):
    results = undisturbed / "results"
    assert {path.name for path in results.iterdir()} == {
        "experiment_report.html",
        "predictions.csv",
        "results.csv",
        "fold_metrics.csv",
        "comparisons.csv",
        "optimism.csv",
        "survival.csv",
        "survival_over_time.csv",
        "results_table.tex",
        "methods.txt",
        "figures",
    }
    figures = ("roc", "precision_recall", "calibration", "decision", "kaplan_meier", "activation", "learning")
    assert {path.name for path in (results / "figures").iterdir()} == {
        f"{name}.{kind}" for name in figures for kind in ("png", "svg")
    }
    html = (results / "experiment_report.html").read_text(encoding="utf-8")
    assert all(f"figures/{name}.png" in html for name in figures)
    model = read_model_folder(undisturbed / "model")
    assert (model.kind, model.training_patients, len(model.members)) == ("demonstration", 12, 2)
    assert model.temperature != 1.0
    assert read_plan(undisturbed / "experiment.yaml").arm_names == read_plan(root / "plan.yaml").arm_names
    with (undisturbed / "jobs.csv").open(newline="", encoding="utf-8") as stream:
        jobs = list(csv.DictReader(stream))
    assert len(jobs) == JOBS
    assert {job["state"] for job in jobs} == {"finished"}
    assert (undisturbed / "left_out.csv").read_text(encoding="utf-8").count("Censored before the threshold") == 2


def test_every_epoch_of_every_network_is_told_while_the_experiment_runs(root, undisturbed):
    lines = (root / "told.txt").read_text(encoding="utf-8").splitlines()
    epochs = [line.split(":")[0] for line in lines if "training loss" in line]
    assert len(epochs) == len(set(epochs)) == 3 + 4 * 3 + 4 * 2  # of the pre-training, from scratch, from the start
    assert epochs.index("t1gd_pretraining, epoch 3/3") < epochs.index("t1gd_transfer repeat2_fold1, epoch 2/2")


def test_the_same_command_again_repeats_nothing(root, undisturbed, no_figures):
    before, results = finished(undisturbed), tables(undisturbed)
    again = run_here(root, undisturbed)
    assert f"0 jobs finished, {JOBS} already finished (skipped), 0 failed" in again.stdout
    assert (finished(undisturbed), tables(undisturbed)) == (before, results)
    assert "is of an earlier one" not in again.stdout


def killed_then_finished(root: Path, out: Path, *, times: int, seed: int) -> dict[str, bytes]:
    """Kill the command at some moments between its first job and its last table; the tables it ends with."""
    draw = random.Random(seed)
    # The last kill comes when all jobs are finished: while tables, figures and model are written.
    moments = [*sorted(draw.choices(range(JOBS), k=times - 1)), JOBS]
    kept: dict[str, int] = {}
    for wanted in moments:
        running = start(root, out)
        while running.poll() is None and len(finished(out)) < wanted:
            time.sleep(0.02)
        time.sleep(draw.uniform(0.0, 0.4))
        kill(running)
        assert kept.items() <= finished(out).items(), "a finished job was lost or done again"
        kept = finished(out)
    done = run_to_the_end(root, out)
    assert done.returncode == 0, done.stderr
    assert kept.items() <= finished(out).items()
    assert not list(out.rglob("*.partial")) + list(out.rglob("*.unfinished"))
    return tables(out)


@pytest.mark.slow
def test_two_kills_change_nothing(root, undisturbed, tmp_path):
    assert killed_then_finished(root, tmp_path / "killed", times=2, seed=3) == tables(undisturbed)


@pytest.mark.slow
def test_ten_kills_change_nothing(root, undisturbed, tmp_path):
    assert killed_then_finished(root, tmp_path / "killed", times=10, seed=10) == tables(undisturbed)


SMALL = TINY.replace("[scratch, transfer]", "[scratch]").replace("repeats: 2", "repeats: 1") + "model_arm: null\n"
"""Two folds of a network, two of a baseline."""


@pytest.fixture
def small(tmp_path, monkeypatch) -> Path:
    """Cohorts that a test may spoil, and a small experiment that runs in this process."""
    root = made_cohorts(tmp_path)
    (root / "plan.yaml").write_text(SMALL, encoding="utf-8")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return root


def run_small(root: Path) -> int:
    words = ["experiment", root / "plan.yaml", "--cohort", root / "pcnsl", "--out", root / "out", "--device", "cpu"]
    return main([*map(str, words)])


def test_a_corrupt_scan_in_the_middle_is_named_and_the_rest_is_finished_and_kept(small, no_figures, capsys):
    path = small / "pcnsl" / "cases" / "P005" / "t1gd_preprocessed.nii.gz"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert run_small(small) == 3
    complaint = capsys.readouterr().err
    assert "2 of 4 jobs failed; jobs.csv lists them. Case P005 of the prepared cohort" in complaint
    assert "t1gd_preprocessed.nii.gz is missing or damaged" in complaint
    assert "logistic_clinical" in tables(small / "out")["results.csv"].decode()
    report = small / "out" / "results" / "experiment_report.html"
    assert "Not finished, and so in no table or figure: T1Gd (T)." in report.read_text(encoding="utf-8")
    kept = finished(small / "out")
    assert len(kept) == 2
    path.write_bytes(whole)
    assert run_small(small) == 0
    assert "2 jobs finished, 2 already finished (skipped), 0 failed" in capsys.readouterr().out
    assert "Not finished" not in report.read_text(encoding="utf-8")
    assert kept.items() <= finished(small / "out").items()


def _emptied(path: Path) -> None:
    path.write_bytes(b"")


def _cut(path: Path) -> None:
    """At the end of a line, so that a table is still one."""
    content = path.read_bytes()[:-1]
    path.write_bytes(content[: content.rfind(b"\n") + 1] if path.suffix == ".csv" else content[: len(content) // 2])


def _zeros(path: Path) -> None:
    """As some file systems leave a file after a power cut: of its length, without its content."""
    path.write_bytes(bytes(path.stat().st_size))


def test_a_file_of_a_finished_job_that_was_damaged_is_made_again_and_changes_nothing(small, no_figures, capsys):
    """Also a table that lost its last line and is a table still: a case would be missing without a word."""
    assert run_small(small) == 0
    before = tables(small / "out")
    scratch, clinical = (
        sorted((small / "out" / "jobs" / arm).iterdir()) for arm in ("t1gd_scratch", "logistic_clinical")
    )
    for damaged in (
        [(scratch[0] / "predictions.csv", _cut), (scratch[1] / "member.safetensors", _cut)],
        [(scratch[0] / "job.json", _emptied), (scratch[1] / "network_outputs.npz", _zeros)],
        [
            (scratch[0] / "history.csv", _cut),
            (clinical[0] / "predictions.csv", _zeros),
            (clinical[1] / "job.json", _cut),
        ],
    ):
        for path, damage in damaged:
            damage(path)
        capsys.readouterr()
        assert run_small(small) == 0
        told = capsys.readouterr().out
        assert f"{len(damaged)} jobs finished, {4 - len(damaged)} already finished (skipped), 0 failed" in told
        assert tables(small / "out") == before


def test_a_clinical_variable_that_nobody_has_is_named_and_the_networks_are_kept_when_it_comes(
    small, no_figures, capsys
):
    path = small / "pcnsl" / "cohort.json"
    whole = path.read_text(encoding="utf-8")
    about = json.loads(whole)
    for case in about["cases"]:
        case["clinical"]["ecog"] = None
    path.write_text(json.dumps(about), encoding="utf-8")
    assert run_small(small) == 3
    reason = str(Message("baseline.unknown_column", column="ECOG > 1"))
    assert (
        refusal("experiment.jobs_failed", failed=2, jobs=4, reasons=f"{reason} (2 of them)") in capsys.readouterr().err
    )
    path.write_text(whole, encoding="utf-8")
    assert run_small(small) == 0
    assert "2 jobs finished, 2 already finished (skipped), 0 failed" in capsys.readouterr().out


def test_a_full_disk_stops_the_run_with_a_sentence_and_what_is_finished_is_kept(small, no_figures, capsys, monkeypatch):
    """Full after the first network: while the second writes its checkpoint, then while the report is written."""
    save, saved = torch.save, []

    def save_once(state, stream):
        saved.append(1)
        if len(saved) > 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        save(state, stream)

    monkeypatch.setattr(torch, "save", save_once)
    assert run_small(small) == 3
    assert refusal("files.disk_full") in capsys.readouterr().err
    kept = finished(small / "out")
    assert len(kept) == 1
    monkeypatch.setattr(torch, "save", save)

    def no_room(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(report, "write_fold_metrics_csv", no_room)
        assert run_small(small) == 3
    assert refusal("files.disk_full") in capsys.readouterr().err
    assert not (small / "out" / "results").exists()
    assert run_small(small) == 0
    assert "0 jobs finished, 4 already finished (skipped), 0 failed" in capsys.readouterr().out
    assert kept.items() <= finished(small / "out").items()


HOLD = """
import sys
from pathlib import Path
from PCNSLSurvivalLib.core.storage.locks import folder_lock
with folder_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_folder_that_another_run_has_locked_is_left_alone(small, capsys):
    jobs = small / "out" / "jobs"
    jobs.mkdir(parents=True)
    first = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(jobs / "experiment")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert first.stdout.readline() == "held\n"
    before = sorted(small.rglob("*"))
    assert run_small(small) == 3
    assert f"locked by another run (process {first.pid} on " in capsys.readouterr().err
    assert sorted(small.rglob("*")) == before
    first.communicate()


@pytest.mark.slow
def test_a_second_run_in_the_same_folder_stops_with_a_sentence_and_the_first_one_goes_on(small, capsys):
    first = start(small, small / "out")
    while first.poll() is None and not (small / "out" / "jobs" / ".experiment.owner").exists():
        time.sleep(0.02)
    assert run_small(small) == 3
    assert f"locked by another run (process {first.pid} on " in capsys.readouterr().err
    before = kept = finished(small / "out")
    while first.poll() is None and len(kept) <= len(before):
        time.sleep(0.02)
        kept = finished(small / "out")
    assert before.items() < kept.items()
    first.kill()
    first.communicate()


def test_jobs_at_the_same_time_share_the_gpus_and_one_of_them_can_be_chosen(monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert [run._devices(asked, parallel=4) for asked in ("auto", "cuda")] == [["cuda:0", "cuda:1"]] * 2
    assert [run._devices(asked, parallel=4) for asked in ("cuda:1", "cpu")] == [["cuda:1"], ["cpu"]]
    assert run._devices("cuda", parallel=1) == ["cuda"]
    assert processes._device("cuda:1", None) == torch.device("cuda", 1)
    with refused(TrainingError, "training.no_such_gpu", device="cuda:2", count=2):
        processes._device("cuda:2", None)
    with pytest.raises(SystemExit):
        main(["experiment", "plan.yaml", "--cohort", "a", "--out", "b", "--device", "gpu"])
    assert "must be auto, cpu, cuda, mps, or one GPU of several" in capsys.readouterr().err


@pytest.mark.slow
def test_side_by_side_and_on_a_cluster_the_predictions_are_those_of_one_process(small):
    plan = read_plan(small / "plan.yaml")
    cohort = read_prepared_cohort(small / "pcnsl")
    torch.set_num_threads(1)
    found = {}
    with LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, protocol="tcp", dashboard_address=":0"
    ) as cluster:
        for name, where in {
            "one": {},
            "two": {"parallel": 2},
            "cluster": {"scheduler": cluster.scheduler_address},
        }.items():
            experiment = Experiment(plan=plan, cohort=cohort, second=None, out=small / name)
            summary = run.run_jobs(experiment, device="cpu", **where)
            summary.raise_if_failed()
            folders = [job.folder(experiment.out) for job in summary.job_table.folds]
            found[name] = [(folder / "predictions.csv").read_bytes() for folder in folders]
    assert found["one"] == found["two"] == found["cluster"]


def test_what_makes_no_cohort_is_refused_before_anything_is_trained(small, capsys):
    path = small / "pcnsl" / "cohort.json"
    whole = path.read_text(encoding="utf-8")

    def refused(change) -> str:
        about = json.loads(whole)
        change(about["cases"])
        path.write_text(json.dumps(about), encoding="utf-8")
        assert run_small(small) == 3
        assert not (small / "out").exists()
        return capsys.readouterr().err

    def one_class(cases):
        for case in cases:
            case["os_days"] = 100.0 if case["name"] != "P001" else 900.0
            case["death_observed"] = True

    def twice(cases):
        cases.append(cases[0])

    assert "1 of the patients lived longer than the threshold, 13 did not" in refused(one_class)
    assert "An exam is listed twice" in refused(twice)


def test_another_limit_than_a_year_gives_a_report_that_says_so_and_no_model(small, capsys, monkeypatch):
    planned = report.planned_figures
    only = {"activation"}
    monkeypatch.setattr(report, "planned_figures", lambda of: [one for one in planned(of) if one.name in only])
    plan = (small / "plan.yaml").read_text(encoding="utf-8")
    plan = plan.replace("model_arm: null", "model_arm: t1gd_scratch") + "threshold_days: 390\n"
    (small / "plan.yaml").write_text(plan, encoding="utf-8")
    assert run_small(small) == 0
    assert "No model folder will be made" in capsys.readouterr().out
    assert {path.name for path in (small / "out").iterdir()} == {
        "experiment.yaml", "left_out.csv", "folds.csv", "jobs.csv", "jobs", "results"
    }  # fmt: skip
    assert "explains OS &gt; 390 days" in (small / "out/results/figures/activation.svg").read_text(encoding="utf-8")
    html = (small / "out" / "results" / "experiment_report.html").read_text(encoding="utf-8")
    assert "Overall survival over 390 days" in html
    assert "The model folder and its card" not in html
    (small / "out" / "model").mkdir()
    only.clear()
    assert run_small(small) == 0
    assert "This run makes no model: model/ in the output folder belongs to an earlier run." in capsys.readouterr().out


def test_a_cohort_of_phantoms_makes_a_demonstration_whatever_the_plan_says(small, no_figures, capsys):
    path = small / "pcnsl" / "cohort.json"
    about = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(about | {"virtual": True}), encoding="utf-8")
    plan = (small / "plan.yaml").read_text(encoding="utf-8").replace("virtual_patients: true", "sequences: []")
    plan = plan.replace("sequences: [t1gd]\ninitializations: [scratch]\n", "")
    (small / "plan.yaml").write_text(plan, encoding="utf-8")
    assert run_small(small) == 0
    assert "The patients are virtual: the report says so, and a model is a demonstration." in capsys.readouterr().out
    html = (small / "out" / "results" / "experiment_report.html").read_text(encoding="utf-8")
    assert "All patients are virtual." in html
    kept = read_plan(small / "out" / "experiment.yaml")
    assert kept.virtual_patients
    description = model_description(
        kept, "model", arm="a", sequence=MRSequence.T1GD, patients=1, card="", model_license=APACHE
    )
    assert description.kind == "demonstration"


def test_defect_14_the_map_shown_of_a_patient_is_that_of_a_network_that_never_saw_them(undisturbed, monkeypatch):
    looked_at = []

    def note(folder, architecture):
        looked_at.append(read_job(folder))
        return member_of(folder, architecture)

    monkeypatch.setattr(examples, "member_of", note)
    plan = read_plan(undisturbed / "experiment.yaml")
    experiment = Experiment(
        plan=plan,
        cohort=read_prepared_cohort(undisturbed.parent / "pcnsl"),
        second=read_prepared_cohort(undisturbed.parent / "brats"),
        out=undisturbed,
    )
    jobs = [job for job in experiment.job_table.folds if job.arm == plan.model_arm]
    folds = [read_job(job.folder(undisturbed)).predictions for job in jobs]
    found = examples.activation_examples(
        read_model_folder(undisturbed / "model"), experiment.cohort, jobs, folds, undisturbed
    )
    assert found
    for example, job in zip(found, looked_at, strict=True):
        assert example.number in job.facts["fold"]["test"]
        assert example.lesion[..., example.slice_index()].any(), "the slice shows the tumor"
