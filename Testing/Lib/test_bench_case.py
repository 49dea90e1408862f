"""``make bench-case`` says where the seconds of a case go: its parts add up to the whole."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))

from bench_case import part_rows, parts_of


def test_the_parts_of_a_case_are_its_steps_the_start_and_the_rest():
    steps = {"brain_extraction": 4.0, "registration t1 rough": 0.5, "registration t1": 1.0, "registration t2": 1.5}
    parts = parts_of(12.0, 2.0, steps)
    assert sum(parts.values()) == pytest.approx(12.0)
    assert list(parts.values()) == pytest.approx([2.0, 4.0, 3.0, 3.0])
    assert list(parts) == ["start and imports", "Brain extraction", "Registration to T1Gd", "report and files"]


def test_parts_that_are_short_are_added_up_and_every_part_has_its_share():
    parts = {"start": [2.0, 4.0, 3.0], "Grad-CAM": [0.1, 0.1, 0.1], "grid": [0.1, 0.0, 0.1], "rest": [5.0, 7.0, 6.0]}
    rows = [(row[1], row[2], row[-1]) for row in part_rows("patient", 10.0, parts)]
    assert rows == [
        ("of these: start", "3.0 (2.0 to 4.0)", "0.30"),
        ("of these: rest", "6.0 (5.0 to 7.0)", "0.60"),
        ("of these: shorter parts", "0.2 (0.1 to 0.2)", "0.02"),
    ]
