"""Folds: no patient on both sides, both classes everywhere, nothing left to chance but the seed."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from refusals import refused

from PCNSLSurvivalLib.cohorts.splits import add_censored, repeated_stratified_folds, validation_split
from PCNSLSurvivalLib.core.errors import FoldError


@st.composite
def cohorts(draw):
    """Names, patients and classes: 5 to 30 patients of each class, one to three exams each, shuffled."""
    rows = []
    for os_class in (0, 1):
        for number in range(draw(st.integers(5, 30))):
            patient = f"{os_class}-{number}"
            rows += [(f"{patient}-{exam}", patient, os_class) for exam in range(draw(st.integers(1, 3)))]
    return tuple(zip(*draw(st.permutations(rows)), strict=True))


@settings(max_examples=25)
@given(cohort=cohorts(), seed=st.integers(0, 2**31))
def test_no_patient_is_on_both_sides_and_every_exam_is_tested_once_a_repeat(cohort, seed):
    names, patients, classes = cohort
    patient_of = dict(zip(names, patients, strict=True))
    folds = repeated_stratified_folds(names, patients, classes, splits=5, repeats=2, seed=seed)
    assert [(f.repeat, f.fold) for f in folds] == [(r, f) for r in range(2) for f in range(5)]
    for fold in folds:
        assert not {patient_of[n] for n in fold.train} & {patient_of[n] for n in fold.test}
        assert sorted(fold.train + fold.test) == sorted(names)
    for repeat in range(2):
        tested = Counter(name for fold in folds if fold.repeat == repeat for name in fold.test)
        assert tested == Counter(names)


@settings(max_examples=25)
@given(cohort=cohorts(), seed=st.integers(0, 2**31))
def test_the_classes_of_the_folds_differ_by_one_patient_at_most(cohort, seed):
    names, patients, classes = cohort
    facts = {n: (p, c) for n, p, c in zip(names, patients, classes, strict=True)}
    for fold in repeated_stratified_folds(names, patients, classes, seed=seed):
        for os_class in (0, 1):
            all_of = len({p for p, c in facts.values() if c == os_class})
            in_test = len({facts[n][0] for n in fold.test if facts[n][1] == os_class})
            assert all_of // 5 <= in_test <= -(-all_of // 5)


@settings(max_examples=25)
@given(cohort=cohorts(), seed=st.integers(0, 2**31), data=st.data())
def test_folds_do_not_depend_on_the_order_of_the_cohort(cohort, seed, data):
    shuffled = tuple(zip(*data.draw(st.permutations(tuple(zip(*cohort, strict=True)))), strict=True))
    assert repeated_stratified_folds(*cohort, seed=seed) == repeated_stratified_folds(*shuffled, seed=seed)
    assert validation_split(*cohort, seed=seed) == validation_split(*shuffled, seed=seed)


@settings(max_examples=25)
@given(cohort=cohorts(), seed=st.integers(0, 2**31), share=st.floats(0.05, 0.5))
def test_the_inner_split_has_both_classes_on_both_sides_and_no_patient_twice(cohort, seed, share):
    names, patients, classes = cohort
    facts = {n: (p, c) for n, p, c in zip(names, patients, classes, strict=True)}
    train, validation = validation_split(names, patients, classes, share=share, seed=seed)
    assert sorted(train + validation) == sorted(names)
    assert not {facts[n][0] for n in train} & {facts[n][0] for n in validation}
    for side in (train, validation):
        assert {facts[n][1] for n in side} == {0, 1}


def test_repeats_and_seeds_shuffle_anew():
    names = [f"case-{n:02}" for n in range(40)]
    classes = [n % 2 for n in range(40)]
    one, other = (repeated_stratified_folds(names, names, classes, seed=seed) for seed in (1, 2))
    assert one != other
    assert {f.test for f in one if f.repeat == 0} != {f.test for f in one if f.repeat == 1}


def test_the_paper_s_cohort_gives_folds_of_11_or_12_patients():
    names = [f"case-{n:02}" for n in range(56)]  # 30 lived longer than a year, 26 did not
    folds = repeated_stratified_folds(names, names, [int(n < 30) for n in range(56)], seed=12)
    assert {len(fold.test) for fold in folds} == {11, 12}


def test_too_few_patients_of_a_class_are_a_sentence_with_the_counts():
    names = [f"case-{n}" for n in range(12)]
    with refused(FoldError, "folds.too_few", parts=5, over=3, up_to=9):
        repeated_stratified_folds(names, names, [1] * 3 + [0] * 9, seed=0)
    with refused(FoldError, "folds.too_few", parts=2, over=1, up_to=3):
        validation_split(names[:4], names[:4], [1, 0, 0, 0], seed=0)


def test_the_same_name_twice_is_refused():
    with refused(FoldError, "folds.exam_twice"):
        repeated_stratified_folds(["a", "a"], ["p", "q"], [0, 1], splits=2, seed=0)


@settings(max_examples=25)
@given(cohort=cohorts(), seed=st.integers(0, 2**31), people=st.integers(0, 12))
def test_patients_censored_early_are_held_out_once_a_repeat_and_move_nobody_else(cohort, seed, people):
    names, patients, classes = cohort
    labeled = dict(zip(names, patients, strict=True))
    censored = {f"c{n}-{exam}": f"c{n}" for n in range(people) for exam in range(2)} | {"again": patients[0]}
    before = repeated_stratified_folds(names, patients, classes, splits=5, repeats=2, seed=seed)
    after = add_censored(before, censored, labeled, seed=seed)
    person = labeled | censored
    for old, new in zip(before, after, strict=True):
        assert new.only(labeled) == old
        assert sorted(new.train + new.test) == sorted(person)
        assert not {person[name] for name in new.train} & {person[name] for name in new.test}
    for repeat in range(2):
        tested = Counter(name for fold in after if fold.repeat == repeat for name in fold.test)
        assert tested == Counter(list(person))
        counts = [len({person[name] for name in fold.test} - set(patients)) for fold in after if fold.repeat == repeat]
        assert max(counts) - min(counts) <= 1
