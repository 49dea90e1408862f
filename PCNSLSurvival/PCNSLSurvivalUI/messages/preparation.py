"""What the library says of the preparation of a scan: brain, bias field, alignment, recipe.

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
        _("The mask for the bias field of {name}"),
        _(
            "No brain was found in {name} for the bias field correction. Look at the scan: is it a brain MRI of the "
            "same patient?"
        ),
        _("The bias field of {name} could not be fitted. Try again with --already-corrected to leave it out."),
        _(
            "No brain was found in T1Gd. Check that T1Gd is a brain MRI of the whole head, or give a brain mask (in "
            "Slicer under Advanced, on the command line --brain-mask); for scans without skull skip this step (in "
            "Slicer under Advanced, on the command line --already-stripped)."
        ),
        _("No head was found in T1Gd. Check that T1Gd is a brain MRI."),
        _(
            "The downloaded brain extraction network {file} is not the one this software was measured with. Get the "
            "wheel deepbet 1.0.2 from a source you trust, put it into a folder, and run 'pcnsl-survival install-"
            "brain-extractor --wheels FOLDER'."
        ),
        _(
            "The brain extraction networks are not on this computer yet. Run 'pcnsl-survival install-brain-extractor' "
            "once (10 MB), give a brain mask with --brain-mask, or use scans without skull with --already-stripped."
        ),
        _(
            "The brain extraction network {file} is damaged. Run 'pcnsl-survival install-brain-extractor' to get it "
            "again."
        ),
        _(
            "pip could not download the wheel deepbet 1.0.2 ({reason}). Check the network connection, or put the "
            "wheel into a folder and run 'pcnsl-survival install-brain-extractor --wheels FOLDER'."
        ),
        _(
            "The folder given with --wheels holds no wheel of deepbet 1.0.2. Download it with 'pip download --no-deps "
            "deepbet==1.0.2' on a computer with a network connection."
        ),
        _(
            "No brain outline could be drawn on T1Gd. Look at the scan, or give a brain mask (in Slicer under "
            "Advanced, on the command line --brain-mask)."
        ),
        _(
            "The brain outline does not meet T1Gd. Look at the scan, or give a brain mask (in Slicer under Advanced, "
            "on the command line --brain-mask)."
        ),
        _("a brain mask was given"),
        _("already skull-stripped"),
        _("The signal of {name} is {ratio} times its noise."),
        _(
            "{name} is very noisy: the signal of the brain is only {ratio} times the noise. Use another series if "
            "there is one."
        ),
        _("{name} shows the whole brain of T1Gd."),
        _(
            "{name} does not show {share} % of the brain seen on T1Gd. Use a series that covers the whole brain, or "
            "leave {name} out."
        ),
        _("T1 looks contrast-enhanced and T1Gd does not: they seem to be swapped. Exchange the two files."),
        _("T1Gd hardly looks contrast-enhanced compared with T1. Check that T1Gd was taken after contrast."),
        _("T1Gd looks contrast-enhanced compared with T1."),
        _("The brain mask holds {volume} mL."),
        _("The brain mask holds {volume} mL, too much for an adult brain. Look at its outline on the slices."),
        _("The brain mask holds {volume} mL, too little for an adult brain. Look at its outline on the slices."),
        _("The brain mask is one piece."),
        _(
            "The brain mask falls apart: {share} % of it is not joined to the largest piece. Look at its outline on "
            "the slices."
        ),
        _("The brain lies inside the scanned block of T1Gd."),
        _(
            "The {side} of the brain is cut off by the border of T1Gd: the last section still has {share} % of the "
            "largest one. Use a series that covers the whole brain."
        ),
        _("The brain mask keeps away from the skin."),
        _(
            "The brain mask leaks: {share} % of it lies within {depth} mm of the skin. Look at its outline on "
            "the slices and correct it, or give another one (in Slicer under Advanced, on the command line --brain-"
            "mask)."
        ),
        _("The brain mask holds what lies deep in the upper head."),
        _(
            "The brain mask leaves out {share} % of what lies deep in the upper head. Look at its outline on the "
            "slices and correct it, or give another one (in Slicer under Advanced, on the command line --brain-mask)."
        ),
        _("{name} shows no contrast inside the brain. Check that {name} covers the brain, or leave it out."),
        _("This model also needs {absent}. Add the missing scan, or choose a model for T1Gd alone."),
        _("No T1Gd was given. The prediction reads the post-contrast T1; choose one."),
        _("the scans have no bias field left"),
        _("the scans lie over T1Gd already"),
        _("T1Gd is the only scan"),
        _(
            "To go on all the same, override the quality stop (in Slicer under Advanced, on the command line "
            "--override-quality); the result says so."
        ),
        _("T1Gd shows a brain without skull: it was neither stripped nor bias-corrected again."),
        _(
            "T1Gd is said to show a brain without skull, and shows skull and scalp, or noise around the brain. Take "
            "the setting back (in Slicer under Advanced, on the command line --already-stripped)."
        ),
        _(
            "It cannot be told whether T1Gd shows skull and scalp, so the brain was extracted. If the skull was "
            "removed before, say so (in Slicer under Advanced, on the command line --already-stripped)."
        ),
        _(
            "The preprocessing recipe has version {version}, this software reads version 1. Use a model made for this "
            "version, or prepare the scans again."
        ),
        _(
            "{case} was prepared with another recipe than this model reads ({steps}). Prepare the scans again with "
            "the recipe of the model, or choose a model for this recipe."
        ),
        _("{where} does not fit this software ({odd}). Use a model made for this version."),
        _("{name} and T1Gd show no common part of the head. Check that both files belong to one patient."),
        _("{name} lies over T1Gd: every head movement from there makes the match clearly worse."),
        _(
            "{name} does not seem to lie over T1Gd. Compare the two on the checkerboard: are they from one patient? "
            "Otherwise leave {name} out, or register it by hand and say so (in Slicer 'Skip' for the alignment under "
            "Advanced, on the command line --already-registered)."
        ),
        _("Between T1Gd and {name} the head turned by {turn} degrees."),
        _(
            "Between T1Gd and {name} the head would have turned by {turn} degrees, which is hardly possible in a head "
            "coil. Compare the two on the checkerboard."
        ),
        _(
            "The alignment cannot be read. Give the alignment.json that 'pcnsl-survival register' made, or leave "
            "--alignment out."
        ),
        _("The brain mask is empty. Check the brain mask on T1Gd, or leave it out."),
        _("The preprocessing recipe"),
        _("Step {name} of the preprocessing recipe"),
        _("{name}, rough"),
        _("pip said nothing"),
        _("right"),
        _("left"),
        _("front"),
        _("back"),
        _("bottom"),
        _("top"),
    )


def translated(sentence: str) -> str:
    """One of them in the user's language; asked for here, because Slicer looks it up under this file's name."""
    return tr(sentence)
