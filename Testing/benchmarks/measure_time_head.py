"""Does survival as time predict better than the class? Heads on simulated features whose true survival is known.

Usage: ``make measure-time-head``, or ``python Testing/benchmarks/measure_time_head.py [--cohorts N]``.

Features stand in for what a backbone gives to its head: the heads are linear layers with a ridge penalty, trained by
the losses of the library. Overall survival is log-normal, as that of the virtual patients. Each cohort has its own test
cohort with the same censoring. "Class, weighted" is the class head with ``censoring_weights``.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
import torch
from numpy.typing import NDArray

from PCNSLSurvivalLib.evaluation.baselines.cox import fit_cox, survival_of
from PCNSLSurvivalLib.evaluation.censoring import brier_at, integrated_brier, inverse_censoring_weights
from PCNSLSurvivalLib.models.networks.time_head import TimeHead
from PCNSLSurvivalLib.training.outcome_loss import ClassLoss, OutcomeLoss, TimeLoss
from PCNSLSurvivalLib.training.settings import TrainingSettings

FEATURES, CLINICAL, TEST_PATIENTS = 6, 2, 4000
RIDGE = 0.02
HEAD = TimeHead()
CPU = torch.device("cpu")
ARMS = ("class", "class, weighted", "time", "Cox, clinic", "Kaplan-Meier")
Array = NDArray[np.float64]


def cohort(rng: np.random.Generator, patients: int, *, signal: bool, early: bool) -> dict[str, Array]:
    """Features of images and clinic, follow-up and deaths; the risk is in both, or in the clinic alone."""
    images, clinic = rng.standard_normal((patients, FEATURES)), rng.standard_normal((patients, CLINICAL))
    risk = 0.4 * clinic[:, 0] + (images[:, :3].sum(axis=1) / np.sqrt(3) if signal else 0.0)
    dies = np.exp(np.log(430) - 0.8 * risk + 0.8 * rng.standard_normal(patients))
    leaves = rng.uniform(400, 2500, patients)
    if early:
        # Lost within the year whatever the survival; about two of five patients then have no class.
        leaves = np.where(rng.random(patients) < 0.5, rng.uniform(0, 365, patients), leaves)
    return {"images": images, "clinic": clinic, "days": np.minimum(dies, leaves), "died": dies <= leaves}


def fitted(outcome: OutcomeLoss, features: Array, names: list[str], outputs: int) -> torch.nn.Linear:
    """A linear head of least penalized loss."""
    torch.manual_seed(0)
    head = torch.nn.Linear(features.shape[1], outputs)
    x = torch.tensor(features, dtype=torch.float32)
    solver = torch.optim.LBFGS(head.parameters(), max_iter=200, line_search_fn="strong_wolfe")

    def step() -> torch.Tensor:
        solver.zero_grad()
        loss = outcome.losses(head(x), names).sum() / outcome.weights(names).sum()
        loss = loss + RIDGE / 2 * (head.weight**2).sum()
        loss.backward()
        return loss

    solver.step(step)
    return head


def read(head: torch.nn.Linear, features: Array) -> Array:
    """(N, outputs) of a head."""
    outputs: Array = head(torch.tensor(features, dtype=torch.float32)).detach().double().numpy()
    return outputs


def curves(seed: int, patients: int, *, signal: bool, early: bool) -> tuple[dict[str, Array], dict[str, Array], float]:
    """Test cohort, predicted survival (N, K) of each arm (NaN where it says nothing), and share without a class."""
    rng = np.random.default_rng([seed, signal, early])
    train, test = (cohort(rng, number, signal=signal, early=early) for number in (patients, TEST_PATIENTS))
    days, died, root = train["days"], train["died"].astype(bool), HEAD.root
    known = np.flatnonzero(died | (days > HEAD.class_days))
    names = [str(number) for number in range(patients)]
    classes = {names[n]: int(days[n] > HEAD.class_days) for n in known}
    labeled = list(classes)
    weight = inverse_censoring_weights(days, died, HEAD.class_days)
    said = {}
    for arm, of_case in (("class", {}), ("class, weighted", {names[n]: float(weight[n]) for n in known})):
        loss = ClassLoss(classes, labeled, TrainingSettings(), of_case, CPU)
        head = fitted(loss, train["images"][known], labeled, 2)
        logits = read(head, test["images"])
        said[arm] = np.full((TEST_PATIENTS, len(HEAD.limits_days)), np.nan)
        said[arm][:, root] = 1 / (1 + np.exp(logits[:, 0] - logits[:, 1]))
    follow_up = {name: (float(days[n]), bool(died[n])) for n, name in enumerate(names)}
    head = fitted(TimeLoss(HEAD, follow_up, CPU), train["images"], names, 2 + HEAD.further)
    outputs = read(head, test["images"])
    said["time"] = HEAD.survival(outputs[:, 1] - outputs[:, 0], outputs[:, 2:])
    cox = fit_cox(train["clinic"], days, died, seed=seed)
    said["Cox, clinic"] = survival_of(cox, test["clinic"], HEAD.limits_days)
    observed = [float((inverse_censoring_weights(days, died, t) * (days > t)).mean()) for t in HEAD.limits_days]
    said["Kaplan-Meier"] = np.tile(observed, (TEST_PATIENTS, 1))
    return test, said, 1 - len(known) / patients


def scores(test: dict[str, Array], survival: Array) -> tuple[float, float]:
    """Brier score at the class limit, and integrated over all limits; both weighted for censoring."""
    each = [
        float(brier_at(test["days"], test["died"], survival[:, n], t)) if np.isfinite(survival[0, n]) else np.nan
        for n, t in enumerate(HEAD.limits_days)
    ]
    return each[HEAD.root], float(integrated_brier(each, HEAD.limits_days))


def measured(cohorts: int, patients: int, *, signal: bool, early: bool) -> tuple[dict[str, Array], float]:
    """(cohorts, 2) scores of each arm, and the mean share of patients without a class."""
    found: dict[str, list[tuple[float, float]]] = {arm: [] for arm in ARMS}
    shares = []
    for seed in range(cohorts):
        test, said, share = curves(seed, patients, signal=signal, early=early)
        shares.append(share)
        for arm in ARMS:
            found[arm].append(scores(test, said[arm]))
    return {arm: np.array(values) for arm, values in found.items()}, float(np.mean(shares))


def main() -> int:
    """Print mean scores, and the difference of the time head from the class head with its standard error."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cohorts", type=int, default=20)
    parser.add_argument("--patients", type=int, default=150)
    args = parser.parse_args()
    print(f"{args.cohorts} cohorts of {args.patients} patients for training, {TEST_PATIENTS} for testing")
    for signal in (True, False):
        for early in (False, True):
            found, share = measured(args.cohorts, args.patients, signal=signal, early=early)
            images = "images carry the signal" if signal else "images carry none"
            print(f"\n{images}; {100 * share:.0f} % censored within the year")
            for arm, values in found.items():
                mean, error = values.mean(axis=0), values.std(axis=0, ddof=1) / np.sqrt(len(values))
                at, whole = (f"{m:.4f} ({e:.4f})" for m, e in zip(mean, error, strict=True))
                print(f"  {arm:16} Brier at day 365 {at}   integrated {whole}")
            for other, column in (("class", 0), ("class, weighted", 0), ("Cox, clinic", 1)):
                less = found["time"][:, column] - found[other][:, column]
                of = "integrated" if column else "at day 365"
                error = less.std(ddof=1) / np.sqrt(len(less))
                print(f"  time minus {other:16} {of}: {less.mean():+.4f} (standard error {error:.4f})", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
