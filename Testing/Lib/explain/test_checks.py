"""A check passes a truthful explanation of a network whose gaze is known, and fails a false one."""

import json
import re

import numpy as np
import pytest
from made_models import random_tensors, small_model

from PCNSLSurvivalLib.core.terms import OSClass, Verdict
from PCNSLSurvivalLib.explain.checks.deletion import check_deletion
from PCNSLSurvivalLib.explain.checks.lesion import check_lesion
from PCNSLSurvivalLib.explain.checks.randomization import check_randomization, scrambled
from PCNSLSurvivalLib.explain.checks.result import Explanation, correlation, rank_correlation
from PCNSLSurvivalLib.explain.checks.stability import check_members, check_repeatability
from PCNSLSurvivalLib.explain.regional_attribution import cell_shares
from PCNSLSurvivalLib.inference.explanation_checks import check_explanation
from PCNSLSurvivalLib.inference.network import SurvivalNetwork
from PCNSLSurvivalLib.models.networks.architecture import ResNetArchitecture
from PCNSLSurvivalLib.models.networks.designs import PARTS_FROM_HEAD

STRIDE, EDGE, CELLS = 8, 32, (4, 4, 4)


@pytest.fixture
def case():
    """Noise over a floor of 1 in a cube, brighter in one corner of it; 0 around it."""
    array = np.zeros((1, EDGE, EDGE, EDGE), np.float32)
    array[:, 4:28, 4:28, 4:28] = 1 + 0.1 * np.random.default_rng(0).random((24, 24, 24))
    array[:, 6:14, 6:14, 18:26] += 3
    return array


def brightness(case):
    return np.maximum(cell_shares_of(case[0]), 0).astype(np.float32)


def cell_shares_of(volume):
    return cell_shares(volume, CELLS, STRIDE)


def truthful(case):
    """Its score is the sum of its map."""
    cells = brightness(case) ** 2
    return Explanation(float(cells.sum()), cells)


def lying(case):
    """The same score, with a map that points away from where it comes from."""
    cells = brightness(case) ** 2
    return Explanation(float(cells.sum()), cells.max() - cells)


def edges(case):
    """A map of the scan itself, whatever the weights."""
    return Explanation(0.0, brightness(case))


def test_deletion_and_insertion_tell_a_true_map_from_a_false_one(case):
    true, false = check_deletion(truthful, case, stride=STRIDE), check_deletion(lying, case, stride=STRIDE)
    assert true.verdict is Verdict.GOOD
    assert true.numbers["deletion, share of random maps beaten"] == 1.0
    assert true.numbers["insertion, share of random maps beaten"] == 1.0
    assert false.verdict is Verdict.CHECK
    assert false.numbers["deletion, share of random maps beaten"] < 0.5
    assert check_deletion(lambda c: Explanation(0.0, np.zeros(CELLS)), case, stride=STRIDE).verdict is None


def test_a_random_map_passes_deletion_and_insertion_rarely(case):
    rng = np.random.default_rng(4)
    passed = 0
    for seed in range(12):
        map_by_chance = rng.random(CELLS).astype(np.float32)

        def random(shown, raw_map=map_by_chance):
            return Explanation(truthful(shown).score, raw_map)

        passed += check_deletion(random, case, stride=STRIDE, seed=seed).verdict is Verdict.GOOD
    assert passed <= 2  # 0.6 expected where both directions agree, fewer where they do not


def test_randomization_fails_a_map_that_does_not_depend_on_the_weights(case):
    original = truthful(case).raw_map
    rng = np.random.default_rng(0)
    changing = {stage: [lambda c: Explanation(0.0, rng.random(CELLS).astype(np.float32))] for stage in PARTS_FROM_HEAD}
    assert check_randomization(original, changing, case).verdict is Verdict.GOOD
    fixed = check_randomization(original, {stage: [edges] for stage in PARTS_FROM_HEAD}, case)
    assert fixed.verdict is Verdict.CHECK
    assert "reflects the scan more than the trained network" in fixed.sentence
    assert len(fixed.numbers) == len(PARTS_FROM_HEAD)
    assert check_randomization(np.zeros(CELLS), changing, case).verdict is None


