"""Old words of this project do not come back: each of these has a noun of the field, named in the table."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXTS = {".py", ".md", ".ui", ".html", ".json", ".yaml", ".yml", ".toml", ".cff", ".ipynb"}
ELSEWHERE = ("Testing/Lib/test_words.py", "Testing/slicer_standin/records/")
"""This table, and names that Slicer gives."""

OLD = {
    r"\bat work\b": "running, locked by another run",
    r"\bby lot\b": "permuted, at random",
    r"\bdealt\b|\bdealing\b": "permuted",
    r"(?<![a-z])everybody(?![a-z])|\bnobody\b": "all patients, the full cohort; no patient, no held-out set",
    r"\bpersons\b": "patients",
    r"\bspeaks?\s+for\b": "supports a class; Grad-CAM for class",
    r"\bspeaks?\s+of\b": "suggests",
    r"\blaid\s+over\b|\blays?\s+over\b|\blies\s+over\b": "registered to",
    r"\bfound\s+(?:finished|prepared|predicted)\b": "already finished (skipped), cached",
    r"\binner\s+(?:split|loss|share)\b": "validation split, validation loss",
    r"\bscanned block\b": "field of view",
    r"\bmodule_tasks\b|\bwords_of_|\bsteps?_view\b|\bkept_steps\b": "tasks, messages, steps_table, step_cache",
    r"\bSequence as (?:MRSequence|Several|Ordered)\b": "MRSequence in core/terms.py; Sequence of collections.abc",
    r"\bhalf-written\b": "partial output",
    r"\bfault in this software\b": "internal error",
    r"\bof the usual width\b": "width multiplier",
    r"\blean on this map\b": "rely on this map",
    r"\b(?:row|rows|strip|line|lines|folder|bar|file) a (?:patient|case|scan|step|job|fold|sequence|slice)\b": "per",
    r"(?<!\")\bexaminations?\b": "exam; the column of a table may have the old name",
    r"--keep-steps|--brats\b|--best-auc|--start\b": "--cache-dir, --pretrain-cohort, --oracle-auc, --init-weights",
    r"\bPreparedPatient\b|\bWeightsFileStart\b|\bEvidenceLedger\b|\bMachineWithProbabilities\b": "see house style",
}


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("this is no git checkout")
    return [
        ROOT / name
        for name in listed.stdout.splitlines()
        if Path(name).suffix in TEXTS and not name.startswith(ELSEWHERE) and (ROOT / name).is_file()
    ]


def old_words(text: str) -> list[tuple[int, str, str]]:
    """Line, old word and what to write, for every old word of a text; a word may run over the end of a line."""
    joined = re.sub(r'"\s*\n\s*(?:#\s*)?f?"', lambda gap: " " + "\n" * gap[0].count("\n"), text)
    return [
        (joined.count("\n", 0, found.start()) + 1, " ".join(found[0].split()), instead)
        for pattern, instead in OLD.items()
        for found in re.finditer(pattern, joined, flags=re.IGNORECASE)
    ]


def test_old_words_are_gone_from_code_documents_panel_and_templates():
    faults = [
        f"{path.relative_to(ROOT)}:{line}: '{word}', write: {instead}"
        for path in tracked()
        for line, word, instead in old_words(path.read_text(encoding="utf-8"))
    ]
    assert not faults, "\n" + "\n".join(faults)


def test_the_search_sees_words_over_line_ends_and_no_part_of_another_word():
    assert [word for _, word, _ in old_words('"what speaks "\n    f"for one class"')] == ["speaks for"]
    assert [line for line, _, _ in old_words("first\nBy lot")] == [2]
    assert [word for _, word, _ in old_words("def test_it_holds_everybody_back")] == ["everybody"]
    assert old_words("a network at works, lots") == []
