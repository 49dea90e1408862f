"""The public tissue maps every virtual brain starts from: MNI152 gray and white matter, 1 mm."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy import ndimage

from PCNSLSurvivalLib.core.errors import MissingFilesError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.imaging.geometry import Grid, canonical, image_on_grid

_FILE = "mni_icbm152_{}_tal_nlin_sym_09a_converted.nii.gz"
# The template is stripped already: everything above a fifth of its maximum is brain or sulcal CSF.
_BRAIN_THRESHOLD = 0.2


@dataclass(frozen=True, eq=False)
class BrainTemplate:
    """Tissue fractions of the average brain, on one LPS-ordered 1 mm grid; the origin is the anterior commissure.

    Attributes:
        gray_matter, white_matter: 0 to 1, ``float32``.
        brain: 1 inside the brain and its sulci, softened over the outermost voxel, ``float32``.
        ventricles: The lateral ventricles, 0 or 1, ``float32``.
    """

    gray_matter: sitk.Image
    white_matter: sitk.Image
    brain: sitk.Image
    ventricles: sitk.Image


@lru_cache(maxsize=1)
def brain_template() -> BrainTemplate:
    """Read the MNI152 maps that the nilearn package carries (once a process).

    Raises:
        MissingFilesError: nilearn, or its maps, are not installed.

    References:
        Fonov et al., Unbiased average age-appropriate atlases for pediatric studies, NeuroImage 54(1), 2011.
        doi:10.1016/j.neuroimage.2010.07.033
    """
    gray, white, t1 = (_read_map(name) for name in ("gm", "wm", "t1"))
    grid = Grid.of(gray)
    gray_kji, white_kji, t1_kji = (sitk.GetArrayFromImage(image) for image in (gray, white, t1))
    brain_kji = ndimage.binary_fill_holes(t1_kji > _BRAIN_THRESHOLD * t1_kji.max())
    fluid_kji = brain_kji & (gray_kji.astype(np.int16) + white_kji < 110)
    return BrainTemplate(
        gray_matter=image_on_grid(gray_kji.astype(np.float32) / 255, grid),
        white_matter=image_on_grid(white_kji.astype(np.float32) / 255, grid),
        brain=image_on_grid(ndimage.gaussian_filter(brain_kji.astype(np.float32), 0.7), grid),
        ventricles=image_on_grid(_ventricles(fluid_kji, brain_kji).astype(np.float32), grid),
    )


def _ventricles(fluid_kji: NDArray[np.bool_], brain_kji: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The two lateral ventricles: the largest bodies of fluid deep inside the hemispheres."""
    depth = sitk.GetArrayFromImage(
        sitk.SignedMaurerDistanceMap(sitk.GetImageFromArray(brain_kji.astype(np.uint8)), True, False, False)
    )
    deep = fluid_kji & (depth > 22.0)
    middle = deep.shape[2] // 2
    deep[:, :, middle - 2 : middle + 3] = False
    labels, count = ndimage.label(deep)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    return np.isin(labels, np.argsort(sizes)[-2:] + 1)


def template_t1() -> sitk.Image:
    """The T1-weighted average that the tissue maps come from, stripped, on their grid.

    Raises:
        MissingFilesError: nilearn, or its maps, are not installed.
    """
    return _read_map("t1")


def _read_map(name: str) -> sitk.Image:
    package = importlib.util.find_spec("nilearn")
    folders = list(package.submodule_search_locations or []) if package else []
    for folder in folders:
        path = Path(folder) / "datasets" / "data" / _FILE.format(name)
        if path.is_file():
            return canonical(sitk.ReadImage(str(path)))
    raise MissingFilesError(Message("phantom.no_template"))
