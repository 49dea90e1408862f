"""``experiment --dry-run`` lists the arms, and the patients of either cohort who are excluded or in no fold."""

from __future__ import annotations

import json

from made_cohorts import made_cohort
from made_experiments import made_cohorts
from refusals import refusal

from PCNSLSurvivalLib.cli.__main__ import main


def test_a_dry_run_lists_arms_and_unused_patients(tmp_path, capsys):
    root = made_cohorts(tmp_path / "few")
    made_cohort(tmp_path / "pcnsl", patients=20, censored=2, seed=1)
    (root / "pcnsl").rename(root / "smaller")
    (tmp_path / "pcnsl").rename(root / "pcnsl")
    path = root / "pcnsl" / "cohort.json"
    about = json.loads(path.read_text(encoding="utf-8"))
    about["cases"][0] |= {"os_days": 100.0, "death_observed": None}
    path.write_text(json.dumps(about), encoding="utf-8")
    (root / "brats" / "excluded.csv").write_text("name,reason\nB003,Moved.\n", encoding="utf-8")
    options = ["--cohort", root / "pcnsl", "--pretrain-cohort", root / "brats", "--out", root / "out", "--dry-run"]
    assert main(["experiment", str(root / "plan.yaml"), *map(str, options)]) == 0
    told = capsys.readouterr().out
    assert "Arms: t1gd_scratch, t1gd_transfer, logistic_clinical." in told
    ours, _, theirs = told.partition("Not in the pre-training")
    assert "  P000: Whether the patient died at day 100 is unknown." in ours
    assert "  P021: Censored before the threshold: no OS class." in ours
    assert "  B003: Moved." in theirs
    assert not (root / "out").exists()


def test_too_few_patients_of_a_class_for_the_baselines_are_told_before_any_work(tmp_path, capsys):
    root = made_cohorts(tmp_path)
    path = root / "pcnsl" / "cohort.json"
    about = json.loads(path.read_text(encoding="utf-8"))
    for number, case in enumerate(about["cases"]):
        case |= {"os_days": 100.0 if number < 4 else 900.0, "death_observed": True}
    path.write_text(json.dumps(about), encoding="utf-8")
    words = ["experiment", root / "plan.yaml", "--cohort", root / "pcnsl", "--pretrain-cohort", root / "brats"]
    words = [*map(str, words), "--out", str(root / "out")]
    assert main(words) == 3
    assert refusal("experiment.baselines_few_patients", fewest=3, few=4, folds=4, least=2) in capsys.readouterr().err
    assert not (root / "out").exists()
    plan = (root / "plan.yaml").read_text(encoding="utf-8").replace("[logistic_clinical]", "[]")
    (root / "plan.yaml").write_text(plan, encoding="utf-8")
    assert main([*words, "--dry-run"]) == 0
