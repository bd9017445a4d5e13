"""Raw data in, batches out: tables, texts, word vectors, buckets and splits."""

from tidegate.data.batching import Buckets, in_order
from tidegate.data.encoder import Encoded, Encoder
from tidegate.data.rows import Rows
from tidegate.data.sequences.encoder import EncodedSequences, SequenceEncoder
from tidegate.data.sequences.rows import read_sequences
from tidegate.data.sequences.table import gather_sequences
from tidegate.data.series.panel import Panel
from tidegate.data.series.table import GapWarning, read_series
from tidegate.data.splits import split_without_overlap
from tidegate.data.tables.complete import check_column, clean_rows
from tidegate.data.tables.reader import iter_table, read_table
from tidegate.data.tables.writer import write_table
from tidegate.data.tags.conll import read_conll
from tidegate.data.tags.encoder import TagEncoder
from tidegate.data.tags.offsets import SpanWarning
from tidegate.data.tags.table import gather_sentences, read_sentences
from tidegate.data.text.encoded import EncodedTexts
from tidegate.data.text.encoder import TextEncoder
from tidegate.data.text.vectors import load_vectors
from tidegate.data.windows.encoder import SeriesEncoder

__all__ = [
    "Buckets",
    "Encoded",
    "EncodedSequences",
    "EncodedTexts",
    "Encoder",
    "GapWarning",
    "Panel",
    "Rows",
    "SequenceEncoder",
    "SeriesEncoder",
    "SpanWarning",
    "TagEncoder",
    "TextEncoder",
    "check_column",
    "clean_rows",
    "gather_sentences",
    "gather_sequences",
    "in_order",
    "iter_table",
    "load_vectors",
    "read_conll",
    "read_sentences",
    "read_sequences",
    "read_series",
    "read_table",
    "split_without_overlap",
    "write_table",
]
