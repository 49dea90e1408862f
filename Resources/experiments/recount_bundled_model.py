"""Version 1.1.0 of the bundled model out of version 1.0.0: its networks, with cells that count by their share of brain.

Usage: ``python Resources/experiments/recount_bundled_model.py --model FOLDER_OF_1.0.0 [--work DIR] [--out DIR]``.
The weights of every convolution and of the head stay. Cells count by their share of brain, and what no scan changes is
the constant: the log-odds of the share over one year in the virtual cohort. The card is measured here, and printed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from fresh_patients import judge, performance, with_second_line
from scipy.special import logit

from PCNSLSurvivalLib.cohorts.prepared_cohort import PreparedCohort, read_prepared_cohort
from PCNSLSurvivalLib.core.files import whole_folder
from PCNSLSurvivalLib.core.terms import RESEARCH_USE_ONLY
from PCNSLSurvivalLib.models.model_folder import ModelFolder, bundled_model_path, read_model_folder
from PCNSLSurvivalLib.models.networks.weights_file import Tensors
from PCNSLSurvivalLib.models.write_model_folder import ModelDescription, rename_model, write_model_folder
from PCNSLSurvivalLib.phantoms.disease.diseases import Kind
from PCNSLSurvivalLib.phantoms.survival_model import SHARE_OVER_ONE_YEAR, survival_model

PATIENTS, SEED = 60, 2027
"""Of the fresh virtual patients, on whom the card is measured; stripped, with the preparation of stripped scans."""


def main() -> int:
    """Make version 1.1.0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="model folder of version 1.0.0")
    parser.add_argument("--work", type=Path, default=Path("build/bundled_model"), help="folder of the cohort, kept")
    parser.add_argument("--out", type=Path, default=bundled_model_path(), help="model folder to make")
    args = parser.parse_args()
    old = read_model_folder(args.model)
    prepared = fresh_cohort(args.work)
    with whole_folder(args.out, overwrite=True) as staging:
        write(staging, args.out.name, old)
        model = read_model_folder(staging)
        rows = list(judge(model, prepared))
        left_out = PATIENTS - len(prepared.exams)
        card = (
            with_second_line(about(old), rows)
            + f"""
## Virtual patients from another seed

{PATIENTS} heads of `phantom`, seed {SEED}, brain alone, on which nothing was trained or tuned: {left_out} not \
prepared, {len(prepared.exams) - len(rows)} censored before one year, {len(rows)} evaluated.

{performance(rows)}

{RESEARCH_USE_ONLY}

Made by `Resources/experiments/recount_bundled_model.py`.
"""
        )
        rename_model(staging, args.out.name, card=card)
    print(card)
    return 0


def fresh_cohort(work: Path) -> PreparedCohort:
    """Make and prepare the fresh patients; what is there is kept."""
    scans, prepared = work / "fresh", work / "prepared_fresh"
    sizes = ["--kind", "pcnsl", "--patients", PATIENTS, "--seed", SEED]
    command("phantom", *sizes, "--out", scans, "--layout", "table", "--sequences", "t1gd", "--stripped")
    command("preprocess", scans / "patients.csv", "--use-brain-masks", "--out", prepared)
    return read_prepared_cohort(prepared)


def command(*arguments: object) -> None:
    """Run one command of this software; it says itself what is wrong."""
    subprocess.run([sys.executable, "-m", "PCNSLSurvivalLib.cli", *map(str, arguments)], check=False)


def recounted(member: Tensors, temperature: float) -> Tensors:
    """A member with the constant as its bias."""
    half = np.float32(logit(SHARE_OVER_ONE_YEAR[Kind.PCNSL]) * temperature / 2)
    return {**member, "fc.bias": np.array([-half, half], np.float32)}


def write(folder: Path, name: str, old: ModelFolder) -> None:
    """Write the folder with a draft of the card."""
    write_model_folder(
        folder,
        architecture=replace(old.architecture, pooling="brain"),
        members=[recounted(member, old.temperature) for member in old.load_members()],
        sequences=old.sequences,
        recipe=old.recipe,
        familiarity=old.familiarity,
        description=ModelDescription(
            name=name,
            version="1.1.0",
            kind=old.kind,
            description=old.description,
            intended_use=old.intended_use,
            data_source="Trained on virtual patients of `pcnsl-survival phantom`; no scan is part of this folder.",
            training_cohort=old.training_cohort,
            training_patients=old.training_patients,
            card="# Draft\n",
            license_text=(old.path / "LICENSE").read_text(encoding="utf-8"),
            temperature=old.temperature,
            calibration_patients=old.training_patients,
        ),
    )


def about(old: ModelFolder) -> str:
    """The beginning of the card."""
    network, best = old.architecture, survival_model(Kind.PCNSL)
    return f"""# DEMONSTRATION: trained on virtual heads only; must not be used on patients

Its training patients are virtual: probabilities and maps have no prognostic value. On eight real brain
tumors its map missed four and its strongest evidence six (`make bench-real-tumours`).

# One-year overall survival of primary CNS lymphoma: t1gd_transfer

| | |
|---|---|
| Network | 3D {network.name}, width multiplier {network.widen_factor:g}, {len(old.members)} members of version 1.0.0 |
| Cells | count by their share of brain; evidence outside the brain is 0 |
| Constant | log-odds of the virtual cohort's share over one year, {logit(SHARE_OVER_ONE_YEAR[Kind.PCNSL]):.2f} |
| Training patients | {old.training_patients} virtual patients, pre-trained on 240 virtual patients with glioblastoma |
| Their survival | depended almost on the lesion volume alone (docs/decisions/bundled-model.md) |
| Outcome | OS of more than 365 days |
| Calibration | temperature {old.temperature:.2f}, fitted to version 1.0.0 on held-out predictions; not fitted again |
| Best possible AUC of the virtual patients below | {best.oracle_auc:.2f} with every variable, \
{best.oracle_image_auc:.2f} from the scan, {best.oracle_volume_auc:.2f} from the volume alone |
| License | Apache-2.0 |
"""


if __name__ == "__main__":
    sys.exit(main())
