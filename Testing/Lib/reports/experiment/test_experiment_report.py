"""The report of an experiment: what its tables, texts and page say of predictions that are known."""

from __future__ import annotations

import base64
import csv
import re
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from made_predictions import CENSORED, made_folds, made_outcomes
from matplotlib.ft2font import FT2Font

from PCNSLSurvivalLib.evaluation.classification import METRICS
from PCNSLSurvivalLib.evaluation.optimism import EpochScores
from PCNSLSurvivalLib.reports.experiment.facts import ExperimentFacts, TrainingHistory
from PCNSLSurvivalLib.reports.experiment.report import ArmsShown, NetworksShown, write_experiment_report
from PCNSLSurvivalLib.reports.experiment.tables import p_value

LABELS = {"t1_scratch": "T1 (T)", "t1_transfer": "T1 (TL)", "t1gd_scratch": "T1Gd (T)", "t1gd_transfer": "T1Gd (TL)"}


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> Path:
    """Four arms and the pairs of an experiment, the reference's own transfer against scratch among them."""
    out = tmp_path_factory.mktemp("report") / "results"
    write_experiment_report(
        out,
        [fold for arm in LABELS for fold in made_folds(arm, skill=1.5 * arm.startswith("t1gd"))],
        outcomes=made_outcomes(),
        shown=ArmsShown(
            labels=LABELS,
            reference="t1gd_transfer",
            pairs=[("t1_transfer", "t1_scratch"), ("t1gd_transfer", "t1gd_scratch")],
        ),
        resamples=50,
    )
    return out


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_page_sent_alone_has_its_figures(report):
    html = (report / "experiment_report.html").read_text(encoding="utf-8")
    pictures = re.findall(r'<img src="([^"]*)"', html)
    assert len(pictures) == 5
    for address, name in zip(
        pictures, ("roc", "precision_recall", "calibration", "decision", "kaplan_meier"), strict=True
    ):
        kind, inside = address.split(",")
        assert kind == "data:image/png;base64"
        assert base64.b64decode(inside) == (report / "figures" / f"{name}.png").read_bytes()


def test_two_arms_are_compared_once_whichever_way_round(report):
    compared = [(one["arm"], one["against"]) for one in rows(report / "comparisons.csv") if one["metric"] == "auc"]
    assert compared == [
        ("t1_scratch", "t1gd_transfer"),
        ("t1_transfer", "t1gd_transfer"),
        ("t1gd_scratch", "t1gd_transfer"),
        ("t1_transfer", "t1_scratch"),
    ]


def test_every_number_that_is_to_be_quoted_has_an_interval_and_the_table_says_what_it_could_show(report):
    html = (report / "experiment_report.html").read_text(encoding="utf-8")
    results = html[html.index("<h2>Results") : html.index("<h2>Comparisons")]
    first = re.findall(r'<td class="n">(.*?)</td>', results.split("<tbody>")[1].split("</tr>")[0])
    assert sum("[" in cell for cell in first) == len(METRICS) == len(first) - 2  # the others are p values
    assert re.search(r"a true difference in AUC of [\d.]+( to [\d.]+, depending on the arm,)? would be found", results)
    compared = [one for one in rows(report / "comparisons.csv") if one["metric"] == "auc"]
    for one in compared:
        assert float(one["corrected_low95"]) <= float(one["difference"]) <= float(one["corrected_high95"])
        assert 0 < float(one["paired_auc_p"]) <= float(one["paired_auc_p_holm"]) <= 1
    chance = {one["arm"]: one["p_of_auc_one_half"] for one in rows(report / "results.csv") if one["metric"] == "auc"}
    assert float(chance["t1gd_transfer"]) < float(chance["t1_scratch"])


