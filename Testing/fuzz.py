"""Coverage-guided fuzzing of everything that reads a foreign file; ``make fuzz`` runs each target for a while.

Usage: ``python Testing/fuzz.py TARGET [--seconds 3600] [--seed 1]``. atheris is in no other environment of the project:
``make fuzz`` installs the version below into build/fuzz. What it finds becomes a row of ``Testing/catalogue``.

Every target writes the bytes to a file and reads it as the command line does. A refusal in a sentence is right, and so
is a result; any other exception ends the run, with the bytes in the working folder.
"""

# ruff: noqa: E402 — the libraries are instrumented while they are loaded

from __future__ import annotations

import argparse
import io
import os
import shutil
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import atheris

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent / "Lib")]
with atheris.instrument_imports(include=["PCNSLSurvivalLib"]):
    from PCNSLSurvivalLib.cohorts.cohort import find_cohort
    from PCNSLSurvivalLib.core.errors import PCNSLSurvivalError
    from PCNSLSurvivalLib.core.terms import MRSequence
    from PCNSLSurvivalLib.experiment.plan import read_plan
    from PCNSLSurvivalLib.imaging.io import read_scan
    from PCNSLSurvivalLib.models.model_folder import METADATA, bundled_model_path, read_model_folder
    from PCNSLSurvivalLib.models.model_zip import import_model

import numpy as np
import SimpleITK as sitk
from made_dicom import write_classic

Read = Callable[[Path], object]
_PLAN = b"virtual_patients: true\nsequences: [t1gd]\nsplits: 2\nnetwork: {depth: 10}\ntraining: {epochs: 3}\n"
_TABLE = b"patient_id,t1gd,os_days,event,age\na,a.nii,400,1,61\nb,b.nii,9,0,89+\n"


def _scan(path: Path) -> object:
    return read_scan(path, MRSequence.T1GD)


def _in_folder(path: Path) -> object:
    return read_scan(path.parent, MRSequence.T1GD)


def _metadata(path: Path) -> object:
    return read_model_folder(path.parents[len(Path(METADATA).parts) - 1])


TARGETS: dict[str, tuple[str, Read]] = {
    "nifti": ("scan.nii", _scan),
    "nrrd": ("scan.nrrd", _scan),
    "metaimage": ("scan.mha", _scan),
    "dicom": ("IM0000.dcm", _in_folder),
    "table": ("patients.csv", find_cohort),
    "plan": ("plan.yaml", read_plan),
    "metadata": (str(METADATA), _metadata),
    "zip": ("model.zip", import_model),
}


def seeds(name: str, folder: Path) -> None:
    """Sound files of a kind, to begin with."""
    folder.mkdir()
    volume = sitk.GetImageFromArray(np.arange(6 * 8 * 7, dtype=np.int16).reshape(6, 8, 7))
    volume.SetSpacing((4.0, 4.0, 5.0))
    if name in ("nifti", "nrrd", "metaimage"):
        sitk.WriteImage(volume, str(folder / TARGETS[name][0]))
    elif name == "dicom":
        write_classic(sitk.Cast(volume, sitk.sitkUInt16), folder)
    elif name == "metadata":
        shutil.copy(bundled_model_path() / METADATA, folder / "metadata.json")
    elif name == "zip":
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("model/LICENSE", "text")
            archive.write(bundled_model_path() / METADATA, f"model/{METADATA}")
        (folder / "model.zip").write_bytes(packed.getvalue())
    else:
        (folder / name).write_bytes(_TABLE if name == "table" else _PLAN)


def main() -> int:
    """Fuzz one target."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", choices=tuple(TARGETS))
    parser.add_argument("--seconds", type=int, default=3600)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="fuzz-"))
    os.environ["PCNSL_SURVIVAL_HOME"] = str(root / "home")
    file, read = TARGETS[args.target]
    place = root / "place"
    if args.target == "metadata":
        shutil.copytree(bundled_model_path(), place)
    place.mkdir(exist_ok=True)
    path = place / file
    path.parent.mkdir(parents=True, exist_ok=True)
    seeds(args.target, root / "corpus")
    begin = time.monotonic()

    def once(content: bytes) -> None:
        path.write_bytes(content)
        try:
            read(path)
        except PCNSLSurvivalError as refusal:
            if not str(refusal).strip():
                raise RuntimeError("a refusal without a sentence") from refusal

    words = [f"-max_total_time={args.seconds}", f"-seed={args.seed}", "-max_len=20000", "-rss_limit_mb=2048"]
    if process := os.fork():  # libFuzzer ends its process without a last word
        code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        shutil.rmtree(root, ignore_errors=True)
        print(f"{args.target}: ended with {code} after {time.monotonic() - begin:.0f} s", flush=True)
        return code
    atheris.Setup([sys.argv[0], *words, "-timeout=20", "-print_final_stats=1", str(root / "corpus")], once)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
