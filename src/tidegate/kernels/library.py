"""Load the native library, and describe its interface, native/include/tidegate.h, to ctypes."""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from pathlib import Path
from typing import Any, NamedTuple

import torch

from tidegate.errors import BackendError, InputError

ABI = 4
LAYER_NORM, BFLOAT16 = 1, 2
OWN = 256
"""The first option of a cell's own."""

_BAD_ARGUMENT, _NO_MEMORY = 1, 2
_NAMES = {"win32": "tidegate.dll", "darwin": "libtidegate.dylib"}


def _fields(kind: Any, names: str) -> list[tuple[str, Any]]:
    return [(name, kind) for name in names.split()]


class Sequence(ctypes.Structure):
    """`tidegate_sequence`: one direction of one layer over a batch; made of zeros."""

    _fields_ = (
        *_fields(ctypes.c_int32, "kind options reverse threads"),
        *_fields(ctypes.c_int64, "B T I H P"),
        *_fields(ctypes.c_float, "cell_clip zone_hidden_rate zone_cell_rate unused"),
        *_fields(ctypes.c_void_p, "x"),
        *_fields(ctypes.c_int64, "x_row x_step"),
        *_fields(ctypes.c_void_p, "h0 c0 w_ih w_hh b_ih b_hh w_ch w_hr"),
        *_fields(ctypes.c_void_p, "norm_ih norm_hh norm_cell norm_cell_bias"),
        *_fields(ctypes.c_void_p, "lengths resets recurrent_mask zone_hidden zone_cell"),
        *_fields(ctypes.c_void_p, "y"),
        *_fields(ctypes.c_int64, "y_row y_step"),
        *_fields(ctypes.c_void_p, "h_n c_n gates cells"),
    )


class Gradient(ctypes.Structure):
    """`tidegate_gradient`: what enters the backward pass, and what it fills; made of zeros."""

    _fields_ = (
        *_fields(ctypes.c_void_p, "dy"),
        *_fields(ctypes.c_int64, "dy_row dy_step"),
        *_fields(ctypes.c_void_p, "dh_n dc_n dgates dcells dx"),
        *_fields(ctypes.c_int64, "dx_row dx_step"),
        *_fields(ctypes.c_void_p, "dh0 dc0 dw_ih dw_hh db_ih db_hh dw_ch dw_hr"),
        *_fields(ctypes.c_void_p, "dnorm_ih dnorm_hh dnorm_cell dnorm_cell_bias"),
    )


class Kept(ctypes.Structure):
    """`tidegate_kept_layout`: how the gates of a row and step stand in memory."""

    _fields_ = tuple(_fields(ctypes.c_int64, "blocks slots units"))


class Described(ctypes.Structure):
    """`tidegate_cell`: a cell in the variant that its options make of it."""

    _fields_ = (
        *_fields(ctypes.c_char_p, "name options blocks gates"),
        *_fields(ctypes.c_int32, "has_cell projects peepholes"),
    )


class Family(NamedTuple):
    """A family of cells as the library numbers it.

    Attributes:
        kind: Its number.
        options: The bit of each of its options by name, `layer_norm` included.
    """

    kind: int
    options: dict[str, int]


_CODES = {ctypes.c_int32: "i", ctypes.c_int64: "q", ctypes.c_float: "f", ctypes.c_void_p: "P"}


class Packer:
    """Makes the bytes of a struct from a list of numbers: much faster than field by field.

    Args:
        kind: The struct.

    Attributes:
        format: What the module `struct` calls it.
        places: Where each field stands in the list.
    """

    def __init__(self, kind: type[ctypes.Structure]) -> None:
        fields = [(field[0], field[1]) for field in kind._fields_]
        self.format = "@" + "".join(_CODES[type_] for _, type_ in fields)
        self.places = {name: place for place, (name, _) in enumerate(fields)}
        self.pack = struct.Struct(self.format).pack


SEQUENCE, GRADIENT = Packer(Sequence), Packer(Gradient)


def load(path: Path) -> ctypes.CDLL:
    """Load a build of the library and check that it speaks this interface.

    Args:
        path: The file.

    Raises:
        BackendError: If it is not there, cannot be loaded or has another interface; the text says
            how to get the right one, and stands without its full stop.
    """
    if not path.exists():
        raise BackendError(
            "The native library is not installed: a C++ compiler at install time builds it"
        )
    try:
        library = ctypes.CDLL(str(path))
        abi = library.tidegate_abi()
    except (OSError, AttributeError) as error:
        raise BackendError(f"The native library does not load ({error}): reinstall it") from error
    if abi != ABI:
        raise BackendError(
            f"The native library {path} has interface {abi}, not {ABI}: install it with the "
            "same version of the package"
        )
    _declare(library)
    return library