def test_the_methods_tell_all_that_is_corrected_together_and_how_survival_is_compared(report):
    methods = (report / "methods.txt").read_text(encoding="utf-8")
    assert "Arms were compared, all others with T1Gd (TL) and T1 (TL) with T1 (T), by DeLong's test" in methods
    assert "9999 permutations of the groups, with Holm's correction over the arms" in methods
    assert "It is given where both groups had 5 patients or more" in methods
    assert "the mean over the 2 repetitions and for exams without a class over all folds' models" in methods
    assert "pairs of patients judged by the same fold's model" in methods


def test_files_that_people_read_count_repeats_and_folds_from_one_and_name_arms_alike(report):
    for name in ("predictions.csv", "fold_metrics.csv"):
        places = {(one["repeat"], one["fold"]) for one in rows(report / name)}
        assert places == {("1", "1"), ("1", "2"), ("2", "1"), ("2", "2")}
    for name in ("results.csv", "survival.csv"):
        assert {one["arm"]: one["label"] for one in rows(report / name)} == LABELS


def test_the_survival_table_has_sizes_and_deaths_of_the_groups(report):
    for one in rows(report / "survival.csv"):
        assert int(one["patients"]) == int(one["predicted_long"]) + int(one["predicted_short"]) == 22 + len(CENSORED)
        sooner = int(one["deaths_of_predicted_long"]) > float(one["expected_deaths_of_predicted_long"])
        assert sooner == ("predicted long survivors died sooner" in one["remarks"])
        too_small = min(int(one["predicted_long"]), int(one["predicted_short"])) < 5
        assert too_small == (one["log_rank_p"] == "") == (one["log_rank_p_holm"] == "") == ("no p" in one["remarks"])
        assert too_small or float(one["log_rank_p_holm"]) >= float(one["log_rank_p"])


def test_a_group_of_one_has_a_dash_and_the_reason_in_place_of_a_p(tmp_path):
    folds = made_folds("arm")
    for one in folds:
        one.probability[:] = 0.9
        one.censored_probability[:] = (0.9, 0.1)
    write_experiment_report(tmp_path / "out", folds, outcomes=made_outcomes(), resamples=50)
    (row,) = rows(tmp_path / "out" / "survival.csv")
    assert (row["predicted_long"], row["predicted_short"], row["log_rank_p"]) == ("23", "1", "")
    html = (tmp_path / "out" / "experiment_report.html").read_text(encoding="utf-8")
    assert "23 / 1" in html
    assert "no p value: fewer than 5 in a group" in html
    methods = (tmp_path / "out" / "methods.txt").read_text(encoding="utf-8")
    assert "Arms were compared" not in methods


def test_patients_held_out_once_have_no_word_of_folds_that_overlap(tmp_path):
    arms = [fold for arm in ("one", "other") for fold in made_folds(arm, splits=1, repeats=1)]
    facts = ExperimentFacts(split_by="year")
    write_experiment_report(tmp_path / "out", arms, outcomes=made_outcomes(), facts=facts, resamples=50)
    html = (tmp_path / "out" / "experiment_report.html").read_text(encoding="utf-8")
    for part in ("overlapping", "widened", "standard error"):
        assert part not in html
    assert "It is the p of DeLong's test over patients." in html


def test_an_arm_alone_is_compared_with_nothing(tmp_path):
    write_experiment_report(tmp_path / "out", made_folds("arm"), outcomes=made_outcomes(), resamples=50)
    html = (tmp_path / "out" / "experiment_report.html").read_text(encoding="utf-8")
    assert "against the" not in html.split("</table>")[0]
    assert "DeLong" not in html
    assert "t-test" not in html.split("<h2>Reporting checklist")[0]


def test_the_summary_and_the_heads_say_what_they_count(report):
    html = (report / "experiment_report.html").read_text(encoding="utf-8")
    assert re.search(r"14 with OS &gt; 365 days, 8 with 365 days or less", html)
    assert "p against the<br>reference, Holm" in html
    table = html.split("<h2>Comparisons")[1].split("</table>")[0]
    found = [one["paired_auc_p_holm"] for one in rows(report / "comparisons.csv") if one["metric"] == "auc"]
    last = [re.findall(r"<td[^>]*>([^<]*)", row)[-1] for row in table.split("<tr><td>")[1:]]
    assert last == [p_value(float(one)) for one in found]  # the test that rejects as often as it says


