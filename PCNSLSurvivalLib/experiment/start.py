"""A network that ``pcnsl-survival pretrain`` trained, as the start of another training."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PCNSLSurvivalLib.data.prepared_cohort import PreparedCohort
from PCNSLSurvivalLib.data.shared_patients import KnownPatient, refuse_shared_patients
from PCNSLSurvivalLib.errors import ExperimentError
from PCNSLSurvivalLib.experiment.members import MEMBER, member_of
from PCNSLSurvivalLib.experiment.plan import ExperimentPlan
from PCNSLSurvivalLib.installed_files import sha256_of
from PCNSLSurvivalLib.models.architecture import ResNetArchitecture
from PCNSLSurvivalLib.models.weights_file import Tensors
from PCNSLSurvivalLib.preprocessing.recipe import NetworkGridStep
from PCNSLSurvivalLib.terms import Sequence


@dataclass(frozen=True, kw_only=True)
class Start:
    """A finished training on everybody of a cohort.

    Attributes:
        folder: As ``pretrain`` left it.
        sequence: What its network looks at.
        architecture: The network.
        grid: The block it saw.
        recipe_sha256: How its scans were prepared.
        weights_sha256: Of the weights file: names the start wherever something depends on it.
        patients: Everybody it was trained on.
    """

    folder: Path
    sequence: Sequence
    architecture: ResNetArchitecture
    grid: NetworkGridStep
    recipe_sha256: str
    weights_sha256: str
    patients: tuple[KnownPatient, ...]

    def tensors(self) -> Tensors:
        """The weights, head included: it was trained for the same OS classes."""
        return member_of(self.folder, self.architecture)

    def refuse_unfit(self, plan: ExperimentPlan, cohort: PreparedCohort) -> None:
        """Refuse a start that the networks of a plan cannot take, or that saw a patient of the cohort.

        Raises:
            CohortError: A patient is on both sides.
            ExperimentError: Network, block or preparation of the scans differ.
        """
        if self.architecture != plan.network or self.grid != plan.network_grid:
            raise ExperimentError(
                "The start was trained with another network or another block than the plan asks for. Give both "
                "commands the same experiment file, or copy 'network' and 'network_grid' from the start's unit.json."
            )
        if self.recipe_sha256 != cohort.recipe.sha256:
            raise ExperimentError(
                "The scans of the start were prepared by another recipe than those of the cohort. Prepare both cohorts "
                "with the same version of this software, and pre-train again."
            )
        refuse_shared_patients(cohort, self.patients)


def read_start(folder: Path) -> Start:
    """Read what ``pcnsl-survival pretrain`` left.

    Raises:
        ExperimentError: The folder is no such training.
        TrainingError: It is damaged.
    """
    from PCNSLSurvivalLib.training.unit import read_unit

    folder = folder.absolute()
    unit = read_unit(folder)
    facts = unit.facts
    if facts["fold"]["test"] or "patients" not in facts or len(facts["sequences"]) != 1:
        raise ExperimentError(
            "The start was not trained by 'pcnsl-survival pretrain': it held patients back, or does not say on whom it "
            "was trained. Give the folder that pretrain wrote."
        )
    return Start(
        folder=folder,
        sequence=Sequence(facts["sequences"][0]),
        architecture=unit.architecture,
        grid=NetworkGridStep(**{entry: tuple(values) for entry, values in facts["settings"]["grid"].items()}),
        recipe_sha256=facts["recipe_sha256"],
        weights_sha256=sha256_of(folder / MEMBER),
        patients=tuple(KnownPatient(**{**one, "aliases": tuple(one["aliases"])}) for one in facts["patients"]),
    )
