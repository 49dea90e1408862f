"""An atlas on the user's disk: a folder with a T1 template, a volume of labels on its voxels, a table of names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from PCNSLSurvivalLib.atlas.name_table import TABLE_ENDINGS, read_names
from PCNSLSurvivalLib.core.errors import AtlasError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.imaging.file_names import stem
from PCNSLSurvivalLib.imaging.geometry import Grid, as_float32, canonical, image_on_grid
from PCNSLSurvivalLib.imaging.headers.regular_files import kind_of
from PCNSLSurvivalLib.imaging.io import FILE_ENDINGS, content_sha256, read_volume

_BESIDE_AN_ATLAS = ("readme", "license", "licence", "copying", "citation")
"""Texts with these beginnings are no tables of names."""
_MOST_LABELS = 4000
_ALIKE_IN_REGIONS = 0.6
"""Share of neighbors with the same value: six atlases have at least 0.71, T1 templates at most 0.2."""
_LEAST_NAMED = 0.5
_SAME_PLACE_MM = 0.01
_LEFT, _RIGHT = (
    re.compile(
        rf"(?i:(?<![a-z])({word}|{letter}h|{letter})(?![a-z]))|\b({word}|{word.title()})(?=[A-Z])|(?<=[a-z]){word.title()}\b"
    )
    for word, letter in (("left", "l"), ("right", "r"))
)
"""As a word or a letter, "Left-Thalamus", "lh_cuneus", "Cuneus_L"; or joined to it, "LeftThalamus", "ThalamusLeft"."""
_FRONTAL, _OCCIPITAL, _UPPER, _CEREBELLUM = (
    re.compile(words, re.IGNORECASE) for words in ("front(?![ _-]*of)", "occip", "front(?![ _-]*of)|pariet", "cerebel")
)
"""Parts of words, "Frontal_Sup", "frontopolar", "polus occipitalis"; the front of something else is no lobe."""
_OPPOSITE: tuple[tuple[int, tuple[re.Pattern[str], re.Pattern[str]], Message], ...] = (
    (0, (_LEFT, _RIGHT), Message("atlas.mirrored")),
    (1, (_OCCIPITAL, _FRONTAL), Message("atlas.back_to_front")),
    (2, (_UPPER, _CEREBELLUM), Message("atlas.upside_down")),
)
"""Axis of LPS, words for what lies further along it and for what does not. Seven atlases have their occipital
regions 109 to 121 mm behind the frontal ones, and six the cerebellum 48 to 70 mm below frontal and parietal ones."""


@dataclass(frozen=True, kw_only=True)
class Atlas:
    """An atlas as it was read.

    Attributes:
        name: Of the file of labels, without its ending.
        template: T1-weighted, ``float32``, whole head or brain alone, axes toward left, posterior, superior.
        labels: ``uint16`` on the same grid: n for ``names[n - 1]``, 0 where there is no region with a name.
        names: Of the regions, in the words of the atlas, each once: labels with one name are one region.
        sha256: Of "template", "labels" and "names".
        remarks: On labels without a name.
    """

    name: str
    template: sitk.Image
    labels: sitk.Image
    names: tuple[str, ...]
    sha256: dict[str, str]
    remarks: tuple[Message, ...] = ()


def read_atlas(folder: Path) -> Atlas:
    """Read the atlas in a folder; texts such as a license may lie beside it.

    Args:
        folder: Holds two volumes (NIfTI, NRRD, MetaImage) and one table, see ``read_names``.

    Raises:
        AtlasError: The folder does not hold these, the volumes do not fit each other, or the names do not fit the
            labels or the sides.
        UnreadableScanError: A volume cannot be read.
    """
    volumes, table = _files(folder)
    names = read_names(table)
    images = [canonical(read_volume(path, Message("word.atlas_volume", file=path.name))) for path in volumes]
    if not all(np.isfinite(sitk.GetArrayViewFromImage(image)).all() for image in images):
        raise AtlasError(Message("atlas.not_numbers"))
    alike = [_alike(sitk.GetArrayViewFromImage(image)) >= _ALIKE_IN_REGIONS for image in images]
    if all(alike):
        raise AtlasError(Message("atlas.no_template"))
    if not any(alike):
        raise AtlasError(Message("atlas.no_labels"))
    label = alike.index(True)
    template, stored = as_float32(images[1 - label]), images[label]
    if not Grid.of(stored).matches(Grid.of(template), tolerance_mm=_SAME_PLACE_MM):
        raise AtlasError(Message("atlas.grid"))
    numbers, regions, remarks = _numbered(sitk.GetArrayViewFromImage(stored), names)
    labels = image_on_grid(numbers, Grid.of(template))
    _check_places(labels, regions)
    return Atlas(
        name=stem(volumes[label]),
        template=template,
        labels=labels,
        names=regions,
        sha256={
            "template": content_sha256(volumes[1 - label]),
            "labels": content_sha256(volumes[label]),
            "names": content_sha256(table),
        },
        remarks=remarks,
    )


def _files(folder: Path) -> tuple[list[Path], Path]:
    """The two volumes and the table."""
    if kind_of(folder) != "folder":
        raise AtlasError(Message("atlas.no_folder"))
    try:
        files = sorted(path for path in folder.iterdir() if kind_of(path) == "file" and path.name[0] != ".")
    except OSError as problem:
        raise AtlasError(Message("atlas.not_permitted")) from problem
    volumes = [path for path in files if path.name.lower().endswith(FILE_ENDINGS)]
    tables = [
        path
        for path in files
        if path.name.lower().endswith(TABLE_ENDINGS) and not path.name.lower().startswith(_BESIDE_AN_ATLAS)
    ]
    if len(volumes) != 2 or len(tables) != 1:
        raise AtlasError(Message("atlas.files", volumes=len(volumes), tables=len(tables)))
    return volumes, tables[0]


def _alike(values_kji: NDArray[np.generic]) -> float:
    """Share of neighbors along i with the same value, among those where both are not 0."""
    one, other = values_kji[:, :, 1:], values_kji[:, :, :-1]
    both = (one != 0) & (other != 0)
    return float((one == other)[both].mean()) if both.any() else 0.0


def _numbered(
    values_kji: NDArray[np.generic], names: dict[int, str]
) -> tuple[NDArray[np.uint16], tuple[str, ...], tuple[Message, ...]]:
    """The labels as numbers from 1 on in the order of the regions, the names of these, and remarks."""
    found = np.unique(values_kji)
    if found.dtype.kind == "f" and found[-1] >= 2 ** (np.finfo(found.dtype).nmant + 1):
        raise AtlasError(Message("atlas.labels_rounded", limit=2 ** (np.finfo(found.dtype).nmant + 1)))
    if found[0] < 0 or (found != np.rint(found)).any():
        raise AtlasError(Message("atlas.labels_not_numbers"))
    if len(found) > _MOST_LABELS:
        raise AtlasError(Message("atlas.too_many", count=len(found), limit=_MOST_LABELS))
    named = [int(label) for label in found if int(label) in names]
    regions = tuple(dict.fromkeys(names[label] for label in named))
    number_of = {label: regions.index(names[label]) + 1 for label in named}
    table = np.array([number_of.get(int(label), 0) for label in found], np.uint16)
    numbers = np.empty(values_kji.shape, np.uint16)
    labeled = 0
    for k, plane in enumerate(values_kji):  # one at a time: on voxels of 0.5 mm a volume has hundreds of megabytes
        numbers[k] = table[np.searchsorted(found, plane)]
        labeled += int(np.count_nonzero(plane))
    share = np.count_nonzero(numbers) / max(labeled, 1)
    if share < _LEAST_NAMED:
        raise AtlasError(Message("atlas.few_names", percent=100 * share))
    unnamed = int(np.count_nonzero(found)) - len(named)
    remarks = (Message("atlas.unnamed", count=unnamed),) if unnamed else ()
    return numbers, regions, remarks


def _check_places(labels: sitk.Image, names: tuple[str, ...]) -> None:
    """Regions lie where their names say: left of those named right, occipital behind frontal, cerebellum below.

    An atlas without such names passes: what it says has no sides.
    """
    numbers_kji = sitk.GetArrayViewFromImage(labels)
    voxels = [np.arange(n) for n in labels.GetSize()]
    to_lps = Grid.of(labels).affine_lps
    for axis, (further, nearer), otherwise in _OPPOSITE:
        sides = np.array([0, *(_side(name, further, nearer) for name in names)], np.int8)
        side_kji = sides[numbers_kji]
        middle = []
        for side in (1, -1):
            here = side_kji == side
            along = [here.sum(axis=others) for others in ((0, 1), (0, 2), (1, 2))]  # voxels by i, by j, by k
            if along[0].any():
                parts = zip(to_lps[axis], voxels, along, strict=False)
                middle.append(sum(edge * np.average(n, weights=counts) for edge, n, counts in parts))
        if len(middle) == 2 and middle[0] <= middle[1]:
            raise AtlasError(otherwise)


def _side(name: str, further: re.Pattern[str], nearer: re.Pattern[str]) -> int:
    """1 for a region whose name tells the side further along the axis, -1 for the other, 0 where it tells neither."""
    return int(bool(further.search(name))) - int(bool(nearer.search(name)))
