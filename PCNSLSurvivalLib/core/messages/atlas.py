"""Messages about the atlas that a user brings: its files, its registration, the names of regions."""

from __future__ import annotations

from PCNSLSurvivalLib.core.marked import marked as _

TEMPLATES = {
    "atlas.agrees": _("The registration of the atlas passed its checks."),
    "atlas.apart": _(
        "No region names are shown: two registrations of the atlas differ by {mm:.1f} mm, more than {limit:.0f} mm."
    ),
    "atlas.back_to_front": _(
        "The regions that the atlas names occipital lie in front of those that it names frontal. Its labels or its "
        "template is turned or mirrored."
    ),
    "atlas.few_names": _(
        "The table names only {percent:.0f} % of the labeled volume of the atlas. Give the table that belongs to the "
        "labels."
    ),
    "atlas.files": _(
        "An atlas is a folder with one T1 template, one volume of labels and one table of names (.tsv, .ctbl, .txt). "
        "Volumes found: {volumes}. Tables found: {tables}."
    ),
    "atlas.grid": _("The labels of the atlas are not on the voxels of its template. Give both on one voxel grid."),
    "atlas.labels_not_numbers": _("The labels of the atlas are not whole numbers from 0 up. Give a volume of labels."),
    "atlas.labels_rounded": _(
        "The labels of the atlas are stored as real numbers, which are rounded from {limit:.0f} on. Save them as whole "
        "numbers of 32 bits."
    ),
    "atlas.mirrored": _(
        "The regions that the atlas names left lie on the right of its template. Its labels or its template is "
        "mirrored."
    ),
    "atlas.no_brain": _(
        "No brain was found in the template of the atlas. Give a T1-weighted template of an adult head or brain."
    ),
    "atlas.no_folder": _("There is no folder at the place given for the atlas."),
    "atlas.no_labels": _(
        "Neither volume of the atlas is a volume of labels. Give one T1 template and one volume of labels."
    ),
    "atlas.no_match": _(
        "No region names are shown: the tissue of the brain does not match the template of the atlas (sharpness "
        "{sharpness:.2f}, less than {limit:.2f})."
    ),
    "atlas.no_template": _("Both volumes of the atlas are labels. Give one T1 template and one volume of labels."),
    "atlas.not_numbers": _(
        "A volume of the atlas holds values that are not finite numbers. Write 0 in their place, and try again."
    ),
    "atlas.not_permitted": _("The atlas cannot be read. Ask its owner for read access to the folder and its files."),
    "atlas.outlines": _(
        "No region names are shown: the brain overlaps the brain of the atlas by {dice:.2f} only, less than "
        "{limit:.2f} (Dice)."
    ),
    "atlas.stretched": _(
        "No region names are shown: the brain would have to be stretched by {percent:.0f} % to fit the atlas, more "
        "than {limit:.0f} %."
    ),
    "atlas.table": _(
        "Line {line} of the table of names cannot be read. Each line is a label and a name without spaces, as in "
        "FreeSurfer and Slicer; or give a .tsv with the columns index and name."
    ),
    "atlas.table_double": _("The table of names holds label {label} twice. Remove one of the two lines."),
    "atlas.table_empty": _("The table of names holds no names. Give a table with a label and a name in each line."),
    "atlas.table_text": _("The table of names is no text in UTF-8 of at most {megabytes} MB. Save it as UTF-8."),
    "atlas.too_many": _("The atlas holds {count} labels, more than {limit}. Give an atlas of brain regions."),
    "atlas.unnamed": _("Labels of the atlas without a name, which are not shown: {count}."),
    "atlas.upside_down": _(
        "The cerebellum of the atlas lies above the regions that it names frontal or parietal. Its labels or its "
        "template is turned or mirrored."
    ),
    "region.here": _("{name}"),
    "region.here_or": _("{name}; within {mm:.0f} mm also {others}"),
    "region.near": _("No named region here; within {mm:.0f} mm: {others}"),
    "region.none": _("No named region within {mm:.0f} mm"),
}
