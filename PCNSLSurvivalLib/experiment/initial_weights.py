"""Initial weights of a transfer arm: a run of ``pcnsl-survival pretrain``, or a checkpoint file from elsewhere."""

from __future__ import annotations

import shutil
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from pathlib import Path

from PCNSLSurvivalLib.cohorts.prepared_cohort import COHORT_FILE, PreparedCohort
from PCNSLSurvivalLib.cohorts.shared_patients import refuse_shared_patients
from PCNSLSurvivalLib.core.errors import ExperimentError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.storage.installed_files import sha256_of
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.experiment.model.trained_networks import member_of
from PCNSLSurvivalLib.experiment.plan import ExperimentPlan
from PCNSLSurvivalLib.models.networks.architecture import ResNetArchitecture
from PCNSLSurvivalLib.models.networks.known_weights import DEEPBET, KnownWeights
from PCNSLSurvivalLib.models.networks.weights_file import Tensors, write_weights
from PCNSLSurvivalLib.preprocessing.brain_extractors.deepbet import Deepbet
from PCNSLSurvivalLib.preprocessing.recipe import NetworkGridStep
from PCNSLSurvivalLib.training.finished_job import MEMBER
from PCNSLSurvivalLib.training.job_record import write_record
from PCNSLSurvivalLib.training.lineage import UNKNOWN, Origin, TrainedOn


@dataclass(frozen=True, kw_only=True)
class InitialWeights(ABC):
    """Weights that were trained before.

    Attributes:
        path: Where they are.
        weights_sha256: SHA-256 of their file, which identifies them.
        sequence: The input sequence of their network; None if the weights serve any sequence.
        trained_on: All patients they were trained on, those of their own initial weights included.
    """

    path: Path
    weights_sha256: str
    sequence: MRSequence | None = None
    trained_on: TrainedOn

    @property
    @abstractmethod
    def in_words(self) -> str:
        """What it is, for a model card."""

    @abstractmethod
    def refuse_unfit(self, plan: ExperimentPlan, cohort: PreparedCohort) -> None:
        """Refuse weights that do not fit the networks of a plan, or that were trained on a patient of the cohort.

        Raises:
            CohortError: A patient is on both sides.
            ExperimentError, ModelFolderError: Network, block, OS classes or preparation of the scans differ.
        """

    @abstractmethod
    def tensors(self, plan: ExperimentPlan) -> Tensors:
        """Every tensor of the plan's network, head included."""

    @abstractmethod
    def copy_to(self, folder: Path, plan: ExperimentPlan) -> None:
        """Write to ``folder`` what a pre-training of the experiment would have written."""


@dataclass(frozen=True, kw_only=True)
class PretrainedRun(InitialWeights):
    """A finished run of ``pretrain``: one network trained on a full cohort.

    Attributes:
        before: Patients behind its own initial weights; none if it was trained from scratch.
        architecture: The network.
        grid: The block it saw.
        recipe_sha256: How its scans were prepared.
        threshold_days: Limit of the OS classes it was trained for.
    """

    before: TrainedOn
    architecture: ResNetArchitecture
    grid: NetworkGridStep
    recipe_sha256: str
    threshold_days: float

    @property
    def in_words(self) -> str:
        """For a model card."""
        patients, before = self.trained_on.patients, self.before
        own = f"a network trained on {len(patients) - len(before.patients)} other exams"
        earlier = [f"weights of {len(before.patients)} more"] if before.patients else []
        earlier += [origin.in_words for origin in before.origins]
        return f"{own}, itself initialized from {' and '.join(earlier)}" if earlier else own

    def refuse_unfit(self, plan: ExperimentPlan, cohort: PreparedCohort) -> None:
        """See ``InitialWeights.refuse_unfit``."""
        if self.architecture != plan.architecture or self.grid != plan.network_grid:
            raise ExperimentError(Message("initial_weights.other_network"))
        if self.threshold_days != plan.threshold_days:
            raise ExperimentError(
                Message("initial_weights.other_threshold", trained_days=self.threshold_days, days=plan.threshold_days)
            )
        if self.recipe_sha256 != cohort.recipe.sha256:
            raise ExperimentError(Message("initial_weights.other_recipe"))
        refuse_shared_patients(cohort, self.trained_on.patients)

    def tensors(self, plan: ExperimentPlan) -> Tensors:
        """The weights with their head: it was trained for the same outcome."""
        return member_of(self.path, self.architecture)

    def copy_to(self, folder: Path, plan: ExperimentPlan) -> None:
        """See ``InitialWeights.copy_to``."""
        shutil.copytree(self.path, folder, dirs_exist_ok=True)


