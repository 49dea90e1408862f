"""An experiment file says what is compared; a mistake in it is named with its line and what is allowed."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from PCNSLSurvivalLib.core.errors import ExperimentError
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.experiment.plan import ExperimentPlan, read_plan

EXAMPLES = Path(__file__).resolve().parents[3] / "Resources" / "experiments"


def plan_of(tmp_path, text: str) -> ExperimentPlan:
    path = tmp_path / "plan.yaml"
    path.write_text(text, encoding="utf-8")
    return read_plan(path)


@pytest.mark.parametrize("name", ["paper.yaml", "light.yaml"])
def test_the_grid_is_that_of_the_paper(name):
    plan = read_plan(EXAMPLES / name)
    networks = {f"{s}_{start}" for s in ("t1", "t2", "t1gd") for start in ("scratch", "transfer")}
    baselines = {"svm_clinical", "svm_t1_radiomics", "svm_t2_radiomics", "svm_t1gd_radiomics"}
    assert set(plan.arm_names) == networks | baselines
    assert (plan.splits, plan.repeats, plan.threshold_days) == (5, 2, 365)


def test_the_paper_s_file_has_its_network_optimizer_and_augmentation():
    plan = read_plan(EXAMPLES / "paper.yaml")
    assert (plan.network.depth, plan.network.widen_factor) == (50, 1.0)
    for settings in (plan.training, plan.pretraining, plan.finetuning):
        assert (settings.epochs, settings.patience, settings.batch_size) == (250, 50, 8)
        assert (settings.learning_rate, settings.weight_decay, settings.schedule) == (1e-3, 0.0, "step")
        assert settings.augmentation.transforms == "monai"


def test_settings_of_one_training_can_be_those_of_another(tmp_path):
    plan = plan_of(tmp_path, "pretraining: training\ntraining: {epochs: 7}\nfinetuning: {epochs: 3}\n")
    assert plan.pretraining == plan.training
    assert (plan.training.epochs, plan.finetuning.epochs) == (7, 3)
    assert plan_of(tmp_path, "finetuning: training\n") == ExperimentPlan()
    with pytest.raises(ExperimentError, match=r"line 2: 'training.epochs' must be a whole number"):
        plan_of(tmp_path, "pretraining: training\ntraining: {epochs: many}\n")
    with pytest.raises(ExperimentError, match="line 1: 'pretraining' needs entries"):
        plan_of(tmp_path, "pretraining: finetuning\n")


def test_flair_is_an_arm_like_any_other():
    plan = read_plan(EXAMPLES / "ucsf-pcnsl.yaml")
    assert {"flair_scratch", "flair_transfer", "svm_flair_radiomics"} <= set(plan.arm_names)
    assert set(plan.all_sequences) == {MRSequence.T1, MRSequence.FLAIR, MRSequence.T1GD}


@pytest.mark.parametrize("name", ["paper.yaml", "light.yaml", "ucsf-pcnsl.yaml", "reduced.yaml"])
def test_every_default_is_written_out_and_reads_back_as_the_same_plan(tmp_path, name):
    plan = read_plan(EXAMPLES / name)
    assert plan_of(tmp_path, plan.to_yaml()) == plan
    assert set(plan.to_json()) == set(ExperimentPlan.__dataclass_fields__)
    once = {"architecture", "grid", "seed", "threshold_days"}
    assert set(plan.to_json()["finetuning"]) == set(type(plan.finetuning).__dataclass_fields__) - once


def test_what_all_networks_share_reaches_every_training(tmp_path):
    plan = plan_of(tmp_path, "seed: 3\nthreshold_days: 730\nnetwork: {depth: 18}\nnetwork_grid: {size: [64, 64, 64]}\n")
    for settings in map(plan.settings_of, ("training", "pretraining", "finetuning")):
        assert (settings.seed, settings.threshold_days) == (3, 730)
        assert (settings.architecture, settings.grid) == (plan.network, plan.network_grid)


def test_an_entry_changes_its_own_value_and_no_other(tmp_path):
    plan = plan_of(tmp_path, "network:\n  depth: 10\nfinetuning:\n  learning_rate: 1e-4\n")
    assert plan.network.depth == 10
    assert plan.network.conv1_stride == ExperimentPlan().network.conv1_stride
    assert plan.finetuning.learning_rate == pytest.approx(1e-4)
    assert plan.training == ExperimentPlan().training


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("seed: 1\nsplits: five", r"line 2: 'splits' must be a whole number, not 'five'"),
        ("seed: 1\n\nsplitz: 5", r"line 3: 'splitz' is not known. Allowed here: .*splits, repeats"),
        ("sequences:\n  - t1\n  - t9", r"line 3: 'sequences' must be one of t1gd, t1, t2, flair, not 't9'"),
        ("network:\n  depth: 17", r"line 2: 'network.depth' must be one of 10, 18, 34, 50, not 17"),
        ("training: {seed: 4}", r"'training.seed' is shared by all networks: write it as 'seed'"),
        ("training: {epochs: 0}", r"line 1: 'training' cannot be used. .*epochs"),
        ("seed: true", r"line 1: 'seed' must be a whole number, not True"),
        ("splits: 5\nsplits: 4", r"line 2: 'splits' is listed twice, first on line 1"),
        ("sequences: t1", r"line 1: 'sequences' must be a list"),
        ("cohort: [a", r"line 1: this cannot be read as YAML"),
        ("- a\n- b", r"needs entries of the form 'name: value'"),
        ("seed: -1", r"'seed' must be a whole number from 0"),
        ("network_grid: {size: [0, 32, 32]}", r"'network_grid' needs a size of at least 1 voxel"),
        ("network_grid: {spacing_mm: [1.5, 0, 1.5]}", r"a spacing of more than 0 mm"),
        ("training: {frozen: [conv1]}", r"'training' starts from random weights, which cannot be frozen"),
        ("pretraining: {batch_norm: frozen}", r"'pretraining' starts from random weights"),
        ("splits: 1", r"'splits' must be at least 2"),
        ("network:\n  channels: 2", r"'network.channels' must be 1"),
        ("model_arm: t9_scratch", r"'model_arm' must be null or one of .*t1gd_scratch"),
        ("sequences: []\nbaselines: []\nmodel_arm: null", r"there is none"),
        ("sequences: [t1gd, t1gd]", r"listed twice"),
        ("baselines: [svm_horoscope]", r"no baseline 'svm_horoscope'. Choose among svm_clinical"),
        ("network: &a\n  b: *a", r"line 2: '\*a' refers to another entry"),
        ("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]", r"line 2: '\*a' refers to another entry"),
        ("cohort: " + "[" * 100_000, r"nested deeper than in any plan"),
        ("cohort: " + "x" * 1_000_001, r"larger than 1 MB"),
        ("seed: " + "1" * 10_000, r"'seed' must be a plain number"),
        ("cohort: 2001-99-99", r"'cohort' must be a plain number or word"),
        ("cohort: a\x00b", r"cannot be read as YAML"),
        ("training: {learning_rate: .nan}", r"'training.learning_rate' must be a finite number"),
        ("training: {learning_rate: .inf}", r"'training.learning_rate' must be a finite number"),
        ("cohort: !!python/object/apply:os.getcwd []", r"line 1: 'cohort' must be a word"),
    ],
)
def test_a_mistake_is_named_where_it_stands(tmp_path, text, sentence):
    with pytest.raises(ExperimentError, match=sentence):
        plan_of(tmp_path, text)


def test_a_missing_file_is_told_in_a_sentence(tmp_path):
    with pytest.raises(ExperimentError, match="cannot be read"):
        read_plan(tmp_path / "none.yaml")


def test_instance_normalization_of_a_single_cell_is_refused_before_training(tmp_path):
    text = "network: {depth: 10, norm: instance}\nnetwork_grid: {size: [32, 32, 32]}\n"
    with pytest.raises(ExperimentError, match="cannot measure the spread of a single cell"):
        plan_of(tmp_path, text)
    plan_of(tmp_path, text.replace("instance", "batch"))


_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.dates()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(sorted(ExperimentPlan.__dataclass_fields__)), _VALUES, max_size=3))
def test_any_values_are_a_plan_or_refused_in_a_sentence(tmp_path_factory, entries):
    with suppress(ExperimentError):
        plan_of(tmp_path_factory.mktemp("plan"), yaml.safe_dump(entries, allow_unicode=True))


@given(st.text(st.sampled_from('seed: [{&*!|>-?%@`"#,}]1x\n\t\x00\x85'), max_size=60))
def test_any_text_is_a_plan_or_refused_in_a_sentence(tmp_path_factory, text):
    with suppress(ExperimentError):
        plan_of(tmp_path_factory.mktemp("plan"), text)
