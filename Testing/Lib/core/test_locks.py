"""A place has one run at a time; a run that was killed stands in nobody's way."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from PCNSLSurvivalLib.core.errors import OutputFolderError
from PCNSLSurvivalLib.core.locks import at_work

_HOLD = """
import sys, time
from pathlib import Path
from PCNSLSurvivalLib.core.locks import at_work
with at_work(Path(sys.argv[1])):
    print("holding", flush=True)
    time.sleep(600)
"""


def test_a_second_run_is_told_who_is_at_work_and_the_place_is_free_again_when_the_first_is_killed(tmp_path):
    place = tmp_path / "out"
    first = subprocess.Popen([sys.executable, "-c", _HOLD, str(place)], stdout=subprocess.PIPE, text=True)
    assert first.stdout is not None
    assert first.stdout.readline() == "holding\n"
    with pytest.raises(OutputFolderError) as refused, at_work(place):
        pass
    assert re.search(rf"\(process {first.pid} on .+, since \d{{4}}-\d\d-\d\d \d\d:\d\d", str(refused.value))
    first.kill()
    first.communicate()
    with at_work(place):
        assert f"process {os.getpid()} " in (tmp_path / ".out.at_work").read_text(encoding="utf-8")
    assert not list(tmp_path.iterdir())


def test_other_places_are_free_and_one_is_free_after_an_error(tmp_path):
    with at_work(tmp_path / "one"), at_work(tmp_path / "two"):
        pass
    with pytest.raises(KeyError), at_work(tmp_path / "one"):
        raise KeyError
    with at_work(tmp_path / "one"):
        pass


def test_a_place_that_cannot_be_written_is_told_in_a_sentence(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputFolderError, match="cannot be written"), at_work(tmp_path / "file" / "out"):
        pass
