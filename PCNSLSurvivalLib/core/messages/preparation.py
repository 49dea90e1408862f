"""What is told of the preparation of a scan: brain, bias field, alignment, recipe."""

from __future__ import annotations

from PCNSLSurvivalLib.core.messages.marked import marked as _

TEMPLATES = {
    "alignment.unreadable": _(
        "The alignment cannot be read. Give the alignment.json that 'pcnsl-survival register' made, or leave "
        "--alignment out."
    ),
    "bias_field.no_brain": _(
        "No brain was found in {sequence} for the bias field correction. Look at the scan: is it a brain MRI of the "
        "same patient?"
    ),
    "bias_field.no_fit": _(
        "The bias field of {sequence} could not be fitted. Try again with --already-corrected to leave it out."
    ),
    "brain.apart": _(
        "The brain mask falls apart: {percent:.0f} % of it is not joined to the largest piece. Look at its outline "
        "on the slices."
    ),
    "brain.away_from_skin": _("The brain mask keeps away from the skin."),
    "brain.cut_off": _(
        "The {side} of the brain is cut off by the border of T1Gd: the last section still has {percent:.0f} % of "
        "the largest one. Use a series that covers the whole brain."
    ),
    "brain.holds_deep": _("The brain mask holds what lies deep in the upper head."),
    "brain.inside_scan": _("The brain lies inside the scanned block of T1Gd."),
    "brain.mask_empty": _("The brain mask is empty. Check the brain mask on T1Gd, or leave it out."),
    "brain.missed": _(
        "The brain mask leaves out {percent:.0f} % of what lies deep in the upper head. Look at its outline on the "
        "slices and correct it, or give another one (in Slicer under Advanced, on the command line --brain-mask)."
    ),
    "brain.near_skin": _(
        "The brain mask leaks: {percent:.1f} % of it lies within {mm:.0f} mm of the skin. Look at its outline on "
        "the slices and correct it, or give another one (in Slicer under Advanced, on the command line "
        "--brain-mask)."
    ),
    "brain.no_head": _("No head was found in T1Gd. Check that T1Gd is a brain MRI."),
    "brain.no_outline": _(
        "No brain outline could be drawn on T1Gd. Look at the scan, or give a brain mask (in Slicer under Advanced, "
        "on the command line --brain-mask)."
    ),
    "brain.not_found": _(
        "No brain was found in T1Gd. Check that T1Gd is a brain MRI of the whole head, or give a brain mask (in "
        "Slicer under Advanced, on the command line --brain-mask); for scans without skull skip this step (in "
        "Slicer under Advanced, on the command line --already-stripped)."
    ),
    "brain.one_piece": _("The brain mask is one piece."),
    "brain.outline_off_t1gd": _(
        "The brain outline does not meet T1Gd. Look at the scan, or give a brain mask (in Slicer under Advanced, on "
        "the command line --brain-mask)."
    ),
    "brain.too_large": _(
        "The brain mask holds {ml:.0f} mL, too much for an adult brain. Look at its outline on the slices."
    ),
    "brain.too_small": _(
        "The brain mask holds {ml:.0f} mL, too little for an adult brain. Look at its outline on the slices."
    ),
    "brain.volume": _("The brain mask holds {ml:.0f} mL."),
    "brain_extractor.damaged": _(
        "The brain extraction network {file} is damaged. Run 'pcnsl-survival install-brain-extractor' to get it again."
    ),
    "brain_extractor.no_download": _(
        "pip could not download the wheel deepbet 1.0.2 ({reason}). Check the network connection, or put the wheel "
        "into a folder and run 'pcnsl-survival install-brain-extractor --wheels FOLDER'."
    ),
    "brain_extractor.no_wheel": _(
        "The folder given with --wheels holds no wheel of deepbet 1.0.2. Download it with 'pip download --no-deps "
        "deepbet==1.0.2' on a computer with a network connection."
    ),
    "brain_extractor.not_installed": _(
        "The brain extraction networks are not on this computer yet. Run 'pcnsl-survival install-brain-extractor' "
        "once (10 MB), give a brain mask with --brain-mask, or use scans without skull with --already-stripped."
    ),
    "brain_extractor.not_ours": _(
        "The downloaded brain extraction network {file} is not the one this software was measured with. Get the "
        "wheel deepbet 1.0.2 from a source you trust, put it into a folder, and run 'pcnsl-survival "
        "install-brain-extractor --wheels FOLDER'."
    ),
    "brain_extractor.unknown": _(
        "The recipe asks for the brain extraction '{method}', and this version has {known}. Give a brain mask with "
        "--brain-mask, or use a model with another recipe."
    ),
    "enhancement.good": _("T1Gd looks contrast-enhanced compared with T1."),
    "enhancement.hardly": _(
        "T1Gd hardly looks contrast-enhanced compared with T1. Check that T1Gd was taken after contrast."
    ),
    "enhancement.swapped": _(
        "T1 looks contrast-enhanced and T1Gd does not: they seem to be swapped. Exchange the two files."
    ),
    "preparation.no_contrast_in_brain": _(
        "{sequence} shows no contrast inside the brain. Check that {sequence} covers the brain, or leave it out."
    ),
    "preparation.no_t1gd": _("No T1Gd was given. The prediction reads the post-contrast T1; choose one."),
    "preparation.scan_missing": _(
        "This model also needs {absent}. Add the missing scan, or choose a model for T1Gd alone."
    ),
    "quality.stop": _(
        "{findings} To go on all the same, override the quality stop (in Slicer under Advanced, on the command line "
        "--override-quality); the result says so."
    ),
    "recipe.does_not_fit": _("{part} does not fit this software ({odd}). Use a model made for this version."),
    "recipe.other_than_model": _(
        "{case} was prepared with another recipe than this model reads ({steps}). Prepare the scans again with the "
        "recipe of the model, or choose a model for this recipe."
    ),
    "recipe.other_version": _(
        "The preprocessing recipe has version '{version}', this software reads version '{ours}'. Use a model made "
        "for this version, or prepare the scans again."
    ),
    "register.nothing_given": _("There is no scan to register to T1Gd. Give --t1, --t2 or --flair."),
    "registration.head_turn": _("Between T1Gd and {sequence} the head turned by {degrees:.1f} degrees."),
    "registration.impossible_turn": _(
        "Between T1Gd and {sequence} the head would have turned by {degrees:.0f} degrees, which is hardly possible "
        "in a head coil. Compare the two on the checkerboard."
    ),
    "registration.not_over_t1gd": _(
        "{sequence} does not seem to lie over T1Gd. Compare the two on the checkerboard: are they from one patient? "
        "Otherwise leave {sequence} out, or register it by hand and say so (in Slicer 'Skip' for the alignment "
        "under Advanced, on the command line --already-registered)."
    ),
    "registration.nothing_in_common": _(
        "{sequence} and T1Gd show no common part of the head. Check that both files belong to one patient."
    ),
    "registration.sharp": _("{sequence} lies over T1Gd: every head movement from there makes the match clearly worse."),
    "registration.uncovered_brain": _(
        "{sequence} does not show {percent:.0f} % of the brain seen on T1Gd. Use a series that covers the whole "
        "brain, or leave {sequence} out."
    ),
    "registration.whole_brain": _("{sequence} shows the whole brain of T1Gd."),
    "skipped.already_over_t1gd": _("the scans lie over T1Gd already"),
    "skipped.already_stripped": _("already skull-stripped"),
    "skipped.brain_mask_given": _("a brain mask was given"),
    "skipped.no_bias_field": _("the scans have no bias field left"),
    "skipped.only_t1gd": _("T1Gd is the only scan"),
}
