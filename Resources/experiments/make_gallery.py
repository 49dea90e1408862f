"""Make docs/gallery.md with its pictures: one virtual patient, as it is and spoiled on purpose, predicted by this code.

Usage: ``make gallery``, or ``python Resources/experiments/make_gallery.py [--out DIR] [--without-checks]``; some
minutes. Nothing on the page is chosen by its outcome: what the software said stands below every picture.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from PIL import Image

from PCNSLSurvivalLib.cli.__main__ import main as command_line
from PCNSLSurvivalLib.core.terms import MRSequence, OSClass
from PCNSLSurvivalLib.imaging.geometry import canonical
from PCNSLSurvivalLib.models.model_folder import bundled_model_path
from PCNSLSurvivalLib.phantoms import demonstration_patient
from PCNSLSurvivalLib.reports.case.key_images import key_images
from PCNSLSurvivalLib.results.stored_case import read_stored_case

ROOT = Path(__file__).resolve().parents[2]
_CUT_MM, _NOISE, _GHOST = 45.0, 0.25, 0.35
_WIDTH, _QUALITY = 520, 80

Scans = Mapping[MRSequence, sitk.Image]


@dataclass(frozen=True)
class Entry:
    """One picture of the gallery."""

    name: str
    title: str
    made: str
    """How the scan was made."""
    scan: Callable[[Scans], sitk.Image]
    lesson: str
    """What a reader takes from it, whatever was said."""
    checks: bool = False


def _as_it_is(scans: Scans) -> sitk.Image:
    return scans[MRSequence.T1GD]


def _no_contrast(scans: Scans) -> sitk.Image:
    return scans[MRSequence.T1]


def _cut_at_the_vertex(scans: Scans) -> sitk.Image:
    image = canonical(scans[MRSequence.T1GD])
    keep = image.GetSize()[2] - round(_CUT_MM / image.GetSpacing()[2])
    return image[:, :, :keep]


def _noisy(scans: Scans) -> sitk.Image:
    image = scans[MRSequence.T1GD]
    values = sitk.GetArrayFromImage(image).astype(np.float32)
    noise = np.random.default_rng(0).normal(size=(2, *values.shape)) * _NOISE * values[values > values.mean()].mean()
    return _like(np.hypot(values + noise[0], noise[1]), image)  # Rician, as in magnitude images


def _moved(scans: Scans) -> sitk.Image:
    image = canonical(scans[MRSequence.T1GD])
    values = sitk.GetArrayFromImage(image).astype(np.float32)
    return _like((1 - _GHOST) * values + _GHOST * np.roll(values, values.shape[1] // 6, axis=1), image)


def _like(values: np.ndarray, image: sitk.Image) -> sitk.Image:
    made = sitk.GetImageFromArray(np.clip(values, 0, 32000).astype(np.int16))
    made.CopyInformation(image)
    return made


ENTRIES = (
    Entry(
        "as-it-is", "The demonstration patient", "The T1Gd as the virtual scanner gives it.", _as_it_is,
        "Compare the strongest region with the enhancing tumor, and see which checks the map passed.", checks=True,
    ),
    Entry(
        "no-contrast", "No contrast agent", "The T1 without contrast agent of the same patient, given as T1Gd.",
        _no_contrast, "This number describes another kind of scan. Choose the T1Gd.",
    ),
    Entry(
        "cut", "The scan ends below the vertex", f"The upper {_CUT_MM:.0f} mm of the T1Gd are missing.",
        _cut_at_the_vertex, "What is not in the scan cannot enter the prediction.",
    ),
    Entry(
        "noise", "Strong noise", f"Rician noise of {_NOISE:.0%} of the mean of the head.", _noisy,
        "Noise hides what a network looks for. Repeat the acquisition.",
    ),
    Entry(
        "motion", "Motion", f"A ghost of {_GHOST:.0%}, displaced along the phase direction.", _moved,
        "Motion is not measured by itself. Look at the scan before the number.",
    ),
)  # fmt: skip


def main() -> None:
    """Predict every entry, draw its strongest slice, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs")
    parser.add_argument("--without-checks", action="store_true", help="leave the checks of the map out")
    args = parser.parse_args()
    (args.out / "pictures").mkdir(parents=True, exist_ok=True)
    scans = demonstration_patient(sequences=(MRSequence.T1GD, MRSequence.T1)).scans
    version = json.loads((bundled_model_path() / "configs" / "metadata.json").read_text(encoding="utf-8"))["version"]
    parts = [_HEAD.format(version=version)]
    for entry in ENTRIES:
        print(entry.title, flush=True)
        parts.append(_entry(entry, scans, args.out, checks=entry.checks and not args.without_checks))
    (args.out / "gallery.md").write_text("\n".join(parts), encoding="utf-8")


def _entry(entry: Entry, scans: Scans, out: Path, *, checks: bool) -> str:
    with tempfile.TemporaryDirectory() as folder:
        scan, result = Path(folder) / "t1gd.nii.gz", Path(folder) / "result"
        image = entry.scan(scans)
        sitk.WriteImage(image, str(scan))
        words = ["explain", "--check"] if checks else ["predict"]
        words += ["--t1gd", str(scan), "--out", str(result), "--progress", "none", "--device", "cpu"]
        complaint = io.StringIO()
        with contextlib.redirect_stderr(complaint):
            code = command_line(words)
        lines = [f"## {entry.title}\n", entry.made + "\n"]
        if code == 0:
            case = read_stored_case(result)
            explains = next(iter(case.maps))
            (picture, *_rest) = key_images(case, image, explains)
            _save(picture.rgb, out / "pictures" / f"gallery-{entry.name}.jpg")
            lines.append(f"![{entry.title}: strongest slice of the map](pictures/gallery-{entry.name}.jpg)\n")
            lines.append(_said(case.prediction, explains))
        else:
            sentence = complaint.getvalue().strip().removeprefix("pcnsl-survival: ")
            lines.append(f"- **No number was given:** {sentence}\n")
        return "\n".join([*lines, entry.lesson + "\n"])


def _said(prediction: Mapping[str, object], explains: OSClass) -> str:
    told = [f"Probability of OS > 1 year: {prediction['probability_over_one_year']:.2f}; map for {explains.label}."]
    warnings = [one["sentence"] for one in prediction["warnings"]]  # type: ignore[attr-defined]
    checks = prediction["explanation_checks"]
    if checks is not None:
        told.append(f"Checks of the map: {checks['sentence']}")  # type: ignore[index]
    told += [f"Warning: {sentence}" for sentence in warnings]
    return "\n".join(f"- {sentence}" for sentence in told) + "\n"


def _save(rgb: np.ndarray, path: Path) -> None:
    picture = Image.fromarray(rgb)
    height = round(picture.height * _WIDTH / picture.width)
    picture.resize((_WIDTH, height), Image.Resampling.LANCZOS).save(path, quality=_QUALITY, optimize=True)


_HEAD = """# Gallery

One virtual patient, as it is and spoiled on purpose. The lists below the pictures are what the software said, word for
word. [Known failures](known-failures.md) collects what was measured elsewhere. Research use only. Not for clinical
decisions.

*Made by `make gallery`, with version {version} of the bundled model. No picture shows a real person.*
"""

if __name__ == "__main__":
    main()
