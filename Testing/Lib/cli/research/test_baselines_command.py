"""``pcnsl-survival baselines`` on a small prepared cohort whose lesions know the outcome."""

from __future__ import annotations

import json

import pytest
from made_cohorts import made_cohort
from refusals import refusal

from PCNSLSurvivalLib.cli.__main__ import main
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.evaluation.out_of_fold import out_of_fold_auc
from PCNSLSurvivalLib.evaluation.predictions import by_arm, read_predictions


def test_baselines_of_a_prepared_cohort_leave_predictions_tables_figures_and_kept_features(tmp_path, capsys):
    cohort = made_cohort(tmp_path / "prepared", patients=16, censored=1, sequences=(MRSequence.T1GD,))
    about = json.loads((cohort / "cohort.json").read_text(encoding="utf-8"))
    (cohort / "cohort.json").write_text(json.dumps(about | {"virtual": True}), encoding="utf-8")
    out = tmp_path / "out"
    words = ["baselines", str(cohort), "--prepared", str(cohort), "--out", str(out), "--folds", "2", "--repeats", "1"]
    assert main(words) == 0
    arms = by_arm(read_predictions(out / "results" / "predictions.csv"))
    assert "svm_t1gd_radiomics" in arms
    assert out_of_fold_auc(arms["svm_t1gd_radiomics"], resamples=50).value > 0.8
    # A Cox arm learns from the censored patient in the other fold; no fold of the others does.
    assert {sum(len(one.censored) for one in folds) for name, folds in arms.items() if "cox" in name} == {1}
    assert {sum(len(one.censored) for one in folds) for name, folds in arms.items() if "cox" not in name} == {2}
    written = {path.name for path in (out / "results").iterdir()}
    assert {"experiment_report.html", "results.csv", "comparisons.csv", "results_table.tex", "methods.txt"} <= written
    html = (out / "results" / "experiment_report.html").read_text(encoding="utf-8")
    assert "Research use only" in html
    assert "All patients are virtual." in html
    assert "SVM, T1Gd radiomics" in html
    for name in ("roc", "precision_recall", "calibration", "decision", "kaplan_meier"):
        assert (out / "results" / "figures" / f"{name}.png").stat().st_size > 1000
        assert (out / "results" / "figures" / f"{name}.svg").is_file()
    assert len(list((out / "radiomics").glob("*.json"))) == 17
    methods = (out / "results" / "methods.txt").read_text(encoding="utf-8")
    assert "32 gray levels) in the lesion mask (1 mm) of every patient" in methods
    assert str(out / "results") in capsys.readouterr().out


@pytest.mark.parametrize(
    ("option", "value", "least"), [("--folds", "1", 2), ("--repeats", "0", 1), ("--seed", "-1", 0), ("--jobs", "0", 1)]
)
def test_a_number_that_cannot_be_is_refused_at_once(tmp_path, capsys, option, value, least):
    with pytest.raises(SystemExit) as ended:
        main(["baselines", str(tmp_path), "--out", str(tmp_path / "out"), f"{option}={value}"])
    assert ended.value.code == 2
    assert f"argument {option}: must be from {least} to " in capsys.readouterr().err


def test_a_folder_without_a_prepared_cohort_is_told_in_a_sentence(tmp_path, capsys):
    assert main(["baselines", str(tmp_path), "--prepared", str(tmp_path), "--out", str(tmp_path / "out")]) == 3
    assert refusal("prepared_cohort.not_found") in capsys.readouterr().err
