"""The people behind random heads: tissue of some dozens of brains and what enhances in them without being tumor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from PCNSLSurvivalLib.core.storage.files import whole_file
from PCNSLSurvivalLib.imaging.geometry import image_on_grid
from PCNSLSurvivalLib.phantoms.anatomy.head import build_head
from PCNSLSurvivalLib.phantoms.anatomy.individual import draw_anatomy
from PCNSLSurvivalLib.phantoms.anatomy.tissues import Tissue
from PCNSLSurvivalLib.phantoms.disease.lesions import LesionPlan
from PCNSLSurvivalLib.phantoms.random_fields import stream
from PCNSLSurvivalLib.phantoms.randomized.structures import paint_structures

ANATOMIES_VERSION = 3
DEPTH_PER_MM = 8.0
"""Steps of ``SourceAnatomy.depth`` per mm."""
DEPTH_AT_SURFACE = 128.0
"""Value of ``SourceAnatomy.depth`` on the surface of the brain."""

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class SourceAnatomy:
    """One brain on a 1 mm grid.

    Attributes:
        origin_lps_mm: (3,) first voxel in the head frame.
        packed: (K, J, I) ``uint64``, four maps side by side, 16 bits each: share of gray matter, of white matter,
            depth, and share of the nearby ``Structure``; shares in 255ths. One multiplication interpolates all four.
        depth: (K, J, I) ``uint8``: ``DEPTH_AT_SURFACE`` on the surface of the brain, ``DEPTH_PER_MM`` more per mm
            outside.
        structure: (K, J, I) ``uint8``, number of the ``Structure`` nearby, 0 for none.
        veins: (K, J, I) ``uint8``, distance to the middle of the nearest small vein, ``VEINS_PER_MM``.
    """

    origin_lps_mm: NDArray[np.float64]
    packed: NDArray[np.uint64]
    depth: Bytes
    structure: Bytes
    veins: Bytes

    @property
    def lanes(self) -> NDArray[np.uint16]:
        """(K, J, I, 4) view of ``packed``: gray matter, white matter, depth, share of the structure."""
        return self.packed.view(np.uint16).reshape(*self.packed.shape, 4)


@dataclass(frozen=True, eq=False)
class Anatomies:
    """Some dozens of people, kept in memory at about 60 MB each."""

    people: tuple[SourceAnatomy, ...]

    @classmethod
    def made(
        cls, count: int, *, seed: int, cache: Path | None = None, announce: Callable[[int], None] | None = None
    ) -> Anatomies:
        """Make ``count`` people, or read those that an earlier run left in ``cache``; 5 s each on one core.

        Args:
            count: How many.
            seed: Person n is the same for every count.
            cache: Folder that keeps finished people for the next run; none is written if left out.
            announce: Called with the number of people so far.

        Raises:
            MissingFilesError: The tissue maps of the nilearn package are not installed.
        """
        people = []
        for number in range(count):
            person = person_seed(seed, number)
            people.append(kept_anatomy(person, cache) if cache else make_anatomy(person))
            if announce:
                announce(number + 1)
        return cls(tuple(people))


def person_seed(seed: int, number: int) -> int:
    """The seed of person ``number`` among the people of ``seed``."""
    return int(stream(seed, "randomized", str(number)).integers(2**31))


def make_anatomy(seed: int) -> SourceAnatomy:
    """One person without disease, with vessels and membranes."""
    anatomy = draw_anatomy(seed)
    head = build_head(anatomy, LesionPlan(seed=seed, lesions=()), brain_only=True)
    distance = sitk.SignedMaurerDistanceMap(image_on_grid(head.brain, head.grid) > 127, False, False, True)
    depth = sitk.GetArrayFromImage(distance) * DEPTH_PER_MM + DEPTH_AT_SURFACE
    gray, white = head.fractions[Tissue.GRAY_MATTER], head.fractions[Tissue.WHITE_MATTER]
    structure, share, veins = paint_structures(
        head.grid, gray, white, head.brain, sitk.GetArrayFromImage(distance), anatomy
    )
    box = _with_room(head.brain, 16)
    origin = head.grid.index_to_lps(np.array([box[2].start, box[1].start, box[0].start], dtype=float))
    depth = np.clip(np.rint(depth), 0, 255).astype(np.uint8)
    lanes = np.stack([a[box] for a in (gray, white, depth, share)], axis=-1).astype("<u2")
    packed = np.ascontiguousarray(lanes).view("<u8")[..., 0]
    return SourceAnatomy(origin, packed, *(np.ascontiguousarray(a[box]) for a in (depth, structure, veins)))


def _with_room(brain: Bytes, room: int) -> tuple[slice, slice, slice]:
    kji = np.argwhere(brain > 127)
    low, high = kji.min(axis=0) - room, kji.max(axis=0) + room + 1
    k, j, i = (slice(max(int(a), 0), min(int(b), n)) for a, b, n in zip(low, high, brain.shape, strict=True))
    return k, j, i


def kept_anatomy(seed: int, cache: Path) -> SourceAnatomy:
    """One person, from ``cache`` or made and left there."""
    path = cache / f"person_{ANATOMIES_VERSION}_{seed}.npz"
    names = [field.name for field in fields(SourceAnatomy)]
    if path.is_file():
        with np.load(path, allow_pickle=False) as stored:
            return SourceAnatomy(*(stored[name] for name in names))
    made = make_anatomy(seed)
    cache.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, Any] = {name: getattr(made, name) for name in names}
    with whole_file(path) as staging, staging.open("wb") as file:
        np.savez_compressed(file, **arrays)
    return made
