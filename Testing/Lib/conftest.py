"""What several tests share: hypothesis settings, threads that are each test's own, and the real patient."""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import SimpleITK as sitk
from filelock import FileLock
from hypothesis import settings

from PCNSLSurvivalLib.reports.experiment import figure_style

settings.register_profile("repeatable", derandomize=True, deadline=None, max_examples=60)
settings.load_profile("repeatable")

# To draw and pack 300 dots per inch takes seconds in every report; one test asks for the figures of users.
USERS_PNG_DPI = figure_style.PNG_DPI
figure_style.PNG_DPI = 40

SHARED = Path(__file__).resolve().parents[3] / "shared" / "real-patient"


@pytest.fixture(autouse=True)
def own_threads() -> Iterator[None]:
    """Commands run in this process choose a number of threads; the next test must not inherit it.

    Sums over other numbers of threads differ in their last digits, and a process started by a test has the default.
    """
    itk, omp = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads(), os.environ.get("OMP_NUM_THREADS")
    torch = sys.modules.get("torch")
    threads = torch.get_num_threads() if torch is not None else None
    yield
    if torch is not None:
        torch.set_num_threads(threads)
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(itk)
    if omp is None:
        os.environ.pop("OMP_NUM_THREADS", None)
    else:
        os.environ["OMP_NUM_THREADS"] = omp


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The reference patient with every sequence: made once per run (seconds), for all processes that run tests."""
    from PCNSLSurvivalLib.phantoms import reference_patient

    kept = _for_all_processes(tmp_path_factory) / "reference_patient.pickle"
    with FileLock(f"{kept}.lock"):
        if not kept.is_file():
            kept.write_bytes(pickle.dumps(reference_patient(), protocol=5))
    return pickle.loads(kept.read_bytes())


def _for_all_processes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that all processes of one run share."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


@pytest.fixture
def users_png_dpi() -> int:
    """Dots per inch of the figures that users get; those of the tests have fewer."""
    return USERS_PNG_DPI


@pytest.fixture
def no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports of experiments without figures, for tests that look at none: drawing them takes seconds."""
    from PCNSLSurvivalLib.reports.experiment import report

    monkeypatch.setattr(report, "save_figures", lambda figures, folder: folder.mkdir() or [])


@pytest.fixture(scope="session")
def coarse_reference(reference: Any) -> Any:
    """The reference patient on about 2 mm where the scan has finer voxels: for what needs no fine ones."""
    acquisitions = {sequence: _coarser(scan) for sequence, scan in reference.acquisitions.items()}
    return replace(reference, acquisitions=acquisitions)


@pytest.fixture(scope="session")
def predicted_reference(coarse_reference: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reference patient predicted from files, once per run: the scans, ``cache`` of the steps, and ``result``."""
    from PCNSLSurvivalLib.cli.__main__ import main

    folder = _for_all_processes(tmp_path_factory) / "predicted_reference"
    with FileLock(f"{folder}.lock"):
        if not folder.is_dir():
            made = tmp_path_factory.mktemp("predicted_reference")  # a failure leaves no half folder to the next test
            words = ["predict", "--cache-dir", str(made / "cache"), "--out", str(made / "result")]
            for sequence in ("t1gd", "t1", "t2"):
                path = made / f"{sequence}.nii.gz"
                sitk.WriteImage(coarse_reference.scans[sequence], str(path))
                words += [f"--{sequence}", str(path)]
            (made / "clinic.json").write_text('{"age_years": 67, "ecog": 2, "karnofsky": 60}', encoding="utf-8")
            words += ["--clinical", str(made / "clinic.json"), "--progress", "none", "--debug"]
            assert main(words) == 0
            made.rename(folder)
    return folder


def _coarser(scan: Any) -> Any:
    """The mean over two voxels along every axis finer than 2 mm, of a scan and its truths."""
    joined = [2 if edge < 2.0 else 1 for edge in scan.image.GetSpacing()]

    def mean(image: sitk.Image) -> sitk.Image:
        return sitk.BinShrink(sitk.Cast(image, sitk.sitkFloat32), joined)

    return replace(
        scan,
        image=sitk.Cast(sitk.Round(mean(scan.image)), scan.image.GetPixelID()),
        bias_field=mean(scan.bias_field),
        brain_mask=sitk.Cast(mean(scan.brain_mask) >= 0.5, sitk.sitkUInt8),
        lesion_mask=sitk.Cast(mean(scan.lesion_mask) >= 0.5, sitk.sitkUInt8),
    )


@pytest.fixture(scope="session")
def real_patient() -> dict[str, Path]:
    """The real glioma patient beside the checkout: scans by sequence, the brain mask under 'mask'."""
    names = {"t1gd": "T1Gd", "t1": "T1", "t2": "T2", "mask": "T1Gd_brain_mask_hdbet"}
    paths = {key: SHARED / f"TCGA-FG-6692_{name}.nii.gz" for key, name in names.items()}
    if not all(path.is_file() for path in paths.values()):
        pytest.skip("the real patient does not lie beside this checkout (../shared/real-patient)")
    return paths


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real heads that `make real-data` fetches."""
    from real_data import real_data_folder

    if not (real_data_folder() / "robex_t1.nii.gz").is_file():
        pytest.skip("the real heads are not on this computer; `make real-data` fetches them")
    return real_data_folder()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many inputs of the catalogue behaved as its row says."""
    tried = [report for report in terminalreporter.getreports("passed") if "test_catalogue.py" in report.nodeid]
    if tried:
        terminalreporter.write_line(f"catalogue of inputs: {len(tried)} rows as expected")
