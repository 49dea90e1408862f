"""Radiomics of a whole cohort, side by side, each scan once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PCNSLSurvivalLib.cohorts.prepared_cohort import PreparedExam
from PCNSLSurvivalLib.core.errors import EvaluationError, PCNSLSurvivalError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.core.workers import run_tasks
from PCNSLSurvivalLib.evaluation.baselines.radiomics import RadiomicsStep
from PCNSLSurvivalLib.evaluation.baselines.radiomics_cache import cached_features


@dataclass(frozen=True, kw_only=True)
class FeatureTask:
    """One scan, for a process of its own."""

    exam: PreparedExam
    sequence: MRSequence
    cache: Path
    step: RadiomicsStep


def extract_radiomics(
    patients: Sequence[PreparedExam],
    sequences: Sequence[MRSequence],
    cache: Path,
    step: RadiomicsStep,
    *,
    jobs: int = 1,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Fill the cache with the features of every scan; those that are there already are found.

    Args:
        patients: Prepared exams.
        sequences: Which scans.
        cache: Folder of the kept features.
        step: The settings, with the region that is the same for all.
        jobs: Scans at the same time, each in a process of its own.
        report: Called with the numbers of finished and of all scans.

    Raises:
        EvaluationError: A scan has no usable region, named with what is wrong, once all others are done.
    """
    tasks = [FeatureTask(exam=one, sequence=s, cache=cache, step=step) for s in sequences for one in patients]
    problems = []
    for done, (task, problem) in enumerate(run_tasks(_extract, tasks, lost=lambda _, why: why, jobs=jobs), start=1):
        if problem:
            problems.append(f"{task.exam.name}, {task.sequence.label}: {problem}")
        report(done, len(tasks))
    if problems:
        raise EvaluationError(Message("radiomics.failed", listed="\n".join(problems)))


def _extract(task: FeatureTask) -> str:
    """Why the features could not be computed; empty if they are in the cache."""
    try:
        cached_features(task.exam, task.sequence, task.cache, task.step)
    except PCNSLSurvivalError as problem:
        return str(problem)
    return ""
