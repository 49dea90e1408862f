"""Plays the prediction process in a second: same lines, same result folder, numbers made from the scan.

What it does is told by the JSON in the environment variable FAKE_WORKER: ``seconds`` per step, ``longer`` for steps
by name, ``stop_at`` a step with ``how`` "sentence", "crash" or "code 1" ("register" ends with a sentence), a file of
the result to ``spoil`` or to ``lose``. The activation is 1 in the brightest voxels of the scan, so that a test can
look for it where the bright lesion is.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

STEPS = ("read", "normalization", "resampling", "network_grid", "prediction", "grad_cam", "map_to_patient", "report")
ALIGNED_BY_MM = 12.0
MOVED_BY_MM = 7.0

# What it says is what the library says; a test holds each to its template.
_T1GD = {"sequence": "t1gd"}
NO_CONTENT = {
    "code": "scan.same_value",
    "values": {"sequence": _T1GD},
    "sentence": "T1Gd has the same value in all voxels. Choose another file for T1Gd.",
}
SMALL_BRAIN = {
    "code": "brain.too_small",
    "values": {"ml": 700.0},
    "sentence": "Brain mask volume: 700 mL, too small for an adult brain. Check its outline on the slices.",
}
THIN_SLICES = {
    "code": "scan.slices_apart",
    "values": {"sequence": _T1GD, "mm": 2.0},
    "sentence": "Slice spacing of T1Gd: 2.0 mm.",
}
AGREE = {
    "code": "clinical.agree",
    "values": {},
    "sentence": "The image model and the IELSG score agree.",
}
WITHOUT_LESION = {
    "code": "filled.with_control",
    "values": {"ml": 3.0, "probability": 0.63, "filled": 0.71, "control": 0.62},
    "sentence": "Probability of OS > 1 year: 0.63. With the lesion filled from its surroundings: 0.71 (3.0 mL with its "
    "rim). With a region of equal size beside it filled instead: 0.62. This tests the model and is not a prognosis.",
}
FLIPS = {
    "code": "robustness.flips",
    "values": {
        "probability": 0.63,
        "low": 0.45,
        "high": 0.63,
        "copies": 4,
        "flips": [{"code": "robustness.rotation", "values": {"strength": 6.0}}],
    },
    "sentence": "Probability of OS > 1 year: 0.63; 0.45 to 0.63 in 4 disturbed copies of the scan. The class changes "
    "with the head turned by 6°. This tests the model. It is not a confidence interval.",
}
VOLUMES = {
    "code": "followup.volume",
    "values": {"earlier": 12.0, "later": 3.0, "change": -0.75},
    "sentence": "Enhancing volume: 12.0 mL, then 3.0 mL (−75 %).",
}
NO_RESPONSE = {
    "code": "followup.no_response",
    "values": {},
    "sentence": "This is the change of the outlined enhancement. It is not an assessment of response, which also "
    "considers the steroid dose, the ophthalmologic findings and the CSF.",
}
AGREES = {
    "code": "atlas.agrees",
    "values": {},
    "sentence": "The registration of the atlas passed its checks.",
}
APART = {
    "code": "atlas.apart",
    "values": {"mm": 28.0, "limit": 5.0},
    "sentence": "No region names are shown: two registrations of the atlas differ by 28.0 mm, more than 5 mm.",
}
UNNAMED = {
    "code": "atlas.unnamed",
    "values": {"count": 3},
    "sentence": "Labels of the atlas without a name, which are not shown: 3.",
}
NO_NAMES = {
    "code": "atlas.table_empty",
    "values": {},
    "sentence": "The table of names holds no names. Give a table with a label and a name in each line.",
}
FAMILIAR = {
    "code": "familiarity.within_limit",
    "values": {"reference": "24 virtual patients", "share": 95.0},
    "sentence": "In distribution: as close to the training scans (24 virtual patients) as 95 % of comparable new scans "
    "are expected to be.",
}


def not_over_t1gd(role: str) -> dict[str, object]:
    """What is told of T1 or T2."""
    sentence = (
        "{0} may not be registered to T1Gd. Compare the two on the checkerboard: are they from one patient? Otherwise "
        "leave {0} out, or register it manually and say so (in Slicer choose 'None' for the registration under "
        "Advanced, on the command line --already-registered)."
    )
    return {
        "code": "registration.not_over_t1gd",
        "values": {"sequence": {"sequence": role}},
        "sentence": sentence.format(role.upper()),
    }


def _say(**event: object) -> None:
    print(json.dumps(event), flush=True)


def _fail(error: dict[str, object]) -> None:
    _say(type="error", **error)
    print(f"pcnsl-survival: {error['sentence']}", file=sys.stderr)


def _read(t1gd: Path) -> tuple[np.ndarray, np.ndarray]:
    """Voxels (k, j, i) and (4, 4) from voxels to RAS mm; without SimpleITK, which takes long to load."""
    import numpy as np

    if t1gd.suffix == ".nrrd":
        header, voxels = t1gd.read_bytes().split(b"\n\n", 1)
        fields = dict(line.split(": ", 1) for line in header.decode().splitlines()[1:] if ": " in line)
        if fields["encoding"] == "raw" and fields["space"] == "right-anterior-superior":
            kind = {"int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2", "float": "f4", "double": "f8"}
            shape = [int(n) for n in fields["sizes"].split()][::-1]
            affine = np.eye(4)
            columns = (*fields["space directions"].split(), fields["space origin"])
            affine[:3] = np.array([[float(mm) for mm in column.strip("()").split(",")] for column in columns]).T
            return np.frombuffer(voxels, kind[fields["type"]]).reshape(shape).astype(np.float32), affine
    import SimpleITK as sitk

    files = [str(t1gd)] if t1gd.is_file() else sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(t1gd))
    image = sitk.ReadImage(files[0] if len(files) == 1 else files)
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    affine[:3, 3] = image.GetOrigin()
    return sitk.GetArrayFromImage(image).astype(np.float32), np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine


def write_result(folder: Path, t1gd: Path, clinical: Path | None, lesion: str | None) -> None:
    """The result folder of a T1Gd, with the volumes for the scene."""
    import numpy as np

    scene = folder / "scene"
    scene.mkdir(parents=True)
    array, affine = _read(t1gd)
    bright = (array > 0.9 * array.max()).astype(np.float32)
    cells = np.zeros((4, 4, 4), np.float32)
    center = np.argwhere(bright > 0).mean(axis=0)  # k, j, i
    block = np.array(array.shape) / 4
    cells[tuple(np.minimum((center / block).astype(int), 3))] = 0.25
    scale = np.diag([*(block[::-1]), 1.0])
    half = np.eye(4)
    half[:3, 3] = (block[::-1] - 1) / 2
    cell_affine = affine @ half @ scale
    brain = array > 0.1 * array.max()
    k, j, i = (np.minimum((np.arange(n) / b).astype(int), 3) for n, b in zip(array.shape, block, strict=True))
    cell_ml = np.abs(np.linalg.det(cell_affine[:3, :3])) / 1000
    volumes = {
        "evidence_map": (((cells - 0.1)[np.ix_(k, j, i)] * 100 / cell_ml * brain).astype(np.float32), affine),
        "activation_map": (bright, affine),
        "activation_map_other_class": (bright[::-1].copy(), affine),
        "activation_cells_other_class": (cells[::-1].copy(), cell_affine),
        "t1gd_corrected": (array, affine),
        "brain_mask": (brain.astype(np.uint8), affine),
        "t1gd_preprocessed": (array, affine),
        "activation_cells": (cells, cell_affine),
        "evidence_cells": (cells - 0.1, cell_affine),
    }
    if lesion == "proposal":
        volumes["lesion_proposal"] = (bright.astype(np.uint8), affine)
    for name, (values, matrix) in volumes.items():
        np.save(scene / f"{name}.npy", values)
        (scene / f"{name}.json").write_text(json.dumps({"affine_ras": matrix.tolist()}), encoding="utf-8")
    (folder / "report.html").write_text("<html><title>report</title></html>", encoding="utf-8")
    in_ras = (affine @ [*center[::-1], 1.0])[:3]
    focus = {
        "volume_ml": 2.1,
        "side": "right",
        "diameters": {"longest_mm": 16.4, "perpendicular_mm": 15.6, "superior_mm": 9.0},
        "center_ras_mm": in_ras.tolist(),
        "evidence": 0.31,
    }
    result = {
        "schema_version": "2.0",
        "probability_over_one_year": 0.63,
        "class": "over_one_year",
        "decision_threshold": 0.5,
        "log_odds": 0.532,
        "member_probabilities": [0.55, 0.63, 0.70],
        "warnings": [SMALL_BRAIN],
        "familiarity": {
            "verdict": "typical",
            "distance": 0.5,
            "furthest": None,
            **FAMILIAR,
        },
        "lesion": None if lesion is None else {"source": lesion, "volume_ml": 2.2, "foci": [focus]},
        "clinical": None if clinical is None else {"findings": json.loads(clinical.read_text()), "comparison": AGREE},
        "inputs": {"t1gd": {"voxels_sha256": hashlib.sha256(array[::8, ::8, ::8].tobytes()).hexdigest()}},
        "model": {"name": "made-up", "version": "1", "checksum_sha256": "ab" * 32, "sequences": ["t1gd"]},
        "activation_map": {
            "explains": "over_one_year",
            "block": "layer4",
            "method": "grad_cam",
            "scale": 0.25,
            "cell_size_mm": [24.0, 24.0, 24.0],
        },
        "activation_map_other_class": {"explains": "up_to_one_year", "scale": 0.25, "empty": False},
        "evidence": {"for": 1.0, "against": -0.4, "constant": -0.068},
        "software": {"pcnsl-survival": "0"},
        "preprocessing": {
            "findings": [
                _finding("slice_distance", "read", "t1gd", "good", THIN_SLICES),
                _finding("brain_volume", "brain_extraction", None, "check", SMALL_BRAIN),
            ]
        },
    }
    (folder / "prediction.json").write_text(json.dumps(result), encoding="utf-8")


def _write_scans(folder: Path) -> None:
    import numpy as np

    (folder / "scene").mkdir(parents=True)
    for name in ("t1gd", "t1", "t2", "flair"):
        np.save(folder / "scene" / f"{name}.npy", np.arange(24**3, dtype=np.int16).reshape(24, 24, 24))
        place = {"affine_ras": np.diag([-4.0, -4.0, 4.0, 1.0]).tolist()}
        (folder / "scene" / f"{name}.json").write_text(json.dumps(place), encoding="utf-8")


def _write_alignment(arguments: list[str]) -> None:
    """The scan that was given lies ``ALIGNED_BY_MM`` too far to the left."""
    role = next(role for role in ("t1", "t2", "flair") if f"--{role}" in arguments)
    matrix = [[1, 0, 0, ALIGNED_BY_MM], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    found = _finding("registration_sharpness", "registration", role, "check", not_over_t1gd(role))
    out = Path(arguments[arguments.index("--out") + 1])
    out.mkdir()
    stored = {role: {"scan_to_t1gd_ras": matrix, "findings": [found]}}
    (out / "alignment.json").write_text(json.dumps(stored), encoding="utf-8")


def _option(arguments: list[str], name: str) -> Path | None:
    return Path(arguments[arguments.index(name) + 1]) if name in arguments else None


def _finding(
    measure: str, step: str, sequence: str | None, verdict: str, message: dict[str, object]
) -> dict[str, object]:
    judged = {"measure": measure, "step": step, "sequence": sequence, "verdict": verdict, "value": 1.0, "unit": ""}
    return {**judged, **message}


def main(arguments: list[str]) -> int:
    if hasattr(os, "setsid") and os.getpgrp() != os.getpid():
        os.setsid()
    _say(type="process", pid=os.getpid())
    if arguments == ["--wait"]:
        line = sys.stdin.readline()
        if not line:  # the panel has gone
            return 1
        arguments = json.loads(line)
    code = _play(arguments)
    _say(type="ended", code=code)
    return code


def _explain(arguments: list[str], plan: dict[str, object]) -> int:
    """Second thoughts: one of two checks fails; the answer without the lesion; disturbed copies, one of which flips."""
    if "record" in plan:
        Path(str(plan["record"])).write_text(json.dumps(arguments), encoding="utf-8")
        for name in ("--t1gd", "--brain-mask", "--lesion-mask", "--prepared"):
            file = _option(arguments, name)
            if file is not None:
                Path(str(plan["record"])).with_name(file.name).write_bytes(file.read_bytes())
    step = "explanation_checks" if "--check" in arguments else "robustness"
    for fraction in (0.0, 0.5):
        _say(type="step", step=step, state="running", fraction=fraction, seconds=None)
        time.sleep(float(plan.get("seconds", 0.0)))
    checks = [
        {"name": "randomized weights", "verdict": "good", "sentence": "The map changes with the weights."},
        {"name": "deletion", "verdict": "check", "sentence": "The map is no better than random places."},
    ]
    some_failed = {
        "code": "explanation.some_failed",
        "values": {"passed": 1, "made": 2},
        "sentence": "1 of 2 explanation checks passed. Do not rely on this map.",
    }
    judged = {"verdict": "check", **some_failed, "checks": checks}
    if plan.get("passed"):
        sentence = "2 of 2 explanation checks passed."
        all_passed = {"code": "explanation.all_passed", "values": {"passed": 2, "made": 2}, "sentence": sentence}
        judged = {"verdict": "good", **all_passed, "checks": [{**one, "verdict": "good"} for one in checks]}
    answers = {"explanation_checks": judged} if step[0] == "e" else {}
    if "--without-lesion" in arguments:
        answers["without_lesion"] = {**WITHOUT_LESION, "filled_ml": 3.0}
    if "--robustness" in arguments:
        copies = [("noise", 0.05, 0.61), ("noise", 0.2, 0.58), ("rotation", 3.0, 0.55), ("rotation", 6.0, 0.45)]
        told = [{"disturbance": d, "strength": s, "probability_over_one_year": p} for d, s, p in copies]
        answers["robustness"] = {**FLIPS, "flips_at": {"noise": None, "rotation": 6.0}, "copies": told}
    _say(type="result", seconds=1.0, prediction={"log_odds": plan.get("log_odds", 0.532), **answers})
    return 0


def _follow_up(arguments: list[str], plan: dict[str, object]) -> int:
    """A change between two exams; the later head lies ``MOVED_BY_MM`` too far to the left."""
    if "record" in plan:
        Path(str(plan["record"])).write_text(json.dumps(arguments), encoding="utf-8")
        for place, word in enumerate(arguments[:-1]):
            if arguments[place + 1].endswith(".nrrd"):
                target = Path(str(plan["record"])).with_name(f"{word.removeprefix('--')}.nrrd")
                target.write_bytes(Path(arguments[place + 1]).read_bytes())
    _say(type="step", step="registration", state="started", sequence="t1gd", fraction=None, seconds=None)
    time.sleep(float(plan.get("seconds", 0.0)))
    told = [VOLUMES, NO_RESPONSE]
    if "--reader-response" in arguments:
        response = arguments[arguments.index("--reader-response") + 1]
        entered = {"code": "followup.reader", "values": {"response": response}}
        told.append({**entered, "sentence": f"Response as entered by the reader: {response}."})
    found = {
        "sentences": told,
        "warnings": [],
        "earlier": {"foci": [{"center_ras_mm": [18.0, 12.0, 9.0]}]},
        "later": {"foci": []},
        "change": {"sources": ["Abrey et al. 2005"]},
        "later_to_earlier_ras": [[1, 0, 0, MOVED_BY_MM], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]],
    }
    _say(type="result", seconds=1.0, follow_up=found)
    return 0


def _regions(arguments: list[str], plan: dict[str, object]) -> int:
    """Two regions on both sides of the patient's midline, on 4 mm voxels; with ``apart`` the check failed."""
    import numpy as np

    if "record" in plan:
        Path(str(plan["record"])).write_text(json.dumps(arguments), encoding="utf-8")
    _say(type="step", step="atlas", state="started", sequence=None, fraction=None, seconds=None)
    time.sleep(float(plan.get("seconds", 0.0)))
    if plan.get("stop_at") == "regions":
        _fail(NO_NAMES)
        return 3
    out = Path(arguments[arguments.index("--out") + 1])
    (out / "scene").mkdir(parents=True)
    atlas = {"name": "made_dseg", "passed": "apart" not in plan, "message": AGREES, "remarks": [UNNAMED]}
    stored: dict[str, object] = {"atlas": atlas}
    if "apart" in plan:
        atlas["message"] = APART
    else:
        array, affine = _read(Path(arguments[arguments.index("--t1gd") + 1]))
        size = 60
        middle = (affine @ [*(np.array(array.shape[::-1]) / 2), 1.0])[:3] * (-1, -1, 1)
        numbers = np.full((size,) * 3, 2, np.uint16)
        numbers[:, :, size // 2 :] = 1  # LPS: indices run to the patient's left
        np.save(out / "scene" / "regions.npy", numbers)
        np.save(out / "scene" / "regions_brain.npy", np.ones(numbers.shape, np.uint8))
        stored |= {
            "names": ["Thalamus <b>L</b>", "Thalamus R"],
            "within_mm": 6.0,
            "size": [size] * 3,
            "spacing_mm": [4.0] * 3,
            "origin_lps_mm": (middle - 4.0 * (size - 1) / 2).tolist(),
            "direction_lps": np.eye(3).ravel().tolist(),
        }
    _say(type="result", seconds=1.0, regions=stored)
    return 0


def _play(arguments: list[str]) -> int:
    plan = json.loads(os.environ.get("FAKE_WORKER", "{}"))
    if arguments[0] == "register":
        time.sleep(plan.get("seconds", 0.0))
        if plan.get("stop_at") == "register":
            _fail(not_over_t1gd("t2"))
            return 3
        _write_alignment(arguments)
        return 0
    if arguments == ["doctor", "--json"]:
        _say(type="self_check", faults=0, text="everything is\nas it should be")
        return 0
    if arguments[0] == "demo":
        _write_scans(Path(arguments[arguments.index("--out") + 1]))
        return 0
    if arguments[0] == "export":
        return 0
    if arguments[0] == "regions":
        return _regions(arguments, plan)
    if arguments[0] == "follow-up":
        return _follow_up(arguments, plan)
    if arguments[0] == "explain":
        return _explain(arguments, plan)
    t1gd = Path(arguments[arguments.index("--t1gd") + 1])
    out = Path(arguments[arguments.index("--out") + 1])
    if "record" in plan:
        Path(plan["record"]).write_text(json.dumps(arguments), encoding="utf-8")
        prepared = Path(arguments[arguments.index("--prepared") + 1])
        for file in (prepared, *prepared.parent.glob("*-loaded.nrrd"), *prepared.parent.glob("lesion.nrrd")):
            Path(plan["record"]).with_name(file.name).write_bytes(file.read_bytes())
    if t1gd.is_dir() and len(list(t1gd.iterdir())) == 1:  # a series of one slice
        _fail(NO_CONTENT)
        return 3
    print("chatter of a library that is no JSON", flush=True)
    compared = ("contrast",) if "--compare-t1" in arguments else ()
    before = STEPS.index("prediction")
    for step in (*STEPS[:before], *compared, *STEPS[before:]):
        event = {"type": "step", "step": step, "sequence": None, "rough": False, "reason": None}
        _say(**event, state="started", fraction=None, seconds=None)
        time.sleep(plan.get("seconds", 0.0) + plan.get("longer", {}).get(step, 0.0))
        if plan.get("stop_at") == step:
            if plan["how"] == "sentence":
                _fail(NO_CONTENT)
                return 3
            if plan["how"] == "crash":
                os.kill(os.getpid(), signal.SIGKILL)
            return 1
        if step == "report":
            given = "given" if "--lesion-mask" in arguments else "proposal" if "--segment" in arguments else None
            write_result(out, t1gd, _option(arguments, "--clinical"), given)
            stored = json.loads((out / "prediction.json").read_text(encoding="utf-8"))
            _say(type="result", seconds=1.0, prediction=stored)
            if "spoil" in plan:
                (out / plan["spoil"]).write_text("spoiled", encoding="utf-8")
            if "lose" in plan:
                (out / plan["lose"]).unlink()
        _say(**event, state="finished", fraction=1.0, seconds=0.01)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