def _declare(library: ctypes.CDLL) -> None:
    """Tell ctypes what the functions take and return."""
    size, number = ctypes.c_int64, ctypes.c_int32
    library.tidegate_supports.argtypes = (number, number, size, size)
    library.tidegate_kept_of.argtypes = (number, number, size)
    library.tidegate_kept_of.restype = Kept
    library.tidegate_cell_of.argtypes = (number, number)
    library.tidegate_cell_of.restype = Described
    packed = ctypes.c_char_p  # the bytes that a Packer makes, which the library only reads
    library.tidegate_forward_all.argtypes = (packed, number)
    library.tidegate_backward_all.argtypes = (packed, packed, number)
    library.tidegate_choose_isa.argtypes = (ctypes.c_char_p,)
    library.tidegate_share_openmp.argtypes = (ctypes.c_void_p, ctypes.c_void_p)
    library.tidegate_poison.argtypes = (number,)
    for name in ("isa", "isas", "error"):
        getattr(library, f"tidegate_{name}").restype = ctypes.c_char_p


def _share_threads(library: ctypes.CDLL) -> None:
    """Let the library run on PyTorch's own threads, where they are GNU OpenMP's.

    They spin for milliseconds after each operator: other threads would fight them for the cores.
    """
    path = Path(torch.__file__).with_name("lib") / "libtorch_cpu.so"
    if not path.exists():
        return
    linked = ctypes.CDLL(str(path), mode=os.RTLD_NOLOAD | os.RTLD_LAZY)
    try:
        entries = [linked.GOMP_parallel, linked.omp_in_parallel]
    except AttributeError:
        return
    library.tidegate_share_openmp(*(ctypes.cast(entry, ctypes.c_void_p) for entry in entries))


def _open() -> tuple[ctypes.CDLL | None, str]:
    """The library beside this file, or the one that `TIDEGATE_LIBRARY` names; or why not."""
    given = os.environ.get("TIDEGATE_LIBRARY")
    if given and not Path(given).exists():
        return None, f"TIDEGATE_LIBRARY names a file that is not there, {given}"
    beside = Path(__file__).with_name(_NAMES.get(sys.platform, "libtidegate.so"))
    try:
        library = load(Path(given) if given else beside)
    except BackendError as error:
        return None, str(error)
    _share_threads(library)
    return library, ""


def _families(library: ctypes.CDLL | None) -> dict[str, Family]:
    """What the library says of its cells, in the order of their numbers."""
    families = dict[str, Family]()
    if library is None:
        return families
    if library.tidegate_isa() is None:  # a name in TIDEGATE_ISA that is none
        raise InputError(f"The native library: {library.tidegate_error().decode()}.")
    while (cell := library.tidegate_cell_of(len(families), 0)).name is not None:
        own = {name: OWN << bit for bit, name in enumerate(cell.options.decode().split())}
        options = {**own, "layer_norm": LAYER_NORM}
        families[cell.name.decode()] = Family(len(families), options)
    return families


LIBRARY, PROBLEM = _open()
"""The library, or None and why it is not there."""

FAMILIES = _families(LIBRARY)
"""The cells that the library computes, by name."""


def opened() -> ctypes.CDLL:
    """Return the library.

    Raises:
        BackendError: If there is none; the text says how to get it.
    """
    if LIBRARY is None:
        raise BackendError(f"{PROBLEM}.")
    return LIBRARY


def describe() -> str:
    """Say which instruction set the library uses, or why there is no library."""
    if LIBRARY is None:
        return PROBLEM
    names = LIBRARY.tidegate_isas().decode().replace(",", ", ")
    return f"{LIBRARY.tidegate_isa().decode()} (this machine runs {names})"


def check(code: int) -> None:
    """Raise the error that a function of the library returned, if it is one.

    Args:
        code: What it returned; 0 for success.

    Raises:
        InputError: If an argument was wrong.
        MemoryError: If there was not enough memory.
        BackendError: If the library cannot do this.
    """
    if code == 0:
        return
    text = f"The native library: {opened().tidegate_error().decode()}."
    if code == _BAD_ARGUMENT:
        raise InputError(text)
    if code == _NO_MEMORY:
        raise MemoryError(text)
    raise BackendError(text)
