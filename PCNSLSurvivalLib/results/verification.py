"""A result folder checked against a second run on the scans it was made from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from PCNSLSurvivalLib.core.arguments import ArgumentError, options_of
from PCNSLSurvivalLib.core.errors import PCNSLSurvivalError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.progress import Listener, silent
from PCNSLSurvivalLib.core.storage.installed_files import sha256_of
from PCNSLSurvivalLib.core.storage.leftovers import scratch_folder
from PCNSLSurvivalLib.core.terms import MRSequence, OSClass, Step
from PCNSLSurvivalLib.imaging.fingerprint import changed_box, voxel_sha256
from PCNSLSurvivalLib.imaging.geometry import Grid, lps_to_ras, place_in_words
from PCNSLSurvivalLib.imaging.io import read_scan, read_volume
from PCNSLSurvivalLib.inference.predict import CaseOptions, predict_case
from PCNSLSurvivalLib.models.model_folder import ModelFolder
from PCNSLSurvivalLib.results.case_folder import (
    ACTIVATION_CELLS,
    ACTIVATION_MAP,
    BRAIN_MASK,
    EVIDENCE_CELLS,
    OTHER_CELLS,
    OTHER_MAP,
    PREDICTION,
    software_versions,
    write_case_folder,
)
from PCNSLSurvivalLib.results.lesion_proposal import MASK
from PCNSLSurvivalLib.results.old_results import options_record
from PCNSLSurvivalLib.results.stored_case import UnreadableResultError, read_stored_case

MASK_TOLERANCE = 1e-3
"""Largest accepted share of mask voxels that changed."""
VOLUME_TOLERANCE = 1e-2
"""Largest accepted root mean square of the changes of a volume, over that of its values."""
LOG_ODDS_TOLERANCE = 1e-2
"""Largest accepted change in log-odds."""
PROBABILITY_TOLERANCE = 3e-3
"""Largest accepted change of a probability; such a change in log-odds changes it by less."""


class CannotVerifyError(PCNSLSurvivalError):
    """A result that cannot be computed again from what was given."""


class Agreement(StrEnum):
    """How far a part of the second run agrees with the stored one."""

    IDENTICAL = "identical"
    WITHIN_TOLERANCE = "within tolerance"
    DIFFERENT = "different"
    NOT_COMPARED = "not compared"


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One part of a result, stored and computed again."""

    step: Step
    """The step that made it."""
    part: str
    """What was compared, in words."""
    agreement: Agreement
    detail: str = ""
    """Numbers and place of the difference, or why nothing was compared."""

    def to_json(self) -> dict[str, str]:
        """Plain JSON values."""
        return {
            "step": self.step.value,
            "part": self.part,
            "agreement": self.agreement.value,
            "detail": self.detail,
        }


