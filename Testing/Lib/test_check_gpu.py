"""``make check-gpu`` itself, tried on the CPU with tiny networks: nothing here says how a GPU computes."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STORED = ROOT / "Testing" / "benchmarks" / "figures" / "check-gpu-h100.json"
sys.path.insert(0, str(ROOT / "Testing" / "benchmarks"))

import check_gpu  # noqa: E402 — found by the path above
from gpu_checks.section import Report  # noqa: E402 — found by the path above


def _run(out: Path, *only: str) -> dict:
    words = [sys.executable, str(ROOT / "Testing" / "benchmarks" / "check_gpu.py"), "--small", "--out", str(out)]
    done = subprocess.run([*words, "--only", *only], capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(out.read_text(encoding="utf-8"))["sections"]


def test_every_section_of_the_check_of_a_gpu_can_be_loaded():
    assert all(callable(import_module(module).run) for module, _seconds in check_gpu.SECTIONS.values())


def test_the_page_gives_the_stored_figures():
    sections = json.loads(STORED.read_text(encoding="utf-8"))["sections"]
    page = (ROOT / "docs" / "compute.md").read_text(encoding="utf-8")
    fold, network = sections["fold"], sections["network"]["depths"]
    rows = ("training step, batch 8, ours, bf16", "training step, batch 8, MONAI, bf16 autocast")
    rows += ("training step, batch 8, ours, float32", "training step, batch 8, MONAI as it comes (TF32)")
    steps = [network[depth][row]["samples per second"]["median"] for row in rows for depth in ("10", "50")]
    assert all(f"{before:.0f} | {after:.0f} |" in page for before, after in zip(steps[::2], steps[1::2], strict=True))
    for name in ("paper", "paper, one interpolation"):
        assert f"{fold[f'{name}, samples per second']:.0f} samples/s" in page
        assert f"{fold[f'{name}, extrapolated']['hours of the grid']:.0f} hours" in page
    assert sections["machine"]["packages"]["torch"] in page
    assert [name for name, section in sections.items() if section["state"] != "done"] == [
        "correctness",
        "resume",
        "data",
    ]


@pytest.mark.slow
def test_the_check_of_a_gpu_runs_on_the_cpu(tmp_path):
    sections = _run(tmp_path / "figures.json", "correctness", "network", "fold", "precision", "data")
    assert {name: section["state"] for name, section in sections.items()} == dict.fromkeys(
        ("machine", "patients", "correctness", "network", "fold", "precision", "data"), "done"
    )
    assert len(sections["correctness"]["checks"]) >= 8
    assert not any("error" in row for row in sections["network"]["depths"]["10"].values())
    assert "extrapolation" in sections["fold"]["paper, extrapolated"]["is"]
    assert sections["data"]["ours"]["median"] > 0


@pytest.mark.slow
def test_the_check_of_a_killed_training_runs_on_the_cpu(tmp_path):
    resume = _run(tmp_path / "figures.json", "resume")["resume"]
    assert resume["relative distance of the weights"]["killed and undisturbed"] == 0.0
    assert resume["killed after epochs"] < 5


def test_a_section_that_fails_or_takes_too_long_keeps_its_figures_and_lets_the_others_run(tmp_path, capsys):
    report = Report(tmp_path / "out" / "figures.json", small=True)
    with report.section("broken", seconds=60.0) as section:
        section.note("before", 1)
        raise ValueError("a reason")
    with report.section("slow", seconds=0.05) as section:
        section.check("too large", 2.0, 1.0)
        section.check("no number", float("nan"), 1.0)
        time.sleep(20)
    with report.section("whole", seconds=60.0) as section:
        section.check("small", 0.5, 1.0)
    assert report.finish() == 1
    stored = json.loads((tmp_path / "out" / "figures.json").read_text(encoding="utf-8"))["sections"]
    assert [section["state"] for section in stored.values()] == ["failed", "out of time", "done"]
    assert (stored["broken"]["before"], stored["broken"]["error"]) == (1, "ValueError: a reason")
    assert [check["met"] for check in stored["slow"]["checks"].values()] == [False, False]
    said = capsys.readouterr().out
    assert "1 of 3 limits met" in said
    assert all(name in said for name in ("slow: too large", "broken (failed)", "slow (out of time)"))
