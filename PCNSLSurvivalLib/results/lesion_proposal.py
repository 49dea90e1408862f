"""The files of a lesion proposal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PCNSLSurvivalLib.core.storage.installed_files import sha256_of
from PCNSLSurvivalLib.imaging.io import write_volume
from PCNSLSurvivalLib.inference.segment import SegmentResult

MASK = "lesion_proposal.nii.gz"
MEASURES = "lesion_proposal.json"


def write_segment_folder(result: SegmentResult, folder: Path) -> dict[str, Any]:
    """Write mask and measures into a folder (a staging folder, see ``core.storage.files``).

    Returns:
        What was written as ``lesion_proposal.json``.
    """
    write_volume(result.mask, folder / MASK)
    return write_measures(result.to_json(), folder)


def write_measures(measures: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Write the measures beside a mask that is there already.

    Returns:
        What was written as ``lesion_proposal.json``.
    """
    stored = {**measures, "mask": MASK, "mask_sha256": sha256_of(folder / MASK)}
    text = json.dumps(stored, indent=2, ensure_ascii=False, allow_nan=False)
    (folder / MEASURES).write_text(text + "\n", encoding="utf-8", newline="\n")
    return stored
