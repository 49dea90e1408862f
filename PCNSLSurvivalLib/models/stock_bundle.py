"""A model as the bundle that stock MONAI opens in one call: with ``models/model.pt``, a plain state dict."""

from __future__ import annotations

import shutil
from pathlib import Path

import torch

from PCNSLSurvivalLib.core.errors import ModelFolderError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.storage.files import whole_folder
from PCNSLSurvivalLib.models.model_folder import CARD, METADATA, ModelFolder

_OTHER_NUMBERS = """> **In stock MONAI its probabilities differ from those of this software.** This model counts each
> cell of layer4 by the share of its block that shows brain. MONAI's ResNet counts all cells alike, also those outside
> the brain. To get the numbers of this software, multiply the output of `layer4` by that share before the average, or
> use `pcnsl-survival predict`.

"""


def write_stock_bundle(model: ModelFolder, out: Path) -> None:
    """Write a bundle for ``monai.bundle.load(name, bundle_dir=..., workflow_type="inference")``.

    It holds the first member only, since MONAI's bundles know one network; this software does not read it back. MONAI's
    ResNet cannot count cells by their share of brain: the card of such a bundle says first that its numbers differ.

    Args:
        model: Which one; its weights are checked first.
        out: Folder to make.

    Raises:
        ModelFolderError: The network cannot be said in a MONAI config, or the weights are damaged.
        OutputFolderError: ``out`` cannot be written.
    """
    if model.architecture.norm != "batch":
        raise ModelFolderError(Message("model.no_plain_instance_norm"))
    state = {name: torch.tensor(array) for name, array in model.load_members()[0].items()}
    for name in [n for n in state if n.endswith("running_mean")]:
        state[name.replace("running_mean", "num_batches_tracked")] = torch.tensor(0)
    with whole_folder(out) as folder:
        for name in [METADATA, *(n for n in model.files if n not in model.members)]:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(model.path / name, folder / name)
        if model.architecture.pooling == "brain":
            (folder / CARD).write_text(_OTHER_NUMBERS + model.read_card(), encoding="utf-8", newline="\n")
        (folder / "models").mkdir()
        torch.save(state, folder / "models" / "model.pt")
