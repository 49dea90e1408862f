"""The virtual patients: made, prepared, and repeated under other names to fill the batches of a fold.

No torch here: the processes that make the patients load this file.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from made_cohorts import made_cohort

from PCNSLSurvivalLib.cohorts.cohort import find_cohort
from PCNSLSurvivalLib.cohorts.cohort_preparation import PreparationOptions, prepare_cohort
from PCNSLSurvivalLib.cohorts.prepared_cohort import CASES_FOLDER, COHORT_FILE, read_prepared_cohort
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.phantoms.cohort import CohortPlan
from PCNSLSurvivalLib.phantoms.cohort_files import make_cohort
from PCNSLSurvivalLib.phantoms.disease.diseases import Kind
from PCNSLSurvivalLib.training.data.dataset import NetworkInputs, labeled_cases

PATIENTS, TIMES = 16, 4


def make_patients(out: Path, *, small: bool) -> None:
    """Write a prepared cohort of T1Gd and ``made.json`` beside it."""
    begin = time.monotonic()
    if small:
        made_cohort(out, patients=12, sequences=(MRSequence.T1GD,))
        facts = {"patients": 12, "names": 12}
    else:
        facts = _made(out)
    facts["seconds"] = round(time.monotonic() - begin, 1)
    (out / "made.json").write_text(json.dumps(facts), encoding="utf-8")


def _made(out: Path) -> dict[str, object]:
    jobs = min(PATIENTS, os.cpu_count() or 1)
    virtual, once = out.with_name("virtual"), out.with_name("once")
    plan = CohortPlan(patients=PATIENTS, seed=20, kind=Kind("pcnsl"), grid="clinical", oracle_auc=0.85)
    begin = time.monotonic()
    make_cohort(plan, virtual, layout="table", sequences=(MRSequence.T1GD,), stripped=True, jobs=jobs)
    made = time.monotonic()
    prepare_cohort(
        find_cohort(virtual / "patients.csv"),
        once,
        PreparationOptions(sequences=(MRSequence.T1GD,), use_brain_masks=True, override_quality=True),
        draw=_no_picture,
        jobs=jobs,
    )
    prepared = time.monotonic()
    names = _repeated(once, out)
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        list(pool.map(_make_inputs, [out] * jobs, [names[n::jobs] for n in range(jobs)]))
    return {
        "patients": PATIENTS,
        "names": len(names),
        "processes": jobs,
        "seconds making": round(made - begin, 1),
        "seconds preparing": round(prepared - made, 1),
        "seconds sampling": round(time.monotonic() - prepared, 1),
    }


def _repeated(once: Path, out: Path) -> list[str]:
    """The patients with a class under several names: as many samples for a pass as a fold of real patients has."""
    about = json.loads((once / COHORT_FILE).read_text(encoding="utf-8"))
    labeled = set(labeled_cases(read_prepared_cohort(once)).names)
    cases = []
    for case in about["cases"]:
        if case["name"] not in labeled:
            continue
        for number in range(TIMES):
            name = f"{case['name']}r{number}"
            shutil.copytree(once / CASES_FOLDER / case["name"], out / CASES_FOLDER / name, copy_function=os.link)
            cases.append(case | {"name": name, "patient": name})
    (out / COHORT_FILE).write_text(json.dumps(about | {"cases": cases}), encoding="utf-8")
    return [case["name"] for case in cases]


def _make_inputs(folder: Path, names: list[str]) -> None:
    if names:
        NetworkInputs(read_prepared_cohort(folder), (MRSequence.T1GD,), names=names)


def _no_picture(*ignored: object, **also: object) -> None:
    """Draw nothing into the folder of a case."""
