"""Folds by site and by year: no patient on both sides, and a confounded site that random folds reward fails."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from made_cohorts import made_cohort
from refusals import refused

from PCNSLSurvivalLib.cli.__main__ import main
from PCNSLSurvivalLib.cohorts.splits import group_folds, repeated_stratified_folds, temporal_fold
from PCNSLSurvivalLib.core.errors import ExperimentError, FoldError
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.evaluation.baselines.run import run_baseline
from PCNSLSurvivalLib.evaluation.baselines.table import BaselineTable
from PCNSLSurvivalLib.evaluation.out_of_fold import out_of_fold_auc
from PCNSLSurvivalLib.evaluation.predictions import read_predictions
from PCNSLSurvivalLib.experiment.plan import ExperimentPlan
from PCNSLSurvivalLib.phantoms.cohort import CohortPlan, draw_cohort

SITES = 4


def confounded(seed: int, *, per_site: int = 24):
    """Four sites, two of them with mostly long survivors; a measurement tells the site's scanner, and nothing else."""
    random = np.random.default_rng(seed)
    site = np.repeat(np.arange(SITES), per_site)
    os_class = (random.random(len(site)) < np.where(site % 2, 0.85, 0.15)).astype(int)
    scanner = np.where(site % 2, 1.0, -1.0) + random.normal(0, 0.4, len(site))
    names = tuple(f"p{number:03}" for number in range(len(site)))
    table = BaselineTable(
        cases=names,
        os_class=dict(zip(names, os_class.tolist(), strict=True)),
        columns=("scanner",),
        values=scanner[:, None],
    )
    return names, os_class, [f"site {one}" for one in site], table


def test_random_folds_reward_a_confounded_site_and_site_folds_do_not():
    """Within one site the scanner says nothing; random folds compare patients of several sites."""
    names, os_class, sites, table = confounded(1)
    random = repeated_stratified_folds(names, names, os_class.tolist(), splits=4, repeats=1, seed=1)
    by_site = group_folds(names, names, os_class.tolist(), sites)
    aucs = {}
    for kind, folds in (("random", random), ("site", by_site)):
        predictions = [run_baseline("scanner", "logistic", table, fold) for fold in folds]
        aucs[kind] = out_of_fold_auc(predictions, resamples=200)
    print({kind: round(one.value, 2) for kind, one in aucs.items()})
    assert aucs["random"].low > 0.65
    assert aucs["site"].low < 0.5 < aucs["site"].high


@pytest.mark.parametrize(("confounding", "rewarded"), [(0.8, True), (0.0, False)])
def test_the_noise_of_virtual_scanners_seems_to_predict_survival_until_a_site_is_held_out(confounding, rewarded):
    """Survival is random, so that the scanner alone can be learned."""
    plan = CohortPlan(patients=120, seed=3, oracle_auc=0.5, sites=4, confounding=confounding)
    members = draw_cohort(plan)
    names = tuple(f"p{member.number:03}" for member in members)
    os_class = [int(member.outcome.true_os_days > 365) for member in members]
    noise = np.array([[np.log(member.protocol.sequences[MRSequence.T1GD].snr)] for member in members])
    table = BaselineTable(
        cases=names, os_class=dict(zip(names, os_class, strict=True)), columns=("log SNR",), values=noise
    )
    random = repeated_stratified_folds(names, names, os_class, splits=4, repeats=1, seed=1)
    by_site = group_folds(names, names, os_class, [member.site for member in members])
    aucs = [
        out_of_fold_auc([run_baseline("noise", "logistic", table, fold) for fold in folds], resamples=200)
        for folds in (random, by_site)
    ]
    print([round(one.value, 2) for one in aucs])
    assert (aucs[0].low > 0.65) == rewarded
    assert all(one.low < 0.5 < one.high for one in (aucs[1:] if rewarded else aucs))


@pytest.mark.slow
def test_radiomics_of_confounded_virtual_scans_look_good_in_random_folds_and_fall_by_site(tmp_path):
    """The same on images, from the phantom command to the report."""
    raw, cohort = tmp_path / "raw", tmp_path / "prepared"
    made = ["phantom", "--patients", "40", "--seed", "3", "--out", str(raw), "--layout", "table", "--stripped"]
    scanned = ["--grid", "isotropic", "--sequences", "t1gd", "--oracle-auc", "0.5", "--sites", "4"]
    assert main([*made, *scanned, "--confounding", "0.9", "--quiet"]) == 0
    assert main(["preprocess", str(raw), "--sequences", "t1gd", "--out", str(cohort), "--quiet"]) == 0
    found = {}
    for split_by in ("random", "site"):
        plan, out = tmp_path / f"{split_by}.yaml", tmp_path / split_by
        plan.write_text(
            f"split_by: {split_by}\nrepeats: 1\nsplits: 4\nsequences: []\nmodel_arm: null\n"
            "baselines: [svm_t1gd_radiomics]\n",
            encoding="utf-8",
        )
        assert main(["experiment", str(plan), "--cohort", str(cohort), "--out", str(out), "--quiet"]) == 0
        found[split_by] = out_of_fold_auc(read_predictions(out / "results" / "predictions.csv"))
    print({kind: (round(one.value, 2), round(one.low, 2), round(one.high, 2)) for kind, one in found.items()})
    assert found["random"].low > 0.55
    assert found["site"].low < 0.5 < found["site"].high


