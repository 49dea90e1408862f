"""Finished steps kept on disk by the content they were made from, so that none is ever computed twice."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import SimpleITK as sitk

from PCNSLSurvivalLib.core.errors import OutputFolderError, UnreadableScanError
from PCNSLSurvivalLib.core.messages import Message, step_words
from PCNSLSurvivalLib.core.storage.leftovers import clear_leftovers, temporary_folder
from PCNSLSurvivalLib.core.storage.strict_json import read_own_json
from PCNSLSurvivalLib.core.terms import Step
from PCNSLSurvivalLib.imaging.geometry import Grid
from PCNSLSurvivalLib.imaging.headers.regular_files import kind_of
from PCNSLSurvivalLib.imaging.io import read_volume
from PCNSLSurvivalLib.preprocessing.recipe import RECIPE_VERSION

STEPS_VERSION = 3
"""Raised when a step gives another result for the same recipe: 2, two thresholds find the head; 3, N4 on a grid."""


def content_of(image: sitk.Image) -> str:
    """SHA-256 over the voxels, their type and their grid."""
    digest = hashlib.sha256(repr((Grid.of(image), image.GetPixelIDTypeAsString())).encode())
    digest.update(sitk.GetArrayViewFromImage(image).tobytes())
    return digest.hexdigest()


@dataclass(frozen=True)
class StepStore:
    """A folder of results, each under a name made of the step, its parameters and the content it read.

    A result is written beside its place and renamed: a run killed at any moment leaves it whole or not at
    all. One that was damaged since counts as absent. ``log.txt`` gets one line for every step that was really computed.
    """

    folder: Path

    def __post_init__(self) -> None:
        """Make the folder, and remove what a killed run was writing in it.

        Raises:
            OutputFolderError: It cannot be made.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            reason = problem.strerror or type(problem).__name__
            raise OutputFolderError(Message("files.no_folder_for_steps", reason=reason)) from problem
        clear_leftovers(self.folder)

    def image(
        self,
        step: Step,
        detail: str,
        parameters: object,
        inputs: tuple[sitk.Image, ...],
        make: Callable[[], sitk.Image],
    ) -> tuple[sitk.Image, bool]:
        """The kept volume, or the one ``make`` computes now.

        Args:
            step: The step.
            detail: Which volume, for the log.
            parameters: The recipe's dataclass of the step.
            inputs: All volumes the step reads; the result lies on the grid of the first.
            make: Computes the result.

        Returns:
            The volume, and whether it was found.
        """
        key = self._key(step, parameters, *(content_of(image) for image in inputs))
        path = self.folder / f"{key}.nrrd"
        kept = _whole_image(path, inputs[0])
        if kept is not None:
            return kept, True
        made = make()
        self._put(path, lambda part: sitk.WriteImage(made, str(part), useCompression=True))
        self._note(key, step, detail)
        return made, False

    def pose(
        self,
        step: Step,
        detail: str,
        parameters: object,
        inputs: tuple[sitk.Image | str, ...],
        make: Callable[[], sitk.Euler3DTransform],
    ) -> tuple[sitk.Euler3DTransform, bool]:
        """The kept rigid transform, or the one ``make`` computes now; see ``image``."""
        key = self._pose_key(step, parameters, inputs)
        path = self.folder / f"{key}.json"
        kept = _whole_pose(path)
        if kept is not None:
            return kept, True
        made = make()
        text = json.dumps(pose_values(made))
        self._put(path, lambda part: part.write_text(text, encoding="utf-8"))
        self._note(key, step, detail)
        return made, False

    def has_pose(self, step: Step, parameters: object, inputs: tuple[sitk.Image | str, ...]) -> bool:
        """Whether ``pose`` would find a kept transform."""
        return _whole_pose(self.folder / f"{self._pose_key(step, parameters, inputs)}.json") is not None

    def forget(self, step: Step) -> None:
        """Delete the kept results of one step, to free the disk."""
        for path in self.folder.glob(f"{step.value}-*"):
            path.unlink()

    def _pose_key(self, step: Step, parameters: object, inputs: tuple[sitk.Image | str, ...]) -> str:
        contents = (content if isinstance(content, str) else content_of(content) for content in inputs)
        return self._key(step, parameters, *contents)

    def _key(self, step: Step, parameters: object, *contents: str) -> str:
        settings: Any = asdict(parameters)  # type: ignore[call-overload]
        text = json.dumps([RECIPE_VERSION, STEPS_VERSION, step.value, settings, contents], sort_keys=True)
        return f"{step.value}-{hashlib.sha256(text.encode()).hexdigest()[:24]}"

    def _put(self, path: Path, write: Callable[[Path], object]) -> None:
        with temporary_folder(path) as folder:
            write(folder / path.name)
            (folder / path.name).replace(path)

    def _note(self, key: str, step: Step, detail: str) -> None:
        with (self.folder / "log.txt").open("a", encoding="utf-8") as log:
            log.write(f"{key} {step_words(step)}, {detail}\n")


def _whole_image(path: Path, first: sitk.Image) -> sitk.Image | None:
    """The kept volume on the grid of ``first``; None where it is absent, damaged in any place, or of another size."""
    if kind_of(path) != "file":
        return None
    try:
        kept = read_volume(path)
    except (UnreadableScanError, OSError):
        return None
    if kept.GetSize() != first.GetSize():
        return None
    # The header's decimals may end early; the grid is known exactly.
    kept.CopyInformation(first)
    return kept


def _whole_pose(path: Path) -> sitk.Euler3DTransform | None:
    """The kept pose; None where it is absent or its file holds no six finite numbers around a center."""
    if kind_of(path) != "file":
        return None
    try:
        kept = pose_from(read_own_json(path))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError):
        return None
    return kept if all(map(math.isfinite, (*kept.GetCenter(), *kept.GetParameters()))) else None


def pose_values(pose: sitk.Euler3DTransform) -> dict[str, tuple[float, ...]]:
    """A rigid transform as numbers: center and translation in LPS mm, angles in radians."""
    return {"center": tuple(pose.GetCenter()), "parameters": tuple(pose.GetParameters())}


def pose_from(values: dict[str, list[float]]) -> sitk.Euler3DTransform:
    """The transform that ``pose_values`` wrote, to the last bit."""
    pose = sitk.Euler3DTransform()
    pose.SetCenter(values["center"])
    pose.SetParameters(values["parameters"])
    return pose
