"""The trace of rows: gates and states of the recurrent stack while it reads them."""

from __future__ import annotations

from typing import Any

import torch

from tidegate.explain.network import still
from tidegate.nn.trace.selection import Names, Numbers
from tidegate.nn.trace.trace import Trace, join
from tidegate.tasks.core.inspect.inspected import Inspected, some
from tidegate.tasks.core.inspect.limits import network_of


def trace(
    task: Inspected, X: Any, *, layers: Numbers = None, units: Numbers = None, gates: Names = None
) -> Trace:
    """Trace the gates and states of the recurrent stack while it reads rows.

    Args:
        task: The fitted task.
        X: The inputs, one a row.
        layers: Numbers of the layers to keep, from 0; None for all.
        units: Numbers of the units to keep, from 0; None for all.
        gates: Names of the gates to keep; None for all. The states are kept in any case.

    Returns:
        A trace with the rows in the order of X; its labels are what the network read at
        each step, if the task can say that in words.

    Raises:
        InputError: If an input is wrong, or there is no such layer, unit or gate.
        NotFittedError: If the task was not fitted.
    """
    task._check_fitted()
    examples = some(task, X)
    loader = task._loader(examples, training=False)
    network = network_of(task, "trace")
    traces, order = [], []
    with still(network) as device, torch.no_grad():
        for rows in loader.in_order():
            batch = loader.batch(rows).to(device)
            vectors, lengths = network.embed(batch), batch.lengths
            chosen: dict[str, Any] = {"layers": layers, "units": units, "gates": gates}
            traces.append(network.recurrent.trace(vectors, lengths=lengths, **chosen))
            order += rows.tolist()
    trace, labels = join(traces, order), task._step_labels(examples)
    return trace if labels is None else trace.labelled(labels)
