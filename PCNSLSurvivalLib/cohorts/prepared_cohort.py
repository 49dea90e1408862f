"""A cohort prepared by ``pcnsl-survival preprocess``: prepared exams with survival."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from PCNSLSurvivalLib.cohorts.case import ClinicalVariables, os_class_of
from PCNSLSurvivalLib.cohorts.tables.table_file import read_table
from PCNSLSurvivalLib.core.errors import CohortError, PreparationError, UnreadableScanError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.storage.strict_json import read_own_json
from PCNSLSurvivalLib.core.terms import ONE_YEAR_DAYS, MRSequence, OSClass, Verdict
from PCNSLSurvivalLib.imaging.geometry import Grid, resample
from PCNSLSurvivalLib.imaging.io import read_volume
from PCNSLSurvivalLib.preprocessing.recipe import NetworkGridStep, Recipe
from PCNSLSurvivalLib.preprocessing.steps.resampling import network_grid, to_network

COHORT_FILE = "cohort.json"
CASES_FOLDER = "cases"
STEPS_FOLDER = ".steps"
"""Steps of unfinished cases, brain outlines and poses of all, and a log of every step computed."""
EXCLUDED_FILE = "excluded.csv"
COHORT_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class PreparedExam:
    """One prepared exam on disk."""

    name: str
    patient_id: str
    folder: Path
    sequences: tuple[MRSequence, ...]
    os_days: float | None
    death_observed: bool | None
    clinical: ClinicalVariables
    aliases: tuple[str, ...]
    recipe: Recipe
    verdict: Verdict
    """The worst verdict of the preprocessing of this case."""
    has_lesion_mask: bool

    def os_class(self, threshold_days: float = ONE_YEAR_DAYS) -> OSClass | None:
        """The OS class; None where survival is unknown or was censored by the threshold."""
        return os_class_of(self.os_days, self.death_observed, threshold_days)

    def scan(self, sequence: MRSequence) -> sitk.Image:
        """A prepared scan: ``float32`` at 1 mm, normalized, 0 outside the brain.

        Raises:
            CohortError: The case has no such scan, or its file is gone or damaged.
        """
        if sequence not in self.sequences:
            raise CohortError(Message("prepared_cohort.no_sequence", sequence=sequence))
        return _volume(self.folder / f"{sequence.value}_preprocessed.nii.gz")

    def brain_mask(self) -> sitk.Image:
        """``uint8`` brain mask on the grid of the prepared scans.

        Raises:
            CohortError: The file is gone or damaged.
        """
        return _volume(self.folder / "brain_mask_preprocessed.nii.gz")

    def lesion_mask(self) -> sitk.Image | None:
        """``uint8`` lesion mask on the grid of the prepared scans; None where the cohort brought none.

        Raises:
            CohortError: The file is gone or damaged.
        """
        return _volume(self.folder / "lesion_mask_preprocessed.nii.gz") if self.has_lesion_mask else None

    def network_input(
        self, sequences: tuple[MRSequence, ...], grid: NetworkGridStep | None = None
    ) -> NDArray[np.float32]:
        """The scans on the block the network sees.

        Args:
            sequences: The channels, in the model's order.
            grid: Size of the block; that of the recipe if left out.

        Returns:
            (C, I, J, K) ``float32``; the indices run to left, posterior, superior.

        Raises:
            CohortError: A scan is not there.
        """
        block = self.network_block(grid)
        return np.stack([to_network(self.scan(sequence), block) for sequence in sequences])

    def lesion_on(self, grid: NetworkGridStep | None = None) -> NDArray[np.bool_] | None:
        """(I, J, K) lesion on the block the network sees; None where the cohort brought no mask."""
        lesion = self.lesion_mask()
        if lesion is None:
            return None
        sampled = resample(lesion, self.network_block(grid), interpolation="nearest")
        return np.ascontiguousarray(sitk.GetArrayViewFromImage(sampled).transpose(2, 1, 0) > 0)

    def network_block(self, grid: NetworkGridStep | None = None) -> Grid:
        """Where the block the network sees lies in the patient."""
        return network_grid(self.brain_mask(), grid if grid is not None else self.recipe.network_grid)


@dataclass(frozen=True, kw_only=True)
class PreparedCohort:
    """A prepared cohort: what can be trained on, and what was left out."""

    folder: Path
    recipe: Recipe
    exams: tuple[PreparedExam, ...]
    left_out: Mapping[str, str]
    """Reason by name of each case that was not prepared, or that ``excluded.csv`` names."""
    virtual: bool = False
    """Whether scans of it were made by ``pcnsl-survival phantom``; not known, and so False, of older folders."""

    def exam(self, name: str) -> PreparedExam:
        """The exam with a name.

        Raises:
            CohortError: There is none.
        """
        found = next((exam for exam in self.exams if exam.name == name), None)
        if found is None:
            raise CohortError(Message("prepared_cohort.no_such_case"))
        return found


def read_prepared_cohort(folder: Path) -> PreparedCohort:
    """Read a folder that ``pcnsl-survival preprocess`` finished.

    Args:
        folder: Its ``--out``. A file ``excluded.csv`` in it (columns ``name`` and, if wanted, ``reason``) leaves
            cases out, for example after a look through the contact sheet.

    Raises:
        CohortError: The folder is no prepared cohort, is damaged, its cases were prepared by several recipes, or
            ``excluded.csv`` cannot be used.
    """
    stored = _stored(folder)
    try:
        return _cohort(stored, folder)
    except PreparationError as problem:
        raise CohortError(Message("prepared_cohort.other_recipe")) from problem
    except (AttributeError, KeyError, TypeError, ValueError) as problem:
        raise CohortError(Message("prepared_cohort.damaged")) from problem


def _cohort(stored: dict[str, Any], folder: Path) -> PreparedCohort:
    """The cohort that a record tells of.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: An entry is missing or of another kind.
    """
    recipe = Recipe.from_json(stored["recipe"])
    excluded = excluded_cases(folder, {case["name"] for case in stored["cases"]})
    exams, left_out = [], {}
    for case in stored["cases"]:
        name = case["name"]
        if case["state"] != "prepared":
            left_out[name] = case["reason"]
        elif name in excluded:
            left_out[name] = excluded[name]
        else:
            exams.append(_exam(case, folder, recipe))
    return PreparedCohort(
        folder=folder,
        recipe=recipe,
        exams=tuple(exams),
        left_out=left_out,
        virtual=stored.get("virtual") is True,
    )


def excluded_cases(folder: Path, known: Collection[str]) -> dict[str, str]:
    """Reason by name of the cases that ``excluded.csv`` names; empty without that file.

    Args:
        folder: Of the prepared cohort.
        known: Names of all cases of the cohort.

    Raises:
        CohortError: The file cannot be read, has no column 'name', or names a case that the cohort does not have.
    """
    path = folder / EXCLUDED_FILE
    if not path.is_file():
        return {}
    table = read_table(path)
    if not table.has("name"):
        raise CohortError(Message("excluded.no_name_column"))
    excluded = {}
    for row in table.rows:
        name = row.text("name")
        if name is None:
            raise CohortError(Message("excluded.no_name", line=row.number))
        if name not in known:
            folded = {case.casefold(): case for case in known}
            near = difflib.get_close_matches(name.casefold(), folded, n=1)
            if near:
                raise CohortError(Message("excluded.misspelled", line=row.number, name=name, near=folded[near[0]]))
            raise CohortError(Message("excluded.unknown_name", line=row.number, name=name))
        excluded[name] = row.text("reason") or "Excluded manually."
    return excluded


def _stored(folder: Path) -> dict[str, Any]:
    path = folder / COHORT_FILE
    if not path.is_file():
        raise CohortError(Message("prepared_cohort.not_found"))
    try:
        stored = read_own_json(path)
        if stored["made_by"] != "pcnsl-survival preprocess" or stored["version"] != COHORT_VERSION:
            raise KeyError
    except (OSError, ValueError, KeyError) as problem:
        raise CohortError(Message("prepared_cohort.damaged")) from problem
    return stored


def _exam(case: Mapping[str, Any], folder: Path, recipe: Recipe) -> PreparedExam:
    if Path(case["name"]).name != case["name"]:
        raise ValueError("not the name of one folder")
    return PreparedExam(
        name=case["name"],
        patient_id=case["patient"],
        folder=folder / CASES_FOLDER / case["name"],
        sequences=tuple(MRSequence(value) for value in case["sequences"]),
        os_days=case["os_days"],
        death_observed=case["death_observed"],
        clinical=ClinicalVariables(**case["clinical"]),
        aliases=tuple(case["aliases"]),
        recipe=recipe,
        verdict=Verdict(case["verdict"]),
        has_lesion_mask=case["has_lesion_mask"],
    )


def _volume(path: Path) -> sitk.Image:
    try:
        return read_volume(path)
    except UnreadableScanError as problem:
        raise CohortError(Message("prepared_cohort.volume_damaged", case=path.parent.name, file=path.name)) from problem
