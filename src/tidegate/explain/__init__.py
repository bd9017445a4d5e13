"""See inside a network: its gates, its memory, its gradients, and why it answered as it did.

Everything here works on a layer, a network or a trace, and a batch; what it needs from an encoder
or a history, a task hands it. Tables and pictures load pandas and matplotlib when they are made.
"""

from tidegate.explain.attribution import Attribution
from tidegate.explain.case import Case, Finding
from tidegate.explain.decomposition import Decomposition, decompose
from tidegate.explain.doctor import Diagnosis, diagnose
from tidegate.explain.excerpt import Excerpt
from tidegate.explain.flow_curves import Decay, GradientFlow
from tidegate.explain.flow_plots import plot_gradient_flows
from tidegate.explain.gate_contributions import gate_contributions
from tidegate.explain.gate_plots import plot_gates
from tidegate.explain.gradient_flow import gradient_flow
from tidegate.explain.integrated import integrated_gradients
from tidegate.explain.memory import Memory, memory
from tidegate.explain.memory_plots import plot_memories
from tidegate.explain.network import Inspectable
from tidegate.explain.occlusion import occlusion
from tidegate.explain.patterns import mark
from tidegate.explain.report import Report
from tidegate.explain.unit_search import UnitSearch, find_units
from tidegate.explain.units import Context, Contexts, contexts
from tidegate.explain.what_if import StateChange, WhatIf, what_if
from tidegate.nn.trace import Trace

__all__ = [
    "Attribution",
    "Case",
    "Context",
    "Contexts",
    "Decay",
    "Decomposition",
    "Diagnosis",
    "Excerpt",
    "Finding",
    "GradientFlow",
    "Inspectable",
    "Memory",
    "Report",
    "StateChange",
    "Trace",
    "UnitSearch",
    "WhatIf",
    "contexts",
    "decompose",
    "diagnose",
    "find_units",
    "gate_contributions",
    "gradient_flow",
    "integrated_gradients",
    "mark",
    "memory",
    "occlusion",
    "plot_gates",
    "plot_gradient_flows",
    "plot_memories",
    "what_if",
]
