"""A model as the bundle that stock MONAI opens in one call: with ``models/model.pt``, a plain state dict."""

from __future__ import annotations

import shutil
from pathlib import Path

import torch

from PCNSLSurvivalLib.core.errors import ModelFolderError
from PCNSLSurvivalLib.core.files import whole_folder
from PCNSLSurvivalLib.models.model_folder import METADATA, ModelFolder


def write_stock_bundle(model: ModelFolder, out: Path) -> None:
    """Write a bundle for ``monai.bundle.load(name, bundle_dir=..., workflow_type="inference")``.

    It holds the first member only, since MONAI's bundles know one network; this software does not read it back.

    Args:
        model: Which one; its weights are checked first.
        out: Folder to make.

    Raises:
        ModelFolderError: The network cannot be said in a MONAI config, or the weights are damaged.
        OutputFolderError: ``out`` cannot be written.
    """
    if model.architecture.norm != "batch":
        raise ModelFolderError("MONAI cannot build instance normalization without parameters; export a zip instead.")
    state = {name: torch.tensor(array) for name, array in model.load_members()[0].items()}
    for name in [n for n in state if n.endswith("running_mean")]:
        state[name.replace("running_mean", "num_batches_tracked")] = torch.tensor(0)
    with whole_folder(out) as folder:
        for name in [METADATA, *(n for n in model.files if n not in model.members)]:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(model.path / name, folder / name)
        (folder / "models").mkdir()
        torch.save(state, folder / "models" / "model.pt")
