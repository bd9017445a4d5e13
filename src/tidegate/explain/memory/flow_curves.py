"""Gradient flow as it was measured: curves, and the lines fitted through them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from tidegate.errors import InputError, message, suggest
from tidegate.explain.figures import png
from tidegate.explain.memory.decay import Decay, fit_decay
from tidegate.explain.memory.flow_plots import COLOURS, FlowCurve, plot_flow, plot_flows

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False, repr=False)
class GradientFlow:
    """The gradient of a loss at every step, by the distance from the end.

    Axis letters: N layers·directions, B rows, T distance in steps, H hidden units, P output
    features. Distance 0 is the last valid step of a row; of a reverse direction, where it ends,
    the first. All numbers are float64, NaN where a row has no such step.

    The `highway` is what tutorials of the LSTM quote: the product of the gate that keeps the
    state, ∏ f_s for s = t + 1 ... T. It is ∂c_T/∂c_t exactly if the path through h is held fixed
    (for a GRU ∏ z_s, which is ∂h_T/∂h_t with gates and candidates held fixed). Peepholes, a clip
    of the cell state and zoneout change that derivative; the product leaves them out.

    The `chain` is what tutorials of the RNN quote: the product of the recurrent Jacobians, exactly
    ∂h_T/∂h_t. Cells without a gate that keeps the state have it.

    Attributes:
        family: The name of the cell: "lstm", "gru", "rnn".
        gradients: ∂loss/∂h_t and, for an LSTM, ∂loss/∂c_t along all paths, `[N, B, T, size]` by
            the name of the state.
        highway: ln ∏ of the gate that keeps, `[N, B, T, H]`, or None.
        chain: ln ‖∂h_T/∂h_t‖, the spectral norm, `[N, B, T]`, or None.
        lengths: Valid steps of each row, `[B]` int64.
        rows: Names of the first axis: "layer 0 forward", "layer 0 backward", ...
    """

    family: str
    gradients: Mapping[str, Tensor]
    highway: Tensor | None
    chain: Tensor | None
    lengths: Tensor
    rows: tuple[str, ...]

    def __repr__(self) -> str:
        """Say what a step makes of each curve of the last layer; numbers would fill the screen."""
        count, rows, steps, _ = next(iter(self.gradients.values())).shape
        factors = [f"{name} ×{self.decay(name).factor:.3f} a step" for name in self.curves]
        return f"GradientFlow({self.family}, N {count}, B {rows}, T {steps}: {', '.join(factors)})"

    @property
    def curves(self) -> tuple[str, ...]:
        """The names of the curves: the states, and "highway" or "chain"."""
        products = {"highway": self.highway, "chain": self.chain}
        return *self.gradients, *(name for name, value in products.items() if value is not None)

    def norms(self, curve: str) -> Tensor:
        """Return ln of the norms of one curve in each row.

        Args:
            curve: The name of a state, for ‖∂loss/∂state_t‖; "highway", for the part of it that
                ∏ f alone carries, ‖∏ f ∘ ∂loss/∂c_T‖; or "chain", for what the Jacobians let
                through at most, ‖∂h_T/∂h_t‖ · ‖∂loss/∂h_T‖.

        Returns:
            `[N, B, T]`.

        Raises:
            InputError: If there is no such curve.

        Example:
            >>> from tidegate.explain import gradient_flow
            >>> from tidegate.nn import GRU
            >>> flow = gradient_flow(GRU(3, 4), torch.randn(6, 2, 3))
            >>> list(flow.norms("highway").shape)
            [1, 2, 6]
        """
        if curve not in self.curves:
            rule = f"one of {', '.join(self.curves)}"
            remedy = suggest(curve, self.curves, listed=True)
            raise InputError(message("GradientFlow", "curve", rule, repr(curve), remedy))
        if curve in self.gradients:
            return _log_norm(self.gradients[curve].abs().log())
        # The memory is the last state: c of an LSTM, h of the others.
        end = list(self.gradients.values())[-1][:, :, :1].abs().log()
        if curve == "chain":
            assert self.chain is not None
            return self.chain + _log_norm(end)
        assert self.highway is not None
        return _log_norm(self.highway + end)

    def curve(self, curve: str, row: int = -1) -> Tensor:
        """Return the median of one curve over the rows of the batch, as a logarithm.

        Args:
            curve: As for `norms`.
            row: Which layer and direction, default the last.

        Returns:
            ln of the norm by distance, `[T]`.

        Raises:
            InputError: If there is no such curve, layer or direction.
        """
        if not -len(self.rows) <= row < len(self.rows):
            rule = f"between 0 and {len(self.rows) - 1} ({', '.join(self.rows)})"
            raise InputError(message("GradientFlow", "row", rule, row))
        return self.norms(curve)[row].nanmedian(0).values

    def decay(self, curve: str, row: int = -1) -> Decay:
        """Fit how fast one curve falls or grows with the distance.

        `fit_decay` says how. What float64 cannot hold is left out.

        Args:
            curve: As for `norms`.
            row: Which layer and direction, default the last.

        Raises:
            InputError: If there is no such curve, layer or direction.

        Example:
            >>> from tidegate.explain import gradient_flow
            >>> from tidegate.nn import RNN
            >>> layer = RNN(3, 8)
            >>> _ = layer.weight_hh_l0.data.copy_(0.5 * torch.eye(8))
            >>> flow = gradient_flow(layer, torch.zeros(20, 1, 3))
            >>> flow.decay("hidden").factor < 0.5
            True
        """
        return fit_decay(self.curve(curve, row))

    def to_frame(self) -> pandas.DataFrame:
        """Return the fitted curves as a table.

        Returns:
            One line for each layer, direction and curve: `layer`, `curve`, `factor` (per step),
            `half_life` (steps), `r2`, `first` and `last` (distances fitted).
        """
        import pandas

        lines = []
        for row, layer in enumerate(self.rows):
            for curve in self.curves:
                fitted = self.decay(curve, row)
                line = {"layer": layer, "curve": curve, "factor": fitted.factor}
                line |= {"half_life": fitted.half_life, "r2": fitted.r2}
                lines.append(line | {"first": fitted.first, "last": fitted.last})
        table: pandas.DataFrame = pandas.DataFrame(lines)
        return table

    def plot(self, row: int = -1) -> Figure:
        """Draw the curves of one layer and direction.

        Args:
            row: Which layer and direction, default the last.

        Returns:
            A matplotlib figure. `plot_gradient_flows` draws several networks in one.
        """
        return plot_gradient_flows({self.family.upper(): self}, row=row)

    def _repr_png_(self) -> bytes:
        return png(self.plot())


def _log_norm(logs: Tensor) -> Tensor:
    """Logarithm of the Euclidean norm over the last axis of numbers that are given as logarithms.

    Squares of what float64 barely holds are zero; their logarithms are not.
    """
    return torch.logsumexp(2 * logs, -1) / 2


def plot_gradient_flows(flows: Mapping[str, GradientFlow], *, row: int = -1) -> Figure:
    """Draw how much gradient arrives at what distance, one colour a network.

    Solid is the gradient along all paths, of the state that is the memory: c of an LSTM, h of the
    others. Dashed is what the product that tutorials quote makes of the gradient at the end: the
    gates that keep the state alone, or the Jacobians of an RNN. A single flow shows all its curves.

    Args:
        flows: What `gradient_flow` measured, by the name to print.
        row: Which layer and direction, default the last.

    Returns:
        A figure of its own, which no pyplot state knows.

    Raises:
        InputError: If there are no flows, or more than colours, or one has no such layer.

    Example:
        >>> from tidegate.explain import gradient_flow
        >>> from tidegate.nn import GRU, RNN
        >>> x = torch.randn(20, 2, 3)
        >>> flows = {"GRU": gradient_flow(GRU(3, 4), x), "RNN": gradient_flow(RNN(3, 4), x)}
        >>> figure = plot_gradient_flows(flows)
        >>> len(figure.axes[0].get_lines()) >= 4
        True
    """
    if not 1 <= len(flows) <= len(COLOURS):
        rule = f"1 to {len(COLOURS)} flows"
        raise InputError(message("plot_gradient_flows", "flows", rule, len(flows)))
    curves = {name: _drawn(flow, row) for name, flow in flows.items()}
    layers = dict.fromkeys(flow.rows[row] for flow in flows.values())
    layer = ", ".join(layers) if any(len(flow.rows) > 1 for flow in flows.values()) else ""
    if len(flows) > 1:
        return plot_flows(curves, layer)
    ((name, flow),) = flows.items()
    return plot_flow(flow.family, curves[name], layer)


def _drawn(flow: GradientFlow, row: int) -> list[FlowCurve]:
    """What is drawn of one layer and direction: the gradients, then the product."""
    return [
        FlowCurve(
            name=curve,
            logs=flow.curve(curve, row).cpu().numpy(),
            factor=flow.decay(curve, row).factor,
            product=curve not in flow.gradients,
        )
        for curve in flow.curves
    ]
