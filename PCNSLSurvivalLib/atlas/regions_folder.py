"""The named regions of a patient on disk: two volumes and one JSON file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from PCNSLSurvivalLib.atlas.named_regions import NamedRegions
from PCNSLSurvivalLib.atlas.placement import PlacedAtlas
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import RESEARCH_USE_ONLY
from PCNSLSurvivalLib.imaging.geometry import Grid, image_on_grid
from PCNSLSurvivalLib.imaging.io import write_volume

REGIONS, BRAIN, JSON = "regions.nii.gz", "regions_brain.nii.gz", "regions.json"


def write_regions(placed: PlacedAtlas, folder: Path, *, warnings: Sequence[Message] = ()) -> dict[str, Any]:
    """Write the regions and which atlas they are of; no volumes where the registration did not pass its checks.

    Args:
        placed: The atlas in the patient.
        folder: An existing folder.
        warnings: On the scan and the brain mask.

    Returns:
        What ``regions.json`` holds.
    """
    regions = placed.regions
    stored: dict[str, Any] = {
        "schema": "pcnsl-survival/regions",
        "schema_version": "1.0",
        "research_use_only": RESEARCH_USE_ONLY,
        "warnings": [warning.to_json() for warning in warnings],
        "atlas": placed.to_json(),
    }
    if regions is not None:
        write_volume(image_on_grid(regions.numbers_kji, regions.grid), folder / REGIONS)
        write_volume(image_on_grid(regions.brain_kji.astype(np.uint8), regions.grid), folder / BRAIN)
        stored |= {
            "names": list(regions.names),
            "within_mm": regions.within_mm,
            "size": list(regions.grid.size),
            "spacing_mm": list(regions.grid.spacing_mm),
            "origin_lps_mm": list(regions.grid.origin_lps_mm),
            "direction_lps": list(regions.grid.direction_lps),
        }
    text = json.dumps(stored, indent=2, ensure_ascii=False, allow_nan=False)
    (folder / JSON).write_text(text + "\n", encoding="utf-8")
    return stored


def stored_regions(
    stored: Mapping[str, Any], numbers_kji: NDArray[np.uint16], brain_kji: NDArray[np.generic]
) -> NamedRegions | None:
    """The regions that ``write_regions`` wrote.

    Args:
        stored: What ``regions.json`` holds.
        numbers_kji: Voxels of ``regions.nii.gz``.
        brain_kji: Voxels of ``regions_brain.nii.gz``.

    Returns:
        None where the registration did not pass its checks.
    """
    if "names" not in stored:
        return None
    i, j, k = (int(n) for n in stored["size"])
    spacing, origin = ((float(v[0]), float(v[1]), float(v[2])) for v in (stored["spacing_mm"], stored["origin_lps_mm"]))
    return NamedRegions(
        grid=Grid((i, j, k), spacing, origin, tuple(float(v) for v in stored["direction_lps"])),
        numbers_kji=numbers_kji,
        brain_kji=brain_kji,
        names=tuple(str(name) for name in stored["names"]),
        within_mm=float(stored["within_mm"]),
    )
