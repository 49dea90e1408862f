"""Unpacks the pixels of DICOM files, as a process of its own: ``python unpack.py FOLDER``.

Every ``NAME.dcm`` of the folder becomes ``NAME.npy``. Ends with an exit code, or not at all, when a file cannot be
unpacked.
"""

from __future__ import annotations

import sys
from pathlib import Path

_MOST_MEMORY_BYTES = 1_500_000_000
"""A stream of some KB can state a picture of many GB; a volume of the most voxels that are read needs less."""


def main(folder: Path) -> int:
    """Unpack every file; 0 when all of them could be."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY_BYTES, _MOST_MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ImportError, ValueError, OSError):
        pass  # Windows has no such limit
    import numpy as np
    import SimpleITK as sitk

    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    for path in sorted(folder.glob("*.dcm")):
        reader = sitk.ImageFileReader()
        reader.SetImageIO("GDCMImageIO")
        reader.SetFileName(str(path))
        image = reader.Execute()  # held by a name: a view does not keep it
        np.save(path.with_suffix(".npy"), sitk.GetArrayViewFromImage(image))
        path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
