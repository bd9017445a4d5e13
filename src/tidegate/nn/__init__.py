"""Neural-network modules: recurrent layers and what goes around them."""

from tidegate.nn.blocks.crf import LinearChainCRF
from tidegate.nn.build import recurrent_layer
from tidegate.nn.cell import GRUCell, LSTMCell, RNNCell, StepCell
from tidegate.nn.options import StackOptions, layer_options
from tidegate.nn.recurrent import GRU, LSTM, RNN
from tidegate.nn.stack import Recurrent
from tidegate.nn.streaming.stream import Stream
from tidegate.nn.summary import Summary
from tidegate.nn.trace.trace import Trace

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "GRUCell",
    "LSTMCell",
    "LinearChainCRF",
    "RNNCell",
    "Recurrent",
    "StackOptions",
    "StepCell",
    "Stream",
    "Summary",
    "Trace",
    "layer_options",
    "recurrent_layer",
]
