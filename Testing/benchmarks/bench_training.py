"""Augmented training samples per second: our data path, the published code's, MONAI's CacheDataset, in one run.

Usage: ``make bench-training``, or ``python Testing/benchmarks/bench_training.py [--samples N] [--repeats R]``. All give
the same patient at 1 mm as (1, 128, 128, 128) samples in batches of four. Ours comes twice: with its one interpolation,
and with ``transforms: monai`` as in paper.yaml, MONAI's own transforms one after the other. The published path is
rebuilt from its code with today's MONAI: at every access it converts NRRD to NIfTI, resamples, writes, reads, crops and
resizes the scan, and then resamples it once for each of its augmentations. CacheDataset and the published path have a
worker process for each core, ours runs in the training process, as in training. The paths follow each other in every
repeat, so that a busy moment spoils none of the ratios; the medians are printed.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import nibabel
import numpy as np
import SimpleITK as sitk
import torch
from monai.data import CacheDataset, DataLoader, Dataset
from monai.transforms import (
    Compose,
    EnsureChannelFirstd,
    EnsureType,
    LoadImaged,
    Rand3DElastic,
    RandAffine,
    RandRotate,
    RandSpatialCrop,
    Resize,
    Resized,
    SaveImaged,
    ScaleIntensity,
    ScaleIntensityd,
    Spacingd,
)
from skimage.exposure import rescale_intensity
from skimage.transform import resize

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Lib"))
from gpu_checks.stock_augmentation import stock_transforms
from kept_tables import add_keep, report
from made_cohorts import made_cohort

from PCNSLSurvivalLib.cohorts.prepared_cohort import PreparedCohort, read_prepared_cohort
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.geometry import canonical, resample
from PCNSLSurvivalLib.imaging.io import write_volume
from PCNSLSurvivalLib.phantoms import reference_patient
from PCNSLSurvivalLib.preprocessing.recipe import RECIPE
from PCNSLSurvivalLib.preprocessing.steps.resampling import isotropic_grid
from PCNSLSurvivalLib.training.data.augmentation import AugmentationSettings
from PCNSLSurvivalLib.training.data.batches import training_batches
from PCNSLSurvivalLib.training.data.dataset import NetworkInputs
from PCNSLSurvivalLib.training.processes import Processes
from PCNSLSurvivalLib.training.settings import TrainingSettings

EDGE, BATCH, PATIENTS = 128, 4, 4
WORKERS = os.cpu_count() or 1
SETTINGS = TrainingSettings(batch_size=BATCH)
WITH_MONAI = TrainingSettings(batch_size=BATCH, augmentation=AugmentationSettings(transforms="monai"))


def prepared_patients(folder: Path) -> PreparedCohort:
    """A prepared cohort of the reference patient, several times."""
    patient = reference_patient(sequences=(MRSequence.T1GD,))
    mask = canonical(patient.brain_masks[MRSequence.T1GD])
    grid = isotropic_grid(mask, RECIPE.resampling)
    brain = resample(mask, grid, interpolation="nearest")
    scan = resample(canonical(sitk.Cast(patient.scans[MRSequence.T1GD], sitk.sitkFloat32)), grid)
    values = sitk.Mask(sitk.Cast(sitk.Normalize(scan), sitk.sitkFloat32), brain)
    made_cohort(folder, patients=PATIENTS, sequences=(MRSequence.T1GD,))
    for number in range(PATIENTS):
        case = folder / "cases" / f"P{number:03d}"
        write_volume(values, case / "t1gd_preprocessed.nii.gz")
        write_volume(brain, case / "brain_mask_preprocessed.nii.gz")
    return read_prepared_cohort(folder)


class PublishedPath(torch.utils.data.Dataset):
    """What the published ``__getitem__`` does, with its own arguments (train_resnet.py, preprocessing_resnet.py)."""

    def __init__(self, cohort: PreparedCohort, folder: Path, samples: int) -> None:
        self._scans = []
        for patient in cohort.exams:
            path = folder / f"{patient.name}.nrrd"
            sitk.WriteImage(patient.scan(MRSequence.T1GD), str(path))
            self._scans.append(path)
        self._samples = samples
        self._augment = Compose(
            [
                Rand3DElastic(
                    prob=0.25,
                    sigma_range=(5, 7),
                    magnitude_range=(50, 150),
                    spatial_size=(EDGE,) * 3,
                    padding_mode="zeros",
                ),
                RandAffine(
                    prob=0.25,
                    translate_range=(0.5,) * 3,
                    rotate_range=tuple(np.deg2rad((5, 5, 45))),
                    scale_range=(0.15,) * 3,
                    padding_mode="zeros",
                ),
                RandSpatialCrop((96,) * 3, random_size=False),
                Resize((EDGE,) * 3),
                RandRotate(range_x=np.deg2rad(15), prob=0.5, keep_size=True),
                ScaleIntensity(),
                EnsureType(),
            ]
        )

    def __len__(self) -> int:
        return self._samples

    def __getitem__(self, index: int) -> torch.Tensor:
        nrrd = self._scans[index % len(self._scans)]
        nifti = nrrd.with_suffix(f".{index}.nii.gz")  # a name of its own: the original's two workers share one
        sitk.WriteImage(sitk.ReadImage(str(nrrd)), str(nifti))
        Compose(
            [
                LoadImaged("image"),
                EnsureChannelFirstd("image"),
                Spacingd("image", pixdim=(1.0, 1.0, 1.0), mode="bilinear"),
                Resized("image", (256, 256, 128), mode="area"),
                ScaleIntensityd("image"),
                SaveImaged("image", output_dir=nrrd.parent, output_postfix="trans", resample=False, print_log=False),
            ]
        )({"image": nifti})
        (written,) = nrrd.parent.rglob(f"{nifti.name.removesuffix('.nii.gz')}_trans.nii.gz")
        volume = nibabel.load(written)
        inside = np.argwhere(np.abs(volume.get_fdata()) > 1e-5)
        low, high = np.maximum(inside.min(0) - 1, 0), np.minimum(inside.max(0) + 2, volume.shape)
        crop = volume.slicer[tuple(slice(a, b) for a, b in zip(low, high, strict=True))].get_fdata()
        block = rescale_intensity(resize(crop, (EDGE,) * 3, order=1, preserve_range=True), out_range=(0.0, 1.0))
        return self._augment(block[None].astype(np.float32))


def stock_path(inputs: NetworkInputs, cohort: PreparedCohort, samples: int, *, elastic: bool) -> Dataset:
    """MONAI's CacheDataset on the same blocks, and its transforms with the ranges and probabilities of ours."""
    augment = stock_transforms(AugmentationSettings(), inputs.grid, elastic=elastic)
    names = [cohort.exams[n % PATIENTS].name for n in range(samples)]
    return CacheDataset(names, Compose([lambda name: torch.from_numpy(inputs.case(name)), *augment]), progress=False)


