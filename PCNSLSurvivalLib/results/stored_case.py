"""A result folder read back, to export what it holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import SimpleITK as sitk

from PCNSLSurvivalLib.core.errors import PCNSLSurvivalError
from PCNSLSurvivalLib.results.case_folder import ACTIVATION_MAP, BRAIN_MASK, OTHER_MAP, PREDICTION, REPORT

_INCOMPLETE = (
    "This is not a complete result folder of this software. Give the folder that 'pcnsl-survival predict' made, or "
    "predict again."
)
_ENDINGS = (".nii.gz", ".nrrd")


class UnreadableResultError(PCNSLSurvivalError):
    """A folder given as a result is none, or lacks a file."""


@dataclass(frozen=True, kw_only=True)
class StoredCase:
    """What a prediction left behind.

    Attributes:
        prediction: ``prediction.json``.
        maps: Grad-CAM by the label of the class it explains, the explained class first: ``float32``, 0 to 1, on
            the T1Gd grid.
        brain_mask: ``uint8`` on the same grid.
    """

    prediction: Mapping[str, Any]
    maps: Mapping[str, sitk.Image]
    brain_mask: sitk.Image

    @property
    def model(self) -> str:
        """Name and version of the model."""
        model = self.prediction["model"]
        return f"{model['name']} {model['version']}"


def read_stored_case(folder: Path) -> StoredCase:
    """Read a result folder; its volumes may be NIfTI, or NRRD as the Slicer panel writes them.

    Raises:
        UnreadableResultError: A file is missing or damaged.
    """
    try:
        prediction = json.loads((folder / PREDICTION).read_text(encoding="utf-8"))
        explained = [prediction[key]["explains"] for key in ("activation_map", "activation_map_other_class")]
        maps = {
            label: _volume(folder, name) for label, name in zip(explained, (ACTIVATION_MAP, OTHER_MAP), strict=True)
        }
        mask = sitk.Cast(_volume(folder, BRAIN_MASK) > 0, sitk.sitkUInt8)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as problem:
        raise UnreadableResultError(_INCOMPLETE) from problem
    return StoredCase(prediction=prediction, maps=maps, brain_mask=mask)


def find_report(folder: Path) -> Path:
    """The page of a result folder.

    Raises:
        UnreadableResultError: There is none.
    """
    if not (folder / REPORT).is_file():
        raise UnreadableResultError(_INCOMPLETE)
    return folder / REPORT


def _volume(folder: Path, name: str) -> sitk.Image:
    plain = name.removesuffix(_ENDINGS[0])
    there = [path for path in (folder / (plain + ending) for ending in _ENDINGS) if path.is_file()]
    if not there:
        raise FileNotFoundError(name)
    return sitk.ReadImage(str(there[0]))
