"""Groups of patients in whom a model is judged on its own: by age, sex, site, scanner and lesion."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from PCNSLSurvivalLib.evaluation.classification import classification_metrics
from PCNSLSurvivalLib.evaluation.intervals import bootstrap_intervals
from PCNSLSurvivalLib.evaluation.out_of_fold import Estimate
from PCNSLSurvivalLib.evaluation.predictions import FoldPredictions

SMALLEST_LESION_ML = 0.1
"""Smaller parts of a lesion mask count as no lesion of their own."""
FEWEST_OF_A_CLASS = 5
"""Exams of each class that an AUC needs."""
_NOT_DEFINED = Estimate(value=float("nan"), low=float("nan"), high=float("nan"))


@dataclass(frozen=True, kw_only=True)
class TestPatient:
    """What groups a patient of a validation belongs to; None where unknown."""

    __test__ = False  # no test of pytest

    age_years: float | None = None
    sex: str | None = None
    site: str | None = None
    field_strength_t: float | None = None
    lesion_count: int | None = None
    """Connected parts of the mask of at least ``SMALLEST_LESION_ML``."""
    lesion_ml: float | None = None


@dataclass(frozen=True, kw_only=True)
class Subgroup:
    """Cases that share something."""

    by: str
    name: str
    cases: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class SubgroupResult:
    """A model in one group."""

    arm: str
    by: str
    name: str
    exams: int
    over: int
    auc: Estimate
    """NaN with fewer than ``FEWEST_OF_A_CLASS`` of a class."""
    brier: Estimate
    observed: float
    """Share with an OS over the limit."""
    predicted: float
    """Mean probability of it."""


def subgroups_of(patients: Mapping[str, TestPatient]) -> tuple[Subgroup, ...]:
    """Every group that divides the cases in two parts or more; cases whose value is unknown are in none."""
    thirds = _thirds([one.lesion_ml for one in patients.values() if one.lesion_ml is not None])
    divisions: tuple[tuple[str, Callable[[TestPatient], str | None]], ...] = (
        ("Age", lambda one: None if one.age_years is None else "over 60 years" if one.age_years > 60 else "up to 60"),
        ("Sex", lambda one: one.sex),
        ("Site", lambda one: one.site),
        ("Field strength", lambda one: None if one.field_strength_t is None else f"{one.field_strength_t:g} T"),
        (f"Lesions of {SMALLEST_LESION_ML:g} mL or more", _number_of_lesions),
        ("Lesion volume", lambda one: None if one.lesion_ml is None else _third(one.lesion_ml, thirds)),
    )
    found = []
    for by, value in divisions:
        of_case = {case: value(one) for case, one in patients.items()}
        names = sorted({name for name in of_case.values() if name is not None})
        if len(names) > 1:
            found += [
                Subgroup(by=by, name=name, cases=frozenset(case for case, one in of_case.items() if one == name))
                for name in names
            ]
    return tuple(found)


def _number_of_lesions(one: TestPatient) -> str | None:
    if one.lesion_count is None:
        return None
    return ("none", "one", "several")[min(one.lesion_count, 2)]


def subgroup_result(
    one: FoldPredictions, group: Subgroup, *, patients: Mapping[str, str], resamples: int
) -> SubgroupResult:
    """The performance of a model in one group, with bootstrap intervals over its patients."""
    chosen = np.array([case in group.cases for case in one.cases], dtype=bool)
    os_class, p = one.os_class[chosen], one.probability[chosen]
    enough = np.bincount(os_class, minlength=2).min() >= FEWEST_OF_A_CLASS
    values = {"auc": _NOT_DEFINED, "brier": _NOT_DEFINED}
    if len(os_class) >= 2:
        names = [patients[case] for case, held in zip(one.cases, chosen, strict=True) if held]
        intervals = bootstrap_intervals(os_class, p, patients=names, resamples=resamples)
        metrics = classification_metrics(os_class, p)
        for metric in values:
            if enough or metric != "auc":
                low, high = intervals[metric]
                values[metric] = Estimate(value=float(metrics[metric]), low=low, high=high)
    return SubgroupResult(
        arm=one.arm,
        by=group.by,
        name=group.name,
        exams=len(os_class),
        over=int(os_class.sum()),
        observed=float(os_class.mean()) if len(os_class) else float("nan"),
        predicted=float(p.mean()) if len(os_class) else float("nan"),
        **values,
    )


def _thirds(volumes: Sequence[float]) -> tuple[float, float]:
    if not volumes:
        return 0.0, 0.0
    low, high = np.quantile(volumes, (1 / 3, 2 / 3))
    return float(low), float(high)


def _third(volume: float, thirds: tuple[float, float]) -> str:
    low, high = thirds
    if volume <= low:
        return f"1: up to {low:.1f} mL"
    return f"2: up to {high:.1f} mL" if volume <= high else f"3: over {high:.1f} mL"