def test_a_patient_of_two_sites_is_in_one_fold():
    names, patients = ["a1", "a2", "b", "c", "d", "e"], ["a", "a", "b", "c", "d", "e"]
    folds = group_folds(names, patients, [1, 1, 0, 1, 0, 1], ["X", "Y", "X", "Y", "Y", "X"])
    assert [fold.test for fold in folds] == [("a1", "a2", "b", "e"), ("c", "d")]
    assert all(not set(fold.train) & set(fold.test) for fold in folds)


def test_the_latest_years_are_held_out_and_no_year_is_divided():
    years = [2015, 2015, 2016, 2016, 2017, 2017, 2018, 2018, 2018, 2018]
    names = [f"p{number}" for number in range(10)]
    (fold,) = temporal_fold(names, names, [0, 1] * 5, years, share=0.3)
    assert fold.test == ("p6", "p7", "p8", "p9")
    (fold,) = temporal_fold(["p0b", *names], ["p0", *names], [0, *[0, 1] * 5], [2018, *years], share=0.3)
    assert "p0b" in fold.train  # a patient counts with the first exam


@pytest.mark.parametrize(
    ("make", "code", "values"),
    [
        (
            lambda: group_folds(["a", "b"], ["a", "b"], [0, 1], ["X", None]),
            "group_unknown",
            {"by": "site", "count": 1, "exam": "b"},
        ),
        (lambda: group_folds(["a", "b"], ["a", "b"], [0, 1], ["X", "X"]), "one_group", {"by": "site"}),
        (
            lambda: group_folds(["a", "b"], ["a", "b"], [0, 1], ["X", "Y"]),
            "one_class_without",
            {"by": "site", "group": "X"},
        ),
        (
            lambda: temporal_fold(["a", "b"], ["a", "b"], [0, 1], [2010, None], share=0.5),
            "year_unknown",
            {"count": 1, "exam": "b"},
        ),
        (lambda: temporal_fold(["a", "b"], ["a", "b"], [0, 1], [2010, 2010], share=0.5), "one_year", {}),
        (
            lambda: temporal_fold(["a", "b"], ["a", "b"], [0, 1], [2010, 2011], share=0.5),
            "one_class_at_year",
            {"year": 2011},
        ),
    ],
)
def test_what_cannot_be_split_is_told(make, code, values):
    with refused(FoldError, f"folds.{code}", **values):
        make()


def test_one_repetition_is_all_there_is():
    with refused(ExperimentError, "plan.repeats", split_by="site"):
        ExperimentPlan(split_by="site")
    assert not ExperimentPlan(split_by="year", repeats=1).makes_model


def test_the_folds_of_a_site_are_counted_once_though_cox_learns_from_more_patients_than_the_classes(tmp_path, capsys):
    cohort = made_cohort(tmp_path / "cohort", patients=18, censored=4, sequences=(MRSequence.T1GD,))
    about = json.loads((cohort / "cohort.json").read_text(encoding="utf-8"))
    for number, case in enumerate(about["cases"]):
        case["clinical"]["site"] = "ABC"[number // 2 % 3]
    (cohort / "cohort.json").write_text(json.dumps(about), encoding="utf-8")
    plan = tmp_path / "plan.yaml"
    plan.write_text(
        "split_by: site\nrepeats: 1\nsequences: []\nmodel_arm: null\nbaselines: [logistic_clinical, cox_clinical]\n",
        encoding="utf-8",
    )
    options = ["--cohort", str(cohort), "--out", str(tmp_path / "out"), "--dry-run"]
    assert main(["experiment", str(plan), *options]) == 0
    assert "2 arms, 3 folds, one per site, 6 jobs" in capsys.readouterr().out


@pytest.mark.parametrize(("split_by", "said"), [("site", "one fold per site"), ("year", "latest years were held out")])
def test_the_command_splits_by_the_column_and_lists_who_is_where(no_figures, tmp_path, split_by, said):
    cohort = made_cohort(tmp_path / "cohort", patients=24, sequences=(MRSequence.T1GD,))
    about = json.loads((cohort / "cohort.json").read_text(encoding="utf-8"))
    for number, case in enumerate(about["cases"]):
        case["clinical"] |= {"site": "ABC"[number // 2 % 3], "scan_year": 2010 + number // 6}
    (cohort / "cohort.json").write_text(json.dumps(about), encoding="utf-8")
    plan = tmp_path / "plan.yaml"
    plan.write_text(
        f"split_by: {split_by}\nrepeats: 1\nsplits: 4\nsequences: []\nmodel_arm: null\n"
        "baselines: [logistic_clinical]\n",
        encoding="utf-8",
    )
    assert main(["experiment", str(plan), "--cohort", str(cohort), "--out", str(tmp_path / "out"), "--quiet"]) == 0
    with (tmp_path / "out" / "folds.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    if split_by == "site":
        assert {(row["fold"], row["site"]) for row in rows} == {("1", "A"), ("2", "B"), ("3", "C")}
        assert len(rows) == 24
    else:
        assert {row["scan_year"] for row in rows} == {"2013"}
    assert said in (tmp_path / "out" / "results" / "methods.txt").read_text(encoding="utf-8")
