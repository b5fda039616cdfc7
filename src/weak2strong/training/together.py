"""Several processes that train one model together: started, listened to, and ended.

Who starts them is one process, which waits until the first of them has sent the result. That is
the success: what becomes of the processes afterwards does not matter (processes that talk by gloo
sometimes abort after all is done). Where one of them dies or runs out of memory, the others would
wait for it without end, so that all are ended, and begin again from their checkpoint.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from traceback import format_exception
from typing import Any

import torch
from torch.distributed import TCPStore  # pyright: ignore[reportPrivateImportUsage]

from weak2strong.ground.errors import UserError
from weak2strong.ground.plugins import load_plugins
from weak2strong.ground.processes import begin_worker, without_main
from weak2strong.ground.stops import CLUSTER, Stopped
from weak2strong.models.ranks import ALONE, Ranks
from weak2strong.training.memory import NoRoomError, out_of_memory

OnStep = Callable[[int, int], None]

GRACE = 10.0
"""Seconds that processes have to end by themselves once the result is there."""

MOMENT = 2.0
"""Seconds in which others notice that one of them has failed."""

FEW = 8
"""Processes that a fit may have on a CPU of fewer processors."""

HALVINGS = 20
"""How often all may begin again with half the tokens of a micro-batch."""


@dataclass(frozen=True)
class Meeting:
    """Where the processes of one model find each other.

    Attributes:
        host: of the process that waits for them.
        port: on that host; 0 for the variables that ``torchrun`` sets.
    """

    host: str = ""
    port: int = 0


@dataclass(frozen=True)
class Job:
    """What every process does: a function of a module, with arguments that can be pickled.

    The function is called with the arguments and, by name, with ``on_step``, ``ranks`` and
    ``token_budget``, as a training takes them. Every process must get to the same result.

    Attributes:
        function: of a module.
        arguments: of it.
        plugins: files that a process loads before it unpickles the arguments.
    """

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    plugins: tuple[Path, ...] = ()


def together(job: Job, count: int, on_step: OnStep) -> Any:
    """The result of a job that so many processes of this machine do together.

    With a count of 1 this process does it.

    Args:
        job: what is done.
        count: of processes; on CUDA each has a GPU of its own among those that this one sees.
        on_step: called in this process, as by a training. Where it raises `Stopped`, the processes
            write a checkpoint and end before that is raised again.

    Raises:
        UserError: where there are not so many GPUs, or memory is too small, or a process was ended
            twice.
    """
    if count == 1:
        return job.function(*job.arguments, on_step=on_step, ranks=ALONE, token_budget=None)
    _check_devices(count)
    budget, deaths = None, 0
    for _ in range(HALVINGS):
        try:
            return _once(job, count, on_step, budget)
        except NoRoomError as error:
            if error.budget <= 1:
                break
            budget = error.budget // 2
        except _DeathError as error:
            deaths += 1
            if deaths > 1:
                raise UserError(
                    f"A process of a fit on {count} devices was ended by the system twice, as "
                    "where the machine has no memory left: give it more, or take a smaller model."
                ) from error
    raise UserError(
        f"The {count} devices ran out of memory with one text at a time: cut the model over more, "
        "adapt it by LoRA or the head alone, or take a smaller one."
    )


def _check_devices(count: int) -> None:
    on_gpus = torch.cuda.is_available()
    there = torch.cuda.device_count() if on_gpus else max(FEW, os.cpu_count() or 1)
    if there < count:
        raise UserError(
            f"A fit is to be on {count} {'GPUs' if on_gpus else 'processes'}, and "
            f"{'' if on_gpus else 'at most '}{there} are there for it: choose fewer by "
            "--gpus-per-fit, or auto."
        )


class _DeathError(Exception):
    """A process is gone without a word."""


def _once(job: Job, count: int, on_step: OnStep, budget: int | None) -> Any:
    """Start the processes, and end them when the result is there or one of them fails."""
    # The store stays open as long as they may talk.
    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    meeting = Meeting("127.0.0.1", store.port)
    threads = max(1, torch.get_num_threads() // count)
    context = multiprocessing.get_context("spawn")
    processes, pipes = [], list[Connection]()
    try:
        for rank in range(count):
            ours, theirs = context.Pipe()
            arguments = (theirs, Ranks(rank, count), meeting, threads)
            process = context.Process(target=_serve, args=arguments, name=f"w2s rank {rank}")
            with without_main():
                process.start()
            theirs.close()
            processes.append(process)
            pipes.append(ours)
        for pipe in pipes:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                pipe.send((job.plugins, budget))
                pipe.send((job.function, job.arguments))
        result = _heard(pipes, on_step)
        end = time.monotonic() + GRACE
        for process in processes:
            process.join(max(0.0, end - time.monotonic()))
        return result
    finally:
        for process in processes:
            if process.is_alive():
                process.kill()
            process.join()
        for pipe in pipes:
            pipe.close()


def _heard(pipes: Sequence[Connection], on_step: OnStep) -> Any:
    """The result that the first process sends; the steps before it are passed on.

    Raises:
        Exception: why the processes failed.
    """
    first, stopped = pipes[0], None
    while True:
        for pipe in wait(pipes):
            assert isinstance(pipe, Connection)
            kind, value = _message(pipe)
            if kind == "failed":
                raise _reason([value, *_others(pipes, pipe)])
            if pipe is not first:
                continue
            if kind == "result":
                result, told = value
                for sentence in told:
                    warnings.warn(sentence, stacklevel=4)
                return result
            if kind == "stopped":
                raise stopped or Stopped()
            if stopped is None:
                try:
                    on_step(*value)
                except Stopped as error:
                    stopped = error
                    pipe.send(error.number)


def _message(pipe: Connection) -> tuple[str, Any]:
    """What a process says; one that is gone has failed."""
    try:
        return pipe.recv()
    except (EOFError, ConnectionResetError):
        return "failed", _DeathError()


def _others(pipes: Sequence[Connection], failed: Connection) -> Iterator[Exception]:
    """Why others failed, too, within a moment: where one is gone, the others notice."""
    left, end = [pipe for pipe in pipes if pipe is not failed], time.monotonic() + MOMENT
    while left and (ready := wait(left, max(0.0, end - time.monotonic()))):
        for pipe in ready:
            assert isinstance(pipe, Connection)
            kind, value = _message(pipe)
            if kind != "step":
                left.remove(pipe)
            if kind == "failed":
                yield value


def _reason(errors: Sequence[Exception]) -> Exception:
    """Which of several errors made the others: those of the talk come last."""
    return min(errors, key=_is_of_the_talk)


def _is_of_the_talk(error: Exception) -> int:
    if isinstance(error, NoRoomError | _DeathError | UserError):
        return 0
    told = str(error).lower()
    return 1 + any(word in told for word in ("gloo", "nccl", "connection", "peer"))


def _serve(pipe: Connection, ranks: Ranks, meeting: Meeting, threads: int) -> None:
    """The life of a process; who started it says when it stops."""
    begin_worker(threads)
    # Of weights that no file has, and of outputs that nobody writes into.
    for told in ("DTensor random operators", "FSDP2-wrapped module"):
        warnings.filterwarnings("ignore", message=told)
    for number in CLUSTER:
        signal.signal(number, signal.SIG_IGN)
    with met(meeting, ranks):
        # An error is told before the others notice that this process is gone.
        done = _done(pipe, _Steps(pipe, ranks), ranks)
        try:
            pipe.send(done)
        except Exception:
            pipe.send(("failed", RuntimeError(f"{type(done[1]).__name__}: {done[1]}")))
        if done[0] != "failed":
            # Who leaves first would end the talk of the others; what was to be said is said.
            with contextlib.suppress(RuntimeError):
                ranks.gathered(None)


def _done(pipe: Connection, on_step: OnStep, ranks: Ranks) -> tuple[str, Any]:
    """Do the job that is sent, and what to say of it."""
    budget = None
    try:
        plugins, budget = pipe.recv()
        load_plugins(plugins)
        function, arguments = _job(pipe)
        with warnings.catch_warnings(record=True) as caught:
            value = function(*arguments, on_step=on_step, ranks=ranks, token_budget=budget)
        told = tuple(dict.fromkeys(str(w.message) for w in caught))
        return "result", (value, told) if ranks.rank == 0 else None
    except Stopped:
        return "stopped", None
    except BaseException as error:
        if out_of_memory(error):
            error = NoRoomError(budget or 1)
        error.add_note("".join(["In one of several processes:\n", *format_exception(error)]))
        return "failed", error


def _job(pipe: Connection) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """The function and the arguments that are sent.

    Raises:
        UserError: where they are not made of what a file holds.
    """
    try:
        return pipe.recv()
    except AttributeError as e:
        raise UserError(
            f"A fit on several GPUs is done by other processes, and these lack something ({e}): "
            "write it to a file, and name that as a plugin."
        ) from e


@contextmanager
def met(meeting: Meeting, ranks: Ranks) -> Iterator[None]:
    """A context in which a process talks with the others of its model.

    Args:
        meeting: where they find each other.
        ranks: this process among them; on CUDA it takes the GPU of its number, or of the variable
            ``LOCAL_RANK``, which ``torchrun`` sets.
    """
    local = int(os.environ.setdefault("LOCAL_RANK", str(ranks.rank)))
    on_gpu = torch.cuda.is_available()
    if on_gpu:
        torch.cuda.set_device(local)
    options: dict[str, Any] = {"rank": ranks.rank, "world_size": ranks.count}
    if meeting.port:
        options["store"] = TCPStore(meeting.host, meeting.port, is_master=False)
    torch.distributed.init_process_group("nccl" if on_gpu else "gloo", **options)
    try:
        yield
    finally:
        torch.distributed.destroy_process_group()


@dataclass
class _Steps:
    """The ``on_step`` of a process, which all of them call at the same time."""

    pipe: Connection
    ranks: Ranks

    def __call__(self, done: int, total: int) -> None:
        number = None
        if self.ranks.rank == 0:
            self.pipe.send(("step", (done, total)))
            number = self.pipe.recv() if self.pipe.poll() else None
        if (number := self.ranks.first(number)) is not None:
            raise Stopped(number)
