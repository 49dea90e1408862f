"""Scans like the training scans are typical; a CT, a spine, noise and other foreign volumes are unlike anything."""

import json

import numpy as np
import pytest
from made_models import small_model
from scipy.ndimage import gaussian_filter

from PCNSLSurvivalLib.core.errors import ModelFolderError
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.inference.network import SurvivalNetwork
from PCNSLSurvivalLib.models.familiarity import (
    FEATURES,
    FamiliarityStatistics,
    FamiliarityVerdict,
    familiarity_statistics,
    judge_familiarity,
)
from PCNSLSurvivalLib.models.familiarity_measures import GROUPS, measures_of

EDGE = 48


def grid():
    axis = np.linspace(-1, 1, EDGE)
    return np.meshgrid(axis, axis, axis, indexing="ij")


def brain(seed: int) -> np.ndarray:
    """A brain-like volume: white and gray matter, fluid spaces and a bright lesion, each a little different."""
    rng = np.random.default_rng(seed)
    x, y, z = grid()
    radius = np.sqrt(
        (x / rng.uniform(0.68, 0.76)) ** 2 + (y / rng.uniform(0.84, 0.94)) ** 2 + (z / rng.uniform(0.64, 0.72)) ** 2
    )
    image = (
        np.where(radius < rng.uniform(0.8, 0.85), 0.8, -0.6)
        + 0.25 * gaussian_filter(rng.standard_normal(radius.shape), 1.5) / 0.06
    )
    image[((np.abs(x) - 0.12) / 0.08) ** 2 + (y / 0.3) ** 2 + (z / 0.15) ** 2 < 1] = -2.0
    spot = rng.uniform(-0.3, 0.3, 3)
    image[(x - spot[0]) ** 2 + (y - spot[1]) ** 2 + (z - spot[2]) ** 2 < rng.uniform(0.1, 0.2) ** 2] = 3.0
    image += 0.1 * rng.standard_normal(image.shape)
    return (image * (radius < 1)).astype(np.float32)[None]


def normalized(image: np.ndarray) -> np.ndarray:
    """Median 0 and robust standard deviation 1 of what is not 0, clipped, as the recipe does."""
    inside = image != 0
    low, middle, high = np.quantile(image[inside], [0.25, 0.5, 0.75])
    scaled = (image - middle) / ((high - low) / 1.349 + 1e-6)
    return (np.clip(scaled, -6, 12) * inside).astype(np.float32)[None]


def noise():
    return normalized(np.random.default_rng(1).standard_normal((EDGE,) * 3))


def noise_in_a_brain(smoothness: float):
    """Noise, smoothed or not, inside the outline of a brain: right in size and shape, and nothing else."""
    texture = gaussian_filter(np.random.default_rng(4).standard_normal((EDGE,) * 3), smoothness)
    return normalized(texture / texture.std() * (brain(5)[0] != 0))


def ct_head():
    """Hounsfield units: air, a bright skull shell, flat brain."""
    x, y, z = grid()
    radius = np.sqrt((x / 0.73) ** 2 + (y / 0.9) ** 2 + (z / 0.75) ** 2)
    units = np.where(radius < 0.9, 35.0, np.where(radius < 1, 1200.0, -1000.0))
    return normalized(units + 5 * np.random.default_rng(2).standard_normal(units.shape))


def spine():
    """A column of vertebral bodies and disks along the body axis, with the bright canal behind it."""
    x, y, z = grid()
    body = (np.abs(x) < 0.25) & (np.abs(y) < 0.25)
    image = np.where(body, np.where(np.sin(12 * z) > 0.8, 3.0, 1.0), 0.0)
    image[(np.abs(x) < 0.08) & (np.abs(y - 0.35) < 0.08)] = 6.0
    return normalized(image + (image != 0) * 0.1 * np.random.default_rng(3).standard_normal(image.shape))


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    return SurvivalNetwork(small_model(tmp_path_factory.mktemp("models") / "untrained", edge=EDGE), "cpu")


@pytest.fixture(scope="module")
def judge(network):
    cases = [normalized(brain(seed)[0]) for seed in range(24)]
    statistics = familiarity_statistics(
        [(measures_of(case), network.predict(case).features) for case in cases], reference="24 drawn brains"
    )

    def judged(case):
        return judge_familiarity(statistics, case, network.predict(case).features, sequences=[MRSequence.T1GD])

    return judged


def test_new_scans_of_the_same_kind_are_typical_nearly_always(judge):
    verdicts = [judge(normalized(brain(seed)[0])).verdict for seed in range(100, 120)]
    assert FamiliarityVerdict.UNLIKE not in verdicts
    assert verdicts.count(FamiliarityVerdict.TYPICAL) >= 17


def test_the_share_that_is_stated_follows_from_the_number_of_scans(judge):
    """24 scans set the limit themselves, and one in 25 is expected beyond."""
    judged = judge(normalized(brain(0)[0]))
    assert judged.message.code == "familiarity.within_limit"
    assert judged.message.values["share"] == pytest.approx(96)


