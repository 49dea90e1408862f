"""Names of brain regions against people whose regions are known: how far off they are, and what the checks say.

Usage: ``make measure-atlas``, or ``python Testing/benchmarks/measure_atlas.py [--keep]``, with two folders that do not
come with the software. Where one is missing, a sentence says so.

``$PCNSL_SURVIVAL_PEOPLE`` holds one label map of 1 mm per person (``*.nii.gz``) with the numbers of FreeSurfer: the
deep gray matter, and the cortex where it is divided. For the documentation they were, from public repositories on
GitHub: the 20 of BBillot/SynthSeg (``data/training_label_maps``), ``data/aparc+aseg.nii.gz`` and
``data/aparcaseg.nii.gz`` of NeuroSainteAnne/neuroguessr, and ``aparc+aseg.nii.gz`` of
alffajardo/VilleneuveLab_Projects. ``$PCNSL_SURVIVAL_ATLAS`` holds an atlas (docs/atlases.md) whose labels have the same
numbers, and whose template is a brain alone. That of the documentation has the labels of nipy/mindboggle
(``OASIS-TRT-20_jointfusion_DKT31_CMA_labels_in_MNI152_v2``), the MNI152 brain of neuroguessr
(``data/MNI152NLin6_res-1x1x1_T1w_descr-brain.nii.gz``), and names for the deep gray matter, the lateral ventricles and
the cortex.

Each label map becomes a T1-like image. Every second one has thick, tilted slices, every third one a bright lesion with
edema that displaces nothing. The failures are made from the best, the middle and the worst of the people whose names
are shown. ``bench_real_tumours.py`` says where real scans of tumors lie; without them their row is left out.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

sys.path.insert(0, str(Path(__file__).resolve().parent))
from bench_real_tumours import real_tumors
from kept_tables import add_keep, report

from PCNSLSurvivalLib.atlas.atlas_folder import Atlas, read_atlas
from PCNSLSurvivalLib.atlas.name_table import TABLE_ENDINGS, read_names
from PCNSLSurvivalLib.atlas.named_regions import NamedRegions
from PCNSLSurvivalLib.atlas.placement import judge, place_atlas
from PCNSLSurvivalLib.atlas.registration import AtlasPose, Brain, register_to_template
from PCNSLSurvivalLib.core.progress import StepClock
from PCNSLSurvivalLib.imaging.geometry import Grid, as_float32, box_around, canonical, image_on_grid, resample

FOLDERS = {"PCNSL_SURVIVAL_PEOPLE": "label maps of people", "PCNSL_SURVIVAL_ATLAS": "an atlas"}
FLUID, WHITE, HALF_WHITE = (4, 5, 14, 15, 24, 30, 43, 44, 62, 72), (2, 7, 28, 41, 46, 60, 77, 85), (10, 13, 49, 52)
BRAIN_STEM, CALLOSUM, OUTSIDE, OUTER_FLUID = 16, range(251, 256), (165, *range(500, 1000)), 24
DEEP_LEFT, DEEP_RIGHT = (10, 11, 12, 13, 17, 18), (49, 50, 51, 52, 53, 54)
CORTEX_LEFT, CORTEX_RIGHT = range(1001, 1036), range(2001, 2036)
POINTS, LEAST_VOXELS = 300, 100
SLICE_MM, TILT_DEG, LESION_MM, EDEMA_MM = 5.0, 8.0, 18.0, 32.0
CHECKS = {
    "atlas.stretched": "stretch",
    "atlas.outlines": "Dice",
    "atlas.apart": "disagreement",
    "atlas.no_match": "sharpness",
}


@dataclass(frozen=True)
class Person:
    """A made scan of a brain, and its regions on voxels of their own."""

    brain: Brain
    labels: sitk.Image


@dataclass(frozen=True)
class Points:
    """Points in the regions of people, (N,) each; ``first``, ``among`` and ``named`` are 0 where nothing is named."""

    cortex: NDArray[np.bool_]
    distance_mm: NDArray[np.float64]
    """In the person, to the nearest voxel that the atlas gives to the true region; 0 at the very place."""
    other_side: NDArray[np.bool_]
    """The region at the place lies on the other side of the head."""
    first: NDArray[np.bool_]
    among: NDArray[np.bool_]
    named: NDArray[np.int64]


@dataclass(frozen=True)
class Case:
    """One registration, and the distance within which 90 % of the points in deep gray matter have their region."""

    pose: AtlasPose
    refused_by: str
    error_mm: float | None = None


def person_of(labels: sitk.Image, seed: int, *, thick: bool = False, lesion: bool = False) -> Person:
    """A T1-like image of a label map: noise, shading and, if wanted, thick slices and a lesion."""
    labels = canonical(labels)
    box = box_around(labels, 10)
    assert box is not None
    labels = box.of(labels)
    grid, draw = Grid.of(labels), np.random.default_rng(seed)
    label = np.rint(sitk.GetArrayFromImage(labels)).astype(np.int16)
    tissue = (label > 0) & ~np.isin(label, OUTSIDE)
    values = np.where(tissue, 60.0, 0.0)
    for numbers, value in ((WHITE, 100.0), (CALLOSUM, 100.0), (HALF_WHITE, 80.0), ((BRAIN_STEM,), 96.0), (FLUID, 20.0)):
        values[np.isin(label, numbers)] = value
    closed = ndimage.binary_closing(np.pad(tissue & (label != OUTER_FLUID), 6), iterations=3)[6:-6, 6:-6, 6:-6]
    inside = ndimage.binary_fill_holes(closed)
    values = np.where(inside & (values == 0), 20.0, values)
    if lesion:
        white = np.argwhere(np.isin(label, WHITE))
        offsets = np.indices(label.shape) - white[draw.integers(len(white))][:, None, None, None]
        away = np.linalg.norm(offsets * np.array(grid.spacing_mm[::-1])[:, None, None, None], axis=0)
        values[away < EDEMA_MM], values[away < LESION_MM] = 48.0, 160.0
    values += draw.normal(0, 5, values.shape)
    values *= 1 + 0.15 * draw.normal() * np.linspace(-1, 1, values.shape[2])
    image = image_on_grid(ndimage.gaussian_filter(values * inside, 0.6).astype(np.float32), grid)
    mask = image_on_grid(inside.astype(np.uint8), grid)
    if thick:
        turn = sitk.Euler3DTransform()
        turn.SetRotation(*(float(angle) for angle in np.radians(draw.normal(0, TILT_DEG, 3))))
        thick_grid = Grid((256, 256, 48), (0.9, 0.9, SLICE_MM), (0.0, 0.0, 0.0), tuple(turn.GetMatrix()))
        shift = np.array(grid.center_lps_mm) - thick_grid.center_lps_mm
        thick_grid = replace(thick_grid, origin_lps_mm=tuple(float(v) for v in shift))
        blurred = sitk.DiscreteGaussian(image, [0.0, 0.0, (SLICE_MM / 2.355) ** 2])
        image, mask = resample(blurred, thick_grid), resample(mask, thick_grid, interpolation="nearest")
    return Person(_cropped(image, mask), image_on_grid(label, grid))


def measured(
    person: Person, atlas: Atlas, names: dict[int, str], pose: AtlasPose, regions: NamedRegions | None
) -> Points:
    """Compare what an atlas says with the person's own labels, at up to 300 points of every region that both have.

    Args:
        person: With labels as ``names`` has them.
        atlas: As it was read.
        names: By label.
        pose: Of the atlas in the person.
        regions: What the program names; None where it refuses to.
    """
    grid = Grid.of(person.labels)
    true_kji = sitk.GetArrayFromImage(person.labels)
    there = resample(atlas.labels, grid, interpolation="nearest", transform=pose.transform)
    there_kji = sitk.GetArrayFromImage(there)
    side_of = {names[label]: _side(label) for label in names}
    side = np.array([0, *(side_of[name] for name in atlas.names)])
    found = []
    for label in sorted(set(np.unique(true_kji).tolist()) & set(names)):
        cortex = label in CORTEX_LEFT or label in CORTEX_RIGHT
        voxels = np.argwhere(true_kji == label)
        if not (cortex or label == BRAIN_STEM or _side(label)) or len(voxels) < LEAST_VOXELS:
            continue
        name = names[label]
        voxels = voxels[:: max(1, len(voxels) // POINTS)]
        points = grid.index_to_lps(voxels[:, ::-1].astype(float))
        given = np.argwhere(there_kji == atlas.names.index(name) + 1)[:, ::-1] if name in atlas.names else ()
        if len(given):
            away = cKDTree(grid.index_to_lps(given.astype(float))).query(points)[0]
        else:
            away = np.full(len(points), np.inf)
        other = side[there_kji[tuple(voxels.T)]] * _side(label) < 0
        for point, mm, wrong in zip(points, away, other, strict=True):
            place = regions.at(point) if regions else None
            named = [] if place is None else [one for one in (place.here, *place.near) if one]
            found.append((cortex, mm, wrong, named[:1] == [name], name in named, len(named)))
    columns = np.array(found, float).reshape(-1, 6).T
    cortex, away, other, first, among, count = columns
    return Points(cortex > 0, away, other > 0, first > 0, among > 0, count.astype(int))


def _side(label: int) -> int:
    """1 for the left, -1 for the right, 0 for neither."""
    return int(label in DEEP_LEFT or label in CORTEX_LEFT) - int(label in DEEP_RIGHT or label in CORTEX_RIGHT)


def placed_in(person: Person, atlas: Atlas, names: dict[int, str]) -> tuple[Case, Points | None]:
    """The whole program on one person; points only where names are shown."""
    placed = place_atlas(person.brain.image, person.brain.mask, atlas, clock=StepClock())
    points = measured(person, atlas, names, placed.pose, placed.regions)
    error = float(np.quantile(points.distance_mm[~points.cortex], 0.9))
    return Case(placed.pose, CHECKS.get(placed.message.code, ""), error), points if placed.regions else None


def failures_of(person: Person) -> Iterator[tuple[str, Person]]:
    """The same person with a wrong brain mask, or with a part of the head missing."""
    mask = person.brain.mask
    away = sitk.SignedMaurerDistanceMap(mask, insideIsPositive=False, squaredDistance=False, useImageSpacing=True)
    for mm, words in ((-2, "brain mask 2 mm too small"), (-4, "brain mask 4 mm too small"), (3, "3 mm too large")):
        changed = sitk.Cast(away < float(mm), sitk.sitkUInt8)
        yield words if mm < 0 else f"brain mask {words}", replace(person, brain=replace(person.brain, mask=changed))
    for low, high, words in (
        (0.0, 0.85, "cut off by 15 % at the top"),
        (0.15, 1.0, "cut off by 15 % at the foot"),
        (0.0, 0.7, "cut off by 30 % at the top"),
        (0.3, 1.0, "cut off by 30 % at the foot"),
        (0.5, 1.0, "upper half alone"),
        (0.0, 0.5, "lower half alone"),
    ):
        yield words, replace(person, brain=_part(person.brain, low, high))
    yield "one side alone", replace(person, brain=_part(person.brain, 0.0, 0.5, axis=0))


def wrong_templates(template: Brain) -> Iterator[tuple[str, Brain]]:
    """Templates to which no registration can be right."""
    for low, high, axis in ((0.5, 1.0, 2), (0.0, 0.5, 2), (0.5, 1.0, 0)):
        yield "half a template: upper, lower, one side", _part(template, low, high, axis=axis)
    for angles in ((180, 0, 0), (0, 180, 0), (0, 0, 180), (90, 0, 0), (0, 0, 90)):
        yield "template upside down, back to front, or with exchanged axes", _turned(template, angles)
    inside = sitk.GetArrayFromImage(template.mask)
    noise = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=inside.shape), 3)
    values = (inside * (50 + 100 * noise)).astype(np.float32)
    yield "noise in the outline of the template", replace(template, image=image_on_grid(values, Grid.of(template.mask)))


def _part(brain: Brain, low: float, high: float, *, axis: int = 2) -> Brain:
    """What lies between two shares of the brain's extent toward left, posterior or superior."""
    inside = sitk.GetArrayFromImage(brain.mask)
    voxels = np.argwhere(inside > 0)
    along = Grid.of(brain.mask).index_to_lps(voxels[:, ::-1].astype(float))[:, axis]
    share = (along - along.min()) / np.ptp(along)
    inside[tuple(voxels[(share < low) | (share > high)].T)] = 0
    return replace(brain, mask=image_on_grid(inside, Grid.of(brain.mask)))


