"""The executor of a search in Python, whose workers have what is in this process alone."""

import contextlib
from collections.abc import Iterator

from keras_cnn.errors import InputError, in_one_line
from tuning.executors.base import Executor
from tuning.executors.inputs import Inputs
from tuning.executors.machine import MachineSettings, make_executor
from tuning.tuners.program import NotPortable, Program


def check_reachable(machine: MachineSettings, *given: object) -> None:
    """Check that workers can have what is in this process; called before a cluster is joined, which takes seconds.

    Args:
        machine: where the search runs.
        *given: the user's function and data; None for what has a name.

    Raises:
        InputError: if they cannot.
    """
    if machine.executor == "ray" and any(one is not None for one in given):
        raise InputError(
            "executor='ray': the nodes of a cluster cannot reach a function or arrays of this process. Give functions "
            "as MODULE:FUNCTION, and data by name."
        )


@contextlib.contextmanager
def started(
    machine: MachineSettings, gpus: int, devices: int | None, threads: int | None, inputs: Inputs
) -> Iterator[Executor]:
    """An executor whose workers have `inputs`, for as long as the context lasts.

    Raises:
        InputError: if the inputs cannot leave this process.
    """
    if inputs == Inputs():
        with make_executor(machine, gpus, devices, threads) as executor:
            yield executor
        return
    try:
        program = Program(inputs.portable())
    except NotPortable as error:
        raise InputError(
            f"{in_one_line(error).partition('. Give data')[0]}: workers cannot have it."
        ) from error
    with (
        program,
        make_executor(machine, gpus, devices, threads, {"inputs": str(program.path)}) as executor,
    ):
        yield executor
