"""The linear head fitted anew on a trained backbone: a convex problem, solved to its end.

A global average over some hundred cells leaves a lesion's few cells a small share, so that the head's weights have to
become large, which gradient steps on small batches do slowly and unsteadily. With the backbone done, the best head is
found exactly, and what it may use outside the lesion has its price.

References:
    Kirichenko, Izmailov and Wilson, Last layer re-training is sufficient for robustness to spurious correlations,
    ICLR 2023. arXiv:2204.02937
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import nn
from torch.nn import functional

from PCNSLSurvivalLib.data.dataset import NetworkInputs
from PCNSLSurvivalLib.training.batches import in_order, read_ahead
from PCNSLSurvivalLib.training.lesion_task import cells_near

# On weights of features brought to unit spread over the patients; a ridge in the usual sense.
_RIDGE = 0.3
# Makes the absolute value smooth at 0, in log-odds.
_SMOOTH = 1e-4
_STEPS = 300


def refit_head(
    network: nn.Module,
    names: Sequence[str],
    classes: Mapping[str, int],
    inputs: NetworkInputs,
    *,
    outside: float,
    batch_size: int,
) -> None:
    """Replace the head by the one with the lowest penalized log loss; it has no constant.

    Minimizes mean log loss + ridge + ``outside`` x mean over the patients of the absolute evidence, in log-odds,
    of cells away from the lesion.

    Args:
        network: Left in evaluation mode.
        names: Patients to fit on.
        classes: Class by name.
        inputs: Their tensors, with lesion masks.
        outside: Price of a unit of evidence outside the lesion.
        batch_size: Cases at a time.
    """
    network.eval()
    head = network.get_submodule("fc")
    assert isinstance(head, nn.Linear)
    kept: list[torch.Tensor] = []
    hook = network.get_submodule("layer4").register_forward_hook(lambda module, given, out: kept.append(out))
    cells, away = [], []
    try:
        with torch.no_grad():
            for _, tensors in read_ahead(in_order(names, batch_size), inputs, head.weight.device):
                network(tensors[:, :-1])
                out = kept.pop().float()
                cells.append(out.cpu().double())
                near = cells_near(tensors[:, -1:], (out.shape[2], out.shape[3], out.shape[4]))
                away.append((~near).cpu().double())
    finally:
        hook.remove()
    features, elsewhere = torch.cat(cells), torch.cat(away)
    target = torch.tensor([classes[name] for name in names], dtype=torch.float64)
    spread = features.mean((2, 3, 4)).std(0) + 1e-6
    per_cell = features / spread[:, None, None, None] / features[0, 0].numel()
    weight = torch.zeros(features.shape[1], dtype=torch.float64, requires_grad=True)
    solver = torch.optim.LBFGS([weight], max_iter=_STEPS, line_search_fn="strong_wolfe")

    def penalized_loss() -> torch.Tensor:
        solver.zero_grad()
        evidence = torch.einsum("c,ncijk->nijk", weight, per_cell)
        loss = functional.binary_cross_entropy_with_logits(evidence.sum((1, 2, 3)), target)
        elsewhere_mean = (torch.sqrt(evidence**2 + _SMOOTH**2) * elsewhere).sum((1, 2, 3)).mean()
        loss = loss + _RIDGE / 2 * (weight**2).sum() + outside * elsewhere_mean
        loss.backward()
        return loss

    solver.step(penalized_loss)
    with torch.no_grad():
        half = (weight / spread / 2).to(head.weight)
        head.weight.copy_(torch.stack([-half, half]))
        head.bias.zero_()