@pytest.mark.parametrize(
    "foreign",
    [
        noise,
        lambda: noise_in_a_brain(0.0),
        lambda: noise_in_a_brain(1.5),
        lambda: noise_in_a_brain(4.0),
        ct_head,
        spine,
        lambda: np.zeros((1, EDGE, EDGE, EDGE), np.float32),
    ],
    ids=["noise", "noise in a brain", "fine blobs in a brain", "coarse blobs in a brain", "CT", "spine", "empty"],
)
def test_foreign_volumes_are_unlike_anything(judge, foreign):
    judged = judge(foreign())
    assert judged.verdict == FamiliarityVerdict.UNLIKE
    assert judged.message.code == "familiarity.unlike"
    assert judged.distance > 2
    assert judged.message.values["furthest"] == judged.furthest


def test_a_scan_that_ends_in_the_brain_and_an_inverted_one_are_not_typical(judge):
    cut = brain(3)[0]
    cut[:, :, 26:] = 0
    judged = judge(normalized(cut))
    assert judged.verdict != FamiliarityVerdict.TYPICAL
    assert judged.furthest.code in ("measure.head_foot_size", "measure.fullness")
    assert judge(-normalized(brain(1)[0])).verdict != FamiliarityVerdict.TYPICAL


def test_a_model_without_statistics_says_so(network):
    result = network.predict(noise())
    assert result.familiarity.verdict == FamiliarityVerdict.UNKNOWN
    assert result.familiarity.distance is None


def test_statistics_survive_their_file_and_damaged_ones_are_refused():
    cases = [normalized(brain(seed)[0]) for seed in range(8)]
    features = [np.random.default_rng(n).random((2, 5)).astype(np.float32) for n in range(8)]
    scans = [(measures_of(case), those) for case, those in zip(cases, features, strict=True)]
    made = familiarity_statistics(scans, reference="drawn", others=scans, limited_by="the same")
    stored = json.loads(json.dumps(made.to_json()))
    read = FamiliarityStatistics.from_json(stored, sequences=[MRSequence.T1GD], features=10)
    for name, spread in made.spreads.items():
        np.testing.assert_allclose(read.spreads[name].center, spread.center, rtol=1e-5)
    assert (read.false_alarms, read.limited_by) == (pytest.approx(1 / 9, abs=1e-3), "the same")
    older = {key: value for key, value in stored.items() if key not in ("false_alarms", "limited_by")}
    read = FamiliarityStatistics.from_json({**older, "version": 1}, sequences=[MRSequence.T1GD], features=10)
    assert read.false_alarms is None
    for statistics, said in ((made, "within_limit"), (read, "typical")):  # without a share, none is stated
        judged = judge_familiarity(statistics, cases[0], features[0], sequences=[MRSequence.T1GD])
        assert judged.message.code == f"familiarity.{said}"
    for damage in ({"cases": "many"}, {"spreads": {}}, {"spreads": 3}, {"extra": 1}, {"false_alarms": 2}):
        with pytest.raises(ModelFolderError) as refused:
            FamiliarityStatistics.from_json({**stored, **damage}, sequences=[MRSequence.T1GD], features=10)
        assert refused.value.message.code == "familiarity.unreadable"
    for sequences, number in (([MRSequence.T1GD], 11), ([MRSequence.T1GD, MRSequence.T2], 10)):
        with pytest.raises(ModelFolderError) as refused:
            FamiliarityStatistics.from_json(stored, sequences=sequences, features=number)
        assert refused.value.message.code == "familiarity.unreadable"
    with pytest.raises(ValueError, match="at least 8"):
        familiarity_statistics(scans[:3], reference="few")


@pytest.mark.parametrize("apart", [False, True], ids=["limit from the training scans", "limit from other scans"])
@pytest.mark.parametrize("count", [8, 40, 150])
def test_scans_of_the_training_kind_are_called_unusual_as_often_as_stated(count, apart):
    draw = np.random.default_rng(8)

    def scans(number):
        shared = draw.standard_t(4, (number, 1))  # heavy tails, and groups that depend on each other
        tables = {group: draw.standard_t(4, (number, 5)) + shared for group in GROUPS}
        features = draw.standard_t(4, (number, 2, 10)) + shared[:, None]
        return [({g: t[n] for g, t in tables.items()}, features[n].astype(np.float32)) for n in range(number)]

    alarms, stated = [], []
    for _ in range(30):
        statistics = familiarity_statistics(
            scans(count), reference="drawn", others=scans(count) if apart else (), limited_by="others"
        )
        stated.append(statistics.false_alarms)
        for measures, features in scans(60):
            values = {**measures, FEATURES: np.ravel(features)}
            alarms.append(max(s.distance(values[g]) for g, s in statistics.spreads.items()) > 1)
    rate = 1 / 9 if count == 8 else 0.05
    assert stated[0] == pytest.approx(rate, abs=0.013)
    assert np.mean(alarms) == pytest.approx(stated[0], abs=0.03)
