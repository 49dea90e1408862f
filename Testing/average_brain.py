"""Write the coarse average brain that ``preprocessing/qc/brain_pattern.py`` compares scans with.

Usage: ``python Testing/average_brain.py``. It comes from the MNI152 2009a T1 template inside the package nilearn.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from PCNSLSurvivalLib.imaging.geometry import Grid, resample
from PCNSLSurvivalLib.phantoms.anatomy.template import brain_template, template_t1
from PCNSLSurvivalLib.preprocessing.qc import brain_pattern

EDGE_MM = 4.0


def average_brain() -> NDArray[np.int8]:
    """(19, 19, 19) cells of the template, 127 the largest difference, ``OUTSIDE`` outside the brain."""
    brain = sitk.Cast(brain_template().brain > 0.5, sitk.sitkFloat32)
    grid = Grid.of(brain).with_spacing((EDGE_MM,) * 3)
    inside = sitk.GetArrayFromImage(resample(brain, grid)) > 0.5
    signal = sitk.GetArrayFromImage(resample(sitk.Cast(template_t1(), sitk.sitkFloat32), grid))
    cells, within = brain_pattern.pattern_cells(signal, inside, EDGE_MM)
    scaled = np.rint(cells / np.abs(cells[within]).max() * 127)
    return np.where(within, scaled, brain_pattern.OUTSIDE).astype(np.int8)


if __name__ == "__main__":
    np.save(Path(brain_pattern.__file__).with_name(brain_pattern.AVERAGE), average_brain())
