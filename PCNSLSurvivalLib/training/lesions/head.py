"""The linear head, refitted on a trained backbone from two lesion outputs.

After the training of the backbone, one bit per patient must be explained by more than a hundred features: a free fit
overfits, and a bias is evidence without a location. The head is therefore composed of two linear outputs of the map
cells, found by least squares on the lesion masks. One is the fraction of the whole lesion in a cell, which sums to
one in every patient; the other is the lesion fraction of the cell, which sums to the amount. Two coefficients remain
to be fitted to the classes: log-odds = c + a x 1 + b x amount. The constant c is not fitted: it is the log-odds of the
patients' share over one year, what is known before a scan is seen, and it is the bias of the head. Evidence away from
the lesion comes only from errors of the outputs.

References:
    Kirichenko, Izmailov and Wilson, Last layer re-training is sufficient for robustness to spurious correlations,
    ICLR 2023. arXiv:2204.02937
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import nn
from torch.nn import functional

from PCNSLSurvivalLib.models.networks.designs import HEAD, MAP_BLOCK
from PCNSLSurvivalLib.training.data.batches import in_order, read_ahead
from PCNSLSurvivalLib.training.data.dataset import NetworkInputs
from PCNSLSurvivalLib.training.lesions.task import fraction_in_cells, share_in_cells

# What a patient's sum over all cells counts beside the cells one by one: the sum decides the class, the cells the map.
_WEIGHT_OF_SUM = 10.0
# Share of the mean square of the features that is added to each: directions in which they hardly differ say nothing.
_RIDGE_OF_READING = 1e-4
# Keeps the two numbers finite where the classes can be separated.
_RIDGE = 1e-3
_STEPS = 200


def refit_head(
    network: nn.Module,
    names: Sequence[str],
    classes: Mapping[str, int],
    inputs: NetworkInputs,
    *,
    batch_size: int,
) -> None:
    """Replace the head by the best mixture of the two readings, by log loss, beside the constant of the classes.

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
    target = torch.tensor([classes[name] for name in names], dtype=torch.float64)
    constant = torch.logit(target.mean(), eps=1e-6)
    mixture = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    solver = torch.optim.LBFGS([mixture], max_iter=_STEPS, line_search_fn="strong_wolfe")

    def penalized_loss() -> torch.Tensor:
        solver.zero_grad()
        log_odds = constant + said @ mixture
        loss = functional.binary_cross_entropy_with_logits(log_odds, target) + _RIDGE / 2 * (mixture**2).sum()
        loss.backward()
        return loss

    solver.step(penalized_loss)
    with torch.no_grad():
        weight = (readings @ mixture) * features.shape[2]  # the network averages over cells, the readings add them up
        half = (weight / 2).to(head.weight)
        head.weight.copy_(torch.stack([-half, half]))
        head.bias.copy_(torch.stack([-constant / 2, constant / 2]).to(head.bias))


def _readings(features: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """(F, R) linear readings of (P, F, n) cells that come closest to (R, P, n) targets, cell by cell and in sum."""
    sums, wanted = features.sum(2), targets.sum(2)
    patients = len(features)
    square = torch.einsum("pfn,pgn->fg", features, features) + _WEIGHT_OF_SUM * sums.T @ sums
    product = torch.einsum("pfn,rpn->fr", features, targets) + _WEIGHT_OF_SUM * sums.T @ wanted.T
    ridge = _RIDGE_OF_READING * square.trace() / len(square) * torch.eye(len(square), dtype=square.dtype)
    return torch.linalg.solve((square + ridge) / patients, product / patients)