def _turned(brain: Brain, angles_deg: Sequence[float]) -> Brain:
    """The same voxels with a wrong direction."""
    turn = sitk.Euler3DTransform()
    turn.SetRotation(*(float(angle) for angle in np.radians(angles_deg)))
    matrix = np.reshape(turn.GetMatrix(), (3, 3))
    images = [sitk.Image(brain.image), sitk.Image(brain.mask)]
    for image in images:
        image.SetDirection((matrix @ np.reshape(image.GetDirection(), (3, 3))).ravel().tolist())
        image.SetOrigin((matrix @ image.GetOrigin()).tolist())
    return Brain(image=images[0], mask=images[1])


def _cropped(image: sitk.Image, mask: sitk.Image) -> Brain:
    box = box_around(mask, 8)
    assert box is not None
    return Brain(image=box.of(image), mask=box.of(mask))


def stripped(image: sitk.Image) -> Brain:
    """A brain alone: all that does not have the value of the first voxel, without holes."""
    image = canonical(as_float32(image))
    outside = float(image.GetPixel(0, 0, 0))
    return _cropped(image, sitk.BinaryFillhole(sitk.Cast(image != outside, sitk.sitkUInt8)))


def error_rows(points: Sequence[Points]) -> list[list[str]]:
    """The rows of the first table, over all people."""
    cortex = np.concatenate([one.cortex for one in points])
    parts = [~cortex, cortex]

    def row(words: str, values: Sequence[NDArray[np.generic]], form: str = ".1%") -> list[str]:
        whole = np.concatenate(values)
        return [words, *(format(float(whole[part].mean()), form) if part.any() else "" for part in parts)]

    rows = [
        [
            "people",
            *(
                str(sum(bool(side.any()) for side in sides))
                for sides in zip(*((~one.cortex, one.cortex) for one in points), strict=True)
            ),
        ]
    ]
    rows += [["points", *(str(int(part.sum())) for part in parts)]]
    rows += [row("the true region is at the very place", [one.distance_mm == 0 for one in points])]
    rows += [row(f"… within {mm} mm", [one.distance_mm <= mm for one in points]) for mm in (4, 6, 8)]
    rows += [row("the region at the place lies on the other side", [one.other_side for one in points], ".2%")]
    rows += [row("the region named first is the true one", [one.first for one in points])]
    rows += [row("the true region is among those named", [one.among for one in points])]
    return [*rows, row("regions named at one place, on average", [one.named for one in points], ".2f")]


