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

import PCNSLSurvivalLib
from PCNSLSurvivalLib.core.errors import EvaluationError
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
    with pytest.raises(EvaluationError, match="p7"):
        PCNSLSurvivalLib.cross_validate_features(cases, noise)
