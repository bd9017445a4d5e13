"""Raw data in, batches out: tables, texts, word vectors, buckets and splits."""

from tidegate.data.batching import Buckets, in_order
from tidegate.data.conll import read_conll
from tidegate.data.encoded import Encoded
from tidegate.data.rows import check_column, clean_rows
from tidegate.data.sentence_table import gather_sentences, read_sentences
from tidegate.data.sequence_rows import read_sequences
from tidegate.data.sequence_table import gather_sequences
from tidegate.data.sequences import EncodedSequences, SequenceEncoder
from tidegate.data.series import Panel
from tidegate.data.series_encoder import SeriesEncoder
from tidegate.data.series_table import GapWarning, read_series
from tidegate.data.splits import split_without_overlap
from tidegate.data.table_writer import write_table
from tidegate.data.tables import iter_table, read_table
from tidegate.data.tagging import TagEncoder
from tidegate.data.text import TextEncoder
from tidegate.data.vectors import load_vectors

__all__ = [
    "Buckets",
    "Encoded",
    "EncodedSequences",
    "GapWarning",
    "Panel",
    "SequenceEncoder",
    "SeriesEncoder",
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