def test_scrambling_goes_down_from_the_head_and_keeps_every_number():
    tensors = random_tensors(ResNetArchitecture(depth=18, widen_factor=0.125))
    before = dict(tensors)
    changed = set()
    for stage, now in scrambled(tensors, seed=0):
        different = {name.split(".")[0] for name in now if not np.array_equal(now[name], tensors[name])}
        changed.add(stage)
        assert different - {"bn1"} == changed
        for name, array in now.items():
            np.testing.assert_array_equal(np.sort(array.ravel()), np.sort(before[name].ravel()))
    assert changed == set(PARTS_FROM_HEAD)


def test_repeatability_passes_a_steady_map_and_fails_a_nervous_one(case):
    def steady(c):
        smooth = brightness(np.clip(c, 0, 2))
        return Explanation(0.0, smooth)

    nervous_rng = np.random.default_rng(1)

    def nervous(c):
        return Explanation(nervous_rng.normal(), nervous_rng.random(CELLS).astype(np.float32))

    assert check_repeatability(steady, case).verdict is Verdict.GOOD
    assert check_repeatability(nervous, case).verdict is Verdict.CHECK


def test_members_that_look_at_the_same_place_agree():
    rng = np.random.default_rng(2)
    shared = rng.random(CELLS)
    alike = np.stack([shared + 0.1 * rng.random(CELLS) for _ in range(3)])
    agreed = check_members(alike, (0.7, 0.8, 0.4), 0.5)
    assert agreed.verdict is Verdict.GOOD
    assert agreed.numbers["share on the majority's side"] == pytest.approx(2 / 3)
    assert check_members(rng.random((3, *CELLS)), (0.7, 0.8, 0.4), 0.5).verdict is Verdict.CHECK
    assert check_members(alike[:1], (0.7,), 0.5).verdict is None


def test_pointing_game_is_fair_to_the_size_of_the_cells():
    brain = np.zeros((64, 64, 64), dtype=bool)
    brain[6:58, 6:58, 6:58] = True
    lesion = np.zeros_like(brain)
    lesion[34:37, 34:37, 34:37] = True
    raw_map = np.zeros((8, 8, 8), np.float32)
    raw_map[4, 4, 4] = 1.0  # voxel 32: two voxels beside the small lesion
    hit = check_lesion(raw_map, lesion, brain, stride=8)
    assert hit.verdict is Verdict.GOOD
    assert hit.numbers["activation inside the dilated lesion"] > 0.5
    missed = check_lesion(np.roll(raw_map, 2, axis=0), lesion, brain, stride=8)
    assert missed.verdict is Verdict.CHECK
    assert "misses" in missed.sentence
    assert check_lesion(raw_map, None, brain, stride=8).verdict is None
    even = check_lesion(brain[::8, ::8, ::8].astype(np.float32), lesion, brain, stride=8)
    assert even.numbers["activation inside the dilated lesion"] == pytest.approx(
        even.numbers["share of the brain it covers"], abs=0.05
    )


def test_correlations_are_those_of_the_textbook():
    a, b = np.array([1.0, 2.0, 3.0, 10.0]), np.array([1.0, 4.0, 9.0, 100.0])
    assert rank_correlation(a, b) == pytest.approx(1.0)
    assert correlation(a, b) == pytest.approx(np.corrcoef(a, b)[0, 1])
    assert rank_correlation(np.array([1.0, 1.0, 2.0]), np.array([3.0, 3.0, 9.0])) == pytest.approx(1.0)
    assert correlation(a, np.ones(4)) == 0.0


def test_all_checks_run_on_a_real_network_and_keep_to_plain_json(tmp_path):
    folder = small_model(tmp_path / "untrained", members=2, edge=24)
    network = SurvivalNetwork(folder, "cpu")
    case = np.zeros((1, 24, 24, 24), np.float32)
    case[:, 4:20, 3:21, 4:20] = np.random.default_rng(3).standard_normal((16, 18, 16))
    first = network.predict(case, target=OSClass.OVER_ONE_YEAR)
    checks = check_explanation(folder, network, case, first, brain=case[0] != 0, device="cpu")
    assert [result.verdict is None for result in checks.results][-1], "no lesion mask was given"
    assert len(checks.results) == 5
    stored = json.loads(json.dumps(checks.to_json(), allow_nan=False))
    assert stored["verdict"] in ("good", "check")
    assert re.search(r"of [34] explanation checks", stored["sentence"])
