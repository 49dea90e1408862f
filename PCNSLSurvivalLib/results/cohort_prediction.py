"""Predict every case of a cohort with a network that is loaded once, each into a result folder of its own."""

from __future__ import annotations

import csv
import io
import json
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from PCNSLSurvivalLib.cohorts.case import CohortCase
from PCNSLSurvivalLib.cohorts.case_preparation import contents_of, sentence_of
from PCNSLSurvivalLib.core.errors import PCNSLSurvivalError, UnreadableScanError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.progress import Listener, silent
from PCNSLSurvivalLib.core.storage.csv_cells import plain_cell
from PCNSLSurvivalLib.core.storage.files import claim_folder, whole_folder, write_whole_text
from PCNSLSurvivalLib.core.storage.strict_json import read_own_json
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.inference.network import SurvivalNetwork
from PCNSLSurvivalLib.inference.predict import CaseOptions, CaseResult, predict_case
from PCNSLSurvivalLib.models.model_folder import ModelFolder
from PCNSLSurvivalLib.preprocessing.qc import CHECKS_VERSION
from PCNSLSurvivalLib.preprocessing.step_cache import STEPS_VERSION
from PCNSLSurvivalLib.results.case_folder import PREDICTION, CasePage, write_case_folder

REQUEST = "request.json"
"""What a result was made from; the same request is never answered twice."""
TABLE = "predictions.csv"
_MIXED_UP = ("enhancement.swapped", "scan.same_scan", "weighting.exchanged")
"""Stops that a T1 brings about and that say something of the scans the model reads."""

_NUMBERS = ("probability_over_one_year", "log_odds", "probability_spread")
_COLUMNS = (
    "case",
    "state",
    "probability_over_one_year",
    "class",
    "log_odds",
    "probability_spread",
    "familiarity",
    "warnings",
    "os_days",
    "death_observed",
    "reason",
)


@dataclass(frozen=True, kw_only=True)
class PredictedCase:
    """The status of one case."""

    case: CohortCase
    state: Literal["predicted", "cached", "failed"]
    reason: str = ""
    seconds: float = 0.0
    prediction: dict[str, Any] | None = None
    """``prediction.json``, where there is one."""


def predict_cohort(
    cases: Sequence[CohortCase],
    model: ModelFolder,
    options: CaseOptions,
    out: Path,
    *,
    page: CasePage,
    use_brain_masks: bool = False,
    listener: Listener = silent,
) -> Iterator[PredictedCase]:
    """Predict the cases of a cohort one after the other; one that fails does not stop the others.

    Every case uses all cores, so that running several at once would gain nothing on one computer. A case whose
    files, model and options are those of an earlier run is found, not predicted again.

    Args:
        cases: The cohort.
        model: Which networks to ask; the sequences it reads are prepared, and T1, so that a T1Gd and a T1 that were
            swapped are noticed.
        options: The same for all cases; what a layout says of its scans (skull removed) is added.
        out: Gets one result folder per case, named as the case.
        page: Writes the report of a case; see ``case_folder``.
        use_brain_masks: Use the brain masks that the cohort brings.
        listener: Hears of every step of every case.

    Yields:
        Each case as it is done.

    Raises:
        ModelFolderError: The weights are damaged.
        NetworkError: Device, runtime or precision is not there.
    """
    network: SurvivalNetwork | None = None
    needed = {MRSequence.T1GD, *model.sequences}
    for case in cases:
        begin = time.perf_counter()
        target = out / case.name
        try:
            read = {sequence: path for sequence, path in case.scans.items() if sequence in needed}
            compared = {sequence: path for sequence, path in case.scans.items() if sequence in needed | {MRSequence.T1}}
            mine = replace(
                options,
                brain_mask=case.brain_mask if use_brain_masks else None,
                lesion_mask=case.lesion_mask,
                lesion_labels=case.lesion_labels,
                already_stripped=case.stripped,
                already_registered=case.stripped,
            )
            try:
                request = _request(compared, model, mine)
            except UnreadableScanError:  # T1 alone is not there, or this raises as well
                request = _request(read, model, mine)
            earlier = _answer(target, request)
            if earlier is not None:
                yield PredictedCase(case=case, state="cached", prediction=earlier)
                continue
        except Exception as problem:
            yield PredictedCase(case=case, state="failed", reason=sentence_of(problem))
            continue
        if network is None:
            # Loaded when first needed: a table of finished cases is read without torch.
            network = SurvivalNetwork(model, options.device, runtime=options.runtime, precision=options.precision)
        try:
            with whole_folder(target, overwrite=True) as staging:
                write_case_folder(_predicted(read, compared, model, mine, listener, network), staging, page=page)
                (staging / REQUEST).write_text(json.dumps(request, indent=2) + "\n", encoding="utf-8")
        except Exception as problem:  # whatever a damaged file brings about, the other cases go on
            seconds = time.perf_counter() - begin
            yield PredictedCase(case=case, state="failed", reason=sentence_of(problem), seconds=seconds)
            continue
        seconds = time.perf_counter() - begin
        yield PredictedCase(case=case, state="predicted", seconds=seconds, prediction=_answer(target, request))


