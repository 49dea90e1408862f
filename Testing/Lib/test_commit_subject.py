"""The rule for commit subjects, as the commit hook checks it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / ".ci" / "commit_subject.py"


@pytest.mark.parametrize(
    ("subject", "code"),
    [
        ("BUG: Keep scanner orientation when writing the Grad-CAM volume", 0),
        ("Merge branch 'main'", 0),
        ("BUG: " + "A" * 67, 0),
        ("BUG: " + "A" * 68, 1),
        ("keep scanner orientation", 1),
        ("BUG: keep scanner orientation", 1),
        ("BUG: Keep scanner orientation.", 1),
        ("", 1),
    ],
)
def test_the_hook_checks_the_subject(subject, code, tmp_path):
    message = tmp_path / "message"
    message.write_text(
        subject + "\n\nA body of any length stays unchecked, even if it is longer than the subject may be.\n"
    )
    done = subprocess.run([sys.executable, str(SCRIPT), str(message)], capture_output=True, text=True)
    assert done.returncode == code
    assert bool(done.stderr.strip()) == bool(code)
