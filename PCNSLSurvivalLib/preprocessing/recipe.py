"""How scans are prepared, as one value: it can be printed, compared, hashed and stored with a model."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from PCNSLSurvivalLib.core.errors import PreparationError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.imaging.geometry import Interpolation
from PCNSLSurvivalLib.preprocessing.recipe_limits import check_recipe_step

RECIPE_VERSION = "1"

Triple = tuple[int, int, int]
TripleMm = tuple[float, float, float]


def factors_for(spacing_mm: TripleMm, size: Triple, target_mm: float, *, least_samples: int = 8) -> Triple:
    """How many voxels along each axis become one, so that samples lie ``target_mm`` apart at most.

    An axis that is already coarser stays as it is, and no axis is left with fewer than ``least_samples``
    samples: 5 mm slices are therefore kept while 0.5 mm in-plane voxels are joined.

    Args:
        spacing_mm: Voxel edges along i, j, k.
        size: Voxels along i, j, k.
        target_mm: Wanted distance of samples.
        least_samples: Samples every axis keeps, where it has them.

    Returns:
        Factor per axis, each at least 1.
    """
    i, j, k = (
        max(1, min(int(target_mm / edge + 1e-6), count // least_samples))
        for edge, count in zip(spacing_mm, size, strict=True)
    )
    return i, j, k


@dataclass(frozen=True, kw_only=True)
class BiasFieldStep:
    """Remove the smooth shading of the receive coil with N4 (Tustison et al. 2010)."""

    working_spacing_mm: float = 4.0
    """The field is fitted on samples this far apart; coarser axes, such as 5 mm slices, are kept whole."""
    iterations: tuple[int, ...] = (50, 50, 50)
    """Most iterations per level; every level doubles the number of B-spline pieces."""
    convergence_threshold: float = 1e-3
    control_points: Triple = (4, 4, 4)
    """Control points along i, j, k at the first level: one cubic piece over the head."""
    histogram_bins: int = 200


@dataclass(frozen=True, kw_only=True)
class RegistrationStep:
    """Bring the other scans onto T1Gd by a rigid movement of the head that maximizes mutual information."""

    search_mm: float = 6.0
    """Distance of samples while the pose is searched; axes coarser than that are kept whole."""
    search_samples: int = 15_000
    levels_mm: tuple[float, ...] = (3.0, 1.5)
    """Distance of samples, level by level, while the pose is made exact on the brain."""
    start_rotations_deg: tuple[float, ...] = (-12.0, 0.0, 12.0)
    """Head turns tried about each patient axis at the coarsest level."""
    histogram_bins: int = 48
    samples: int = 60_000
    """Most points of the brain that the mutual information of one level looks at."""
    iterations: int = 120
    seed: int = 121212
    aligned_below_mm: float = 0.25
    """A movement whose mean over the head is smaller counts as none: the scan keeps its own samples."""


@dataclass(frozen=True, kw_only=True)
class BrainExtractionStep:
    """Outline the brain on T1Gd with the two networks of deepbet (Fisch et al. 2024)."""

    method: str = "deepbet-1.0.2"
    finding_size: int = 128
    """Edge of the cube in which the first network finds the brain."""
    outlining_size: int = 256
    """Edge of the cube around the brain in which the second network draws the outline."""
    margin: float = 0.10
    """Room around the found brain on either side, as a share of its extent."""
    intensity_quantiles: tuple[float, float] = (0.005, 0.995)
    threshold: float = 0.5
    working_spacing_mm: float = 1.0
    """Voxel edge on which the outline is cleaned."""
    scalp_and_skull_mm: float = 4.0
    """No brain lies closer to the skin than this; scalp and skull together are thicker everywhere."""
    closing_mm: float = 3.0
    """Notches and gaps up to twice this wide are closed, so that cortical lesions stay inside."""


@dataclass(frozen=True, kw_only=True)
class NormalizationStep:
    """Give every scan the same scale: median of the brain 0, robust standard deviation 1."""

    scale: str = "interquartile range / 1.349"
    clip: tuple[float, float] = (-6.0, 12.0)


@dataclass(frozen=True, kw_only=True)
class ResampleStep:
    """Bring every scan to one voxel size along the axes of T1Gd."""

    spacing_mm: TripleMm = (1.0, 1.0, 1.0)
    interpolation: Interpolation = "bspline"


@dataclass(frozen=True, kw_only=True)
class NetworkGridStep:
    """Cut one block of fixed size in mm around the brain, so that proportions and size are kept."""

    size: Triple = (128, 128, 128)
    spacing_mm: TripleMm = (1.5, 1.5, 1.5)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """All steps from scan to network input with every parameter that can change a number."""

    version: str = RECIPE_VERSION
    bias_field: BiasFieldStep = field(default_factory=BiasFieldStep)
    registration: RegistrationStep = field(default_factory=RegistrationStep)
    brain_extraction: BrainExtractionStep = field(default_factory=BrainExtractionStep)
    normalization: NormalizationStep = field(default_factory=NormalizationStep)
    resampling: ResampleStep = field(default_factory=ResampleStep)
    network_grid: NetworkGridStep = field(default_factory=NetworkGridStep)

    def to_json(self) -> dict[str, Any]:
        """The recipe as plain JSON values, tuples as lists."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return plain

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Recipe:
        """The recipe that ``to_json`` wrote.

        Raises:
            PreparationError: A step or parameter is missing or unknown, a value is not within its limits
                (``recipe_limits``), or the version is not ours.
        """
        if stored.get("version") != RECIPE_VERSION:
            version = str(stored.get("version"))
            raise PreparationError(Message("recipe.other_version", version=version, ours=RECIPE_VERSION))
        steps = {f.name: f.default_factory for f in fields(cls) if f.name != "version"}
        _same_names(Message("word.recipe"), set(stored) - {"version"}, set(steps))
        made: dict[str, Any] = {}
        for name, kind in steps.items():
            values = stored[name]
            if not isinstance(values, dict):
                raise PreparationError(
                    Message("recipe.out_of_range", step=name, name=name, value=str(values)[:60], allowed="{...}")
                )
            _same_names(Message("word.recipe_step", step=name), set(values), {f.name for f in fields(kind)})  # type: ignore[arg-type]
            check_recipe_step(name, values)
            made[name] = kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})  # type: ignore[operator]
        return cls(**made)

    @property
    def sha256(self) -> str:
        """SHA-256 over the canonical JSON form: two recipes are the same exactly when this is the same."""
        text = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def refuse_other_preparation(prepared: Recipe, model: Recipe, *, case: str) -> None:
    """Refuse a prepared case for a model that was trained on scans prepared otherwise.

    The network's block is cut from the prepared scans for each model anew, so it does not count.

    Args:
        prepared: What prepared the case.
        model: What the model folder keeps.
        case: How the sentence calls the case.

    Raises:
        PreparationError: A step or parameter differs.
    """
    pairs = ((f.name, getattr(prepared, f.name), getattr(model, f.name)) for f in fields(model))
    other = [name for name, one, two in pairs if one != two and name != "network_grid"]
    if other:
        raise PreparationError(Message("recipe.other_than_model", case=case, steps=tuple(other)))


def _same_names(part: Message, found: set[str], wanted: set[str]) -> None:
    if found != wanted:
        raise PreparationError(Message("recipe.does_not_fit", part=part, odd=tuple(sorted(found ^ wanted))))


RECIPE = Recipe()
"""The default recipe."""
