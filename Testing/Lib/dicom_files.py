"""Write an invented but valid MR series, for tests of reading."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk


def write_series(
    volume: sitk.Image, folder: Path, *, series: int = 1, modality: str = "MR", more: dict[str, str] | None = None
) -> None:
    """Write one file per slice; all patient tags are invented, and ``more`` are added to them."""
    folder.mkdir(parents=True, exist_ok=True)
    direction = np.reshape(volume.GetDirection(), (3, 3))
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    series_uid = f"1.2.826.0.1.3680043.2.1125.1.{series}"
    for k in range(volume.GetSize()[2]):
        part = volume[:, :, k]
        tags = {
            "0008|0016": "1.2.840.10008.5.1.4.1.1.4",
            "0008|0018": f"{series_uid}.{k + 1}",
            "0008|0060": modality,
            "0010|0010": "Invented^Patient",
            "0010|0020": "invented",
            "0018|0050": f"{volume.GetSpacing()[2]:.6f}",
            "0020|000d": "1.2.826.0.1.3680043.2.1125.1",
            "0020|000e": series_uid,
            "0020|0011": str(series),
            "0020|0013": str(k + 1),
            "0020|0032": "\\".join(f"{x:.6f}" for x in volume.TransformIndexToPhysicalPoint((0, 0, k))),
            "0020|0037": "\\".join(f"{x:.8f}" for x in [*direction[:, 0], *direction[:, 1]]),
            **(more or {}),
        }
        for key, value in tags.items():
            part.SetMetaData(key, value)
        writer.SetFileName(str(folder / f"{series}-{k:03d}.dcm"))
        writer.Execute(part)
