"""The rule for commit subjects, as the commit hook and the build server check it."""

from __future__ import annotations

import os
import shutil
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


def _check(folder, **environment):
    return subprocess.run(
        [sys.executable, str(SCRIPT)], cwd=folder, env=os.environ | environment, capture_output=True, text=True
    )


def _git(folder, *words):
    identity = ["-c", "user.name=n", "-c", "user.email=n@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True)


def _commit(folder, subject):
    _git(folder, "commit", "--allow-empty", "-m", subject)


@pytest.fixture
def clone(tmp_path):
    """Of a repository whose commits cannot be mended any more."""
    (tmp_path / "upstream").mkdir()
    _git(tmp_path / "upstream", "init")
    _commit(tmp_path / "upstream", "of old times")
    _git(tmp_path, "clone", "upstream", "clone")
    return tmp_path / "clone"


needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")


@needs_git
def test_new_commits_are_checked_and_published_ones_are_not(clone):
    done = _check(clone)
    assert (done.returncode, done.stdout) == (0, "0 new commits checked\n")
    _commit(clone, "no kind")
    _commit(clone, "BUG: Show the map")
    done = _check(clone)
    assert (done.returncode, done.stdout) == (1, "2 new commits checked\n")
    assert done.stderr.endswith(": 'no kind'\n")


def test_where_there_is_no_upstream_or_no_git_it_passes(tmp_path):
    for environment in ({"GIT_CEILING_DIRECTORIES": str(tmp_path.parent)}, {"PATH": str(tmp_path)}):
        done = _check(tmp_path, **environment)
        assert (done.returncode, done.stdout) == (0, "0 new commits checked\n")
