"""Radiomics features of a case are computed once: kept under a hash of the scan, the region and the settings."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from PCNSLSurvivalLib.cohorts.prepared_cohort import PreparedExam
from PCNSLSurvivalLib.core.errors import EvaluationError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.storage.files import whole_file
from PCNSLSurvivalLib.core.storage.strict_json import read_own_json
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.evaluation.baselines.radiomics import RadiomicsStep, radiomics_features
from PCNSLSurvivalLib.preprocessing.step_cache import content_of


def cached_features(
    exam: PreparedExam, sequence: MRSequence, cache: Path, step: RadiomicsStep | None = None
) -> dict[str, float]:
    """The features of one scan, from the cache or computed and put there.

    Args:
        exam: Prepared exam.
        sequence: Which of its scans.
        cache: Folder of the kept features; made if absent. Several processes may share it.
        step: The settings; the default ones if left out.

    Raises:
        CohortError: The scan or a mask is gone.
        EvaluationError: There is no such region, it cannot be used, or the cache cannot be written.
    """
    step = step or RadiomicsStep()
    scan = exam.scan(sequence)
    region = exam.brain_mask() if step.region == "brain" else exam.lesion_mask()
    if region is None:
        raise EvaluationError(Message("radiomics.no_lesion_mask", case=exam.name))
    contents = [content_of(scan), content_of(region)]
    key = hashlib.sha256(json.dumps([step.to_json(), *contents], sort_keys=True).encode()).hexdigest()
    path = cache / f"{key}.json"
    kept = _kept(path)
    if kept is not None:
        return kept
    features = radiomics_features(scan, region, step)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as partial:
            partial.write_text(json.dumps(features), encoding="utf-8")
    except OSError as problem:
        raise EvaluationError(
            Message("radiomics.not_written", reason=problem.strerror or type(problem).__name__)
        ) from problem
    return features


def _kept(path: Path) -> dict[str, float] | None:
    try:
        return {name: float(value) for name, value in read_own_json(path).items()}
    except (OSError, ValueError, TypeError):
        return None  # absent, or cut short by a full disk: computed again
