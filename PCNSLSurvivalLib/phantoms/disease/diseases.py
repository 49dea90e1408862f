"""Diseases as they are drawn: primary CNS lymphoma, and glioblastoma for pre-training."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from PCNSLSurvivalLib.phantoms.anatomy.individual import PatientAnatomy
from PCNSLSurvivalLib.phantoms.disease.lesions import Lesion, LesionPlan
from PCNSLSurvivalLib.phantoms.random_fields import stream


class Kind(StrEnum):
    """Which disease a cohort has."""

    PCNSL = "pcnsl"
    GBM = "gbm"


@dataclass(frozen=True)
class Site:
    """A place where lesions grow: LPS mm of the average head, on the left side."""

    name: str
    center_lps_mm: tuple[float, float, float]
    deep: bool
    share: float
    largest_ml: float = 80.0


# Most lesions of PCNSL lie in periventricular white matter and the frontal lobes (Haldorsen et al., AJNR 30, 2009:
# 56 % of 103 lesions abut the ventricles); the shares below follow that roughly. "Deep" is the IELSG score's word:
# periventricular tissue, basal ganglia, corpus callosum, brainstem, cerebellum.
SITES = (
    Site("periventricular frontal", (22, -26, 18), True, 0.13),
    Site("periventricular parietal", (25, 32, 26), True, 0.12),
    Site("callosal genu", (9, -31, 8), True, 0.05, 25.0),
    Site("callosal splenium", (11, 40, 14), True, 0.06, 25.0),
    Site("basal ganglia", (22, -4, 3), True, 0.12, 30.0),
    Site("thalamus", (13, 18, 8), True, 0.07, 15.0),
    Site("cerebellum", (22, 62, -30), True, 0.05, 20.0),
    Site("brainstem", (4, 24, -30), True, 0.02, 5.0),
    Site("frontal cortex", (36, -38, 24), False, 0.14),
    Site("parietal cortex", (38, 44, 38), False, 0.10),
    Site("temporal cortex", (48, 20, -12), False, 0.09, 40.0),
    Site("occipital cortex", (24, 78, 8), False, 0.05, 40.0),
)


@dataclass(frozen=True, kw_only=True)
class LesionFeatures:
    """What of the disease a scan shows and a risk can depend on.

    Attributes:
        boundary_mm: Width over which the tumor fades into the brain; blurred boundaries are wide.
        volume_ml: Volume of all lesions.
        count: Number of lesions.
        deep: Whether any lesion touches the deep structures of the IELSG score.
    """

    boundary_mm: float
    volume_ml: float
    count: int
    deep: bool


def draw_features(seed: int, kind: Kind) -> LesionFeatures:
    """Draw the disease as numbers, before any place or shape; the volume is a wish until the sites are known."""
    draw = stream(seed, "features", kind)
    size, other = draw.normal(), draw.normal()
    # Large tumors are more often blurred: both log-normal, with a correlation of one half.
    blur = 0.5 * size + np.sqrt(0.75) * other
    boundary = float(np.clip(4.0 * np.exp(0.75 * blur), 0.8, 14.0))
    if kind is Kind.GBM:
        volume = float(np.clip(26.0 * np.exp(0.6 * size), 5.0, 80.0))
        return LesionFeatures(boundary_mm=boundary, volume_ml=volume, count=1, deep=bool(draw.uniform() < 0.35))
    volume = float(np.clip(10.0 * np.exp(0.7 * size), 1.5, 50.0))
    # 34 patients with a single lesion, 26 with several (Haldorsen et al. 2009).
    count = int(draw.choice([1, 2, 3, 4], p=[0.57, 0.24, 0.13, 0.06]))
    return LesionFeatures(boundary_mm=boundary, volume_ml=volume, count=count, deep=bool(draw.uniform() < 0.58))


def draw_plan(seed: int, kind: Kind, features: LesionFeatures, anatomy: PatientAnatomy) -> LesionPlan:
    """Give the drawn features places and shapes in one person's head.

    Args:
        seed: The same seed gives the same plan.
        kind: PCNSL grows solid and homogeneous, glioblastoma as a ring around necrosis.
        features: What the lesions must add up to.
        anatomy: The person; sites move with the size of the head.
    """
    draw = stream(seed, "plan", kind)
    sites = _choose_sites(draw, features)
    shares = draw.dirichlet([4.0] * features.count) if features.count > 1 else np.ones(1)
    shares = np.sort(shares)[::-1]
    lesions = []
    for site, share in zip(sites, shares, strict=True):
        side = float(draw.choice([-1.0, 1.0]))
        place = np.asarray(site.center_lps_mm) * (side, 1.0, 1.0) + draw.normal(0.0, 3.0, 3)
        x, y, z = (float(v) for v in place * anatomy.size)
        stretch = np.exp(draw.normal(0.0, 0.14, 3))
        a, b, c = (float(v) for v in stretch / np.cbrt(stretch.prod()))
        volume = features.volume_ml * float(share)
        lesions.append(
            Lesion(
                center_lps_mm=(x, y, z),
                volume_ml=volume,
                boundary_mm=features.boundary_mm,
                elongation=(a, b, c),
                roughness_mm=float(draw.uniform(0.7, 1.8)),
                edema_mm=float(draw.uniform(6.0, 22.0)),
                enhancement="ring" if kind is Kind.GBM else "solid",
                rim_mm=float(draw.uniform(3.5, 6.5)),
                mass_effect=float(draw.uniform(0.15, 0.45)),
            )
        )
    return LesionPlan(seed=seed, lesions=tuple(lesions))


def _choose_sites(draw: np.random.Generator, features: LesionFeatures) -> list[Site]:
    """Different sites with room for the volume; a patient without deep disease has cortical sites only."""
    allowed = [site for site in SITES if (features.deep or not site.deep)]
    first = [site for site in allowed if site.deep == features.deep and site.largest_ml >= features.volume_ml]
    chosen = [_pick(draw, first)]
    while len(chosen) < features.count:
        chosen.append(_pick(draw, [site for site in allowed if site not in chosen and site.largest_ml >= 15.0]))
    return chosen


def _pick(draw: np.random.Generator, sites: list[Site]) -> Site:
    weights = np.array([site.share for site in sites])
    return sites[int(draw.choice(len(sites), p=weights / weights.sum()))]
