"""The shown map as a NRRD or NIfTI file, written in pieces that never hold up the application."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import slicer
from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.errors import OutputFolderError, PCNSLSurvivalError
from PCNSLSurvivalLib.results.map_note import LONGEST
from PCNSLSurvivalUI.messages import shown
from PCNSLSurvivalUI.process.incremental import InPieces
from PCNSLSurvivalUI.scene.volume_files import ijkToWorld, writeNrrd

_PIECE_BYTES = 2**20  # packed in some 20 ms
_NIFTI_FLOAT, _NIFTI_MILLIMETERS = 16, 2


class MapExport:
    """One map on its way into a file, which is there whole or not at all.

    Args:
        node: A map, ``float32``.
        path: File to make; its ending chooses the format.
        note: What the file's header says of the map, ASCII.
        ended: Called once: with None after success, otherwise with the sentence for the user.
    """

    def __init__(self, node: Any, path: Path, note: str, ended: Callable[[str | None], None]) -> None:
        self._path, self._note, self._ended = path, note, ended
        self._part = path.with_name(f"{path.name}.part")
        self._pieces = InPieces(self._write(node), lambda: ended(None), self._onFault)

    def cancel(self) -> None:
        """Stop; ``ended`` is not called."""
        self._pieces.cancel()

    def _write(self, node: Any) -> Iterator[None]:
        name = self._path.name.lower()
        try:
            if node is None:
                raise OutputFolderError(_("This map is no longer in the scene. Predict again, then save the map."))
            if name.endswith(".nrrd"):
                yield from writeNrrd(node, self._part, node.GetName(), note=self._note)
            elif name.endswith(".nii.gz"):
                yield from _writeNifti(node, self._part, self._note)
            else:
                raise OutputFolderError(_("The map can be saved as .nrrd or .nii.gz. Choose such a file name."))
            self._part.replace(self._path)
        finally:
            self._part.unlink(missing_ok=True)

    def _onFault(self, problem: Exception) -> None:
        reason = getattr(problem, "strerror", None) or type(problem).__name__
        self._ended(
            shown(problem)
            if isinstance(problem, PCNSLSurvivalError)
            else _("The map cannot be written there ({reason}). Choose another folder.").format(reason=reason)
        )


def _writeNifti(node: Any, path: Path, note: str) -> Iterator[None]:
    """NIfTI-1 in one compressed file; the RAS matrix stands in its sform, the note in its descrip."""
    array = slicer.util.arrayFromVolume(node)  # a view, (k, j, i)
    size = array.shape[::-1]
    edges = (1.0, *node.GetSpacing(), 1.0, 1.0, 1.0, 1.0)
    header = struct.pack("<i36x8h14x", 348, 3, *size, 1, 1, 1, 1)
    header += struct.pack("<hh2x8f3f", _NIFTI_FLOAT, 32, *edges, 352.0, 1.0, 0.0)
    header += struct.pack("<3xB24x80s24x", _NIFTI_MILLIMETERS, note.encode("ascii", "replace")[:LONGEST])
    header += struct.pack("<hh24x12f16x4s4x", 0, 1, *ijkToWorld(node, node.GetName())[:3].ravel(), b"n+1\0")
    slab = max(1, _PIECE_BYTES // max(array[0].nbytes, 1))
    with gzip.open(path, "wb", compresslevel=1) as stream:
        stream.write(header)
        for first in range(0, len(array), slab):
            stream.write(np.ascontiguousarray(array[first : first + slab], dtype="<f4").tobytes())
            yield
