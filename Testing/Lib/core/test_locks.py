"""A place has one run at a time; a killed run releases its lock."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from refusals import refused

from PCNSLSurvivalLib.core.errors import OutputFolderError
from PCNSLSurvivalLib.core.storage.locks import folder_lock

_HOLD = """
import sys, time
from pathlib import Path
from PCNSLSurvivalLib.core.storage.locks import folder_lock
with folder_lock(Path(sys.argv[1])):
    print("holding", flush=True)
    time.sleep(600)
"""


def test_a_second_run_learns_who_holds_the_lock_which_a_killed_run_releases(tmp_path):
    place = tmp_path / "out"
    first = subprocess.Popen([sys.executable, "-c", _HOLD, str(place)], stdout=subprocess.PIPE, text=True)
    assert first.stdout is not None
    assert first.stdout.readline() == "holding\n"
    with pytest.raises(OutputFolderError) as refused, folder_lock(place):
        pass
    assert re.search(rf"\(process {first.pid} on .+, since \d{{4}}-\d\d-\d\d \d\d:\d\d", str(refused.value))
    first.kill()
    first.communicate()
    with folder_lock(place):
        assert f"process {os.getpid()} " in (tmp_path / ".out.owner").read_text(encoding="utf-8")
    assert not list(tmp_path.iterdir())


def test_other_places_are_free_and_one_is_free_after_an_error(tmp_path):
    with folder_lock(tmp_path / "one"), folder_lock(tmp_path / "two"):
        pass
    with pytest.raises(KeyError), folder_lock(tmp_path / "one"):
        raise KeyError
    with folder_lock(tmp_path / "one"):
        pass


def test_a_place_that_cannot_be_written_is_told_in_a_sentence(tmp_path):
    (tmp_path / "file").touch()
    with (
        refused(OutputFolderError, "files.output_not_writable"),
        folder_lock(tmp_path / "file" / "out"),
    ):
        pass
