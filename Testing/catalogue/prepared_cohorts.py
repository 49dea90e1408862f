"""Prepared cohorts whose record was damaged or changed after this software wrote it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from catalogue.rows import Build, Row
from PCNSLSurvivalLib.cohorts.prepared_cohort import COHORT_FILE, COHORT_VERSION
from PCNSLSurvivalLib.preprocessing.recipe import RECIPE

_EXPERIMENT = ("experiment", "{in}/plan.yaml", "--cohort", "{}", "--out", "{out}")
_CASE = {
    "name": "a",
    "patient": "a",
    "state": "prepared",
    "sequences": ["t1gd"],
    "os_days": 400,
    "death_observed": True,
    "clinical": {},
    "aliases": [],
    "verdict": "good",
    "has_lesion_mask": False,
}
_ABOUT = {
    "made_by": "pcnsl-survival preprocess",
    "version": COHORT_VERSION,
    "recipe": RECIPE.to_json(),
    "cases": [_CASE],
}


def _written(content: bytes) -> Build:
    def build(folder: Path) -> Path:
        (folder / "plan.yaml").write_text("splits: 2\n")
        (folder / "cohort").mkdir()
        (folder / "cohort" / COHORT_FILE).write_bytes(content)
        return folder / "cohort"

    return build


def _but(**entries: Any) -> Build:
    """A record with one thing changed in it."""
    return _written(json.dumps(_ABOUT | entries).encode())


def _case(**entries: Any) -> Build:
    return _but(cases=[_CASE | entries])


REFUSED = [
    Row(f"prepared cohort: {name}", build, "cohort.json is damaged", _EXPERIMENT)
    for name, build in (
        ("nothing in its record", _written(b"")),
        ("a record cut", _written(json.dumps(_ABOUT).encode()[:-20])),
        ("a record nested without end", _written(b"[" * 100_000)),
        ("a list as record", _written(b"[1]")),
        ("a record that is not UTF-8", _written(b"\xff\xfe{}")),
        ("no cases", _but(cases=None)),
        ("cases that are numbers", _but(cases=[1])),
        ("a recipe that is a list", _but(recipe=[])),
        ("a case without a name", _case(name=None)),
        ("a case whose name leads out", _case(name="../elsewhere")),
        ("an unknown verdict", _case(verdict="splendid")),
        ("an unknown clinical variable", _case(clinical={"mood": 1})),
        ("survival of 400 digits", _case(os_days=10**400)),
    )
]
