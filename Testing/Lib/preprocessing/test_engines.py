"""Who prepared the scans is read, recorded, and told where it was not the model's own preparation."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from PCNSLSurvivalLib.core.errors import PreparationError
from PCNSLSurvivalLib.core.terms import MRSequence, Step
from PCNSLSurvivalLib.inference.predict import CaseOptions, CaseResult
from PCNSLSurvivalLib.models.model_folder import bundled_model_path, read_model_folder
from PCNSLSurvivalLib.preprocessing import engine_effects
from PCNSLSurvivalLib.preprocessing.engine_effects import MeasuredEffect, warnings_of_other_engines
from PCNSLSurvivalLib.preprocessing.engines import Engine, PreparedBefore, engines_of, read_prepared_before
from PCNSLSurvivalLib.preprocessing.recipe import RECIPE
from PCNSLSurvivalLib.preprocessing.scan_state import ScanState

SWISS = Engine(name="SwissSkullStripper", version="0.1 (Slicer 5.8.1)")
N4 = Engine(name="N4ITKBiasFieldCorrection", version="9")


def _written(folder, told):
    path = folder / "prepared.json"
    path.write_text(json.dumps(told), encoding="utf-8")
    return path


def test_what_the_panel_writes_is_read_and_files_lie_beside_it(tmp_path):
    told = {"engines": {"brain_extraction": SWISS.to_json()}, "loaded": {"t1gd": "raw.nrrd"}, "own": ["registration"]}
    before = read_prepared_before(_written(tmp_path, told))
    assert before == PreparedBefore(
        engines={Step.BRAIN_EXTRACTION: SWISS},
        own=frozenset({Step.REGISTRATION}),
        loaded={MRSequence.T1GD: tmp_path / "raw.nrrd"},
    )


@pytest.mark.parametrize(
    "told",
    [
        [],
        {"engines": {}},
        {"engines": {"prediction": {"name": "x", "version": "1"}}, "loaded": {}},
        {"engines": {"brain_extraction": {"name": "x"}}, "loaded": {}},
        {"engines": {}, "loaded": {"ct": "x.nrrd"}},
        {"engines": {}, "loaded": {}, "own": ["prediction"]},
    ],
)
def test_a_file_that_tells_something_else_is_refused(tmp_path, told):
    with pytest.raises(PreparationError) as error:
        read_prepared_before(_written(tmp_path, told))
    assert error.value.message.code == "prepared.unreadable"


def test_each_step_has_its_engine_and_what_was_not_told_is_not_made_up():
    before = PreparedBefore(engines={Step.BRAIN_EXTRACTION: SWISS})
    done = {Step.BRAIN_EXTRACTION: True, Step.BIAS_FIELD: False, Step.REGISTRATION: True}
    engines = engines_of(RECIPE, before, done_before=done)
    assert engines[Step.BRAIN_EXTRACTION] == SWISS
    assert engines[Step.BIAS_FIELD].name == "pcnsl-survival"
    assert engines[Step.REGISTRATION] is None
    ours = PreparedBefore(own=frozenset({Step.REGISTRATION}))
    assert engines_of(RECIPE, ours, done_before=done)[Step.REGISTRATION].name == "SimpleITK"
    only_told = PreparedBefore(engines={Step.NORMALIZATION: SWISS, Step.REGISTRATION: SWISS})
    without_registration = {step: told for step, told in done.items() if step is not Step.REGISTRATION}
    told = engines_of(RECIPE, only_told, done_before=without_registration)
    assert told[Step.NORMALIZATION] == SWISS, "a step that this software does not do itself"
    assert Step.REGISTRATION not in told, "nothing was registered"
    own = engines_of(RECIPE, None, done_before=dict.fromkeys(done, False))[Step.BRAIN_EXTRACTION]
    assert f"{own.name}-{own.version}" == RECIPE.brain_extraction.method


@pytest.mark.parametrize(
    ("known", "brain_mask", "own"),
    [
        (ScanState(), None, {Step.BRAIN_EXTRACTION, Step.BIAS_FIELD, Step.REGISTRATION}),
        (ScanState(), "mask.nii", {Step.BIAS_FIELD, Step.REGISTRATION}),
        (ScanState(already_corrected=True), None, {Step.BRAIN_EXTRACTION, Step.REGISTRATION}),
        (ScanState(already_stripped=True), None, {Step.REGISTRATION}),
        (ScanState(already_registered=True), None, {Step.BRAIN_EXTRACTION, Step.BIAS_FIELD}),
    ],
)
def test_a_result_claims_the_steps_that_were_done_here_and_no_others(known, brain_mask, own):
    """A stripped scan, told or recognized, is neither stripped nor corrected again."""
    result = SimpleNamespace(
        prepared=SimpleNamespace(known=known, recipe=RECIPE),
        options=CaseOptions(brain_mask=brain_mask),
        inputs=dict.fromkeys((MRSequence.T1GD, MRSequence.T1)),
        before=None,
    )
    engines = CaseResult.engines.fget(result)
    assert {step for step, engine in engines.items() if engine is not None} == own


@pytest.mark.parametrize(
    ("step", "engine"), [(Step.BRAIN_EXTRACTION, SWISS), (Step.BIAS_FIELD, N4)], ids=["brain", "bias field"]
)
def test_the_effect_on_the_bundled_model_was_measured(step, engine):
    model = read_model_folder(bundled_model_path())
    before = PreparedBefore(engines={step: engine})
    told = warnings_of_other_engines(before, f"{model.name} {model.version}")
    effects = [message for message in told if message.code == "prepared.effect"]
    assert [effect.values["engine"] for effect in effects] == [engine.name], "new networks need to be measured again"


def test_the_effect_is_told_for_the_model_it_was_measured_with_and_for_no_other(monkeypatch):
    effect = MeasuredEffect(model="heads 1.0.0", own=1.24, other=1.344)
    monkeypatch.setattr(engine_effects, "_MEASURED", {(Step.BRAIN_EXTRACTION, SWISS.name): effect})
    before = PreparedBefore(engines={Step.BRAIN_EXTRACTION: SWISS, Step.BIAS_FIELD: N4})
    told, change, ask = warnings_of_other_engines(before, "heads 1.0.0")
    assert told.code == "prepared.other_engines"
    assert told.values["engines"] == "SwissSkullStripper + N4ITKBiasFieldCorrection"
    assert change.code == "prepared.effect"
    assert change.values == {"engine": SWISS.name, "change": 0.104, "own": 1.24, "other": 1.344}
    assert ask.code == "prepared.ask_robustness", "what it is on this scan"
    assert warnings_of_other_engines(before, "heads 1.0.1") == (told, ask)
    assert warnings_of_other_engines(PreparedBefore(engines={Step.BIAS_FIELD: N4}), "heads 1.0.1")[1:] == ()
    assert warnings_of_other_engines(PreparedBefore(), "heads 1.0.0") == ()
