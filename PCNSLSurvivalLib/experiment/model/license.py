"""The license of a trained model: that of weights made elsewhere stays with what is trained from them."""

from __future__ import annotations

from PCNSLSurvivalLib.models.model_license import APACHE, ModelLicense
from PCNSLSurvivalLib.training.lineage import TrainedOn

_NOTICE = "Pass on the copyright notice and the license that came with the file, together with this folder."
_LIMITED = """The license of these weights also limits the use of networks trained from them. Read the license that came
with the file. If it is not at hand, do not use this model commercially, and do not pass it on."""


def license_of(behind: TrainedOn) -> ModelLicense:
    """The license of a model, by what is behind its weights.

    Args:
        behind: Initial weights of its networks included.
    """
    if not behind.origins:
        return APACHE
    names = dict.fromkeys(origin.model_license for origin in behind.origins)
    apache = [name for name in names if name.startswith(APACHE.name)]
    # What restricts the use counts alone: the model is not under Apache-2.0 as well.
    name = "; ".join([name for name in names if name not in apache] or apache)
    weights = "\n".join(f"- {origin.in_words}" for origin in behind.origins)
    text = f"""License of the networks in this folder: {name}

They were trained from initial weights that were made elsewhere:

{weights}

{_NOTICE if set(names) == {APACHE.name} else _LIMITED}
"""
    return ModelLicense(name=name, text=f"{text}\n{APACHE.text}" if len(apache) == len(names) else text)