def check_row(words: str, cases: Sequence[Case]) -> list[str]:
    """One row of the second table: lowest and highest values of some cases."""

    def span(values: Sequence[float], form: str) -> str:
        low, high = format(min(values), form), format(max(values), form)
        return low if low == high else f"{low} to {high}"

    poses, errors = [case.pose for case in cases], [case.error_mm for case in cases if case.error_mm is not None]
    refusals = [name for name in CHECKS.values() if any(case.refused_by == name for case in cases)]
    return [
        words,
        str(len(cases)),
        span([pose.overlap for pose in poses], ".2f"),
        span([pose.disagreement_mm for pose in poses], ".1f"),
        span([100 * (pose.stretch - 1) for pose in poses], ".0f"),
        span([pose.sharpness for pose in poses], ".2f"),
        span(errors, ".1f") if errors else "",
        str(sum(not case.refused_by for case in cases)),
        ", ".join(refusals),
    ]


def main() -> int:
    """Measure all people, then failures made from three of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_keep(parser)
    args = parser.parse_args()
    for variable, what in FOLDERS.items():
        if not Path(os.environ.get(variable) or "absent").is_dir():
            print(f"Skipped: no folder with {what}. Set {variable} to one; the head of this script says what it holds.")
            return 0
    people, folder = (Path(os.environ[variable]) for variable in FOLDERS)
    atlas = read_atlas(folder)
    names = read_names(next(path for path in folder.iterdir() if path.name.lower().endswith(TABLE_ENDINGS)))
    template = stripped(atlas.template)

    seen: list[tuple[Person, Case, Points | None]] = []
    for number, path in enumerate(sorted(people.glob("*.nii.gz"))):
        one = person_of(sitk.ReadImage(str(path)), number, thick=number % 2 == 1, lesion=number % 3 == 0)
        seen.append((one, *placed_in(one, atlas, names)))
        print(" | ".join(check_row(path.name, [seen[-1][1]])), file=sys.stderr, flush=True)
    shown = sorted((one for one in seen if one[2] is not None), key=lambda one: one[1].error_mm or 0.0)
    if not shown:
        print("Skipped: no registration passed its checks, so that there is nothing to measure.")
        return 1
    groups: dict[str, list[Case]] = {"people whose names are shown": [case for _person, case, _points in shown]}
    groups["people whose names are refused"] = [case for _person, case, points in seen if points is None]
    groups["real T1Gd scans with glioma"] = [
        _registered(stripped(sitk.ReadImage(str(tumor.t1gd))), template) for tumor in real_tumors()
    ]
    for one in (shown[0][0], shown[len(shown) // 2][0], shown[-1][0]):
        for words, failed in failures_of(one):
            groups.setdefault(words, []).append(placed_in(failed, atlas, names)[0])
            print(" | ".join(check_row(words, groups[words][-1:])), file=sys.stderr, flush=True)
        for words, wrong in wrong_templates(template):
            groups.setdefault(words, []).append(_registered(one.brain, wrong))
            print(" | ".join(check_row(words, groups[words][-1:])), file=sys.stderr, flush=True)

    settings = f"{len(seen)} people, atlas {atlas.name}"
    rows = error_rows([points for _person, _case, points in shown if points is not None])
    report("measure-atlas", ["", "deep gray matter", "cortex"], rows, settings=settings, keep=args.keep)
    columns = ["case", "registrations", "Dice", "disagreement, mm", "stretch, %", "sharpness", "error, mm"]
    columns += ["names shown in", "refused by"]
    rows = [check_row(words, cases) for words, cases in groups.items() if cases]
    report("measure-atlas-checks", columns, rows, settings=settings, keep=args.keep, target="measure-atlas")
    return 0


def _registered(patient: Brain, template: Brain) -> Case:
    pose = register_to_template(patient, template)
    return Case(pose, CHECKS.get(judge(pose).code, ""))


if __name__ == "__main__":
    sys.exit(main())
