"""Survival of virtual patients: a documented model with a known Bayes-optimal AUC."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import cast

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from PCNSLSurvivalLib.core.terms import ONE_YEAR_DAYS
from PCNSLSurvivalLib.phantoms.clinical import ClinicalData, draw_clinical
from PCNSLSurvivalLib.phantoms.disease.diseases import Kind, LesionFeatures, draw_features
from PCNSLSurvivalLib.phantoms.random_fields import stream

FloatArray = NDArray[np.float64]

# Standard deviation of log OS over patients; with the share below it puts the median of a PCNSL cohort at 13 months.
_SPREAD = 1.2
_POPULATION = 4000
_POPULATION_SEED = 19

# She et al. 2023: 30 of 56 patients lived longer than a year; BraTS2020: 119 of 235.
SHARE_OVER_ONE_YEAR = {Kind.PCNSL: 30 / 56, Kind.GBM: 119 / 235}

# Weights of standardized variables in the risk. Most of it shows in the scan; `oracle_image_auc` says how much.
# Involvement of deep structures leads, as in the IELSG score (Ferreri et al., J Clin Oncol 21, 2003,
# doi:10.1200/JCO.2003.09.139), so that volume alone (`oracle_volume_auc`) falls short of a reader of the whole scan.
# The history of these numbers is in docs/decisions/bundled-model.md.
IMAGE_WEIGHTS = {"log_boundary": 0.20, "log_volume": 0.55, "count": 0.30, "deep": 0.60}
CLINICAL_WEIGHTS = {"age": 0.16, "ecog": 0.16, "ldh": 0.10, "csf": 0.10}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Overall survival as a registry has it, and what only the model knows.

    Attributes:
        os_days: Days to death, or to the last contact.
        death_observed: False: alive at the last contact.
        true_os_days: Days to death, also where it was not observed.
        risk: Standardized risk, higher is worse.
        probability_over_one_year: True probability of OS > 1 year given everything the model uses.
    """

    os_days: int
    death_observed: bool
    true_os_days: int
    risk: float
    probability_over_one_year: float


@dataclass(frozen=True, kw_only=True)
class SurvivalModel:
    """Log-normal accelerated failure times: log OS = location − slope · risk + noise.

    Attributes:
        kind: Disease.
        location: Mean of log OS in log days.
        slope: Shift of log OS per standard deviation of risk.
        noise: Standard deviation of what nothing explains.
        oracle_auc: Bayes-optimal AUC for OS > 1 year, computed from the true risk.
        oracle_image_auc: The same with the scan's part of the risk alone.
        oracle_volume_auc: The same with the true volume of all lesions alone.
    """

    kind: Kind
    location: float
    slope: float
    noise: float
    oracle_auc: float
    oracle_image_auc: float
    oracle_volume_auc: float

    def probability_over_one_year(self, risk: FloatArray) -> FloatArray:
        """True probability of OS > 365 days at a risk."""
        margin = self.location - self.slope * np.asarray(risk) - np.log(ONE_YEAR_DAYS + 0.5)
        return cast(FloatArray, ndtr(margin / self.noise))

    def draw_outcome(self, seed: int, features: LesionFeatures, clinical: ClinicalData) -> Outcome:
        """Draw one patient's OS: death, loss to follow-up (5 %) or the end of the study, whichever is first."""
        image, clinic = _risk_parts(features, clinical, self.kind)
        risk = float(image + clinic)
        draw = stream(seed, "outcome", self.kind)
        death = float(np.exp(self.location - self.slope * risk + self.noise * draw.normal()))
        study_end = float(draw.uniform(400.0, 2600.0))
        lost = float(draw.uniform(30.0, 900.0)) if draw.uniform() < 0.05 else np.inf
        last_contact = min(study_end, lost)
        true_days = int(np.clip(round(death), 5, 6000))
        observed = true_days <= last_contact
        return Outcome(
            os_days=true_days if observed else int(last_contact),
            death_observed=observed,
            true_os_days=true_days,
            risk=risk,
            probability_over_one_year=float(self.probability_over_one_year(np.array(risk))),
        )


@lru_cache(maxsize=16)
def survival_model(kind: Kind, oracle_auc: float = 0.85) -> SurvivalModel:
    """The model whose true risk separates OS > 1 year with the AUC asked for.

    The slope is found by bisection on a large drawn population, with the share of patients over one year held
    at ``SHARE_OVER_ONE_YEAR``; both AUCs are then computed from the true probabilities, not from drawn labels.

    Args:
        kind: Disease.
        oracle_auc: 0.5 (OS does not depend on the patient at all) to 0.97.

    Raises:
        ValueError: ``oracle_auc`` is outside 0.5 to 0.97.
    """
    if not 0.5 <= oracle_auc <= 0.97:
        raise ValueError("The best achievable AUC must be between 0.5 and 0.97.")
    image, clinic = _population_risks(kind)
    risk = image + clinic
    low, high = 0.0, 0.9995
    if oracle_auc == 0.5:
        high = 0.0
    for _ in range(40):
        middle = (low + high) / 2
        if expected_auc(_probabilities(risk, middle, kind), -risk) < oracle_auc:
            low = middle
        else:
            high = middle
    explained = (low + high) / 2
    probabilities = _probabilities(risk, explained, kind)
    slope, noise = _SPREAD * explained, _SPREAD * float(np.sqrt(1.0 - explained**2))
    return SurvivalModel(
        kind=kind,
        location=_location(risk, slope, noise, kind),
        slope=slope,
        noise=noise,
        oracle_auc=expected_auc(probabilities, -risk) if explained else 0.5,
        oracle_image_auc=expected_auc(probabilities, -image) if explained else 0.5,
        oracle_volume_auc=expected_auc(probabilities, -_population(kind)[0]["log_volume"]) if explained else 0.5,
    )


