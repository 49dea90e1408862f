"""Many tasks: none stops the others, no orphan goes on, and a cluster does the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from refusals import refused

from PCNSLSurvivalLib.core.errors import PreparationError
from PCNSLSurvivalLib.core.workers import run_tasks

WORK = """
import os, sys, time
from pathlib import Path
def work(task):
    folder, name = task
    if name == "dies":
        os.kill(os.getpid(), 9)
    (Path(folder) / name).write_text(str(os.getpid()))
    if name == "waits":
        time.sleep(600)
    return f"{name} done"
def lost(task, reason):
    return f"{task[1]} lost: {reason}"
"""


@pytest.fixture
def functions(tmp_path, monkeypatch):
    (tmp_path / "made_work.py").write_text(WORK)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    import made_work

    yield made_work
    del sys.modules["made_work"]


def test_a_task_whose_process_dies_is_named_and_the_others_finish(tmp_path, functions):
    tasks = [(str(tmp_path), name) for name in ("a", "dies", "b")]
    outcomes = {task[1]: outcome for task, outcome in run_tasks(functions.work, tasks, lost=functions.lost, jobs=2)}
    assert outcomes["a"] == "a done"
    assert outcomes["b"] == "b done"
    assert "dies lost: Its process ended" in outcomes["dies"]


def test_a_dask_cluster_does_the_same(tmp_path, functions):
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, protocol="tcp", dashboard_address=":0"
    ) as cluster:
        tasks = [(str(tmp_path), name) for name in ("a", "b")]
        done = list(run_tasks(functions.work, tasks, lost=functions.lost, scheduler=cluster.scheduler_address))
    assert sorted(outcome for _, outcome in done) == ["a done", "b done"]


def test_a_silent_scheduler_is_told_in_a_sentence(functions):
    with refused(PreparationError, "workers.no_scheduler"):
        list(run_tasks(functions.work, [("", "a")], lost=functions.lost, scheduler="nowhere"))


def test_when_the_command_is_killed_its_workers_end_too(tmp_path, functions):
    script = (
        "from made_work import work, lost\nfrom PCNSLSurvivalLib.core.workers import run_tasks\n"
        f"if __name__ == '__main__':\n    list(run_tasks(work, [({str(tmp_path)!r}, 'waits')], lost=lost, jobs=2))\n"
    )
    (tmp_path / "command.py").write_text(script)
    command = subprocess.Popen([sys.executable, str(tmp_path / "command.py")])
    marker = Path(tmp_path / "waits")
    while not (marker.is_file() and marker.read_text()):
        assert command.poll() is None
        time.sleep(0.05)
    worker = int(marker.read_text())
    command.send_signal(signal.SIGKILL)
    command.wait()
    _until_gone(worker)


def _until_gone(process: int) -> None:
    for _ in range(1200):
        try:
            os.kill(process, 0)
            if "State:\tZ" in Path(f"/proc/{process}/status").read_text():
                return
        except (ProcessLookupError, FileNotFoundError):
            return
        time.sleep(0.05)
    raise AssertionError("the worker still runs")