@dataclass(frozen=True, kw_only=True)
class CheckpointFile(InitialWeights):
    """A checkpoint file from elsewhere, such as MedicalNet's, for the backbones of all sequences; the head is new.

    Such a file does not list its training patients, so shared patients cannot be detected.

    Attributes:
        known: Whose format the file has, with license and training population; None if it is none we know.
    """

    known: KnownWeights | None = None

    @property
    def in_words(self) -> str:
        """For a model card."""
        return " and ".join(origin.in_words for origin in self.trained_on.origins)

    def refuse_unfit(self, plan: ExperimentPlan, cohort: PreparedCohort) -> None:
        """See ``InitialWeights.refuse_unfit``."""
        self.tensors(plan)

    def tensors(self, plan: ExperimentPlan) -> Tensors:
        """The weights, with a random head from the plan's seed."""
        from PCNSLSurvivalLib.models.networks.pretrained import load_initial_weights

        source = "deepbet" if self.known is DEEPBET else self.path
        return load_initial_weights(source, plan.architecture, seed=plan.seed)[0]

    def copy_to(self, folder: Path, plan: ExperimentPlan) -> None:
        """See ``InitialWeights.copy_to``."""
        write_weights(self.tensors(plan), folder / MEMBER)
        record = {
            "weights_file_sha256": self.weights_sha256,
            "seed_of_head": plan.seed,
            "origins": [asdict(origin) for origin in self.trained_on.origins],
        }
        write_record(folder, record)


def read_initial_weights(path: Path) -> InitialWeights:
    """Read a run of ``pcnsl-survival pretrain`` from its folder, or take a checkpoint file.

    The word "deepbet" stands for the encoder of the installed brain extractor.

    Raises:
        ExperimentError: There is nothing, or the folder is no such training.
        MissingFilesError: The brain extractor is not installed.
        ModelFolderError: The file cannot be read as plain weights.
        TrainingError: The training is damaged.
    """
    from PCNSLSurvivalLib.models.networks.pretrained import known_weights
    from PCNSLSurvivalLib.training.finished_job import is_training, read_job

    if str(path) == "deepbet" and not path.exists():
        Deepbet().check()
        return _made_elsewhere(Deepbet().outliner, DEEPBET)
    path = path.absolute()
    if not path.exists():
        raise ExperimentError(Message("initial_weights.not_found"))
    if path.is_file():
        return _made_elsewhere(path, known_weights(path))
    if not is_training(path):
        of_cohort = (path / COHORT_FILE).is_file()
        raise ExperimentError(Message("initial_weights.cohort" if of_cohort else "initial_weights.no_training"))
    job = read_job(path)
    facts = job.facts
    if facts["fold"]["test"] or "patients" not in facts or len(facts["sequences"]) != 1:
        raise ExperimentError(Message("initial_weights.not_pretrained"))
    return PretrainedRun(
        path=path,
        sequence=MRSequence(facts["sequences"][0]),
        architecture=job.architecture,
        grid=NetworkGridStep(**{entry: tuple(values) for entry, values in facts["settings"]["grid"].items()}),
        recipe_sha256=facts["recipe_sha256"],
        threshold_days=float(facts["settings"]["threshold_days"]),
        weights_sha256=sha256_of(path / MEMBER),
        trained_on=TrainedOn.of_job(facts),
        before=TrainedOn.of_initial_weights_of(facts),
    )


def _made_elsewhere(path: Path, known: KnownWeights | None) -> CheckpointFile:
    sha256 = sha256_of(path)
    what = f"{known.in_words}; " if known else ""
    origin = Origin(
        in_words=f"{UNKNOWN.in_words} ({what}SHA-256 {sha256[:12]}…)",
        model_license=known.model_license if known else UNKNOWN.model_license,
    )
    return CheckpointFile(path=path, weights_sha256=sha256, trained_on=TrainedOn(origins=(origin,)), known=known)