def seconds_a_sample(batches: Iterable[torch.Tensor], samples: int) -> float:
    """Draw one pass and time it."""
    begin = time.perf_counter()
    drawn = sum(len(batch) for batch in batches)
    assert drawn == samples, drawn
    return (time.perf_counter() - begin) / samples


def main() -> None:
    """Time the paths and print their ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=16, help="samples of a pass of the two fast paths")
    parser.add_argument("--slow-samples", type=int, default=4, help="samples of a pass of the published path")
    parser.add_argument("--repeats", type=int, default=3)
    add_keep(parser)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        cohort = prepared_patients(Path(temporary) / "cohort")
        begin = time.perf_counter()
        inputs = NetworkInputs(cohort, (MRSequence.T1GD,))
        print(f"our arrays, made once and kept: {(time.perf_counter() - begin) / PATIENTS:.2f} s a patient")
        (Path(temporary) / "published").mkdir()
        published = PublishedPath(cohort, Path(temporary) / "published", args.slow_samples)
        stock, stiff = (stock_path(inputs, cohort, args.samples, elastic=elastic) for elastic in (True, False))
        names = [patient.name for patient in cohort.exams]

        def ours(settings: TrainingSettings) -> Iterable[torch.Tensor]:
            for epoch in range(args.samples // PATIENTS):
                for _, _, tensors in training_batches(names, inputs, settings, Processes(), seed=(1,), epoch=epoch):
                    yield tensors

        def loaded(dataset: Dataset) -> Iterable[torch.Tensor]:
            return DataLoader(dataset, batch_size=BATCH, num_workers=WORKERS)

        paths: dict[str, tuple[Callable[[], Iterable[torch.Tensor]], int]] = {
            "ours": (lambda: ours(SETTINGS), args.samples),
            "ours, transforms: monai": (lambda: ours(WITH_MONAI), args.samples),
            "MONAI CacheDataset": (lambda: loaded(stock), args.samples),
            "MONAI CacheDataset without elastic deformation": (lambda: loaded(stiff), args.samples),
            "published code": (lambda: loaded(published), args.slow_samples),
        }
        took: dict[str, list[float]] = {name: [] for name in paths}
        for _ in range(args.repeats):
            for name, (path, samples) in paths.items():
                took[name].append(seconds_a_sample(path(), samples))
    rows = []
    for name, seconds in took.items():
        ratios = [theirs / own for theirs, own in zip(seconds, took["ours"], strict=True)]
        times = f"{statistics.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})"
        rows.append((name, f"{1 / statistics.median(seconds):.2f}", times))
    settings = f"{args.samples} samples, {args.slow_samples} of the published code, {args.repeats} repeats"
    columns = ("path", "samples per second", "speed-up of ours (lowest to highest)")
    report("bench-training", columns, rows, settings=settings, keep=args.keep)


if __name__ == "__main__":
    main()
