import dataclasses

import pytest

from PCNSLSurvivalLib.core.errors import PreparationError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.preprocessing.recipe import RECIPE, Recipe, factors_for, refuse_other_preparation
from PCNSLSurvivalLib.preprocessing.recipe_limits import _LIMITS


def test_a_recipe_survives_json_and_its_hash_names_it():
    again = Recipe.from_json(RECIPE.to_json())
    assert again == RECIPE
    assert again.sha256 == RECIPE.sha256
    other = dataclasses.replace(RECIPE, network_grid=dataclasses.replace(RECIPE.network_grid, size=(96, 96, 96)))
    assert other.sha256 != RECIPE.sha256


@pytest.mark.parametrize("change", [{"version": "0"}, {"surprise": {}}, {"bias_field": {}}])
def test_a_recipe_of_another_version_is_refused(change):
    with pytest.raises(PreparationError):
        Recipe.from_json({**RECIPE.to_json(), **change})


_NONSENSE = [
    ("bias_field", "working_spacing_mm", 0.0),
    ("bias_field", "working_spacing_mm", -4.0),
    ("bias_field", "working_spacing_mm", float("nan")),
    ("bias_field", "iterations", []),
    ("bias_field", "iterations", [10**9]),
    ("bias_field", "iterations", 50),
    ("bias_field", "control_points", [4, 4]),
    ("bias_field", "control_points", [400, 400, 400]),
    ("bias_field", "histogram_bins", "200"),
    ("bias_field", "convergence_threshold", True),
    ("registration", "levels_mm", [1.5, 3.0]),
    ("registration", "levels_mm", []),
    ("registration", "start_rotations_deg", ["a"]),
    ("registration", "iterations", 0),
    ("registration", "samples", 10**12),
    ("registration", "seed", -1),
    ("registration", "search_mm", None),
    ("brain_extraction", "method", ""),
    ("brain_extraction", "method", 5),
    ("brain_extraction", "method", "deep\nbet"),
    ("brain_extraction", "finding_size", 4096),
    ("brain_extraction", "outlining_size", 0),
    ("brain_extraction", "threshold", 1.5),
    ("brain_extraction", "intensity_quantiles", [0.995, 0.005]),
    ("brain_extraction", "intensity_quantiles", [0.5]),
    ("brain_extraction", "closing_mm", 1e9),
    ("brain_extraction", "working_spacing_mm", 0.001),
    ("normalization", "scale", "minimum to maximum"),
    ("normalization", "clip", [12.0, -6.0]),
    ("normalization", "clip", [0.0, 0.0]),
    ("normalization", "clip", {}),
    ("resampling", "spacing_mm", [1.0, 1.0]),
    ("resampling", "spacing_mm", [1.0, 1.0, 1e-6]),
    ("resampling", "spacing_mm", [1.0, 1.0, float("inf")]),
    ("resampling", "interpolation", "cubic"),
    ("resampling", "interpolation", ["linear"]),
    ("network_grid", "size", [128.0, 128, 128]),
    ("network_grid", "size", [128, 128]),
    ("network_grid", "spacing_mm", [0, 0, 0]),
    ("network_grid", "spacing_mm", "1.5"),
]


@pytest.mark.parametrize(("step", "parameter", "value"), _NONSENSE)
def test_a_parameter_of_another_type_or_out_of_range_is_refused_by_name(step, parameter, value):
    stored = RECIPE.to_json()
    stored[step][parameter] = value
    with pytest.raises(PreparationError) as refused:
        Recipe.from_json(stored)
    assert refused.value.message.code == "recipe.out_of_range"
    assert (refused.value.message.values["step"], refused.value.message.values["name"]) == (step, parameter)


@pytest.mark.parametrize("step", ["bias_field", "registration", "normalization", "network_grid"])
@pytest.mark.parametrize("value", [None, [], "text", 7])
def test_a_step_that_is_no_object_is_refused(step, value):
    with pytest.raises(PreparationError):
        Recipe.from_json({**RECIPE.to_json(), step: value})


def test_every_parameter_of_the_recipe_has_limits():
    stored = RECIPE.to_json()
    steps = {name: set(values) for name, values in stored.items() if name != "version"}
    assert {name: set(limits) for name, limits in _LIMITS.items()} == steps


def test_thick_slices_are_kept_while_fine_voxels_are_joined():
    assert factors_for((0.9, 0.9, 5.5), (256, 256, 26), 4.0) == (4, 4, 1)
    assert factors_for((1.0, 1.0, 1.0), (200, 200, 180), 4.0) == (4, 4, 4)
    assert factors_for((0.5, 0.5, 0.5), (20, 20, 20), 4.0) == (2, 2, 2)


def test_a_case_prepared_by_another_recipe_is_refused_by_name_of_the_step():
    finer = dataclasses.replace(RECIPE, resampling=dataclasses.replace(RECIPE.resampling, spacing_mm=(0.8, 0.8, 0.8)))
    with pytest.raises(PreparationError) as refused:
        refuse_other_preparation(finer, RECIPE, case="Case 7")
    assert refused.value.message == Message("recipe.other_than_model", case="Case 7", steps=("resampling",))
    other_block = dataclasses.replace(RECIPE, network_grid=dataclasses.replace(RECIPE.network_grid, size=(96, 96, 96)))
    refuse_other_preparation(other_block, RECIPE, case="Case 7")
