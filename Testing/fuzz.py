"""Coverage-guided fuzzing of everything that reads a foreign file; ``make fuzz`` runs each target for a while.

Usage: ``python Testing/fuzz.py TARGET [--seconds 3600] [--seed 1] [--corpus FOLDER]``. atheris is in no other
environment of the project: ``make fuzz`` installs it into build/fuzz. What it finds becomes a row of
``Testing/catalogue``. The next run of a target begins with the corpus of the last.

Every target writes the bytes to a file and reads it as the command line does. A refusal in a sentence is right, and so
is a result; any other exception ends the run, with the bytes in the working folder and the end of the log shown.
"""

# ruff: noqa: E402 — the libraries are instrumented while they are loaded

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import atheris

_TESTING = Path(__file__).resolve().parent
sys.path[:0] = [str(_TESTING.parent), str(_TESTING), str(_TESTING / "Lib")]
with atheris.instrument_imports(include=["PCNSLSurvivalLib"]):
    from PCNSLSurvivalLib.cohorts.cohort import find_cohort
    from PCNSLSurvivalLib.core.errors import PCNSLSurvivalError
    from PCNSLSurvivalLib.core.terms import MRSequence
    from PCNSLSurvivalLib.experiment.plan import read_plan
    from PCNSLSurvivalLib.imaging.dicom import pixels
    from PCNSLSurvivalLib.imaging.io import read_scan
    from PCNSLSurvivalLib.models.model_folder import METADATA, bundled_model_path, read_model_folder
    from PCNSLSurvivalLib.models.model_zip import import_model

from fuzz_inputs import BUILDERS, BUILT, LONGEST, neighbors, seeds, words

Read = Callable[[bytes], object]

_CODE = {
    "nifti": ("imaging.headers.nifti", "imaging.headers.stored_voxels"),
    "nrrd": ("imaging.headers.nrrd", "imaging.headers.stored_voxels"),
    "metaimage": ("imaging.headers.metaimage", "imaging.headers.stored_voxels"),
    "dicom": tuple(
        f"imaging.dicom.{name}" for name in ("acquisition", "character_sets", "elements", "frames", "series")
    ),
    "table": tuple(
        f"cohorts.tables.{name}"
        for name in ("cell_values", "clinical_columns", "dates", "survival_columns", "survival_words", "unknown_codes")
    ),
    "plan": ("experiment.plan", "experiment.plan_file", "experiment.arms", "training.settings"),
    "metadata": ("models.model_folder", "models.networks.architecture", "preprocessing.recipe"),
    "zip": ("models.model_zip", "models.model_folder"),
}
"""Modules whose words a target's dictionary holds."""
_REAL_CHILDREN = 500
"""Codecs of packed DICOM pixels run in a process of their own: once in so many times here, else it counts as failed."""


def reader_of(target: str, folder: Path) -> Read:
    """What reads the bytes of a target, as the command line does."""
    if target == "dicom":
        return _dicom(folder)
    if target == "metadata":
        shutil.copytree(bundled_model_path(), folder, dirs_exist_ok=True)
    path = folder / {
        "nifti": "scan.nii",
        "nrrd": "scan.nrrd",
        "metaimage": "scan.mha",
        "table": "patients.csv",
        "plan": "plan.yaml",
        "metadata": METADATA,
        "zip": "model.zip",
    }.get(target, "")
    read: dict[str, Callable[[], object]] = {
        "table": lambda: find_cohort(path),
        "plan": lambda: read_plan(path),
        "metadata": lambda: read_model_folder(folder),
        "zip": lambda: shutil.rmtree(import_model(path).path),
    }

    def once(content: bytes) -> None:
        path.write_bytes(BUILDERS[target](content[1:]) if target in BUILDERS and content[:1] == BUILT else content)
        read.get(target, lambda: read_scan(path, MRSequence.T1GD))()

    return once


def _dicom(folder: Path) -> Read:
    """An odd first byte, which DICOM gives no meaning, puts the file alone into its folder; else it has neighbors."""
    for name in ("alone", "among"):
        (folder / name).mkdir()
    neighbors(folder / "among")
    started = 0

    def run(*words: Any, **settings: Any) -> subprocess.CompletedProcess[bytes]:
        nonlocal started
        started += 1
        return (
            subprocess.run(*words, **settings) if started % _REAL_CHILDREN == 1 else subprocess.CompletedProcess((), 1)
        )

    pixels.subprocess = type("_", (), {"run": staticmethod(run), "DEVNULL": -3, "TimeoutExpired": TimeoutError})

    def once(content: bytes) -> None:
        place = folder / ("alone" if content[:1] > b"\0" and content[0] % 2 else "among")
        (place / "IM0005").write_bytes(content)
        read_scan(place, MRSequence.T1GD)

    return once


def main() -> int:
    """Fuzz one target."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", choices=tuple(_CODE))
    parser.add_argument("--seconds", type=int, default=3600, help="processor time")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--corpus", type=Path, default=None, help="kept for the next run; default corpus/TARGET")
    args = parser.parse_args()
    corpus = args.corpus or Path("corpus") / args.target
    corpus.mkdir(parents=True, exist_ok=True)
    memory = "/dev/shm"  # writing to a disk takes longer than reading what was written
    root = Path(tempfile.mkdtemp(prefix="fuzz-", dir=memory if os.path.isdir(memory) else None))
    os.environ["PCNSL_SURVIVAL_HOME"] = str(root / "home")
    tempfile.tempdir = str(root)
    log, begin = Path(f"{args.target}.log").resolve(), time.monotonic()
    if process := os.fork():  # libFuzzer ends its process without a last word
        code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        shutil.rmtree(root, ignore_errors=True)
        text = log.read_text(encoding="utf-8", errors="replace")
        runs, edges = re.findall(r"executed_units: (\d+)", text), re.findall(r" cov: (\d+)", text)
        spent = os.times()
        print(
            f"{args.target}: {(runs or ['?'])[-1]} executions, {(edges or ['?'])[-1]} edges, "
            f"{spent.children_user + spent.children_system:.0f} s of processor time, "
            f"{time.monotonic() - begin:.0f} s by the clock, ended with {code}",
            flush=True,
        )
        if code:
            print(text[-6000:], flush=True)
        return code
    with log.open("wb") as stream:
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)
    _fuzz(args.target, root, corpus, args.seconds, args.seed)
    return 0


def _fuzz(target: str, root: Path, corpus: Path, seconds: int, seed: int) -> None:
    for name in ("place", "seeds"):
        (root / name).mkdir()
    for number, content in enumerate(seeds(target)):
        (root / "seeds" / str(number)).write_bytes(content)
        if target == "dicom":
            (root / "seeds" / f"{number} alone").write_bytes(b"\1" + content[1:])
    (root / "words").write_text(words(f"PCNSLSurvivalLib.{name}" for name in _CODE[target]))
    read = reader_of(target, root / "place")

    def once(content: bytes) -> None:
        try:
            read(content)
        except PCNSLSurvivalError as refusal:
            if not str(refusal).strip():
                raise RuntimeError("a refusal without a sentence") from refusal
            str(refusal).encode()  # what cannot be printed or stored is no sentence either
        if sum(os.times()[:4]) > seconds:
            os.kill(os.getpid(), signal.SIGUSR1)  # libFuzzer then ends with its figures

    options = (f"-seed={seed}", f"-max_len={LONGEST}", "-rss_limit_mb=2048", "-timeout=20", "-print_final_stats=1")
    folders = (str(corpus), str(root / "seeds"))
    atheris.Setup([sys.argv[0], *options, f"-dict={root / 'words'}", *folders], once)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
