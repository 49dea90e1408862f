"""Make the model that ships with this software: virtual patients, backbones, heads, judgement on fresh ones, card.

Usage: ``make bundled-model``, or ``python Resources/experiments/make_bundled_model.py [--work DIR] [--jobs N]``. Every
step goes on where it was stopped. ``--train-only`` with ``--device cuda`` trains the backbones on a GPU, and a second
run without it does the rest. What the card says is measured here, and printed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from fresh_patients import judge, performance, with_second_line
from numpy.typing import NDArray

from PCNSLSurvivalLib.cohorts.prepared_cohort import COHORT_FILE, PreparedCohort, PreparedExam, read_prepared_cohort
from PCNSLSurvivalLib.cohorts.shared_patients import KnownPatient
from PCNSLSurvivalLib.cohorts.splits import repeated_stratified_folds
from PCNSLSurvivalLib.core.storage.files import whole_folder
from PCNSLSurvivalLib.core.terms import RESEARCH_USE_ONLY, MRSequence
from PCNSLSurvivalLib.evaluation.classification import auc
from PCNSLSurvivalLib.evaluation.intervals import auc_interval
from PCNSLSurvivalLib.experiment.model.known_patients import training_patients
from PCNSLSurvivalLib.models.calibration import fit_temperature
from PCNSLSurvivalLib.models.familiarity import Described, familiarity_statistics
from PCNSLSurvivalLib.models.familiarity_measures import measures_of
from PCNSLSurvivalLib.models.model_folder import bundled_model_path, read_model_folder
from PCNSLSurvivalLib.models.model_license import APACHE
from PCNSLSurvivalLib.models.networks.architecture import ResNetArchitecture
from PCNSLSurvivalLib.models.networks.folded_resnet import FoldedResNet
from PCNSLSurvivalLib.models.networks.resnet3d import tensors_of
from PCNSLSurvivalLib.models.networks.weights_file import Tensors
from PCNSLSurvivalLib.models.write_model_folder import ModelDescription, rename_model, write_model_folder
from PCNSLSurvivalLib.phantoms.disease.diseases import Kind as Disease
from PCNSLSurvivalLib.phantoms.survival_model import survival_model
from PCNSLSurvivalLib.preprocessing.recipe import NetworkGridStep
from PCNSLSurvivalLib.training.lesions.backbone import (
    READINGS,
    SIZE,
    SPACING_MM,
    Backbone,
    BackbonePlan,
    make_heads,
    read_backbone,
    read_heads,
    train_backbone,
)
from PCNSLSurvivalLib.training.lesions.mixture import fit_mixture, with_head

VERSION = "1.3.0"
MEMBERS = 5
ARCHITECTURE = ResNetArchitecture(depth=10, widen_factor=0.25, max_pool=False, pooling="brain")
GRID = NetworkGridStep(size=SIZE, spacing_mm=SPACING_MM)
SEQUENCES = (MRSequence.T1GD,)
# Patients, seed. Training needs brains alone. The others are whole heads as a scanner gives them: "familiar" sets the
# limit of the out-of-distribution check, "fresh" judges. The seed of the fresh ones is changed whenever their card was
# seen before the network was final.
COHORTS = {"pcnsl": (200, 2023, ["--stripped"]), "familiar": (120, 2029, []), "fresh": (60, 2028, [])}
_FOLDS, _REPEATS = 5, 5


def main() -> int:
    """Make the bundled model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("build/bundled_model"), help="cohorts and checkpoints, kept")
    parser.add_argument("--jobs", type=int, default=2, help="processes that make patients and heads")
    parser.add_argument("--heads", type=int, default=BackbonePlan.heads, help="random heads; 2.5 MB of memory each")
    steps = "optimizer steps, one number for all members or one for each"
    parser.add_argument("--steps", type=int, nargs="+", default=[BackbonePlan.steps], help=steps)
    parser.add_argument("--device", default="cpu", help="where to train the backbones: cpu or cuda")
    parser.add_argument("--trained-on", help="the machine of the backbones in words, for the card")
    parser.add_argument("--train-only", action="store_true", help="stop after the backbones; run again for the rest")
    parser.add_argument("--out", type=Path, default=bundled_model_path(), help="model folder to make")
    args = parser.parse_args()
    if len(args.steps) not in (1, MEMBERS):
        parser.error(f"--steps takes one number, or one for each of the {MEMBERS} members")
    steps_of = args.steps * MEMBERS if len(args.steps) == 1 else args.steps
    plans = [BackbonePlan(seed=100 + n, heads=args.heads, steps=steps) for n, steps in enumerate(steps_of)]
    backbones = trained(plans, args.work, torch.device(args.device), args.jobs)
    if args.train_only:
        return 0
    cohorts = {name: cohort(args.work, name, args.jobs) for name in COHORTS}
    patients = Patients.of(cohorts["pcnsl"], backbones)
    machine = args.trained_on or args.device
    with whole_folder(args.out, overwrite=True) as staging:
        calibration = fit_temperature(patients.held_out(patients.over_one_year).mean(axis=0), patients.over_one_year)
        write(staging, args.out.name, backbones, patients, cohorts["familiar"], calibration.temperature)
        rows = list(judge(read_model_folder(staging), cohorts["fresh"]))
        card = with_second_line(about(plans, patients, machine, calibration.temperature), rows) + about_fresh(
            cohorts["fresh"], len(rows)
        )
        card += f"\n{performance(rows)}\n\n{RESEARCH_USE_ONLY}\n\nMade by `make bundled-model`.\n"
        rename_model(staging, args.out.name, card=card)
    print(card)
    return 0


