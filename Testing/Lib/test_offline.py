"""The offline folder: every file is listed, a changed one stops the installation, and no index is asked."""

import importlib.util
import os
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_spec = importlib.util.spec_from_file_location("offline", ROOT / ".ci" / "offline.py")
offline = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(offline)


@pytest.fixture
def folder(tmp_path):
    """A folder with one small wheel, which names a dependency that is nowhere."""
    made = tmp_path / "wheels"
    made.mkdir()
    info = "tiny_package-1.0.dist-info"
    with zipfile.ZipFile(made / "tiny_package-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tiny_package.py", "ANSWER = 42\n")
        wheel.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-package\nVersion: 1.0\nRequires-Dist: absent-one\n"
        )
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", f"tiny_package.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    offline.write_sums(made)
    return made


def test_the_folder_installs_with_the_index_switched_off(folder, tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    offline.install(folder, sys.executable, ("--target", str(tmp_path / "installed"), "--quiet"))
    assert (tmp_path / "installed" / "tiny_package.py").read_text(encoding="utf-8") == "ANSWER = 42\n"


def test_the_wheel_of_a_brain_extractor_is_not_installed_and_its_networks_are_asked_for(folder, tmp_path, monkeypatch):
    (folder / "other_bet-1.0-py3-none-any.whl").write_bytes(b"no wheel that pip could install")
    (folder / offline.LIST).write_text("other-bet-1.0 other_bet-1.0-\n", encoding="utf-8")
    offline.write_sums(folder)
    commands = []
    monkeypatch.setattr(offline, "run", commands.append)
    offline.install(folder, "python")
    installed, asked = commands
    assert [Path(word).name for word in installed if word.endswith(".whl")] == ["tiny_package-1.0-py3-none-any.whl"]
    assert asked[-4:] == ["--method", "other-bet-1.0", "--wheels", str(folder)]


@pytest.mark.parametrize("harm", ["changed", "missing", "unlisted"])
def test_a_folder_that_differs_from_its_list_is_refused(folder, tmp_path, harm):
    wheel = next(folder.glob("*.whl"))
    if harm == "changed":
        wheel.write_bytes(wheel.read_bytes() + b"\0")
    elif harm == "missing":
        wheel.unlink()
    else:
        (folder / "other-1.0-py3-none-any.whl").write_bytes(b"")
    with pytest.raises(SystemExit, match="copy the folder again"):
        offline.install(folder, sys.executable, ("--target", str(tmp_path / "installed")))
    assert not (tmp_path / "installed").exists()
