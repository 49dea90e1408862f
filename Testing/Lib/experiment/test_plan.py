"""An experiment file says what is compared; a mistake in it is named with its line and what is allowed."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from refusals import refused

from PCNSLSurvivalLib.core.errors import ExperimentError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.evaluation.baselines.arms import BASELINE_ARMS
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
    with refused(
        ExperimentError,
        "plan_file.entry",
        line=2,
        entry="training.epochs",
        reason=Message("entry.other_kind", kind=Message("kind.whole_number"), found="'many'"),
    ):
        plan_of(tmp_path, "pretraining: training\ntraining: {epochs: many}\n")
    with refused(
        ExperimentError, "plan_file.entry", line=1, entry="pretraining", reason=Message("entry.needs_entries")
    ):
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


def entry(line, name, code, **values):
    return "plan_file.entry", {"line": line, "entry": name, "reason": Message(f"entry.{code}", **values)}


def whole(code, **values):
    return "plan_file.unusable", {"reason": Message(code, **values)}


NUMBER = Message("kind.whole_number")
SEQUENCES = ("t1gd", "t1", "t2", "flair")
NO_EPOCHS = Message("settings.unusable", wanted=Message("settings_need.counts"))
NETWORKS = tuple(arm.name for arm in ExperimentPlan().networks)
BASELINES = tuple(arm.name for arm in BASELINE_ARMS)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("seed: 1\nsplits: five", entry(2, "splits", "other_kind", kind=NUMBER, found="'five'")),
        ("seed: 1\n\nsplitz: 5", entry(3, "splitz", "unknown", known=tuple(ExperimentPlan.__dataclass_fields__))),
        ("sequences:\n  - t1\n  - t9", entry(3, "sequences", "no_choice", known=SEQUENCES, found="'t9'")),
        (
            "network:\n  depth: 17",
            entry(2, "network.depth", "no_choice", known=("10", "18", "34", "50"), found="17"),
        ),
        ("training: {seed: 4}", whole("plan.given_once", training="training", entry="seed", place="seed")),
        ("training: {epochs: 0}", entry(1, "training", "unusable", reason=NO_EPOCHS)),
        ("seed: true", entry(1, "seed", "other_kind", kind=NUMBER, found="True")),
        ("splits: 5\nsplits: 4", entry(2, "splits", "twice", first=1)),
        ("sequences: t1", entry(1, "sequences", "no_list")),
        ("cohort: [a", ("plan_file.no_yaml", {"line": 1})),
        ("- a\n- b", ("plan_file.no_entries", {})),
        ("2001-01-01", ("plan_file.no_entries", {})),
        ("seed: -1", whole("plan.seed")),
        ("network_grid: {size: [0, 32, 32]}", whole("plan.network_grid")),
        ("network_grid: {spacing_mm: [1.5, 0, 1.5]}", whole("plan.network_grid")),
        ("training: {frozen: [conv1]}", whole("plan.frozen_from_scratch", training="training")),
        ("pretraining: {batch_norm: frozen}", whole("plan.frozen_from_scratch", training="pretraining")),
        ("splits: 1", whole("plan.splits")),
        ("network:\n  channels: 2", whole("plan.one_channel")),
        ("model_arm: t9_scratch", whole("plan.model_arm", known=NETWORKS)),
        ("sequences: []\nbaselines: []\nmodel_arm: null", whole("plan.arms")),
        ("sequences: [t1gd, t1gd]", whole("plan.arms")),
        ("baselines: [svm_horoscope]", whole("baseline.unknown", name="svm_horoscope", known=BASELINES)),
        ("network: &a\n  b: *a", ("plan_file.alias", {"line": 2, "name": "a"})),
        ("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]", ("plan_file.alias", {"line": 2, "name": "a"})),
        ("cohort: " + "[" * 100_000, ("plan_file.too_deep", {"line": 1})),
        ("cohort: " + "x" * 1_000_001, ("plan_file.too_large", {})),
        ("seed: " + "1" * 10_000, entry(1, "seed", "not_plain")),
        ("cohort: 2001-99-99", entry(1, "cohort", "not_plain")),
        ("cohort: a\x00b", ("plan_file.no_yaml", {"line": 1})),
        ("training: {learning_rate: .nan}", entry(1, "training.learning_rate", "not_finite")),
        ("training: {learning_rate: .inf}", entry(1, "training.learning_rate", "not_finite")),
        (
            "cohort: !!python/object/apply:os.getcwd []",
            entry(1, "cohort", "other_kind", kind=Message("kind.word"), found=Message("kind.list")),
        ),
    ],
)
def test_a_mistake_is_named_where_it_stands(tmp_path, text, told):
    code, values = told
    with refused(ExperimentError, code, **values):
        plan_of(tmp_path, text)


def test_a_missing_file_is_told_in_a_sentence(tmp_path):
    with refused(ExperimentError, "plan_file.unreadable"):
        read_plan(tmp_path / "none.yaml")


def test_instance_normalization_of_a_single_cell_is_refused_before_training(tmp_path):
    text = "network: {depth: 10, norm: instance}\nnetwork_grid: {size: [32, 32, 32]}\n"
    with refused(
        ExperimentError,
        "plan_file.unusable",
        reason=Message("settings.unusable", wanted=Message("settings_need.larger_block")),
    ):
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
