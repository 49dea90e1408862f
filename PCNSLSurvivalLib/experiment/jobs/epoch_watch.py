"""Follow the networks of an experiment epoch by epoch, by the logs beside their folders.

A log is a file, so that it makes no difference whether its network trains here, in another process, or on a cluster
whose workers see the same folders.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from PCNSLSurvivalLib.core.storage.files import unfinished_folder
from PCNSLSurvivalLib.experiment.jobs.job import Job
from PCNSLSurvivalLib.training.epochs import Epoch
from PCNSLSurvivalLib.training.logs import read_epochs

_SECONDS = 1.0
"""Between two looks."""


class EpochWatch:
    """Reports every epoch of some jobs once, while they train.

    Args:
        jobs: Jobs to follow; baselines have no epochs.
        out: Folder of the experiment.
        tell: Called with each epoch, from another thread, but never twice at the same time.
    """

    def __init__(self, jobs: Iterable[Job], out: Path, tell: Callable[[Job, Epoch], None]) -> None:
        self._out, self._tell = out, tell
        self._told = {job.key: 0 for job in jobs if job.training is not None}
        self._jobs = {job.key: job for job in jobs if job.training is not None}
        self._one_at_a_time = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> EpochWatch:
        self._thread.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self._over.set()
        self._thread.join()

    def look(self) -> None:
        """Report new epochs of the unfinished jobs."""
        with self._one_at_a_time:
            for job in self._jobs.values():
                self._new_of(job, unfinished_folder(job.folder(self._out)))

    def done(self, job: Job) -> None:
        """Report the last epochs of a job, whose log has moved into its folder, and stop following it."""
        with self._one_at_a_time:
            if self._jobs.pop(job.key, None) is not None:
                self._new_of(job, job.folder(self._out))

    def _new_of(self, job: Job, folder: Path) -> None:
        epochs = read_epochs(folder)
        for epoch in epochs[self._told[job.key] :]:
            self._tell(job, epoch)
        self._told[job.key] = max(self._told[job.key], len(epochs))

    def _watch(self) -> None:
        while not self._over.wait(_SECONDS):
            self.look()
