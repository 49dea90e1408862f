"""Run many independent tasks: one after the other, side by side, or on a Dask cluster; none stops the others."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from types import FrameType
from typing import NoReturn, TypeVar

from PCNSLSurvivalLib.core.errors import MissingFilesError, PreparationError
from PCNSLSurvivalLib.core.messages import Message

Task = TypeVar("Task")
Outcome = TypeVar("Outcome")

_DIED = "Its process ended unexpectedly, perhaps for lack of memory. Run the command again with fewer --jobs."
_LOST = "The cluster lost this task. Check the logs of its workers and run the command again."


def run_tasks(
    work: Callable[[Task], Outcome],
    tasks: Sequence[Task],
    *,
    lost: Callable[[Task, str], Outcome],
    jobs: int = 1,
    scheduler: str | None = None,
) -> Generator[tuple[Task, Outcome], None, None]:
    """Do every task; one that fails, or even ends its process, does not stop the others.

    What is finished is decided on disk, by ``work``: no result is kept here, so that a run can be killed at any
    moment and started again.

    Args:
        work: A function of a module that turns its errors into an outcome instead of raising them.
        tasks: Values that another process, here or on another computer, can be given.
        lost: Makes the outcome of a task whose process ended, from the task and a sentence.
        jobs: Tasks at the same time on this computer, each in a process of its own.
        scheduler: Address of a Dask scheduler whose workers see the same folders; instead of ``jobs``.

    Yields:
        Each task with its outcome, as it is done.

    Raises:
        MissingFilesError: ``scheduler`` was given and Dask is not installed.
        PreparationError: The scheduler does not answer.
    """
    if scheduler is not None:
        yield from _on_cluster(work, tasks, lost, scheduler)
    elif jobs == 1:
        for task in tasks:
            yield task, work(task)
    else:
        yield from _side_by_side(work, tasks, lost, jobs)


def _side_by_side(
    work: Callable[[Task], Outcome], tasks: Sequence[Task], lost: Callable[[Task, str], Outcome], jobs: int
) -> Iterator[tuple[Task, Outcome]]:
    left = dict(enumerate(tasks))
    for number, outcome in _pool(work, left, jobs):
        yield left.pop(number), outcome
    # A process that dies takes its pool along: the tasks left over get one each, and are judged one by one.
    for number, task in left.items():
        survived = [outcome for _, outcome in _pool(work, {number: task}, 1)]
        yield task, survived[0] if survived else lost(task, _DIED)


def _pool(work: Callable[[Task], Outcome], tasks: dict[int, Task], jobs: int) -> Iterator[tuple[int, Outcome]]:
    # Fresh processes, not forks: a fork of a process with running threads can hang.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_leave_with, initargs=(os.getpid(),)) as pool:
        futures: dict[Future[Outcome], int] = {pool.submit(work, task): number for number, task in tasks.items()}
        try:
            for future in as_completed(futures):
                try:
                    yield futures[future], future.result()
                except BrokenProcessPool:
                    continue
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in multiprocessing.active_children():
                process.terminate()
            raise


def _on_cluster(
    work: Callable[[Task], Outcome], tasks: Sequence[Task], lost: Callable[[Task, str], Outcome], scheduler: str
) -> Iterator[tuple[Task, Outcome]]:
    try:
        from distributed import Client
        from distributed import as_completed as as_finished
    except ImportError:
        raise MissingFilesError(Message("workers.no_dask")) from None
    try:
        client = Client(scheduler, timeout="20s")
    except (OSError, TimeoutError, ValueError) as problem:
        raise PreparationError(Message("workers.no_scheduler", reason=type(problem).__name__)) from problem
    with client:
        # pure=False: the work is on disk, and only there is decided what is finished.
        futures = {client.submit(work, task, pure=False): task for task in tasks}
        for future in as_finished(list(futures)):
            task = futures[future]
            yield task, future.result() if future.status == "finished" else lost(task, _LOST)


def _leave_with(parent: int) -> None:
    """End with the process that waits for us: cleaned up when it asks, at once when it was killed."""

    def interrupt(number: int, frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    signal.signal(signal.SIGTERM, interrupt)
    threading.Thread(target=watch, daemon=True).start()
