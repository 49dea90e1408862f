"""A result folder read back, to export what it holds."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from PCNSLSurvivalLib.core.errors import PCNSLSurvivalError, UnreadableScanError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.storage.strict_json import read_own_json
from PCNSLSurvivalLib.core.terms import OSClass, Verdict
from PCNSLSurvivalLib.imaging.geometry import Grid
from PCNSLSurvivalLib.imaging.headers.regular_files import kind_of
from PCNSLSurvivalLib.imaging.io import read_volume
from PCNSLSurvivalLib.results.case_folder import ACTIVATION_MAP, BRAIN_MASK, OTHER_MAP, PREDICTION, REPORT
from PCNSLSurvivalLib.results.old_results import upgraded

_LARGEST_JSON_BYTES = 10_000_000
_LONGEST_TEXT = 500
_ROUNDING = 1e-3
_ENDINGS = (".nii.gz", ".nrrd")


class UnreadableResultError(PCNSLSurvivalError):
    """A folder given as a result is none, or lacks a file."""


@dataclass(frozen=True, kw_only=True)
class StoredCase:
    """What a prediction left behind.

    Attributes:
        prediction: ``prediction.json``, as schema 2 has it.
        maps: Grad-CAM by the class it explains, the explained class first: ``float32``, 0 to 1, on
            the T1Gd grid.
        brain_mask: ``uint8`` on the same grid.
    """

    prediction: Mapping[str, Any]
    maps: Mapping[OSClass, sitk.Image]
    brain_mask: sitk.Image

    @property
    def model(self) -> str:
        """Name and version of the model."""
        model = self.prediction["model"]
        return f"{model['name']} {model['version']}"

    def failed_a_check(self, explains: OSClass) -> bool:
        """Whether the map of a class failed one of its checks, where these were made."""
        key = "explanation_checks" if explains is next(iter(self.maps)) else "explanation_checks_other_class"
        checks = self.prediction.get(key)
        return checks is not None and checks["verdict"] != Verdict.GOOD


def read_stored_case(folder: Path) -> StoredCase:
    """Read a result folder; its volumes may be NIfTI, or NRRD as the Slicer panel writes them.

    Raises:
        UnreadableResultError: A file is missing or damaged.
    """
    try:
        prediction = _prediction(folder / PREDICTION)
        entries = (prediction[key] for key in ("activation_map", "activation_map_other_class"))
        explained = [OSClass.of_key(entry["explains"]) for entry in entries]
        maps = {each: _volume(folder, name) for each, name in zip(explained, (ACTIVATION_MAP, OTHER_MAP), strict=True)}
        mask = sitk.Cast(_volume(folder, BRAIN_MASK) > 0, sitk.sitkUInt8)
    except (AttributeError, OSError, ValueError, KeyError, TypeError, RecursionError, UnreadableScanError) as problem:
        raise UnreadableResultError(Message("result.incomplete")) from problem
    grid = Grid.of(mask)
    if len(maps) < 2 or not all(_is_map(image) and Grid.of(image).matches(grid) for image in maps.values()):
        raise UnreadableResultError(Message("result.incomplete"))
    return StoredCase(prediction=prediction, maps=maps, brain_mask=mask)


def _is_map(image: sitk.Image) -> bool:
    values = sitk.GetArrayViewFromImage(image)
    return bool(np.isfinite(values).all() and values.min() >= 0 and values.max() <= 1 + _ROUNDING)


def _prediction(path: Path) -> dict[str, Any]:
    """``prediction.json`` as schema 2 has it, of which every value that is read here has its type.

    Raises:
        AttributeError, KeyError, TypeError, ValueError, OSError, RecursionError: It does not.
    """
    if kind_of(path) != "file" or path.stat().st_size > _LARGEST_JSON_BYTES:
        raise OSError
    prediction = upgraded(read_own_json(path))
    model = prediction["model"]
    texts = [model["name"], model["version"], model["checksum_sha256"]]
    numbers = [prediction["probability_over_one_year"]]
    for entry in (prediction["activation_map"], prediction["activation_map_other_class"]):
        texts.append(entry["explains"])
        numbers.append(entry["scale"])
    OSClass.of_key(prediction["class"])
    foci = (prediction.get("lesion") or {}).get("foci") or []
    if not isinstance(prediction.get("preprocessing", {}), dict) or not all(isinstance(one, dict) for one in foci):
        raise TypeError
    if not all(isinstance(number, int | float) and abs(number) <= sys.float_info.max for number in numbers):
        raise TypeError
    for name in ("explanation_checks", "explanation_checks_other_class"):
        if prediction.get(name) is not None:
            texts.append(prediction[name]["verdict"])
    if not all(isinstance(text, str) and len(text) <= _LONGEST_TEXT for text in texts):
        raise TypeError
    if not all(isinstance(warning["sentence"], str) for warning in prediction.get("warnings", [])):
        raise TypeError
    return prediction


def find_report(folder: Path) -> Path:
    """The page of a result folder.

    Raises:
        UnreadableResultError: There is none.
    """
    if not (folder / REPORT).is_file():
        raise UnreadableResultError(Message("result.incomplete"))
    return folder / REPORT


def _volume(folder: Path, name: str) -> sitk.Image:
    plain = name.removesuffix(_ENDINGS[0])
    there = [path for path in (folder / (plain + ending) for ending in _ENDINGS) if kind_of(path) == "file"]
    if not there:
        raise FileNotFoundError(name)
    return read_volume(there[0])
