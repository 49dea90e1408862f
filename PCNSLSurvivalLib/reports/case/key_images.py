"""Key images: the slices with the strongest activation, each a picture that still explains itself when it travels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from PCNSLSurvivalLib.core.errors import GridMismatchError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import RESEARCH_USE_ONLY, OSClass
from PCNSLSurvivalLib.imaging.geometry import Grid, as_float32, canonical, place_in_words
from PCNSLSurvivalLib.reports.colors import activation_rgb
from PCNSLSurvivalLib.reports.pictures import FAINTEST, make_display, strongest_slices
from PCNSLSurvivalLib.results.stored_case import StoredCase

COUNT = 4
APART_MM = 12.0
ENLARGED = 4
"""Pixels a millimeter."""
FAILED_A_CHECK = "FAILED A CHECK"
"""On every picture and in the series description of a map that failed one."""

_RIM, _BAR, _LINE = 12, 84, 30
_WHITE, _SOFT = (255, 255, 255), (200, 200, 200)


@dataclass(frozen=True, kw_only=True)
class KeyImage:
    """One slice with the map over it, annotated.

    Attributes:
        rgb: (rows, columns, 3) ``uint8``.
        position_mm: Where the middle of the slice lies, RAS mm along the axial direction.
        explains: Class that the map explains.
    """

    rgb: NDArray[np.uint8]
    position_mm: float
    explains: OSClass


def key_images(case: StoredCase, t1gd: sitk.Image, explains: OSClass) -> list[KeyImage]:
    """Draw the slices where one map is strongest.

    Args:
        case: A result.
        t1gd: The T1Gd it was made from, arbitrary units.
        explains: Which of the case's maps to draw.

    Returns:
        At most ``COUNT`` pictures, strongest first; none for an empty map.

    Raises:
        GridMismatchError: ``t1gd`` is not on the voxels of the map.
    """
    scan, activation, mask = canonical(t1gd), canonical(case.maps[explains]), canonical(case.brain_mask)
    if not Grid.of(scan).matches(Grid.of(activation), tolerance_mm=0.01):
        raise GridMismatchError(Message("grid.t1gd_on_map"))
    display = make_display(as_float32(scan), activation, mask)
    return [
        KeyImage(rgb=_annotated(picture, position, case, explains), position_mm=position, explains=explains)
        for picture, position in strongest_slices(display, count=COUNT, apart_mm=APART_MM)
    ]


def _annotated(
    picture: NDArray[np.uint8], position_mm: float, case: StoredCase, explains: OSClass
) -> NDArray[np.uint8]:
    rows, columns = picture.shape[0] * ENLARGED, picture.shape[1] * ENLARGED
    large = Image.fromarray(picture).resize((columns, rows), Image.Resampling.BICUBIC)
    sentences = [
        f"Grad-CAM for {explains.label.replace('≤', '<=')}, fraction of the maximum",  # the font has no ≤
        f"Probability of OS > 1 year {case.prediction['probability_over_one_year']:.2f}, model {case.model}",
        RESEARCH_USE_ONLY,
    ]
    if case.failed_a_check(explains):
        sentences.insert(0, f"{FAILED_A_CHECK}: do not rely on this map")
    warning = next(iter(case.prediction.get("warnings", [])), None) if not _has_meaning(case) else None
    if warning:
        sentences.insert(-2, warning["sentence"])
    words = [
        (line, _WHITE if sentence == RESEARCH_USE_ONLY or sentence.startswith(FAILED_A_CHECK) else _SOFT)
        for sentence in sentences
        for line in _wrapped(sentence, columns + _BAR)
    ]
    sheet = Image.new("RGB", (columns + 2 * _RIM + _BAR, rows + 3 * _RIM + _LINE * len(words)))
    sheet.paste(large, (_RIM, _RIM))
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=20)
    across, down = _RIM + columns // 2, _RIM + rows // 2
    for letters, place, anchor in (
        ("R", (_RIM + 8, down), "lm"),
        ("L", (_RIM + columns - 8, down), "rm"),
        ("A", (across, _RIM + 8), "mt"),
        ("P", (across, _RIM + rows - 8), "mb"),
        (f"Axial, {place_in_words(2, position_mm, 1)} mm", (_RIM + 8, _RIM + 8), "lt"),
    ):
        # The black outline keeps a letter readable where it lies on bright skin or fat.
        draw.text(place, letters, fill=_WHITE, font=font, anchor=anchor, stroke_width=2, stroke_fill=(0, 0, 0))
    _color_bar(draw, _RIM + columns + _BAR, _RIM + rows // 4, rows // 2)
    for number, (line, color) in enumerate(words):
        draw.text((_RIM, rows + 2 * _RIM + _LINE * number), line, fill=color, font=font)
    return np.asarray(sheet)


def _has_meaning(case: StoredCase) -> bool:
    return bool(case.prediction["model"].get("prognostic_meaning", True))


def _wrapped(text: str, columns: int) -> list[str]:
    """Lines that fit, by the width of the font."""
    font, lines = ImageFont.load_default(size=20), [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= columns:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _color_bar(draw: ImageDraw.ImageDraw, right: int, top: int, height: int) -> None:
    font = ImageFont.load_default(size=16)
    for row in range(height):
        share = 1.0 - row / (height - 1)
        color = activation_rgb(np.array(share)) if share >= FAINTEST else np.array((40, 40, 40))
        draw.line([(right - 22, top + row), (right - 8, top + row)], fill=tuple(int(c) for c in color))
    for share in (1.0, 0.75, 0.5, FAINTEST):
        place = top + round((1.0 - share) * (height - 1))
        draw.text((right - 28, place), f"{share:.2f}", fill=_WHITE, font=font, anchor="rm")
