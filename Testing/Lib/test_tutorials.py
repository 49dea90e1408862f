"""The tutorial for researchers, followed: every command of its shell blocks, in order, with fewer virtual patients."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TUTORIAL = ROOT / "docs" / "tutorial-researcher.md"
PROGRAM = ".venv/bin/pcnsl-survival"
SETUP = {"install-brain-extractor", "doctor"}
"""Commands of the installation, which this environment has behind it."""
LEFT = {"experiment/results/experiment_report.html", "experiment/results/results_table.tex"}
LEFT |= {"prepared/pcnsl/contact_sheet.html", "prepared/pcnsl/data_report.html", "prediction/report.html"}
LEFT |= {"validated/results/validation_report.html"}
"""What the tutorial tells the reader to open."""


def _commands() -> list[list[str]]:
    text = "\n".join(re.findall(r"```sh\n(.*?)```", TUTORIAL.read_text(encoding="utf-8"), flags=re.DOTALL))
    lines = [line.split(" #")[0].strip() for line in text.replace("\\\n", " ").splitlines()]
    words = [shlex.split(line) for line in lines if line.startswith(PROGRAM)]
    return [line[1:] for line in words if line[1] not in SETUP]


def test_every_file_that_the_tutorial_opens_is_named_in_it():
    text = TUTORIAL.read_text(encoding="utf-8")
    assert [name for name in LEFT if name not in text and Path(name).name not in text] == []


@pytest.mark.slow
def test_every_command_of_the_tutorial_for_researchers_does_what_the_page_says(tmp_path):
    """``TUTORIAL_PATIENTS`` is the share of the patients on the page that are made; 1 follows it word for word.

    With less than three quarters the baselines have too few training patients who lived for less than a year.
    """
    share = float(os.environ.get("TUTORIAL_PATIENTS", "0.75"))
    (tmp_path / "Resources").symlink_to(ROOT / "Resources")
    commands = _commands()
    assert {words[0] for words in commands} == {
        "phantom", "preprocess", "experiment", "model", "demo", "predict", "validate",
    }  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for words in commands:
        if "--patients" in words:
            place = words.index("--patients") + 1
            words[place] = str(max(6, round(share * int(words[place]))))
        done = subprocess.run(
            [sys.executable, "-m", "PCNSLSurvivalLib.cli", *words],
            cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout[-1500:]}\n{done.stderr[-1500:]}"
    assert [name for name in LEFT if not (tmp_path / name).is_file()] == []
