"""Importing the library does nothing: no file is read or written, nothing is printed, nothing is computed."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

CODE = """
import importlib, pkgutil, sys
import PCNSLSurvivalLib
opened = []
WATCHED = (".csv", ".nii", ".gz", ".nrrd", ".npy", ".npz", ".pt", ".pth", ".safetensors", ".yaml", ".onnx")
def watch(event, arguments):
    # Tables that other packages bring along are their own affair.
    if event == "open" and str(arguments[0]).endswith(WATCHED) and "site-packages" not in str(arguments[0]):
        opened.append(str(arguments[0]))
sys.addaudithook(watch)
modules = [m.name for m in pkgutil.walk_packages(PCNSLSurvivalLib.__path__, "PCNSLSurvivalLib.")]
for name in modules:
    if not name.endswith("__main__"):
        importlib.import_module(name)
assert len(modules) > 150, len(modules)
assert not opened, opened
"""


def test_defect_6_importing_every_module_opens_no_data_writes_nothing_and_prints_nothing(tmp_path):
    done = subprocess.run([sys.executable, "-c", CODE], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_defect_8_no_place_of_any_computer_stands_in_the_code():
    root = Path(__file__).resolve().parents[2]
    places = ("/home/", "/Users/", "/mnt/", "/media/", "C:\\\\", "D:\\\\", "C:/", "D:/")
    sources = [path for folder in ("PCNSLSurvivalLib", "PCNSLSurvival") for path in (root / folder).rglob("*.py")]
    found = [(path.name, place) for path in sources for place in places if place in path.read_text(encoding="utf-8")]
    assert sources
    assert not found


def test_files_are_put_in_place_and_devices_looked_for_in_one_home_each():
    """A second way to write a file whole, or to choose a device, forgets what the first one has learned."""
    root = Path(__file__).resolve().parents[2] / "PCNSLSurvivalLib"
    homes = {
        r"\.(?:replace|rename)\(\s*(?:self\.)?_?(?:path|out|target|file)\)|os\.(?:replace|rename)\(": {
            "core/storage/files.py",
            "core/storage/leftovers.py",
            "preprocessing/step_cache.py",  # SimpleITK tells a format by the ending of the name
        },
        r"mps\.is_available\(": {"models/networks/devices.py"},
        r"\bEnvironment\(": {"reports/pages.py"},
        r"1(?:\.0)? / \(1(?:\.0)? \+ (?:np|math)\.exp\(|\btanh\(|exp\(-np\.logaddexp\(0(?:\.0)?, -?[\w.]+\)\)": {
            "models/calibration.py"  # beside scipy's expit
        },
    }
    texts = {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8") for path in root.rglob("*.py")}
    found = {sign: {name for name, text in texts.items() if re.search(sign, text)} for sign in homes}
    assert found == homes


def test_the_name_of_a_stored_file_is_written_once():
    root = Path(__file__).resolve().parents[2] / "PCNSLSurvivalLib"
    texts = {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8") for path in root.rglob("*.py")}
    for name in ("case.json", "member.safetensors", "prediction.json"):
        assert len([file for file, text in texts.items() if f'"{name}"' in text]) == 1, name


def test_no_view_of_the_voxels_outlives_its_image():
    """SimpleITK frees the voxels with the image, and a view does not hold it: a temporary one is gone at once."""
    root = Path(__file__).resolve().parents[2]
    folders = ("PCNSLSurvivalLib", "PCNSLSurvival", "Testing", "Resources")
    texts = {path: path.read_text(encoding="utf-8") for folder in folders for path in (root / folder).rglob("*.py")}
    found = [
        f"{path.name}:{node.lineno}"
        for path, text in texts.items()
        if "GetArrayViewFromImage" in text
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "GetArrayViewFromImage"
        and not isinstance(node.args[0], ast.Name | ast.Attribute | ast.Subscript)
    ]
    assert len(texts) > 500
    assert found == []


def test_no_property_reads_or_hashes_a_file():
    """A property looks like a value; what takes time or can fail is a function, and a hash is computed once."""
    root = Path(__file__).resolve().parents[2]
    slow = re.compile(r"\.(?:read_text|read_bytes|open|iterdir|glob|rglob)\(|\bsha256_of\(|ReadImage\(")
    checked, found = 0, []
    for path in [file for folder in ("PCNSLSurvivalLib", "PCNSLSurvival") for file in (root / folder).rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and "property" in map(ast.unparse, node.decorator_list):
                checked += 1
                if slow.search(ast.unparse(node)):
                    found.append(f"{path.name}: {node.name}")
    assert checked > 100
    assert found == []