def trained(plans: Sequence[BackbonePlan], work: Path, device: torch.device, jobs: int) -> list[Backbone]:
    """The backbones, trained where they are not finished."""
    folders = [work / f"backbone_{number}" for number in range(len(plans))]
    if not all((folder / "checkpoint.pt").is_file() for folder in folders):
        make_heads(plans[0], work / "people", work / "heads", jobs=jobs)
    found, heads = [], None
    for plan, folder in zip(plans, folders, strict=True):
        try:
            found.append(read_backbone(folder, plan, ARCHITECTURE))
        except ValueError:
            heads = heads or read_heads(plan, work / "heads", device)
            found.append(train_backbone(plan, ARCHITECTURE, heads, folder, report=lambda *now: print(*now, flush=True)))
    return found


def cohort(work: Path, name: str, jobs: int) -> PreparedCohort:
    """Make and prepare virtual patients; what is there is kept."""
    patients, seed, options = COHORTS[name]
    prepared = work / f"prepared_{name}"
    if (prepared / COHORT_FILE).is_file():
        return read_prepared_cohort(prepared)
    sizes = ["--kind", "pcnsl", "--patients", patients, "--seed", seed, "--out", work / name]
    command("phantom", *sizes, "--layout", "table", "--sequences", "t1gd", "--jobs", jobs, *options)
    masks = ["--use-brain-masks"] if "--stripped" in options else []
    command("preprocess", work / name / "patients.csv", *masks, "--jobs", jobs, "--out", prepared)
    return read_prepared_cohort(prepared)


def command(*arguments: object) -> None:
    """Run one command of this software, which says itself what is wrong; some patients may be stopped."""
    subprocess.run([sys.executable, "-m", "PCNSLSurvivalLib.cli", *map(str, arguments)], check=False)


@dataclass(frozen=True, eq=False)
class Patients:
    """Training patients with a known class, as the backbones read them.

    Attributes:
        prepared: The whole cohort.
        names: (N,) of the exams.
        over_one_year: (N,).
        values: (N, M, R) values of the readings for each member.
        volumes_ml: (N,) true lesion volume.
        cells: Number of cells of layer4.
    """

    prepared: PreparedCohort
    names: list[str]
    over_one_year: NDArray[np.bool_]
    values: NDArray[np.float64]
    volumes_ml: NDArray[np.float64]
    cells: int

    @classmethod
    def of(cls, prepared: PreparedCohort, backbones: Sequence[Backbone]) -> Patients:
        """Read every patient with every backbone."""
        kept: list[torch.Tensor] = []
        for backbone in backbones:
            backbone.network.get_submodule("layer4").register_forward_hook(lambda module, given, out: kept.append(out))
        names, classes, values, volumes, cells = [], [], [], [], 0
        for exam in prepared.exams:
            os_class, lesion = exam.os_class(), exam.lesion_on(GRID)
            if os_class is None or lesion is None:
                continue
            x = torch.from_numpy(exam.network_input(SEQUENCES, GRID))[None]
            row = []
            for backbone in backbones:
                with torch.no_grad():
                    backbone.network(x)
                layer4 = kept.pop()[0].flatten(1)
                cells = layer4.shape[1]
                row.append((backbone.readings @ layer4).sum(1).double().numpy())
            names.append(exam.name)
            classes.append(bool(os_class))
            values.append(np.stack(row))
            volumes.append(float(np.count_nonzero(lesion)) * float(np.prod(SPACING_MM)) / 1000.0)
        return cls(prepared, names, np.array(classes), np.array(values), np.array(volumes), cells)

    def held_out(self, over_one_year: NDArray[np.bool_]) -> NDArray[np.float64]:
        """(repeats, N) mean log-odds of the members for patients on whom their heads were not fitted."""
        people = [self.prepared.exam(name).patient_id for name in self.names]
        number = {name: n for n, name in enumerate(self.names)}
        said = np.zeros((_REPEATS, len(self.names)))
        folds = repeated_stratified_folds(
            self.names, people, over_one_year.astype(int).tolist(), splits=_FOLDS, repeats=_REPEATS, seed=1
        )
        for fold in folds:
            train, test = ([number[name] for name in side] for side in (fold.train, fold.test))
            heads = [fit_mixture(self.values[train, m], over_one_year[train]) for m in range(self.values.shape[1])]
            said[fold.repeat, test] = np.mean(
                [head.log_odds(self.values[test, m]) for m, head in enumerate(heads)], axis=0
            )
        return said