@dataclass(frozen=True, kw_only=True)
class Verification:
    """All comparisons, in the order of the steps."""

    comparisons: tuple[Comparison, ...]
    software: Mapping[str, tuple[str | None, str | None]]
    """Packages with another version now: then and now."""

    @property
    def first_difference(self) -> Comparison | None:
        """The earliest part that differs by more than its tolerance."""
        return next((one for one in self.comparisons if one.agreement is Agreement.DIFFERENT), None)

    @property
    def agreement(self) -> Agreement:
        """The agreement of the whole."""
        found = {one.agreement for one in self.comparisons}
        ranked = (Agreement.DIFFERENT, Agreement.WITHIN_TOLERANCE, Agreement.IDENTICAL)
        return next((each for each in ranked if each in found), Agreement.NOT_COMPARED)

    @property
    def not_compared(self) -> tuple[str, ...]:
        """Parts that could not be compared."""
        return tuple(one.part for one in self.comparisons if one.agreement is Agreement.NOT_COMPARED)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; no paths."""
        return {
            "agreement": self.agreement.value,
            "comparisons": [one.to_json() for one in self.comparisons],
            "software": {name: {"then": then, "now": now} for name, (then, now) in self.software.items()},
        }


def verify_case(
    folder: Path,
    paths: Mapping[MRSequence, Path],
    model: ModelFolder,
    options: CaseOptions,
    listener: Listener = silent,
) -> Verification:
    """Predict a stored case again from its scans, and compare step by step.

    Args:
        folder: A result folder.
        paths: The scans as they were given then, by sequence.
        model: The model of the result.
        options: Device and runtime of the second run, and the files that were given beside the scans; everything else
            is taken from the result.
        listener: Hears of every step of the second run.

    Raises:
        CannotVerifyError: Another model, other sequences, or a step that another program did.
        UnreadableResultError: The folder is no complete result.
        PCNSLSurvivalError: The second run stopped although its scans are those of the result.
    """
    stored = read_stored_case(folder).prediction
    try:
        _check_repeatable(stored, paths, model)
        then = _options_of(stored, folder, options)
        found = [_files(folder, stored), *_inputs(stored, paths)]
        versions = dict(stored["software"])
        tuple(_numbers(stored, stored, options))  # reads every entry that is compared, before the second run
    except (ArgumentError, ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as problem:
        raise UnreadableResultError(Message("result.incomplete")) from problem
    try:
        with scratch_folder() as again:
            case = predict_case(paths, model, then, listener)
            kept = any(path.name.partition(".")[0].endswith("_corrected") for path in folder.iterdir())
            write_case_folder(case, again, page=lambda _result, _versions: "", intermediate=kept)
            found += _volumes(folder, again, paths)
            found += _numbers(stored, json.loads((again / PREDICTION).read_text(encoding="utf-8")), options)
    except PCNSLSurvivalError as problem:
        if all(one.agreement is not Agreement.DIFFERENT for one in found):
            raise
        found.append(
            Comparison(
                step=Step.PREDICTION,
                part="second run",
                agreement=Agreement.NOT_COMPARED,
                detail=f"it stopped: {problem}",
            )
        )
    order = {step: number for number, step in enumerate(_ORDER)}
    now = software_versions()
    changed = {
        name: (versions.get(name), now.get(name)) for name in {*versions, *now} if versions.get(name) != now.get(name)
    }
    return Verification(
        comparisons=tuple(sorted(found, key=lambda one: order[one.step])), software=dict(sorted(changed.items()))
    )


_ORDER = (
    Step.REPORT,  # the folder itself, before anything is computed
    Step.READ,
    Step.BRAIN_EXTRACTION,
    Step.BIAS_FIELD,
    Step.RESAMPLING,
    Step.LESION_OUTLINE,
    Step.PREDICTION,
    Step.GRAD_CAM,
    Step.MAP_TO_PATIENT,
)


def _check_repeatable(stored: Mapping[str, Any], paths: Mapping[MRSequence, Path], model: ModelFolder) -> None:
    made_by = stored["model"]
    if made_by["checksum_sha256"] != model.checksum:
        wanted, given = f"{made_by['name']} {made_by['version']}", f"{model.name} {model.version}"
        raise CannotVerifyError(Message("verify.other_model", wanted=wanted, given=given))
    wanted_scans, given_scans = {MRSequence(name) for name in stored["inputs"]}, set(paths)
    if wanted_scans != given_scans:
        sequences = tuple(sequence for sequence in MRSequence if sequence in wanted_scans)
        raise CannotVerifyError(Message("verify.other_sequences", sequences=sequences))
    preparation = stored["preprocessing"]
    engines = preparation.get("engines", {})
    before = {
        Step.BRAIN_EXTRACTION: False,  # its mask stands in the folder
        Step.BIAS_FIELD: preparation["already_corrected"],
        Step.REGISTRATION: preparation["already_registered"],
    }
    names = [engine["name"] for step, engine in engines.items() if engine and before.get(step, True)]
    if names:
        raise CannotVerifyError(Message("verify.prepared_before", engines=" + ".join(dict.fromkeys(names))))


def _options_of(stored: Mapping[str, Any], folder: Path, given: CaseOptions) -> CaseOptions:
    """The options of the stored run, with what only the user can give again."""
    told = options_of(CaseOptions.of_record(options_record(stored)), CaseOptions, "options").repeated()
    # A mask that was given, or made by another program, stands in the folder.
    asked = stored["preprocessing"]["brain_mask_given"]
    mask = next(iter(_there(folder, BRAIN_MASK)), None) if asked else None
    explained = OSClass.of_key(stored["activation_map"]["explains"])
    return replace(given, **(told | {"brain_mask": mask, "target": explained}))


def _there(folder: Path, name: str) -> list[Path]:
    """The file of a volume, as NIfTI or as NRRD."""
    plain = name.partition(".")[0]
    return [path for ending in (".nii.gz", ".nii", ".nrrd") if (path := folder / (plain + ending)).is_file()]


def _files(folder: Path, stored: Mapping[str, Any]) -> Comparison:
    """Whether the files of the folder are still those that the run wrote."""
    known = stored["files_sha256"]
    changed = [
        name for name, wanted in known.items() if (folder / name).is_file() and sha256_of(folder / name) != wanted
    ]
    gone = [name for name in known if not (folder / name).is_file() and not _there(folder, name)]
    told = [f"changed since the run: {', '.join(changed)}"] if changed else []
    told += [f"missing: {', '.join(gone)}"] if gone else []
    agreement = Agreement.DIFFERENT if told else Agreement.IDENTICAL
    return Comparison(step=Step.REPORT, part="files of the result folder", agreement=agreement, detail="; ".join(told))


def _inputs(stored: Mapping[str, Any], paths: Mapping[MRSequence, Path]) -> Iterator[Comparison]:
    for sequence, path in paths.items():
        image, known = read_scan(path, sequence).image, stored["inputs"][sequence.value]
        if voxel_sha256(image) == known["voxels_sha256"]:
            yield Comparison(step=Step.READ, part=sequence.label, agreement=Agreement.IDENTICAL)
            continue
        box = changed_box(image, known.get("plane_checksums", {}))
        detail = "the scan is not the one of the result"
        if box is not None:
            (i, j, k), place = box
            where = "1 voxel" if (i, j, k) == (1, 1, 1) else f"voxels in a box of {i} x {j} x {k}"
            detail = f"{detail}: {where} changed, at {_place(place)}"
        yield Comparison(step=Step.READ, part=sequence.label, agreement=Agreement.DIFFERENT, detail=detail)


def _place(ras_mm: Sequence[float]) -> str:
    return f"{' '.join(place_in_words(axis, mm, 1) for axis, mm in enumerate(ras_mm))} mm"


def _volumes(folder: Path, again: Path, paths: Mapping[MRSequence, Path]) -> Iterator[Comparison]:
    yield _volume(folder, again, BRAIN_MASK, Step.BRAIN_EXTRACTION, "brain mask", mask=True)
    for sequence in paths:
        if _there(folder, f"{sequence}_corrected.nii"):
            name = f"{sequence.label} without bias field"
            yield _volume(folder, again, f"{sequence}_corrected.nii", Step.BIAS_FIELD, name)
        yield _volume(
            folder,
            again,
            f"{sequence}_preprocessed.nii.gz",
            Step.RESAMPLING,
            f"{sequence.label} as the network reads it",
        )
    if _there(again, MASK):
        yield _volume(folder, again, MASK, Step.LESION_OUTLINE, "proposed outline", mask=True)
    for file, step, part in (
        (EVIDENCE_CELLS, Step.PREDICTION, "evidence"),
        (ACTIVATION_CELLS, Step.GRAD_CAM, "map cells"),
        (OTHER_CELLS, Step.GRAD_CAM, "map cells of the other class"),
        (ACTIVATION_MAP, Step.MAP_TO_PATIENT, "map on T1Gd"),
        (OTHER_MAP, Step.MAP_TO_PATIENT, "map of the other class on T1Gd"),
    ):
        yield _volume(folder, again, file, step, part)


def _volume(folder: Path, again: Path, name: str, step: Step, part: str, *, mask: bool = False) -> Comparison:
    """A volume of both runs: number of changed voxels, size and place of the largest change."""
    files = _there(folder, name)
    if not files:
        detail = "not in the result folder"
        return Comparison(step=step, part=part, agreement=Agreement.NOT_COMPARED, detail=detail)
    then, now = read_volume(files[0]), read_volume(_there(again, name)[0])
    grid = Grid.of(now)
    if not Grid.of(then).matches(grid, tolerance_mm=0.01):
        detail = f"grid of {then.GetSize()} voxels then, {now.GetSize()} now, or in another place"
        return Comparison(step=step, part=part, agreement=Agreement.DIFFERENT, detail=detail)
    old, new = (sitk.GetArrayFromImage(image).astype(float) for image in (then, now))
    gap = np.abs(new - old)
    count = int(np.count_nonzero(gap))
    if count == 0:
        return Comparison(step=step, part=part, agreement=Agreement.IDENTICAL)
    if mask:
        size, limit = count / max(1, int(np.count_nonzero(old))), MASK_TOLERANCE
    else:
        size, limit = float(np.sqrt((gap**2).mean() / max((old**2).mean(), 1e-30))), VOLUME_TOLERANCE
    at = np.unravel_index(int(gap.argmax()), gap.shape)[::-1]
    place = _place(lps_to_ras(grid.index_to_lps(np.array(at))).tolist())
    detail = f"{count} of {gap.size} voxels changed, by {size:.2g} of the whole, most at {place}"
    agreement = Agreement.WITHIN_TOLERANCE if size <= limit else Agreement.DIFFERENT
    return Comparison(step=step, part=part, agreement=agreement, detail=detail)


def _numbers(stored: Mapping[str, Any], now: Mapping[str, Any], options: CaseOptions) -> Iterator[Comparison]:
    """Log-odds, probabilities, class, findings and measures of both runs."""
    yield _near("log-odds", Step.PREDICTION, stored.get("log_odds"), now.get("log_odds"), LOG_ODDS_TOLERANCE)
    for key, part in (
        ("probability_over_one_year", "probability"),
        ("probability_spread", "disagreement of the members"),
        ("decision_threshold", "decision threshold"),
    ):
        yield _near(part, Step.PREDICTION, stored.get(key), now.get(key), PROBABILITY_TOLERANCE)
    yield _same("class", Step.PREDICTION, stored["class"], now["class"])
    verdicts = ((one.get("familiarity") or {}).get("verdict") for one in (stored, now))
    yield _same("comparison with the training scans", Step.PREDICTION, *verdicts)
    for key, part in (("activation_map", "scale of the map"), ("activation_map_other_class", "scale of the other map")):
        then_scale, now_scale = (one[key]["scale"] for one in (stored, now))
        yield _near(part, Step.GRAD_CAM, then_scale, now_scale, VOLUME_TOLERANCE * abs(now_scale))
    if not options.compare_t1 and any(one["step"] == Step.CONTRAST for one in stored["preprocessing"]["findings"]):
        detail = "T1 was compared with T1Gd then: give it with --compare-t1"
        yield Comparison(step=Step.PREDICTION, part="findings", agreement=Agreement.NOT_COMPARED, detail=detail)
    else:
        yield _same("findings", Step.PREDICTION, *(_verdicts(one) for one in (stored, now)))
    lesion = stored.get("lesion")
    if lesion and lesion.get("source") == "given" and options.lesion_mask is None:
        detail = "a lesion mask was given then: give it with --lesion-mask"
        yield Comparison(step=Step.LESION_OUTLINE, part="lesion", agreement=Agreement.NOT_COMPARED, detail=detail)
    elif lesion or now.get("lesion"):
        then_ml, now_ml = (one and one.get("volume_ml") for one in (lesion, now.get("lesion")))
        # A proposal may change by a few voxels; a mask that was given may not.
        proposed = (lesion or {}).get("source") == "proposal"
        limit = MASK_TOLERANCE * (now_ml or 0.0) + 1e-3 if proposed else 0.0
        yield _near("lesion volume in mL", Step.LESION_OUTLINE, then_ml, now_ml, limit)


def _near(part: str, step: Step, then: Any, now: Any, limit: float) -> Comparison:
    """Two numbers; anything else has to be the same, and NaN, which a file may hold, never is."""
    numbers = all(isinstance(one, int | float) for one in (then, now))
    if not numbers or then == now or not now - limit <= then <= now + limit:
        return _same(part, step, then, now)
    detail = f"{then:.4f} then, {now:.4f} now"
    return Comparison(step=step, part=part, agreement=Agreement.WITHIN_TOLERANCE, detail=detail)


def _same(part: str, step: Step, then: Any, now: Any) -> Comparison:
    if then == now:
        return Comparison(step=step, part=part, agreement=Agreement.IDENTICAL)
    return Comparison(step=step, part=part, agreement=Agreement.DIFFERENT, detail=f"{then} then, {now} now")


def _verdicts(prediction: Mapping[str, Any]) -> str:
    """Every finding that is not good, in words."""
    findings = prediction["preprocessing"]["findings"]
    told = sorted(f"{one['measure']} {one['verdict']}" for one in findings if one["verdict"] != "good")
    return ", ".join(told) or "none"
