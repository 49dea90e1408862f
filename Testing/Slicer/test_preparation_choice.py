"""The two presets of the preparation: what they set, what they cost, and that the choice is kept."""

from __future__ import annotations

import pytest

from PCNSLSurvivalLib.core.terms import Step


def _engines(panel):
    parameters = panel.logic.getParameterNode()
    return [parameters.biasEngine, parameters.brainEngine, parameters.registrationEngine]


def _choose(panel, row):
    """As a click on a row does: the index changes, then the selector says that the user did it."""
    panel.ui.preparationSelector.setCurrentIndex(row)
    panel.ui.preparationSelector.activated.emit(row)


def test_a_preset_sets_all_three_engines_and_one_of_them_changed_is_an_own_choice(standin, quick_panel):
    from PCNSLSurvivalUI.run.engines import BUILT_IN, SLICER

    ui = quick_panel.ui
    assert _engines(quick_panel) == [SLICER] * 3, "the product's first engines are Slicer's modules"
    assert ui.preparationSelector.currentText == "Slicer's modules"
    _choose(quick_panel, 1)
    assert _engines(quick_panel) == [BUILT_IN] * 3
    assert ui.brainEngineSelector.currentText == "Built in"
    ui.registrationEngineSelector.setCurrentIndex(0)
    assert ui.preparationSelector.currentText == "Custom, see Advanced"
    _choose(quick_panel, 2)
    assert _engines(quick_panel) == [BUILT_IN, BUILT_IN, SLICER], "the own choice stays what it is"


def test_the_choice_is_kept_for_the_next_scene_but_a_saved_scene_has_its_own(standin, quick_panel):
    import slicer
    from PCNSLSurvivalUI.choices.preparation_choice import takeRememberedEngines
    from PCNSLSurvivalUI.run.engines import BUILT_IN, SLICER

    _choose(quick_panel, 1)
    slicer.mrmlScene.Clear(0)
    assert _engines(quick_panel) == [BUILT_IN] * 3
    assert quick_panel.ui.preparationSelector.currentText == "Fast (built-in)"
    parameters = quick_panel.logic.getParameterNode()
    parameters.biasEngine = SLICER  # as a scene that was saved with it, opened later
    takeRememberedEngines(parameters)
    assert _engines(quick_panel) == [SLICER, BUILT_IN, BUILT_IN]


def test_what_each_preset_costs_comes_from_what_the_steps_took_here(standin, quick_panel):
    from PCNSLSurvivalUI.choices.preparation_choice import secondsToPrediction
    from PCNSLSurvivalUI.run import timings
    from PCNSLSurvivalUI.run.engines import BUILT_IN, SLICER
    from PCNSLSurvivalUI.run.step_list import RunStep
    from PCNSLSurvivalUI.run.tasks import BiasFieldTask, BrainTask

    standin.app.userSettings().clear()
    slicers, fast = secondsToPrediction(SLICER), secondsToPrediction(BUILT_IN)
    guessed = BrainTask.seconds[SLICER] + BiasFieldTask.seconds[SLICER]
    assert 10 < fast + 5 < slicers
    for _run in range(5):
        timings.remember(f"{Step.BRAIN_EXTRACTION} {SLICER}", 200.0)
        timings.remember(RunStep("bias_field t1gd", "", SLICER).timed, 30.0)
    assert round(secondsToPrediction(SLICER) - slicers, 6) == 200.0 + 30.0 - guessed
    quick_panel.ui.overrideQualityCheckBox.toggle()  # any choice
    note = quick_panel.ui.preparationNote.text
    assert f"about {secondsToPrediction(SLICER):.0f} s with Slicer's modules, {fast:.0f} s with the built-in" in note
    assert "trained on scans prepared by the built-in steps" in note


@pytest.mark.parametrize(
    ("engine", "compared", "seconds"),
    [("built_in", False, 8.1), ("built_in", True, 10.7), ("slicer", False, 52.3), ("slicer", True, 59.6)],
)
def test_the_first_guess_is_near_what_the_real_application_took(standin, quick_panel, engine, compared, seconds):
    """On two cores with the real patient; built-in, 17 s were said of 8."""
    from PCNSLSurvivalUI.choices.preparation_choice import secondsToPrediction

    standin.app.userSettings().clear()
    assert 0.5 < secondsToPrediction(engine, compared) / seconds < 2.0


def test_a_t1_to_compare_with_counts_in_what_a_run_costs(standin, quick_panel):
    from made_scenes import add_head
    from PCNSLSurvivalUI.choices.preparation_choice import secondsToPrediction
    from PCNSLSurvivalUI.run import timings
    from PCNSLSurvivalUI.run.engines import BUILT_IN

    alone = secondsToPrediction(BUILT_IN)
    quick_panel.logic.getParameterNode().t1Volume = add_head("T1")
    compared = alone + timings.expectedSeconds(str(Step.CONTRAST))
    assert compared > alone + 2
    assert f"{compared:.0f} s with the built-in" in quick_panel.ui.preparationNote.text


def test_a_spoiled_setting_is_ignored(standin, quick_panel):
    import slicer
    from PCNSLSurvivalUI.run.engines import SLICER

    for spoiled in ("{", "[1]", '{"biasEngine": "no such engine"}'):
        standin.app.userSettings().setValue("PCNSLSurvival/engines", spoiled)
        slicer.mrmlScene.Clear(0)
        assert _engines(quick_panel) == [SLICER] * 3
