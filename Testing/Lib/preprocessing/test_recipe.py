import dataclasses

import pytest

from PCNSLSurvivalLib.core.errors import PreparationError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.preprocessing.recipe import RECIPE, Recipe, factors_for, refuse_other_preparation


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
