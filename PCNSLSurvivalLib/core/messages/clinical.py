"""Messages about clinical findings and the published scores."""

from __future__ import annotations

from PCNSLSurvivalLib.core.marked import marked as _

TEMPLATES = {
    "clinical.agree": _("The image model and the IELSG score agree."),
    "clinical.disagree": _("The image model and the IELSG score disagree: {image} by the image, {risk} by the score."),
    "clinical.field_unknown": _(
        "The clinical findings have an entry '{name}' that is not known. Use only: {known}; leave out what is unknown."
    ),
    "clinical.field_wrong": _("The clinical finding '{name}' must be {wanted}. Correct it, or leave it out."),
    "clinical.ielsg": _("IELSG score {score} of 5: {risk}."),
    "clinical.ielsg_os": _(
        "Published 2-year OS of this risk group: {percent}% ± {sd}% (SD), in 105 patients treated before 2003."
    ),
    "clinical.ielsg_range": _("IELSG score {lowest} to {highest} of 5 ({risks}); unknown: {missing}."),
    "clinical.ielsg_unknown": _("IELSG score: no clinical findings are known."),
    "clinical.intermediate": _("The IELSG score is intermediate: it neither supports nor contradicts the image model."),
    "clinical.mskcc": _("MSKCC class {number}: {definition}."),
    "clinical.mskcc_range": _("MSKCC class: one of {numbers}; unknown: {missing}."),
    "clinical.no_comparison": _(
        "The model has no prognostic meaning, so its class is not compared with the clinical scores."
    ),
    "clinical.open": _("The known findings do not settle the IELSG risk group: no comparison with the image model."),
    "clinical.unreadable": _(
        "The clinical findings could not be read. Give a text file with one JSON object, for example "
        '{{"age_years": 67, "ecog": 2}}.'
    ),
    "word.age": _("age"),
    "word.csf_protein": _("CSF protein"),
    "word.deep_structures": _("deep structures"),
    "word.ecog": _("ECOG"),
    "word.high_risk": _("high risk"),
    "word.intermediate_risk": _("intermediate risk"),
    "word.karnofsky": _("Karnofsky"),
    "word.ldh": _("LDH"),
    "word.low_risk": _("low risk"),
    "word.mskcc_1": _("younger than 50 years"),
    "word.mskcc_2": _("50 years or older, Karnofsky 70 or more"),
    "word.mskcc_3": _("50 years or older, Karnofsky below 70"),
}
