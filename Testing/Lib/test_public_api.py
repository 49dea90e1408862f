"""The public API: what ``from PCNSLSurvivalLib import …`` gives, and the examples that use nothing else."""

from __future__ import annotations

import csv
import html
import json
import re
import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import SimpleITK as sitk
from made_heads import made_head, made_table
from refusals import refused

import PCNSLSurvivalLib
from PCNSLSurvivalLib.core.arguments import ArgumentError, options_of
from PCNSLSurvivalLib.core.errors import EvaluationError, MissingFilesError, ModelFolderError, UnreadableScanError
from PCNSLSurvivalLib.core.terms import MRSequence, OSClass

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "docs" / "examples"


def test_every_public_name_is_there_and_importing_the_library_loads_no_torch():
    code = (
        "import sys, PCNSLSurvivalLib as library\n"
        "assert not {'torch', 'monai', 'SimpleITK', 'numpy'} & set(sys.modules)\n"
        "assert all(getattr(library, name) is not None for name in library.__all__)\n"
        "assert not {'torch', 'monai'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    with pytest.raises(AttributeError, match="nonsense"):
        PCNSLSurvivalLib.nonsense  # noqa: B018
    assert (Path(PCNSLSurvivalLib.__file__).parent / "py.typed").is_file()


def test_help_on_the_functions_needs_no_other_import():
    code = (
        "import sys, PCNSLSurvivalLib\n"
        "assert 'PCNSLSurvivalLib.api' not in sys.modules\n"
        "help(PCNSLSurvivalLib.api)\n"
        "assert not {'torch', 'monai'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert "predict_case(" in done.stdout


_CASES = (SimpleNamespace(name="p", patient_id="p", os_class=lambda days: OSClass.OVER_ONE_YEAR),)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda api: api.predict_case({"t1post": "x.nii"}), "Unknown sequence 't1post'. Use t1gd, t1, t2 or flair."),
        (lambda api: api.predict_case({"t1": "x.nii"}), "holds no T1Gd"),
        (lambda api: api.predict_case({"t1gd": 3}), r"'scans\['t1gd'\]' must be a path"),
        (lambda api: api.predict_case(None), "'scans' must be the path of T1Gd"),
        (lambda api: api.predict_case("x.nii", model="demonstration"), "'model' must come from load_model"),
        (lambda api: api.predict_case("x.nii", options={"device": "cpu"}), "'options' must come from CaseOptions"),
        (
            lambda api: api.predict_case("x.nii", options=api.CaseOptions(device="gpu")),
            "'options.device' must be 'auto'",
        ),
        (
            lambda api: api.predict_case("x.nii", options=api.CaseOptions(brain_mask=3)),
            "'options.brain_mask' must be a p",
        ),
        (lambda api: api.predict_case("x.nii", options=api.CaseOptions(tta="no")), "'options.tta' must be bool"),
        (lambda api: api.read_scan("x.nii", "t1post"), "Unknown sequence"),
        (lambda api: api.read_scan(b"x.nii", "t1"), "'path' must be a path"),
        (lambda api: api.load_model(3), "'path' must be a path"),
        (lambda api: api.save_result({}, "out"), "'result' must come from predict_case"),
        (lambda api: api.read_cohort(None), "'path' must be a path"),
        (lambda api: api.read_cohort("a\0b"), "'path' must be a path"),
        (lambda api: api.read_prepared_cohort(["x"]), "'path' must be a path"),
        (lambda api: api.prepare_cohort("x", 3), "'out' must be a path"),
        (lambda api: api.prepare_cohort("x", "out", sequences="t1gd"), "'sequences' must be a list"),
        (lambda api: api.prepare_cohort("x", "out", jobs=0), "'jobs' must be a whole number of at least 1, not 0"),
        (lambda api: api.cross_validate_features([1], {}), "'cases' must come from read_cohort"),
        (lambda api: api.cross_validate_features(_CASES, {"p": 3.0}), "'features' must be a dictionary"),
        (lambda api: api.cross_validate_features(_CASES, {"p": {"a": "x"}}), "'a' of 'p' is no number"),
        (lambda api: api.cross_validate_features(_CASES, {}, classifier="tree"), "'classifier' must be 'logistic' or"),
        (lambda api: api.cross_validate_features(_CASES, {}, folds=1), "'folds' must be a whole number of at least 2"),
    ],
)
def test_a_wrong_argument_is_refused_in_a_sentence(call, words):
    with pytest.raises(ArgumentError, match=words):
        call(PCNSLSurvivalLib)


def test_what_is_not_there_is_refused():
    with refused(UnreadableScanError, "scan.not_found", sequence=MRSequence.T1GD):
        PCNSLSurvivalLib.predict_case("x.nii")
    with refused(ModelFolderError, "model.not_found"):
        PCNSLSurvivalLib.load_model("x")


def test_paths_in_options_may_be_text():
    options = options_of(
        PCNSLSurvivalLib.CaseOptions(brain_mask="brain.nii.gz"), PCNSLSurvivalLib.CaseOptions, "options"
    )
    assert options == PCNSLSurvivalLib.CaseOptions(brain_mask=Path("brain.nii.gz"))


