"""What the commands that train one network share: their options, and their progress epoch by epoch."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from PCNSLSurvivalLib.terms import Sequence

if TYPE_CHECKING:
    from tqdm import tqdm

    from PCNSLSurvivalLib.experiment.plan import ExperimentPlan
    from PCNSLSurvivalLib.training.loop import Epoch
    from PCNSLSurvivalLib.training.settings import TrainingSettings
    from PCNSLSurvivalLib.training.unit import FinishedUnit


def add_training_options(parser: argparse.ArgumentParser, *, out: str) -> None:
    """Add the options; ``out`` says what --out is."""
    parser.add_argument("cohort", type=Path, metavar="COHORT", help="prepared cohort")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help=out)
    parser.add_argument(
        "--sequence", choices=[str(s) for s in Sequence], default=str(Sequence.T1GD), help="what the network looks at"
    )
    parser.add_argument(
        "--plan", type=Path, metavar="PLAN", help="experiment file with network and settings; else the defaults"
    )
    parser.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto", help="of the network")
    parser.add_argument("--quiet", action="store_true", help="no progress")


def plan_of(args: argparse.Namespace) -> ExperimentPlan:
    """The experiment file that was given, or the default plan."""
    from PCNSLSurvivalLib.experiment.plan import ExperimentPlan, read_plan

    return read_plan(args.plan) if args.plan else ExperimentPlan()


def sequence_of(args: argparse.Namespace) -> Sequence:
    """The sequence that was chosen."""
    return Sequence(args.sequence)


class EpochProgress:
    """A bar on a terminal, one line an epoch elsewhere; of several processes only the first speaks."""

    def __init__(self, settings: TrainingSettings, *, quiet: bool) -> None:
        self.first = int(os.environ.get("RANK", "0")) == 0
        self._quiet, self._epochs = quiet, settings.epochs
        self._bar: tqdm | None = None

    def __enter__(self) -> EpochProgress:
        return self

    def __exit__(self, *problem: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def __call__(self, epoch: Epoch) -> None:
        """Show one epoch."""
        if self._quiet:
            return
        losses = f"training loss {epoch.train_loss:.3f}, inner loss {epoch.inner_loss:.3f}"
        if sys.stderr.isatty():
            from tqdm import tqdm

            self._bar = self._bar or tqdm(total=self._epochs, desc="Epochs", unit="epoch", file=sys.stderr)
            self._bar.set_postfix_str(losses)
            self._bar.update()
        else:
            best = ", best so far" if epoch.best else ""
            print(
                f"epoch {epoch.epoch + 1}/{self._epochs}: {losses}, {epoch.samples_per_second:.1f} samples/s{best}",
                file=sys.stderr,
                flush=True,
            )

    def say(self, sentence: str) -> None:
        """Print a sentence, once."""
        if self.first:
            print(sentence, flush=True)

    def say_what_came_out(self, unit: FinishedUnit) -> None:
        """Whom it learned from and which epoch was kept."""
        facts = unit.facts
        self.say(
            f"{len(facts['fit'])} examinations to learn from, {len(facts['select'])} to choose the epoch on. Kept: "
            f"epoch {facts['best_epoch'] + 1} of {facts['epochs']}, inner loss {facts['best_inner_loss']:.3f} "
            "(always saying one half: 0.693)."
        )
