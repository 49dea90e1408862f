"""Random heads: the truth lies where the image shows it, and the image is what the preparation would make of it."""

import numpy as np
import pytest
import SimpleITK as sitk

from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.phantoms.randomized import Anatomies, draw_head
from PCNSLSurvivalLib.preprocessing.recipe import RECIPE
from PCNSLSurvivalLib.preprocessing.steps.normalization import find_normalization

GRID = {"size": (64, 64, 64), "spacing_mm": (3.0, 3.0, 3.0)}


@pytest.fixture(scope="module")
def people() -> Anatomies:
    return Anatomies.made(1, seed=5)


@pytest.fixture(scope="module")
def heads(people):
    return [draw_head(seed, people, **GRID) for seed in range(12)]


def test_the_same_seed_gives_the_same_head(people, heads):
    again = draw_head(3, people, **GRID)
    assert np.array_equal(again.image, heads[3].image)
    assert np.array_equal(again.enhancing, heads[3].enhancing)
    assert again.tumors == heads[3].tumors
    assert not np.array_equal(heads[3].image, heads[4].image)


def test_values_are_those_of_the_preparation(heads):
    """Normalizing a prepared head again changes nothing: its brain already has median 0 and spread 1."""
    for head in heads:
        inside = head.brain == 1
        image, mask = (sitk.GetImageFromArray(a) for a in (head.image, (head.brain >= 0.5).astype(np.uint8)))
        again = find_normalization(image, mask, RECIPE.normalization, sequence=MRSequence.T1GD).of(head.image)
        assert np.abs(again - head.image)[inside].mean() < 0.1
        assert head.image.min() >= RECIPE.normalization.clip[0]
        assert head.image.max() <= RECIPE.normalization.clip[1]
        assert not head.image[head.brain == 0].any()


def test_masks_are_nested_and_inside_the_brain(heads):
    for head in heads:
        assert not (head.enhancing & ~head.core).any()
        assert not (head.core & (head.brain < 0.5)).any()
        assert not (head.structures & head.core).any()
        assert head.enhancing_ml == pytest.approx(head.enhancing.sum() * 0.027)
        assert 700 < head.brain.sum() * 0.027 < 2200


def test_a_tumor_without_enhancement_has_a_core_only(people):
    several = [draw_head(seed, people, **GRID, tumors=1) for seed in range(40, 52)]
    dark = [head for head in several if head.tumors[0].pattern == "none"]
    assert dark
    assert not any(head.enhancing.any() for head in dark)
    solid = [head for head in several if head.tumors[0].pattern == "solid" and head.core_ml > 3]
    assert solid
    assert all(head.enhancing_ml > 0.6 * head.core_ml for head in solid)


def test_heads_without_tumor_have_bright_structures_but_no_mask(people):
    healthy = [draw_head(seed, people, **GRID, tumors=0) for seed in range(6)]
    assert not any(head.core.any() for head in healthy)
    bright = [float(head.image[head.structures].mean()) for head in healthy if head.structures.any()]
    assert np.mean(bright) > 1.0


def test_planned_volume_is_reached(people):
    """One large tumor in a head of its own: what the mask holds is what was planned, but for what a mask cuts off."""
    made = [draw_head(seed, people, **GRID, tumors=1) for seed in range(100, 110)]
    ratios = [head.core_ml / head.tumors[0].volume_ml for head in made if head.tumors[0].volume_ml > 5]
    assert np.median(ratios) == pytest.approx(1.0, abs=0.2)


def test_enhancing_tumor_is_brighter_than_its_surroundings(heads):
    contrasts = []
    for head in heads:
        if head.enhancing_ml > 0.5:
            other = (head.brain == 1) & ~head.core & ~head.structures
            contrasts.append(float(np.median(head.image[head.enhancing]) - np.median(head.image[other])))
    assert len(contrasts) >= 5
    assert np.median(contrasts) > 0.8
