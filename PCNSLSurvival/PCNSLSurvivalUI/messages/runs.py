"""What the library says of a prediction, its maps, its files and its exports.

Each stands here as a literal, so that Slicer's tools find it for translation; see ``translation``.
"""

from __future__ import annotations

from collections.abc import Callable

from slicer.i18n import tr


def sentences(_: Callable[[str], str]) -> tuple[str, ...]:
    """The sentences, with names for the values in them.

    Args:
        _: What to do with each; ``str`` for English.
    """
    return (
        _(
            "The export needs the packages pillow and highdicom, which are not installed. Install pcnsl-"
            "survival[export], or in Slicer's Python console: slicer.util.pip_install('highdicom pillow')."
        ),
        _("There is no scan to register to T1Gd. Give --t1, --t2 or --flair."),
        _(
            "{name} does not line up voxel by voxel with {reference}. In Slicer, resample it to {reference} with "
            "'Resample Image (BRAINS)', then try again."
        ),
        _(
            "{share} of the evidence lies outside the brain: the network reads something that is not the "
            "patient's brain. Read the probability with care."
        ),
        _("The brain mask"),
        _("The lesion mask"),
        _("the grid of the map"),
        _(
            "The prepared case has shape {shape}, the model reads {wanted} (sequences and voxels). Prepare the scans "
            "with the recipe of this model."
        ),
        _("The prepared case holds values that are not numbers. Check the scans."),
        _("The network grid of this model cannot be mirrored. Leave --tta out."),
        _(
            "The evidence of the cells does not add up to the log-odds, so neither is shown. Try --device cpu; if it "
            "happens again, install the model anew."
        ),
        _("No region of the scan contributes to {name}: the map is empty."),
        _("The map shows which regions support {name}. It is not a lesion segmentation."),
        _("ONNX Runtime gives the map of layer4. Choose --block layer4, or --runtime torch."),
        _("The memory of the {device} device was not enough; the case was computed on the CPU."),
        _("The {device} device of this computer has no bf16 arithmetic. Choose --precision float32."),
        _("This computer has no {device} device that torch can use. Choose --device auto or --device cpu."),
        _("The T1Gd series"),
        _("the map of this result"),
        _("The T1Gd"),
        _(
            "No Chromium, Chrome or Edge was found on this computer to make the PDF. Open the report in any browser "
            "and print it to a PDF there."
        ),
        _("The PDF could not be written. Choose another folder, or open the report in a browser and print it."),
        _("Research use only. Not for clinical decisions."),
        _("OS > 1 year"),
        _("OS ≤ 1 year"),
    )


def translated(sentence: str) -> str:
    """One of them in the user's language; asked for here, because Slicer looks it up under this file's name."""
    return tr(sentence)