def test_the_optimism_of_every_arm_says_of_how_many_exams_and_epochs_or_why_it_is_not_measured(tmp_path, monkeypatch):
    monkeypatch.setattr("PCNSLSurvivalLib.reports.experiment.report.planned_figures", lambda content: [])
    random = np.random.default_rng(1)

    def scores(cases: tuple[str, ...], epochs: int) -> EpochScores:
        return EpochScores(cases=cases, log_odds=random.normal(size=(epochs, len(cases))))

    in_no_fold, ten = ("p22", "p23"), tuple(f"p{number:02}" for number in range(10))
    kept = {"t1_scratch": [scores(in_no_fold, 5)] * 4, "t1_transfer": [scores(ten, 12)] * 4, "t1gd_scratch": []}
    kept["t1gd_transfer"] = [scores(("p00", "p01"), 3)] * 4
    history = TrainingHistory(label="fold", train_loss=(1.0,), validation_loss=(1.0,), best_epoch=0, lesion_head=True)
    out = tmp_path / "results"
    page = write_experiment_report(
        out,
        [fold for arm in LABELS for fold in made_folds(arm)],
        outcomes=made_outcomes(24),
        shown=ArmsShown(labels=LABELS),
        networks=NetworksShown(epoch_scores=kept, histories={"t1_transfer": [history] * 4}),
        resamples=20,
    ).read_text(encoding="utf-8")
    found = {row["arm"]: row for row in rows(out / "optimism.csv") if row["epoch_chosen_by"] != "validation loss"}
    counts = {arm: (row["validation_exams"], row["epochs"]) for arm, row in found.items()}
    assert counts == {
        "t1_scratch": ("2.0", "5.0"),
        "t1_transfer": ("10.0", "12.0"),
        "t1gd_scratch": ("", ""),
        "t1gd_transfer": ("2.0", "3.0"),
    }
    earlier, one_class = found["t1gd_scratch"], found["t1gd_transfer"]
    assert earlier["remark"] == "not measured: networks of an earlier version"
    assert one_class["remark"] == "not measured: no fold has validation exams of both classes"
    assert (earlier["auc"], one_class["auc"]) == ("", "")
    table = page.split("<h2>Optimism of choosing the epoch</h2>")[1].split("<h2>")[0]
    cells = {row.split("</td>")[0]: re.findall(r"<td[^>]*>([^<]*)", row) for row in table.split("<tr><td>")[1:]}
    assert cells["T1 (T)"][-2:] == ["2", "5"]
    assert cells["T1 (TL)"][-2:] == ["10", "12"]
    assert cells["T1Gd (T)"][-3:] == [earlier["remark"], "–", "–"]
    assert "The head of T1 (TL) was refitted" in table


def width_pt(cell: str, font: FT2Font) -> float:
    """Width of a cell of a LaTeX table in Computer Modern, 9 pt (``\\small``)."""
    plain = cell.replace(r"$p_{\mathrm{Holm}}$", "pHolm").replace(r"\,", " ").replace("\\%", "%").replace("\\\\", "")
    font.set_text(plain.strip(), 0.0)
    return font.get_width_height()[0] / 64


def test_the_latex_table_fits_across_a_page_of_two_columns(report):
    table = (report / "results_table.tex").read_text(encoding="utf-8")
    assert r"\begin{table*}" in table
    assert r"\small\setlength{\tabcolsep}{4pt}" in table
    font = FT2Font(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "cmr10.ttf"))
    font.set_size(9, 72.27)
    cells = [line.split(" & ") for line in table.splitlines() if " & " in line and "multicolumn" not in line]
    assert {len(line) for line in cells} == {8}
    wide = sum(max(width_pt(cell, font) for cell in column) for column in zip(*cells, strict=True)) + 2 * 4 * 7
    assert wide < 489  # A4 with margins of 19 mm; journals have 490 to 525 pt
