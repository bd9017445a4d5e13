"""The trace of rows: gates and states of the recurrent stack while it reads them."""

from __future__ import annotations

import numpy as np
import torch

from tidegate.batch import Batch
from tidegate.errors import InputError, message, suggest
from tidegate.explain.network import resting
from tidegate.nn.trace.selection import Names, Numbers
from tidegate.nn.trace.trace import Trace, join
from tidegate.tasks.core.inspect.inspected import Inspected, some
from tidegate.tasks.core.raw import Raw
from tidegate.training.network import Network, StackInput


def trace(
    task: Inspected,
    X: Raw,
    *,
    stack: str | None = None,
    layers: Numbers = None,
    units: Numbers = None,
    gates: Names = None,
) -> Trace:
    """Trace the gates and states of the recurrent stack while it reads rows.

    Args:
        task: The fitted task.
        X: The inputs, one a row.
        stack: The name of the stack, such as "decoder"; None for the one that reads the input.
        layers: Numbers of the layers to keep, from 0; None for all.
        units: Numbers of the units to keep, from 0; None for all.
        gates: Names of the gates to keep; None for all. The states are kept in any case.

    Returns:
        A trace with the rows in the order of X; its labels are what the network read at
        each step, if the task can say that in words. A forecaster reads the window at the end of
        each series, and where its channels are independent each target is a row of its own.

    Raises:
        InputError: If an input is wrong, or there is no such stack, layer, unit or gate.
        NotFittedError: If the task was not fitted.
    """
    task._check_fitted()
    examples = some(task, X)
    loader = task._loader(examples, training=False)
    network = task.network_
    name = stack_name(network, stack)
    traces, order = [], []
    with resting(network) as device, torch.no_grad():
        for rows in loader.in_order():
            batch = loader.batch(rows).to(device)
            read = _read(network, batch, name)
            traces.append(
                network.recurrent_stacks()[name].trace(
                    read.values,
                    read.state,
                    lengths=read.lengths,
                    layers=layers,
                    units=units,
                    gates=gates,
                )
            )
            # A stack may read several rows for one of the data, such as each target of a window.
            several = np.arange(len(read.lengths) // len(rows))
            order += (rows[:, None] * len(several) + several).flatten().tolist()
    found, labels = join(traces, order), task._step_labels(examples)
    if labels is None or name != stack_name(network, None):
        return found
    return found.labelled(labels)


def _read(network: Network, batch: Batch, name: str) -> StackInput:
    """What a stack reads of a batch."""
    inputs = network.stack_inputs(batch)
    if name not in inputs:
        rule = f"one that shows what it reads: {', '.join(inputs) or 'none does'}"
        raise InputError(message("trace", "stack", rule, repr(name)))
    return inputs[name]


def stack_name(network: Network, name: str | None) -> str:
    """Say which recurrent stack is meant.

    Args:
        network: The network.
        name: Its name; None for the first, which reads the input.

    Raises:
        InputError: If the network has no such stack.
    """
    stacks = network.recurrent_stacks()
    if name is None and stacks:
        return next(iter(stacks))
    if name not in stacks:
        rule = f"one of {', '.join(stacks)}" if stacks else "of a network that has one"
        raise InputError(message("trace", "stack", rule, repr(name), suggest(str(name), stacks)))
    return str(name)
