"""Words that stand for a value in other messages."""

from __future__ import annotations

from PCNSLSurvivalLib.core.messages.marked import marked as _

TEMPLATES = {
    "word.brain_mask": _("brain mask"),
    "word.lesion_mask": _("lesion mask"),
    "word.volume": _("volume"),
}
