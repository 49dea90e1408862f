"""Jobs of late fusion: networks that leave two folds out, and a small regression on their log-odds and the clinic.

The regression of a fold needs log-odds of its training patients by networks that knew neither them nor the held-out
patients. One network for each pair of folds gives both folds of the pair such numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np

from PCNSLSurvivalLib.cohorts.splits import Fold
from PCNSLSurvivalLib.core import version
from PCNSLSurvivalLib.core.errors import FoldError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.evaluation.predictions import read_predictions
from PCNSLSurvivalLib.experiment.jobs.job import Job
from PCNSLSurvivalLib.experiment.jobs.outcomes import PREDICTIONS
from PCNSLSurvivalLib.experiment.plan import ExperimentPlan

_LEAST_PROBABILITY = 1e-6
"""A probability of exactly 0 or 1 has no log-odds."""


def pair_folds(folds: Sequence[Fold]) -> tuple[Fold, ...]:
    """One fold for each two of a repetition: both are held out, and only the patients of the others are trained on.

    Raises:
        FoldError: A repetition has fewer than three folds, so that no patient would be left to train on.
    """
    found = []
    for repeat in dict.fromkeys(fold.repeat for fold in folds):
        of_repeat = [fold for fold in folds if fold.repeat == repeat]
        if len(of_repeat) < 3:
            raise FoldError(Message("experiment.fusion_few_folds"))
        for number, (one, other) in enumerate(combinations(of_repeat, 2)):
            train = tuple(name for name in one.train if name in set(other.train))
            found.append(Fold(repeat, number, train=train, test=tuple(sorted((*one.test, *other.test)))))
    return tuple(found)


def fusion_jobs(
    plan: ExperimentPlan, networks: Sequence[Job], pairs: Sequence[Job], identities: Mapping[str, list[object]]
) -> Iterator[Job]:
    """One job per fold of each fusion, arm by arm.

    Args:
        plan: The experiment.
        networks: The jobs of the plan's networks.
        pairs: The jobs of the networks that leave two folds out.
        identities: Everything of each patient that can change a number, clinical variables included.
    """
    for arm in plan.fusion_arms:
        for own in (job for job in networks if job.arm == arm.network.name):
            assert own.fold is not None
            held_out = set(own.fold.test)
            needed = [
                job
                for job in pairs
                if job.arm == arm.pairs_name
                and job.fold is not None
                and job.fold.repeat == own.fold.repeat
                and held_out <= set(job.fold.test)
            ]
            yield Job(
                kind="fusion",
                arm=arm.name,
                fold=own.fold,
                decided_by={
                    "version": version.__version__,
                    "patients": identities,
                    "place": [own.fold.repeat, own.fold.fold, plan.seed],
                },
                needs=(own, *needed),
            )


def network_log_odds(job: Job, out: Path) -> dict[str, float]:
    """Log-odds of every case by a network that neither knew it nor, if it is trained on, the held-out cases.

    Args:
        job: A fusion whose networks are finished.
        out: Folder of the experiment.

    Raises:
        EvaluationError: Predictions of a network are missing or damaged.
    """
    assert job.fold is not None
    train, found = set(job.fold.train), dict[str, float]()
    for need in job.needs:
        own = need.fold == job.fold
        for one in read_predictions(need.folder(out) / PREDICTIONS):
            p = np.concatenate([one.probability, one.censored_probability])
            p = np.clip(p, _LEAST_PROBABILITY, 1 - _LEAST_PROBABILITY)
            for case, log_odds in zip((*one.cases, *one.censored), np.log(p / (1 - p)).tolist(), strict=True):
                if own != (case in train):
                    found[case] = log_odds
    return found
