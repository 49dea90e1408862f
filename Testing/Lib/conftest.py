"""What several tests share: hypothesis settings and the real patient."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("repeatable", derandomize=True, deadline=None, max_examples=60)
settings.load_profile("repeatable")

SHARED = Path(__file__).resolve().parents[3] / "shared" / "real-patient"


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
