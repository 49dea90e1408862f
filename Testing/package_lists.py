"""The file lists of a Slicer build against the files on disk; ``--write`` puts the lists right.

Slicer copies only what a CMakeLists.txt names: a file left out works from source and is absent from the package.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("PCNSLSurvival", "PCNSLSurvivalLib")
SCRIPTS, RESOURCES = "MODULE_PYTHON_SCRIPTS", "MODULE_PYTHON_RESOURCES"
_NOT_PACKAGED = {"CMakeLists.txt"}


def on_disk(folder: Path) -> dict[str, list[str]]:
    """Every Python file and every other file below ``folder``, with paths relative to it."""
    files = [
        path.relative_to(folder).as_posix()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and path.name not in _NOT_PACKAGED
        and not any(part == "__pycache__" or part.startswith(".") for part in path.relative_to(folder).parts)
    ]
    python = [name for name in files if name.endswith(".py")]
    return {SCRIPTS: python, RESOURCES: [name for name in files if name not in python]}


def listed(folder: Path) -> dict[str, list[str]]:
    """What the CMakeLists.txt of ``folder`` names."""
    text = (folder / "CMakeLists.txt").read_text(encoding="utf-8")
    module = re.search(r"set\(MODULE_NAME (\w+)\)", text)
    lists = {}
    for variable in (SCRIPTS, RESOURCES):
        block = re.search(rf"set\({variable}\s(.*?)\)", text, re.DOTALL)
        if block is None:
            raise ValueError(f"{folder.name}/CMakeLists.txt sets no {variable}.")
        names = block[1].split()
        lists[variable] = [name.replace("${MODULE_NAME}", module[1]) if module else name for name in names]
    return lists


def differences() -> list[str]:
    """One line for every file that a list lacks, and for every name without a file."""
    lines = []
    for name in FOLDERS:
        disk, cmake = on_disk(ROOT / name), listed(ROOT / name)
        for variable in (SCRIPTS, RESOURCES):
            lines += [
                f"{name}/CMakeLists.txt, {variable}: add {file}"
                for file in disk[variable]
                if file not in cmake[variable]
            ]
            lines += [
                f"{name}/CMakeLists.txt, {variable}: remove {file}"
                for file in cmake[variable]
                if file not in disk[variable]
            ]
    return lines


def write() -> None:
    """Rewrite the lists from the disk."""
    for name in FOLDERS:
        path = ROOT / name / "CMakeLists.txt"
        text = path.read_text(encoding="utf-8")
        for variable, files in on_disk(ROOT / name).items():
            block = f"set({variable}\n" + "".join(f"  {file}\n" for file in files) + "  )"
            text = re.sub(rf"set\({variable}\s.*?\)", lambda _match, block=block: block, text, flags=re.DOTALL)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    if "--write" in sys.argv:
        write()
    print("\n".join(differences()) or "The file lists of the Slicer build are complete.")
    sys.exit(bool(differences()))
