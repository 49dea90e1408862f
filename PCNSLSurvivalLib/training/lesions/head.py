"""The linear head of a trained backbone, refitted from two readings of the lesion.

Both are linear in the map cells and found by least squares on the lesion masks. One is the fraction of the whole lesion
in a cell, which sums to one in every patient; the other is the lesion fraction of the cell, which sums to the amount.
``training.lesions.mixture`` fits their two coefficients to the classes. Evidence away from the lesion comes only from
errors of the readings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import nn

from PCNSLSurvivalLib.models.networks.designs import HEAD, MAP_BLOCK
from PCNSLSurvivalLib.training.data.batches import in_order, read_ahead
from PCNSLSurvivalLib.training.data.dataset import NetworkInputs
from PCNSLSurvivalLib.training.lesions.mixture import fit_mixture, head_of
from PCNSLSurvivalLib.training.lesions.task import fraction_in_cells, share_in_cells

# What a patient's sum over all cells counts beside the cells one by one: the sum decides the class, the cells the map.
_WEIGHT_OF_SUM = 10.0
# Share of the mean square of the features that is added to each: directions in which they hardly differ say nothing.
_RIDGE_OF_READING = 1e-4


def refit_head(
    network: nn.Module,
    names: Sequence[str],
    classes: Mapping[str, int],
    inputs: NetworkInputs,
    *,
    batch_size: int,
) -> None:
    """Replace the head by the mixture of the two readings; see ``fit_mixture``.

    Args:
        network: Left in evaluation mode.
        names: Patients to fit on.
        classes: Class by name.
        inputs: Their tensors, with lesion masks.
        batch_size: Cases at a time.
    """
    network.eval()
    head = network.get_submodule(HEAD)
    assert isinstance(head, nn.Linear)
    kept: list[torch.Tensor] = []
    hook = network.get_submodule(MAP_BLOCK).register_forward_hook(lambda module, given, out: kept.append(out))
    cells, shares = [], []
    try:
        with torch.no_grad():
            for _, tensors in read_ahead(in_order(names, batch_size), inputs, head.weight.device):
                network(tensors[:, :-1])
                out = kept.pop().float()
                cells.append(out.flatten(2).cpu().double())
                share = share_in_cells(tensors[:, -1:], (out.shape[2], out.shape[3], out.shape[4]))
                shares.append(share.flatten(1).cpu().double())
    finally:
        hook.remove()
    features, share = torch.cat(cells), torch.cat(shares)
    fraction = fraction_in_cells(share[:, :, None, None])[:, :, 0, 0]
    readings = _readings(features, torch.stack([fraction, share]))
    said = torch.einsum("fr,pfn->pr", readings, features)
    mixture = fit_mixture(said.numpy(), np.array([bool(classes[name]) for name in names]))
    weight, bias = head_of(readings.T.numpy(), mixture, cells=features.shape[2])
    with torch.no_grad():
        head.weight.copy_(torch.from_numpy(weight))
        head.bias.copy_(torch.from_numpy(bias))


def _readings(features: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """(F, R) linear readings of (P, F, n) cells that come closest to (R, P, n) targets, cell by cell and in sum."""
    sums, wanted = features.sum(2), targets.sum(2)
    patients = len(features)
    square = torch.einsum("pfn,pgn->fg", features, features) + _WEIGHT_OF_SUM * sums.T @ sums
    product = torch.einsum("pfn,rpn->fr", features, targets) + _WEIGHT_OF_SUM * sums.T @ wanted.T
    ridge = _RIDGE_OF_READING * square.trace() / len(square) * torch.eye(len(square), dtype=square.dtype)
    return torch.linalg.solve((square + ridge) / patients, product / patients)
