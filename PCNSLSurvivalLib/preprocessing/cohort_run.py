"""Prepare all cases of a cohort: one after the other, side by side, or on a Dask cluster."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace

from PCNSLSurvivalLib.errors import MissingFilesError, PreparationError
from PCNSLSurvivalLib.preprocessing.cohort_case import CaseOutcome, CaseTask, prepare_one

Report = Callable[[CaseOutcome], None]


def run_cases(
    tasks: Sequence[CaseTask], *, jobs: int = 1, scheduler: str | None = None, report: Report = lambda outcome: None
) -> tuple[CaseOutcome, ...]:
    """Prepare all cases; one that fails, or even ends its process, does not stop the others.

    Args:
        tasks: One a case.
        jobs: Cases at the same time on this computer, each in its own process (about 1.2 GB).
        scheduler: Address of a Dask scheduler whose workers see the same folders; instead of ``jobs``.
        report: Told every outcome as it comes.

    Returns:
        The outcomes in the order of ``tasks``.

    Raises:
        MissingFilesError: ``scheduler`` was given and Dask is not installed.
        PreparationError: The scheduler does not answer.
    """
    outcomes: dict[str, CaseOutcome] = {}
    if scheduler is not None:
        done = _on_cluster(tasks, scheduler)
    elif jobs == 1:
        done = map(prepare_one, tasks)
    else:
        done = _side_by_side(tasks, jobs)
    for outcome in done:
        outcomes[outcome.name] = outcome
        report(outcome)
    return tuple(outcomes[task.case.name] for task in tasks)


def _side_by_side(tasks: Sequence[CaseTask], jobs: int) -> Iterator[CaseOutcome]:
    waiting = {task.case.name: replace(task, parent=os.getpid()) for task in tasks}
    for outcome in _pool(list(waiting.values()), jobs):
        del waiting[outcome.name]
        yield outcome
    # A process that dies takes its pool along: the cases left over get one each, and are judged one by one.
    for task in list(waiting.values()):
        survived = list(_pool([task], 1))
        reason = "The process of this case ended by itself, perhaps for lack of memory. Try again with fewer --jobs."
        yield survived[0] if survived else CaseOutcome(name=task.case.name, state="failed", reason=reason)


def _pool(tasks: list[CaseTask], jobs: int) -> Iterator[CaseOutcome]:
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        futures: list[Future[CaseOutcome]] = [pool.submit(prepare_one, task) for task in tasks]
        for future in as_completed(futures):
            try:
                yield future.result()
            except BrokenProcessPool:
                continue


def _on_cluster(tasks: Sequence[CaseTask], scheduler: str) -> Iterator[CaseOutcome]:
    try:
        from distributed import Client
        from distributed import as_completed as as_finished
    except ImportError:
        raise MissingFilesError(
            "--scheduler needs Dask. Install it with 'pip install distributed', here and on the workers."
        ) from None
    try:
        client = Client(scheduler, timeout="20s")
    except (OSError, TimeoutError, ValueError) as problem:
        raise PreparationError(
            f"The Dask scheduler does not answer ({type(problem).__name__}). Check the address given with --scheduler."
        ) from problem
    with client:
        # pure=False: the work is on disk, and only there is decided what is finished.
        futures = {client.submit(prepare_one, task, pure=False): task for task in tasks}
        for future in as_finished(list(futures)):
            if future.status == "finished":
                yield future.result()
            else:
                name = futures[future].case.name
                reason = "The cluster lost this case. Look at the logs of its workers and run the command again."
                yield CaseOutcome(name=name, state="failed", reason=reason)
