"""Our command line as a child process of Slicer: reports its process number, ends with its parent, transfers volumes.

Started as ``PythonSlicer worker.py [command line]``, or with ``--wait`` in place of the command line: it then loads
what a prediction needs, and reads its words as a JSON list from the first line of standard input.

PythonSlicer is only a launcher, so killing the process that Slicer started may leave this one behind; the number on
the first line lets the panel end it directly, and when Slicer itself is gone, standard input closes and this process
ends with all its children. The last line says how it ended. Imports neither slicer nor qt.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
import traceback
from importlib.util import find_spec
from pathlib import Path

_HERE = Path(__file__).resolve()
# Beside the module when installed, one folder higher in a source checkout.
ROOT = str(next((p for p in _HERE.parents[2:4] if (p / "PCNSLSurvivalLib").is_dir()), _HERE.parents[2]))


_WAIT = "--wait"
_LONGEST_WAIT_S = 600.0
"""A Slicer that gets SIGTERM while a module of its own runs first waits for all its children, this one included."""


def _end_with_parent() -> None:
    while os.read(0, 4096):  # not sys.stdin: its lock would still be held when this process ends
        pass
    _end_all()


def _end_all() -> None:
    if hasattr(os, "killpg"):
        os.killpg(os.getpgrp(), signal.SIGKILL)
    os._exit(1)


def _load_packages() -> None:
    """Import what takes seconds; where something is missing, the command says so itself."""
    with contextlib.suppress(Exception):  # Windows reports a fault in a library of torch as OSError
        import PCNSLSurvivalLib.reports.case.report
        import PCNSLSurvivalLib.results.case_folder

        if find_spec("torch") is not None:
            import PCNSLSurvivalLib.inference.runtimes.automatic_device  # noqa: F401


def _words_from_parent() -> list[str]:
    """The first line of standard input; ends this process when the parent goes without a word, or stays silent."""
    silence = threading.Timer(_LONGEST_WAIT_S, _end_all)
    silence.daemon = True
    silence.start()
    line = b""
    while not line.endswith(b"\n"):
        read = os.read(0, 1)
        if not read:
            _end_all()
        line += read
    silence.cancel()
    words: list[str] = json.loads(line)
    return words


def _write_for_the_scene(folder: Path) -> None:
    """Each volume of the result once more: voxels as ``.npy`` for memory mapping, place as JSON."""
    import numpy as np
    import SimpleITK as sitk

    from PCNSLSurvivalLib.explain.evidence_map import evidence_in_brain
    from PCNSLSurvivalLib.imaging.geometry import Grid

    scene = folder / "scene"
    scene.mkdir()
    images = {path.name.split(".")[0]: sitk.ReadImage(str(path)) for path in sorted(folder.glob("*.nii*"))}
    if "evidence_cells" in images:
        images["evidence_map"] = evidence_in_brain(images["evidence_cells"], images["brain_mask"])
    for name, image in images.items():
        np.save(scene / f"{name}.npy", sitk.GetArrayViewFromImage(image))
        affine = Grid.of(image).affine_ras.tolist()
        (scene / f"{name}.json").write_text(json.dumps({"affine_ras": affine}), encoding="utf-8")


def _run(arguments: list[str]) -> int:
    """One command; its result folder is the word after ``--out``."""
    from PCNSLSurvivalLib.cli.__main__ import main as command_line

    code = command_line(arguments, errors_as_json=True)
    if code == 0 and "--out" in arguments:
        _write_for_the_scene(Path(arguments[arguments.index("--out") + 1]))
    return code


def main(arguments: list[str]) -> int:
    """Run one command, and say how it ended."""
    if hasattr(os, "setsid") and os.getpgrp() != os.getpid():
        os.setsid()
    sys.stdout.write(json.dumps({"type": "process", "pid": os.getpid()}) + "\n")
    sys.stdout.flush()
    if ROOT not in sys.path:
        sys.path.insert(0, ROOT)
    try:
        if arguments == [_WAIT]:
            _load_packages()
            arguments = _words_from_parent()
        threading.Thread(target=_end_with_parent, daemon=True).start()
        code = _run(arguments)
    except SystemExit as end:  # wrong usage
        code = int(end.code or 0)
    except Exception:
        traceback.print_exc()
        code = 1
    sys.stdout.write("\n" + json.dumps({"type": "ended", "code": code}) + "\n")
    sys.stdout.flush()
    return code


if __name__ == "__main__":
    ended = main(sys.argv[1:])
    sys.stderr.flush()
    os._exit(ended)  # taking torch apart takes seconds on a busy computer, and the panel waits for the end
