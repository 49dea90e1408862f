"""A cohort of virtual patients as values: who they are, what they have, how they are scanned, how long they live."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PCNSLSurvivalLib.core.terms import ONE_YEAR_DAYS
from PCNSLSurvivalLib.phantoms.anatomy.individual import PatientAnatomy, draw_anatomy
from PCNSLSurvivalLib.phantoms.clinical import ClinicalData, draw_clinical
from PCNSLSurvivalLib.phantoms.disease.diseases import Kind, LesionFeatures, draw_features, draw_plan
from PCNSLSurvivalLib.phantoms.disease.lesions import LesionPlan
from PCNSLSurvivalLib.phantoms.random_fields import stream
from PCNSLSurvivalLib.phantoms.scanner.protocol import (
    Protocol,
    draw_clinical_protocol,
    draw_isotropic_protocol,
    registered_protocol,
)
from PCNSLSurvivalLib.phantoms.scanner.sites import MOST_SITES, draw_site, scanned_at, site_name
from PCNSLSurvivalLib.phantoms.survival_model import Outcome, survival_model

GridKind = Literal["clinical", "isotropic", "registered"]


@dataclass(frozen=True, kw_only=True)
class CohortPlan:
    """What decides a cohort down to the last voxel.

    Attributes:
        patients: How many.
        seed: Patient n is the same in every cohort with this seed, however many there are.
        kind: Disease.
        grid: "clinical" mixes 3-D and thick slices; "isotropic" is 1 mm; "registered" is 1 mm in one pose.
        oracle_auc: Best achievable AUC for OS > 1 year; 0.5 makes OS independent of everything.
        sites: Number of sites, which alternate between two kinds of scanner; 1 for none.
        confounding: 0 to 1: how far long survivors are at sites of the one kind, and short ones at those of the other.
    """

    patients: int
    seed: int
    kind: Kind = Kind.PCNSL
    grid: GridKind = "clinical"
    oracle_auc: float = 0.85
    sites: int = 1
    confounding: float = 0.0

    def __post_init__(self) -> None:
        if not 1 <= self.sites <= MOST_SITES or not 0 <= self.confounding <= 1:
            raise ValueError(f"A cohort has 1 to {MOST_SITES} sites and a confounding from 0 to 1.")
        if self.confounding and self.sites < 2:
            raise ValueError("Confounding needs at least two sites.")


@dataclass(frozen=True, kw_only=True)
class CohortPatient:
    """One member of a cohort, before any image is made."""

    number: int
    seed: int
    features: LesionFeatures
    clinical: ClinicalData
    outcome: Outcome
    anatomy: PatientAnatomy
    plan: LesionPlan
    protocol: Protocol
    site: str | None = None


def draw_cohort(plan: CohortPlan) -> list[CohortPatient]:
    """Draw all patients of a cohort; no image is made yet.

    Raises:
        ValueError: ``plan.oracle_auc`` is outside 0.5 to 0.97.
    """
    return [draw_patient(plan, number) for number in range(1, plan.patients + 1)]


def draw_patient(plan: CohortPlan, number: int) -> CohortPatient:
    """Draw patient ``number`` (from 1) of a cohort."""
    seed = int(stream(plan.seed, "cohort", plan.kind, str(number)).integers(2**31))
    features = draw_features(seed, plan.kind)
    anatomy = draw_anatomy(seed)
    clinical = draw_clinical(seed, features, anatomy.age_years)
    outcome = survival_model(plan.kind, plan.oracle_auc).draw_outcome(seed, features, clinical)
    protocol, site = _protocol(seed, plan.grid), None
    if plan.sites > 1:
        over_one_year = outcome.true_os_days > ONE_YEAR_DAYS
        number_of_site = draw_site(seed, plan.sites, plan.confounding, over_one_year=over_one_year)
        protocol, site = scanned_at(protocol, number_of_site), site_name(number_of_site)
    return CohortPatient(
        number=number,
        seed=seed,
        features=features,
        clinical=clinical,
        outcome=outcome,
        anatomy=anatomy,
        plan=draw_plan(seed, plan.kind, features, anatomy),
        protocol=protocol,
        site=site,
    )


def _protocol(seed: int, grid: GridKind) -> Protocol:
    if grid == "isotropic":
        return draw_isotropic_protocol(seed)
    if grid == "registered":
        return registered_protocol(seed)
    return draw_clinical_protocol(seed, thick_t1gd=bool(stream(seed, "thick").uniform() < 0.35))
