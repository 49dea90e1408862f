"""``pcnsl-survival model`` and ``explain`` as a user types them."""

import pytest
from made_models import small_model
from refusals import refusal

from PCNSLSurvivalLib.cli.__main__ import main


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("PCNSL_SURVIVAL_HOME", str(tmp_path / "home"))


def test_a_model_is_exported_installed_listed_shown_and_checked(tmp_path, capsys):
    model = small_model(tmp_path / "mine_untrained")
    assert main(["model", "export", str(model.path), str(tmp_path / "mine.zip")]) == 0
    assert main(["model", "import", str(tmp_path / "mine.zip")]) == 0
    capsys.readouterr()
    assert main(["model", "list"]) == 0
    bundled, installed = capsys.readouterr().out.splitlines()
    assert bundled.startswith("pcnsl_os1y_t1gd_virtual_heads_only")
    assert "(bundled, demonstration)" in bundled
    assert installed.startswith("mine_untrained 0.1.0 (installed, untrained): ResNet-10 for T1Gd")
    assert main(["model", "show", "mine_untrained"]) == 0
    assert capsys.readouterr().out.startswith("# UNTRAINED model")
    assert main(["model", "check", "mine_untrained_v0.1.0"]) == 0
    said = capsys.readouterr().out
    assert "all checksums match" in said
    assert "no prognostic value" in said
    assert main(["model", "import", str(tmp_path / "mine.zip")]) == 3
    assert refusal("zip.installed_already", version="0.1.0", name="mine_untrained") in capsys.readouterr().err
    assert main(["model", "check", "nowhere"]) == 3


def test_a_model_leaves_as_onnx_graph_and_as_stock_bundle(tmp_path, capsys):
    model = small_model(tmp_path / "mine_untrained")
    assert main(["model", "export", str(model.path), str(tmp_path / "mine.onnx")]) == 0
    assert (tmp_path / "mine.onnx").stat().st_size > 100_000
    assert main(["model", "export", str(model.path), str(tmp_path / "mine.onnx")]) == 3
    assert main(["model", "export", str(model.path), str(tmp_path / "bundle"), "--monai"]) == 0
    assert (tmp_path / "bundle" / "models" / "model.pt").is_file()


def test_an_untrained_model_is_made_by_a_command(tmp_path, capsys):
    words = ["model", "untrained", "--out", str(tmp_path / "try_untrained"), "--depth", "18", "--width", "0.125"]
    assert main([*words, "--conv1-stride", "2", "--sequences", "t1gd", "t2", "--members", "2"]) == 0
    assert "no prognostic value" in capsys.readouterr().out
    assert main(["model", "check", str(tmp_path / "try_untrained")]) == 0
    assert "2 member(s)" in capsys.readouterr().out


def test_wrong_words_are_usage_errors(tmp_path, capsys):
    for words in (["model"], ["explain"], ["explain", "--t1gd", "x", "--out", "y", "--target", "both"]):
        with pytest.raises(SystemExit) as caught:
            main(words)
        assert caught.value.code == 2
