"""The table of defects names a test for each of the 22, and every test that it names is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

LIB = Path(__file__).resolve().parent
TABLE = LIB.parents[1] / "docs" / "decisions" / "defects.md"


def rows() -> dict[int, list[tuple[str, str]]]:
    """Files and tests by the defect's number."""
    lines = re.findall(r"^\| (\d+) \|.*$", TABLE.read_text(encoding="utf-8"), re.MULTILINE)
    whole = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if re.match(r"\| \d+ \|", line)]
    return {int(n): re.findall(r"`([\w/]+\.py)::(\w+)`", line) for n, line in zip(lines, whole, strict=True)}


def test_every_defect_has_its_test_and_every_test_named_is_there():
    table = rows()
    assert list(table) == list(range(1, 23))
    for number, named in table.items():
        assert named, f"defect {number} names no test"
        for file, test in named:
            tree = ast.parse((LIB / file).read_text(encoding="utf-8"))
            there = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
            assert test in there, f"defect {number}: {file} has no {test}"


def test_every_test_that_calls_itself_after_a_defect_stands_in_its_row():
    table = rows()
    for path in LIB.rglob("test_*.py"):
        for number, rest in re.findall(r"^def test_defect_(\d+)_(\w+)\(", path.read_text(encoding="utf-8"), re.M):
            assert (path.relative_to(LIB).as_posix(), f"test_defect_{number}_{rest}") in table[int(number)]