def write(
    folder: Path,
    name: str,
    backbones: Sequence[Backbone],
    patients: Patients,
    familiar: PreparedCohort,
    temperature: float,
) -> None:
    """Write the model folder, with a draft of the card."""
    members: list[Tensors] = []
    for number, backbone in enumerate(backbones):
        head = fit_mixture(patients.values[:, number], patients.over_one_year)
        readings = backbone.readings.double().numpy()
        members.append(with_head(tensors_of(backbone.network), readings, head, cells=patients.cells))
    exams = [patients.prepared.exam(one) for one in patients.names]
    networks = [FoldedResNet(ARCHITECTURE, member) for member in members]
    whom = f"{len(exams)} virtual patients"
    write_model_folder(
        folder,
        architecture=ARCHITECTURE,
        members=members,
        sequences=SEQUENCES,
        recipe=replace(patients.prepared.recipe, network_grid=GRID),
        familiarity=familiarity_statistics(
            [described(exam, networks) for exam in exams],
            reference=whom,
            others=[described(exam, networks) for exam in familiar.exams],
            limited_by=f"{len(familiar.exams)} other whole heads of virtual patients",
        ),
        known_patients=training_patients(KnownPatient.of(exam) for exam in exams),
        description=ModelDescription(
            name=name,
            version=VERSION,
            kind="demonstration",
            description="One-year overall survival from T1Gd, learned on virtual heads.",
            intended_use="Trying, testing and demonstrating the software; never a statement about a patient. "
            + RESEARCH_USE_ONLY,
            data_source="Trained on virtual heads of this software; no scan is part of this folder.",
            training_cohort=f"virtual patients of `pcnsl-survival phantom`, {whom}",
            training_patients=len(exams),
            card="# Draft\n",
            license=APACHE,
            temperature=temperature,
            calibration_patients=len(exams),
        ),
    )


def described(exam: PreparedExam, networks: Sequence[FoldedResNet]) -> Described:
    """What the out-of-distribution check compares."""
    case = exam.network_input(SEQUENCES, GRID)
    x = torch.from_numpy(case)[None]
    return measures_of(case), np.stack([n.up_to("layer4", x).mean(dim=(2, 3, 4))[0].numpy() for n in networks])


def about(plans: Sequence[BackbonePlan], patients: Patients, machine: str, temperature: float) -> str:
    """The beginning of the card."""
    over, best = patients.over_one_year, survival_model(Disease.PCNSL)
    permuted = np.random.default_rng(1).permutation(over)
    observed, chance = patients.held_out(over).mean(axis=0), patients.held_out(permuted).mean(axis=0)
    plan, steps = plans[0], [p.steps for p in plans]
    counted = str(steps[0]) if len(set(steps)) == 1 else f"{min(steps)} to {max(steps)}"
    return f"""# DEMONSTRATION: trained on virtual heads only; must not be used on patients

Its training patients are virtual: probabilities and maps have no prognostic value.

# One-year overall survival of primary CNS lymphoma from T1Gd

| | |
|---|---|
| Network | 3D {ARCHITECTURE.name}, width multiplier {ARCHITECTURE.widen_factor:g}, {len(plans)} members |
| Cells | count by their share of brain; evidence outside the brain is 0 |
| Backbones | learned the lesions of {plan.heads} virtual heads of random appearance, from {plan.people} virtual \
people; {counted} steps of {plan.batch} heads; no outcome, no scan of a patient |
| Backbones trained on | {machine} |
| Heads | a mixture of {len(READINGS)} readings ({", ".join(READINGS)}), fitted on {len(over)} virtual patients |
| Constant | log-odds of the share over one year among them, {np.log(over.mean() / (1 - over.mean())):.2f} |
| Outcome | OS of more than 365 days |
| Calibration | temperature {temperature:.2f}, fitted on held-out predictions |
| Best possible AUC of virtual patients | {best.oracle_auc:.2f} with every variable, {best.oracle_image_auc:.2f} from \
the scan, {best.oracle_volume_auc:.2f} from the volume alone |
| License | Apache-2.0 |

## Training patients

Heads of {_FOLDS} folds, {_REPEATS} times, each judged on patients on whom it was not fitted; the log-odds of a
patient are averaged over the repetitions.

| | AUC |
|---|---|
| mean of the members | {_auc(over, observed)} |
| with permuted outcomes (negative control) | {_auc(permuted, chance)} |
| true lesion volume | {_auc(over, -patients.volumes_ml)} |
"""


def _auc(over: NDArray[np.bool_], ranking: NDArray[np.float64]) -> str:
    low, high = auc_interval(over, ranking)
    return f"{auc(over, ranking):.2f} ({low:.2f} to {high:.2f})"


def about_fresh(prepared: PreparedCohort, evaluated: int) -> str:
    """What the fresh patients are."""
    patients, seed, _ = COHORTS["fresh"]
    rejected, censored = patients - len(prepared.exams), len(prepared.exams) - evaluated
    return f"""
## Virtual patients from another seed

{patients} whole heads of `phantom`, seed {seed}, with the full preprocessing, on which nothing was trained or tuned: \
{rejected} rejected by quality checks, {censored} censored before one year, {evaluated} evaluated.
"""


if __name__ == "__main__":
    sys.exit(main())