def test_options_may_hold_values_of_numpy_and_lists():
    options = PCNSLSurvivalLib.CaseOptions(tta=np.bool_(True), lesion_labels=[np.int16(1), 2])
    checked = options_of(options, PCNSLSurvivalLib.CaseOptions, "options")
    assert checked == PCNSLSurvivalLib.CaseOptions(tta=True, lesion_labels=(1, 2))
    assert (type(checked.tta), *map(type, checked.lesion_labels)) == (bool, int, int)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("tta", np.float32(1.0), r"'options.tta' must be bool, not 1.0"),
        ("tta", 1, r"'options.tta' must be bool, not 1"),
        ("lesion_labels", ("a",), r"'options.lesion_labels\[0\]' must be int, not 'a'"),
        ("lesion_labels", [1, True], r"'options.lesion_labels\[1\]' must be int, not True"),
        ("lesion_labels", "12", r"'options.lesion_labels' must be a list of int or None, not '12'"),
    ],
)
def test_wrong_options_are_refused_element_by_element(field, value, words):
    options = PCNSLSurvivalLib.CaseOptions(**{field: value})
    with pytest.raises(ArgumentError, match=words):
        options_of(options, PCNSLSurvivalLib.CaseOptions, "options")


def test_a_missing_package_is_told_in_python_too(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setitem(sys.modules, "sklearn.model_selection", None)
    with refused(
        MissingFilesError,
        "installation.package_missing",
        command="cross_validate_features",
        package="scikit-learn",
        extras="training,research",
    ):
        PCNSLSurvivalLib.cross_validate_features(_CASES, {"p": {"a": 1.0}})


def test_the_version_stands_in_one_place():
    stated = [
        path.name
        for path in (ROOT / "pyproject.toml", *(ROOT / "PCNSLSurvivalLib").rglob("*.py"))
        if re.search(r'^(__version__|version) = "\d', path.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert stated == ["version.py"]


def test_the_notebook_predicts_a_scan_and_plots_its_map(tmp_path, monkeypatch):
    matplotlib = pytest.importorskip("matplotlib")
    scans, brain, _ = made_head(3)
    sitk.WriteImage(sitk.Mask(scans[MRSequence.T1GD], brain), str(tmp_path / "T1Gd.nii.gz"))
    notebook = json.loads((EXAMPLES / "predict_and_plot.ipynb").read_text(encoding="utf-8"))
    monkeypatch.chdir(tmp_path)
    space: dict[str, object] = {}
    with matplotlib.rc_context({"backend": "agg"}):
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                assert cell["outputs"] == []
                exec("".join(cell["source"]), space)
    assert (tmp_path / "grad_cam.png").stat().st_size > 5000
    stored = json.loads((tmp_path / "result" / "prediction.json").read_text(encoding="utf-8"))
    result = space["result"]
    assert stored["probability_over_one_year"] == result.network.probability_over_one_year
    # The sentence of the model comes first in Python as in the file, and the report says it once, as its banner.
    assert result.warnings[0] == result.model.warning is not None
    assert stored["warnings"] == [one.to_json() for one in result.warnings]
    assert len({one["code"] for one in stored["warnings"]}) == len(stored["warnings"])
    page = html.unescape((tmp_path / "result" / "report.html").read_text(encoding="utf-8"))
    assert page.count(str(result.model.warning)) == 1


def test_the_example_prepares_a_cohort(tmp_path, capsys):
    table = made_table(tmp_path / "cohort", 3, stripped=True)
    main = runpy.run_path(str(EXAMPLES / "prepare_a_cohort.py"))["main"]
    main(str(table), str(tmp_path / "prepared"))
    assert "3 exams, 2 with a known one-year overall survival" in capsys.readouterr().out
    assert (tmp_path / "prepared" / "contact_sheet.html").is_file()
    assert len(PCNSLSurvivalLib.read_prepared_cohort(tmp_path / "prepared").exams) == 3


def _features(path: Path, rows: dict[str, float]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream)
        table.writerow(["exam", "volume_ml"])
        table.writerows(rows.items())


def test_the_example_judges_own_features(tmp_path, capsys):
    draw = np.random.default_rng(5)
    (tmp_path / "cohort.csv").write_text(
        "patient_id,t1gd,os_days,death_observed\n"
        + "".join(f"p{n},p{n}.nii.gz,{100 if n % 2 else 700},1\n" for n in range(30)),
        encoding="utf-8",
    )
    for n in range(30):
        (tmp_path / f"p{n}.nii.gz").touch()
    _features(tmp_path / "good.csv", {f"p{n}": float(n % 2) * 20 + draw.normal() for n in range(30)})
    main = runpy.run_path(str(EXAMPLES / "own_features.py"))["main"]
    with pytest.raises(SystemExit, match="has no column 'exam'"):
        main(str(tmp_path / "cohort.csv"), str(tmp_path / "cohort.csv"))
    main(str(tmp_path / "cohort.csv"), str(tmp_path / "good.csv"))
    assert "auc: 1.00" in capsys.readouterr().out


def test_features_without_signal_score_one_half_and_a_missing_row_is_named():
    draw = np.random.default_rng(1)
    cases = [
        SimpleNamespace(name=f"p{n}", patient_id=f"p{n}", os_class=lambda days, n=n: OSClass(n % 2)) for n in range(40)
    ]
    noise = {case.name: {"noise": float(draw.normal())} for case in cases}
    judged = PCNSLSurvivalLib.cross_validate_features(cases, noise, repeats=1)
    assert judged.metrics["auc"].low < 0.5 < judged.metrics["auc"].high
    assert len(judged.predictions) == 5
    del noise["p7"]
    with refused(EvaluationError, "evaluation.exams_without_features", count=1, exams=("p7",)):
        PCNSLSurvivalLib.cross_validate_features(cases, noise)
