"""See inside a network: its gates, its memory, its gradients, and why it answered as it did.

Everything here works on a layer, a network or a trace, and a batch; what it needs from an encoder
or a history, a task hands it. Tables and pictures load pandas and matplotlib when they are made.
"""

from tidegate.explain.attribution.attribution import Attribution
from tidegate.explain.attribution.decomposition import Decomposition, decompose
from tidegate.explain.attribution.gate_contributions import gate_contributions
from tidegate.explain.attribution.integrated import integrated_gradients
from tidegate.explain.attribution.occlusion import occlusion
from tidegate.explain.attribution.state_change import StateChange
from tidegate.explain.attribution.what_if import WhatIf, what_if
from tidegate.explain.doctor.case import Case, Finding
from tidegate.explain.doctor.doctor import Diagnosis, diagnose
from tidegate.explain.labels import Context
from tidegate.explain.memory.decay import Decay
from tidegate.explain.memory.flow_curves import GradientFlow, plot_gradient_flows
from tidegate.explain.memory.gradient_flow import gradient_flow
from tidegate.explain.memory.memory import Memory, memory, plot_memories
from tidegate.explain.network import Inspectable
from tidegate.explain.report.excerpt import Excerpt
from tidegate.explain.report.explanation import Explanation
from tidegate.explain.report.report import Report
from tidegate.explain.units.contexts import Contexts, contexts
from tidegate.explain.units.gate_plots import plot_gates
from tidegate.explain.units.patterns import mark
from tidegate.explain.units.search import UnitSearch, find_units
from tidegate.nn.trace.trace import Trace

__all__ = [
    "Attribution",
    "Case",
    "Context",
    "Contexts",
    "Decay",
    "Decomposition",
    "Diagnosis",
    "Excerpt",
    "Explanation",
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