def _predicted(
    read: Mapping[MRSequence, Path],
    compared: Mapping[MRSequence, Path],
    model: ModelFolder,
    options: CaseOptions,
    listener: Listener,
    network: SurvivalNetwork,
) -> CaseResult:
    """The prediction, stopped where T1Gd and T1 are swapped or one scan.

    A T1 that the model does not read must not cost the prediction: where it cannot be used, the result warns of that.

    Args:
        read: The scans that the model reads.
        compared: The same, and T1 where the cohort has it.
        model: As in ``predict_cohort``.
        options: Of this case.
        listener: Hears of every step.
        network: The model's networks.

    Raises:
        PCNSLSurvivalError: The scans are swapped or one, or those that the model reads do not allow a prediction.
    """
    try:
        return predict_case(compared, model, options, listener, network=network)
    except PCNSLSurvivalError as problem:
        if compared == read or _mixed_up(problem.message):
            raise
        result = predict_case(read, model, options, listener, network=network)
        warning = Message("enhancement.not_compared", reason=problem.message or str(problem))
        return replace(result, warnings=(*result.warnings, warning))


def _mixed_up(stop: Message | None) -> bool:
    """Whether a stop says of a scan that the model reads that it was exchanged with T1, or is T1."""
    findings = () if stop is None else stop.values.get("findings")
    return isinstance(findings, tuple) and any(isinstance(one, Message) and one.code in _MIXED_UP for one in findings)


def name_shared_scans(predicted: Sequence[PredictedCase]) -> list[PredictedCase]:
    """The cases, those whose T1Gd is that of another patient with a sentence on it as their reason."""
    groups: dict[str, list[PredictedCase]] = {}
    for each in predicted:
        if each.prediction is not None:
            groups.setdefault(_t1gd_voxels(each.prediction), []).append(each)
    said = {}
    for voxels, group in groups.items():
        for each in group:
            others = [one.case.name for one in group if one.case.patient_id != each.case.patient_id]
            if voxels and others:
                said[each.case.name] = (
                    f"The same T1Gd, voxel by voxel, is given for {', '.join(others)}: check whose scan it is."
                )
    return [replace(each, reason=said.get(each.case.name, each.reason)) for each in predicted]


def _t1gd_voxels(prediction: Mapping[str, Any]) -> str:
    """Hash of the voxels that were read; empty where an earlier result does not tell it."""
    try:
        return str(prediction["inputs"][MRSequence.T1GD.value]["voxels_sha256"])
    except (KeyError, TypeError):
        return ""


def write_prediction_table(
    predicted: Sequence[PredictedCase], out: Path, *, without_scan: Mapping[str, str] | None = None
) -> None:
    """Write ``predictions.csv``: one row per case, failed cases with their reason, survival where it is known.

    Args:
        predicted: What became of the cases.
        out: Folder of the table; made if it is not there.
        without_scan: Why patients of the cohort are no case, by name; they get a row as well.

    Raises:
        OutputFolderError: The table cannot be written.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    for each in name_shared_scans(predicted):
        row: dict[str, Any] = {"case": each.case.name, "state": each.state, "reason": each.reason}
        row |= {"os_days": each.case.os_days, "death_observed": each.case.death_observed}
        if each.prediction is not None:
            row |= {name: each.prediction[name] for name in _COLUMNS[2:6]}
            row["familiarity"] = each.prediction["familiarity"]["verdict"]
            row["warnings"] = len(each.prediction["warnings"])
        writer.writerow({column: plain_cell(cell) for column, cell in row.items()})
    for name, reason in sorted((without_scan or {}).items()):
        writer.writerow({"case": plain_cell(name), "state": "no scan", "reason": plain_cell(reason)})
    claim_folder(out, is_ours=True)
    write_whole_text(out / TABLE, text.getvalue())


def _request(scans: dict[MRSequence, Path], model: ModelFolder, options: CaseOptions) -> dict[str, Any]:
    """All that decides the result: files by their content, options, model, and how this version prepares and judges."""
    deciding = options.deciding()
    paths = {sequence.value: path for sequence, path in sorted(scans.items())}
    paths |= {name: value for name, value in deciding.items() if isinstance(value, Path)}
    # Tuples become lists, and an OS class its number, as they are read back.
    chosen = json.loads(json.dumps({name: value for name, value in deciding.items() if not isinstance(value, Path)}))
    return {
        "version": 3,
        "steps_version": STEPS_VERSION,
        "checks_version": CHECKS_VERSION,
        "model_sha256": model.checksum,
        "files_sha256": contents_of(paths),
        "options": chosen,
    }


def _answer(target: Path, request: dict[str, Any]) -> dict[str, Any] | None:
    """The earlier prediction made from the same request; None where there is none."""
    try:
        if read_own_json(target / REQUEST) != request:
            return None
        prediction = read_own_json(target / PREDICTION)
        whole = _is_whole(prediction)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return prediction if whole else None


def _is_whole(prediction: Any) -> bool:
    """Whether an earlier prediction has what the table takes from it; a damaged one is made again.

    Raises:
        KeyError, TypeError: An entry is not there, or is no object.
    """
    numbers = [prediction[name] for name in _NUMBERS]
    texts = [prediction["class"], prediction["familiarity"]["verdict"]]
    return (
        all(one is None or (type(one) in (int, float) and math.isfinite(one)) for one in numbers)
        and all(isinstance(one, str) or one is None for one in texts)
        and isinstance(prediction["warnings"], list)
    )
