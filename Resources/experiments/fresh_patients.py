"""How a model does on virtual patients that nothing was trained or tuned on, beside the plain volume of the lesion."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from PCNSLSurvivalLib.cohorts.prepared_cohort import PreparedCohort
from PCNSLSurvivalLib.core.terms import OSClass
from PCNSLSurvivalLib.evaluation.classification import auc, classification_metrics
from PCNSLSurvivalLib.evaluation.intervals import auc_interval, bootstrap_weights, percentile_interval
from PCNSLSurvivalLib.explain.checks.lesion import check_lesion
from PCNSLSurvivalLib.explain.regional_attribution import cell_shares
from PCNSLSurvivalLib.inference.network import SurvivalNetwork
from PCNSLSurvivalLib.models.familiarity import FamiliarityVerdict
from PCNSLSurvivalLib.models.model_folder import ModelFolder


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One fresh patient: what came true, what the model said, and where it looked."""

    over_one_year: bool
    volume_ml: float
    """Of the true lesion."""
    probability: float
    right: bool
    map_at_lesion: bool
    evidence_at_lesion: bool
    chance: float
    """Share of the brain that lies so near the lesion."""
    outside: float
    """Share of the absolute evidence in cells of which no voxel shows brain."""
    out_of_distribution: bool


def judge(model: ModelFolder, prepared: PreparedCohort) -> Iterator[Judged]:
    """What the ensemble says of each fresh patient whose outcome is known."""
    network = SurvivalNetwork(model, "cpu")
    grid = model.recipe.network_grid
    voxel_ml = float(np.prod(grid.spacing_mm)) / 1000.0
    for exam in prepared.exams:
        os_class, lesion = exam.os_class(), exam.lesion_on(grid)
        if os_class is None or lesion is None:
            continue
        case = exam.network_input(model.sequences, grid)
        result = network.predict(case)
        brain, stride = case[0] != 0, result.stride_voxels
        strength = np.abs(result.evidence)
        of_map, of_evidence = (
            check_lesion(one, lesion, brain, stride=stride).numbers for one in (result.raw_map, strength)
        )
        empty = cell_shares(brain, strength.shape, stride) == 0
        yield Judged(
            over_one_year=os_class is OSClass.OVER_ONE_YEAR,
            volume_ml=float(np.count_nonzero(lesion)) * voxel_ml,
            probability=result.probability_over_one_year,
            right=result.os_class is os_class,
            map_at_lesion=bool(of_map.get("hit")),
            evidence_at_lesion=bool(of_evidence.get("hit")),
            chance=float(of_evidence["share of the brain it covers"]),
            outside=float(strength[empty].sum() / strength.sum()),
            out_of_distribution=result.familiarity.verdict in (FamiliarityVerdict.UNUSUAL, FamiliarityVerdict.UNLIKE),
        )


def against_volume(rows: Sequence[Judged]) -> tuple[float, float, tuple[float, float]]:
    """AUC of the true lesion volume, the network's AUC minus it, and the paired 95 % interval of that difference."""
    over = np.array([row.over_one_year for row in rows])
    network, volume = np.array([row.probability for row in rows]), np.array([-row.volume_ml for row in rows])
    weights = bootstrap_weights(over)
    difference = auc(over, network, weights) - auc(over, volume, weights)
    return float(auc(over, volume)), float(auc(over, network) - auc(over, volume)), percentile_interval(difference)


def with_second_line(card: str, rows: Sequence[Judged]) -> str:
    """The card with a second line that says whether the network beats the volume of the lesion."""
    volume, difference, (low, high) = against_volume(rows)
    words = "It ranks survival better than" if low > 0 else "It is not shown to rank survival better than"
    first, rest = card.split("\n", 1)
    return (
        f"{first}\n\n**{words} the plain lesion volume:** AUC {volume + difference:.2f} and {volume:.2f} on "
        f"{len(rows)} fresh virtual patients, difference {difference:+.2f} (95 % interval {low:+.2f} to {high:+.2f}).\n"
        f"{rest}"
    )


def performance(rows: Sequence[Judged]) -> str:
    """The table of a card."""
    truth, probability = [row.over_one_year for row in rows], [row.probability for row in rows]
    found = classification_metrics(truth, probability)
    low, high = auc_interval(truth, probability)
    volume, difference, interval = against_volume(rows)
    right = [row for row in rows if row.right]
    return f"""| | |
|---|---|
| AUC | {found["auc"]:.2f} ({low:.2f} to {high:.2f}) |
| AUC of the true lesion volume | {volume:.2f} |
| AUC of the network minus that of the volume, paired | {difference:+.2f} ({interval[0]:+.2f} to {interval[1]:+.2f}) |
| Accuracy | {found["accuracy"]:.2f} |
| Brier score | {found["brier"]:.2f} |
| Calibration slope, intercept | {found["calibration_slope"]:.2f}, {found["calibration_intercept"]:.2f} |
| Strongest cell of the Grad-CAM map of the predicted class in the lesion (dilated by the cell size) \
| {share([row.map_at_lesion for row in rows])} |
| the same, correct predictions: OS up to one year; over one year \
| {share([row.map_at_lesion for row in right if not row.over_one_year])}; \
{share([row.map_at_lesion for row in right if row.over_one_year])} |
| Strongest evidence there | {share([row.evidence_at_lesion for row in rows])} |
| The same by chance | {100 * np.mean([row.chance for row in rows]):.0f} % |
| Evidence in cells without brain, largest share | {max(row.outside for row in rows):.1%} |
| Called unusual or out of distribution, expected 5 % \
| {sum(row.out_of_distribution for row in rows)} of {len(rows)} |"""


def share(hits: Sequence[bool]) -> str:
    """How many hit: "91 % of 32"."""
    return f"{100 * np.mean(hits):.0f} % of {len(hits)}" if hits else "none"
