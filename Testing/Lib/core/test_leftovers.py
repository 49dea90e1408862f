"""A run that is killed without warning loses nothing: the next start finds the old or the new, and cleans up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from PCNSLSurvivalLib.cohorts import cohort_preparation
from PCNSLSurvivalLib.core.storage import leftovers
from PCNSLSurvivalLib.core.storage.files import whole_file, whole_folder
from PCNSLSurvivalLib.core.storage.leftovers import clear_leftovers, put_in_place, staging_name
from PCNSLSurvivalLib.experiment import run

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9 on Windows")

ROOT = Path(leftovers.__file__).parents[2]
WRITER = """
import sys
from pathlib import Path
from PCNSLSurvivalLib.core.storage.files import whole_folder
from PCNSLSurvivalLib.core.storage import leftovers
if "--no-exchange" in sys.argv:
    leftovers._exchanged = lambda one, other: False
out = Path(sys.argv[1])
for number in range(1000000):
    with whole_folder(out, overwrite=True) as staging:
        for name in ("first", "last"):
            (staging / name).write_text(str(number))
    print(number, flush=True)
"""
STAYS = """
import sys, time
from pathlib import Path
from PCNSLSurvivalLib.core.storage.files import whole_folder
with whole_folder(Path(sys.argv[1])) as staging:
    (staging / "t1gd.nii.gz").write_text("a patient")
    print("begun", flush=True)
    time.sleep(600)
"""


def _start(program: str, *words: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", program, *words],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    assert process.stdout.readline()
    return process


def _kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()


def _next_start(folder: Path) -> None:
    with whole_folder(folder / "another") as staging:
        (staging / "file").touch()


def test_what_a_killed_run_was_writing_is_removed_at_the_next_start_and_what_a_living_one_writes_is_not(tmp_path):
    dead, living = _start(STAYS, str(tmp_path / "dead")), _start(STAYS, str(tmp_path / "living"))
    try:
        _kill(dead)
        assert len(list(tmp_path.glob(".*.partial"))) == 2
        _next_start(tmp_path)
        (left,) = tmp_path.glob(".*.partial")
        assert left.name.startswith(".living.")
        assert (left / "t1gd.nii.gz").is_file()
    finally:
        _kill(living)
    clear_leftovers(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["another"]


def test_a_dead_run_of_another_container_is_known_by_its_free_lock(tmp_path, monkeypatch):
    dead = _start(STAYS, str(tmp_path / "dead"))
    _kill(dead)
    monkeypatch.setattr(leftovers, "gethostname", lambda: "another")
    clear_leftovers(tmp_path)
    assert list(tmp_path.glob(".*.partial"))
    (left,) = tmp_path.glob(".*.partial")
    os.utime(left, (time.time() - 3600,) * 2)
    clear_leftovers(tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("mode", ["", "--no-exchange"], ids=["exchanged in one step", "renamed twice"])
def test_killed_at_any_moment_the_old_or_the_new_folder_is_there_whole(tmp_path, mode):
    draw = np.random.default_rng(5)
    for _ in range(4):
        process = _start(WRITER, str(tmp_path / "out"), *([mode] if mode else []))
        time.sleep(draw.uniform(0, 0.1))
        _kill(process)
        _next_start(tmp_path)
        assert (tmp_path / "out" / "first").read_text() == (tmp_path / "out" / "last").read_text()
        assert sorted(path.name for path in tmp_path.iterdir()) == ["another", "out"]
        (tmp_path / "another" / "file").unlink()
        (tmp_path / "another").rmdir()


SCRATCH = """
import time
from PCNSLSurvivalLib.core.storage.leftovers import scratch_folder
with scratch_folder() as folder:
    (folder / "pixels").write_text("a patient")
    print("begun", flush=True)
    time.sleep(600)
"""
WRITES = """
import sys, time
from pathlib import Path
from PCNSLSurvivalLib.core.storage.files import whole_file
with whole_file(Path(sys.argv[1])) as partial:
    partial.write_text("half")
    print("begun", flush=True)
    time.sleep(600)
"""


def test_temporary_files_of_a_killed_run_are_removed_by_the_next_and_those_of_a_living_one_are_not(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(leftovers.tempfile, "tempdir", str(tmp_path))
    dead, living = _start(SCRATCH), _start(SCRATCH)
    try:
        _kill(dead)
        assert len(list(tmp_path.glob("*/pixels"))) == 2
        with leftovers.scratch_folder() as ours:
            assert ours.stat().st_mode & 0o077 == 0
            left = [path for path in tmp_path.iterdir() if path != ours]
            assert len(left) == 1
            assert (left[0] / "pixels").read_text() == "a patient"
    finally:
        _kill(living)


def test_half_a_file_of_a_killed_run_is_removed_when_the_next_file_is_written_beside_it(tmp_path):
    _kill(_start(WRITES, str(tmp_path / "model.zip")))
    assert len(list(tmp_path.iterdir())) == 1
    with whole_file(tmp_path / "another.zip") as partial:
        partial.write_text("whole")
    assert [path.name for path in tmp_path.iterdir()] == ["another.zip"]


def test_an_earlier_folder_that_was_moved_aside_is_given_back(tmp_path):
    aside = leftovers._owned(tmp_path / "out", ".previous")
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    aside = aside.with_name(aside.name.replace(f"-{os.getpid()}-", f"-{gone.pid}-"))
    aside.mkdir()
    (aside / "result").write_text("old")
    clear_leftovers(tmp_path)
    assert (tmp_path / "out" / "result").read_text() == "old"


def test_a_folder_that_cannot_be_put_in_place_leaves_the_earlier_one(tmp_path, monkeypatch):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "result").write_text("old")
    monkeypatch.setattr(leftovers, "_exchanged", lambda one, other: False)
    with pytest.raises(OSError, match="No such file"):
        put_in_place(staging_name(tmp_path / "out"), tmp_path / "out")
    assert (tmp_path / "out" / "result").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("tidy", ["preprocess", "experiment"])
def test_what_another_run_is_writing_is_not_touched_by_a_command_started_beside_it(tidy, tmp_path):
    place = {"preprocess": "cases", "experiment": "jobs/arm"}[tidy]
    (tmp_path / place).mkdir(parents=True)
    (tmp_path / cohort_preparation.STEPS_FOLDER).mkdir()
    living = _start(STAYS, str(tmp_path / place / "living"))
    dead = _start(STAYS, str(tmp_path / place / "dead"))
    try:
        _kill(dead)
        if tidy == "preprocess":
            cohort_preparation._claim_folder(tmp_path)
        else:
            run._tidy(tmp_path)
        (left,) = (tmp_path / place).glob(".*.partial")
        assert left.name.startswith(".living.")
    finally:
        _kill(living)
