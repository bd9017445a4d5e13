"""Raw data in, batches out: tables, texts, word vectors, buckets and splits."""

from tidegate.data.batching import Buckets, in_order
from tidegate.data.encoded import Encoded
from tidegate.data.rows import check_column, clean_rows
from tidegate.data.splits import split_without_overlap
from tidegate.data.table_writer import write_table
from tidegate.data.tables import iter_table, read_table
from tidegate.data.text import TextEncoder
from tidegate.data.vectors import load_vectors

__all__ = [
    "Buckets",
    "Encoded",
    "TextEncoder",
    "check_column",
    "clean_rows",
    "in_order",
    "iter_table",
    "load_vectors",
    "read_table",
    "split_without_overlap",
    "write_table",
]
