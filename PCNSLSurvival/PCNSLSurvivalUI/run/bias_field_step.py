"""N4ITKBiasFieldCorrection at the recipe's working resolution: on samples of the scan, not on its full grid.

The module has one shrink factor for all axes. Thick slices would forbid any shrinking, so that it would fit on every
voxel of the plane, for half a minute and more. It gets samples of the scan instead, each axis thinned by its own
factor as in the recipe, and the field it finds is brought back to all voxels here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from PCNSLSurvivalLib.preprocessing.recipe import BiasFieldStep as BiasFieldFigures
from PCNSLSurvivalLib.preprocessing.recipe import factors_for
from PCNSLSurvivalLib.preprocessing.steps.field_samples import SampledField, sample_affine, sampled_part
from PCNSLSurvivalUI.process.incremental import InPieces
from PCNSLSurvivalUI.run import slicer_modules
from PCNSLSurvivalUI.scene.volume_files import ijkToWorld

_SMALLEST = 1e-3
"""N4 takes logarithms: only samples that shine take part."""


class BiasFieldStep:
    """The shading of one scan, from its samples to a single call of ``ended``; cancelled as ``CLIStep`` is.

    Args:
        volume: The scan.
        corrected: Gets the scan without its shading, ``float32``.
        figures: The step of the recipe.
        mask: Where the field is fitted, on the voxels of the scan; what the module takes for the head if None.
        new: Makes a hidden node of a class, with a name, that is removed with the run.
        ended: Called with whether it succeeded; not called after ``cancel``.
    """

    def __init__(
        self,
        volume: slicer.vtkMRMLScalarVolumeNode,
        corrected: slicer.vtkMRMLScalarVolumeNode,
        figures: BiasFieldFigures,
        mask: slicer.vtkMRMLLabelMapVolumeNode | None,
        new: Callable[[str, str], Any],
        ended: Callable[[bool], None],
    ) -> None:
        self._volume, self._corrected, self._figures, self._mask = volume, corrected, figures, mask
        self._new, self._ended = new, ended
        self._size = volume.GetImageData().GetDimensions()
        self._factors = factors_for(volume.GetSpacing(), self._size, figures.working_spacing_mm)
        self._air, self._inside = 0.0, np.zeros(0, bool)
        self._field: Any = None
        self._module: slicer_modules.CLIStep | None = None
        self._pieces: InPieces | None = InPieces(self._thin(), self._onThinned, self._onFault)

    @property
    def isOver(self) -> bool:
        """Whether the module is certainly done with its nodes."""
        return self._module is None or self._module.isOver

    @property
    def nodeIDs(self) -> set[str]:
        """Nodes that must stay until ``isOver``."""
        return set() if self._module is None else self._module.nodeIDs

    def cancel(self, whenOver: Callable[[], None] | None = None) -> None:
        """Stop; ``whenOver`` is called once the nodes may be removed."""
        if self._pieces is not None:
            self._pieces.cancel()
            self._pieces = None
        if self._module is not None:
            self._module.cancel(whenOver)
        elif whenOver is not None:
            whenOver()

    def _thin(self) -> Iterator[None]:
        """Samples as bright as the recipe has them: the air level off, since N4 would take an offset for shading."""
        values = slicer.util.arrayFromVolume(self._volume)
        thin = np.asarray(values[::2, ::2, ::2], np.float32)
        yield
        air, bright = (float(level) for level in np.quantile(thin, (0.001, 0.99)))
        yield
        part = sampled_part(self._size, self._factors)
        gain = 1000.0 / (bright - air) if bright > air else 1.0
        samples = np.maximum((values[part].astype(np.float32) - air) * gain, 0.0)
        self._inside = samples > 0.1 * 1000.0
        small, self._field = (self._node("vtkMRMLScalarVolumeNode", name) for name in ("samples", "bias field"))
        slicer.util.updateVolumeFromArray(small, samples)
        found = self._node("vtkMRMLScalarVolumeNode", "samples corrected")
        smallMask = None
        if self._mask is not None:
            self._inside = (slicer.util.arrayFromVolume(self._mask)[part] > 0) & (samples > _SMALLEST)
            smallMask = self._node("vtkMRMLLabelMapVolumeNode", "samples of the brain")
            slicer.util.updateVolumeFromArray(smallMask, self._inside.astype(np.uint8))
        if not self._inside.any():
            raise ValueError("no sample lies in the brain")
        self._air = air
        self._parameters = slicer_modules.biasFieldParameters(small, found, self._field, self._figures, smallMask)
        yield

    def _node(self, className: str, name: str) -> Any:
        node = self._new(className, name)
        affine = sample_affine(ijkToWorld(self._volume, self._volume.GetName()), self._size, self._factors)
        node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(affine))
        return node

    def _onThinned(self) -> None:
        self._pieces = None
        self._module = slicer_modules.CLIStep(slicer_modules.N4, self._parameters, self._onModule)

    def _onModule(self, good: bool) -> None:
        if not good or self._field.GetImageData() is None:
            self._ended(False)
            return
        self._pieces = InPieces(self._divide(), self._onDivided, self._onFault)

    def _divide(self) -> Iterator[None]:
        """The scan over the field, slice by slice; the field has the mean 1 where it was fitted."""
        samples = slicer.util.arrayFromVolume(self._field).astype(float)
        if not (np.isfinite(samples).all() and (samples > 0).all()):
            raise ValueError("the module found no field")
        field = SampledField(np.log(samples / samples[self._inside].mean()), self._size, self._factors)
        values = slicer.util.arrayFromVolume(self._volume)
        image = vtk.vtkImageData()
        image.SetDimensions(*self._size)
        image.AllocateScalars(vtk.VTK_FLOAT, 1)
        target = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(values.shape)
        yield
        for k, plane in enumerate(values):
            target[k] = (plane - self._air) / np.exp(field.plane(k)) + self._air
            yield
        own = vtk.vtkMatrix4x4()
        self._volume.GetIJKToRASMatrix(own)
        self._corrected.SetIJKToRASMatrix(own)
        self._corrected.SetAndObserveImageData(image)
        yield

    def _onDivided(self) -> None:
        self._pieces = None
        self._ended(True)

    def _onFault(self, error: Exception) -> None:
        self._pieces = None
        logging.error("The bias field could not be corrected: %s", error)
        self._ended(False)