def expected_auc(probability: FloatArray, ranking: FloatArray) -> float:
    """AUC that a ranking has on average when each patient's class is drawn with its own probability.

    Args:
        probability: (N,) true probability of the positive class.
        ranking: (N,) values, higher for the positive class; ties count half.
    """
    order = np.argsort(ranking, kind="stable")
    p, r = np.asarray(probability)[order], np.asarray(ranking)[order]
    negative = np.concatenate([[0.0], np.cumsum(1.0 - p)])
    below = negative[np.searchsorted(r, r, side="left")]
    up_to = negative[np.searchsorted(r, r, side="right")]
    return float((p * (below + up_to) / 2).sum() / (p.sum() * (1.0 - p).sum()))


def _probabilities(risk: FloatArray, explained: float, kind: Kind) -> FloatArray:
    slope, noise = _SPREAD * explained, _SPREAD * float(np.sqrt(1.0 - explained**2))
    margin = _location(risk, slope, noise, kind) - slope * risk - np.log(ONE_YEAR_DAYS + 0.5)
    return cast(FloatArray, ndtr(margin / noise))


def _location(risk: FloatArray, slope: float, noise: float, kind: Kind) -> float:
    """Mean of log OS that gives the wanted share over one year, by bisection."""
    wanted = SHARE_OVER_ONE_YEAR[kind]
    year = np.log(ONE_YEAR_DAYS + 0.5)
    if slope == 0.0:
        return float(year + noise * ndtri(wanted))
    low, high = year - 8.0, year + 8.0
    for _ in range(50):
        middle = (low + high) / 2
        if ndtr((middle - slope * risk - year) / noise).mean() < wanted:
            low = middle
        else:
            high = middle
    return float((low + high) / 2)


@lru_cache(maxsize=2)
def _population(kind: Kind) -> tuple[dict[str, FloatArray], float]:
    """Values of every risk variable in the reference population, and the standard deviation of their sum."""
    rows: dict[str, list[float]] = {}
    for number in range(_POPULATION):
        seed = _POPULATION_SEED * 1_000_000 + number
        features = draw_features(seed, kind)
        age = float(np.clip(stream(seed, "age").normal(62.0, 12.0), 22.0, 88.0))
        for name, value in _variables(features, draw_clinical(seed, features, age)).items():
            rows.setdefault(name, []).append(value)
    values = {name: np.array(column) for name, column in rows.items()}
    weights = IMAGE_WEIGHTS | CLINICAL_WEIGHTS
    total = np.zeros(_POPULATION)
    for name, column in values.items():
        total += weights[name] * np.nan_to_num((column - np.nanmean(column)) / (np.nanstd(column) or 1.0))
    return values, float(total.std())


def _population_risks(kind: Kind) -> tuple[FloatArray, FloatArray]:
    values, _ = _population(kind)
    parts = []
    for weights in (IMAGE_WEIGHTS, CLINICAL_WEIGHTS):
        parts.append(sum((_share(name, values[name], kind) for name in weights), np.zeros(_POPULATION)))
    return parts[0], parts[1]


def _risk_parts(features: LesionFeatures, clinical: ClinicalData, kind: Kind) -> tuple[float, float]:
    values = _variables(features, clinical)
    image = sum(float(_share(name, np.array(values[name]), kind)) for name in IMAGE_WEIGHTS)
    return image, sum(float(_share(name, np.array(values[name]), kind)) for name in CLINICAL_WEIGHTS)


def _share(name: str, value: FloatArray, kind: Kind) -> FloatArray:
    """What one variable adds to the risk; an unmeasured value adds nothing."""
    _, spread = _population(kind)
    mean, deviation = _mean_and_deviation(name, kind)
    weight = (IMAGE_WEIGHTS | CLINICAL_WEIGHTS)[name]
    return weight * np.nan_to_num((value - mean) / deviation) / spread


@cache
def _mean_and_deviation(name: str, kind: Kind) -> tuple[float, float]:
    """Of one variable in the population; a deviation of 1 where it does not vary."""
    column = _population(kind)[0][name]
    return float(np.nanmean(column)), float(np.nanstd(column)) or 1.0


def _variables(features: LesionFeatures, clinical: ClinicalData) -> dict[str, float]:
    csf = clinical.csf_protein_elevated
    return {
        "log_boundary": float(np.log(features.boundary_mm)),
        "log_volume": float(np.log(features.volume_ml)),
        "count": float(features.count),
        "deep": float(features.deep),
        "age": clinical.age_years,
        "ecog": float(clinical.ecog),
        "ldh": float(clinical.ldh_elevated),
        "csf": float("nan") if csf is None else float(csf),
    }
