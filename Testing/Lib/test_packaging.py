"""A Slicer build packages every file: nothing is globbed there, so the lists are compared with the disk."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_spec = importlib.util.spec_from_file_location("package_lists", ROOT / "Testing" / "package_lists.py")
package_lists = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(package_lists)


def test_every_file_is_listed_for_the_slicer_build():
    missing = package_lists.differences()
    assert not missing, "Run `python Testing/package_lists.py --write`:\n" + "\n".join(missing)


def test_every_folder_with_python_files_is_a_package():
    for path in (ROOT / "PCNSLSurvivalLib").rglob("*.py"):
        assert (path.parent / "__init__.py").exists(), f"{path.parent.name} has no __init__.py"


def test_the_module_folder_holds_one_module_and_is_no_package():
    # Slicer takes every .py directly in a module folder for a module, and skips folders with an __init__.py.
    assert [path.name for path in (ROOT / "PCNSLSurvival").glob("*.py")] == ["PCNSLSurvival.py"]


def test_project_names_agree():
    root = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
    assert "project(PCNSLSurvival)" in root
    assert "## NEXT_MODULE" in root
    for folder in package_lists.FOLDERS:
        assert f"add_subdirectory({folder})" in root


@pytest.mark.parametrize("variable", [package_lists.SCRIPTS, package_lists.RESOURCES])
def test_a_missing_file_would_be_noticed(tmp_path, monkeypatch, variable):
    for folder in package_lists.FOLDERS:
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "CMakeLists.txt").write_text(
            f"set({package_lists.SCRIPTS}\n  a.py\n  )\nset({package_lists.RESOURCES}\n  b.txt\n  )\n", encoding="utf-8"
        )
        (tmp_path / folder / "a.py").touch()
        (tmp_path / folder / "b.txt").touch()
    monkeypatch.setattr(package_lists, "ROOT", tmp_path)
    assert package_lists.differences() == []
    (tmp_path / "PCNSLSurvivalLib" / ("c.py" if variable == package_lists.SCRIPTS else "c.json")).touch()
    (line,) = package_lists.differences()
    assert variable in line
    assert "add c." in line
    package_lists.write()
    assert package_lists.differences() == []
