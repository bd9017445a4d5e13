"""Recurrent cells: one file a family, each the equations of one step."""

from tidegate.cells.base import Cell, get, names, options, register
from tidegate.cells.gru import GRU
from tidegate.cells.lstm import LSTM
from tidegate.cells.rnn import RNN

__all__ = ["GRU", "LSTM", "RNN", "Cell", "get", "names", "options", "register"]
