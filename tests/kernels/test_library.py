"""Loading the native library: its structs are those of the header, and what is wrong is said."""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kernels.native_cases import needs_native
from tidegate.errors import BackendError, InputError
from tidegate.kernels import library

HEADER = Path(__file__).parents[2] / "native" / "include" / "tidegate.h"
HERE = [] if library.LIBRARY is None else library.LIBRARY.tidegate_isas().decode().split(",")
ELSEWHERE = [name for name in ("avx512bf16", "avx512", "avx2", "neon") if name not in HERE]
TYPES = {"int32_t": ctypes.c_int32, "int64_t": ctypes.c_int64, "float": ctypes.c_float}


def declared(struct: str) -> list[tuple[str, object]]:
    """Names and types of the fields of a struct in the header."""
    text = re.sub(r"/\*.*?\*/", "", HEADER.read_text(encoding="utf-8"), flags=re.DOTALL)
    (body,) = re.findall(rf"struct {struct} \{{(.*?)\}}", text, flags=re.DOTALL)
    fields: list[tuple[str, object]] = []
    for statement in body.split(";"):
        words = statement.replace("const ", "").split(maxsplit=1)
        if words:
            kind, names = words
            for name in names.split(","):
                bare = name.strip()
                pointer = ctypes.c_char_p if kind == "char" else ctypes.c_void_p
                fields.append(
                    (bare.lstrip("*"), pointer if bare != bare.lstrip("*") else TYPES[kind])
                )
    return fields


@pytest.mark.parametrize(
    ("name", "struct"),
    [
        ("tidegate_sequence", library.Sequence),
        ("tidegate_gradient", library.Gradient),
        ("tidegate_cell", library.Described),
        ("tidegate_kept", library.Kept),
    ],
)
def test_structs_are_those_of_the_header(name, struct):
    assert list(struct._fields_) == declared(name)


@pytest.mark.parametrize(
    ("packer", "struct"),
    [(library.SEQUENCE, library.Sequence), (library.GRADIENT, library.Gradient)],
)
def test_a_packed_struct_is_the_struct(packer, struct):
    """Every field at its place, with the compiler's own gaps."""
    numbers = list(range(1, len(packer.places) + 1))
    filled = struct()
    for name, place in packer.places.items():
        setattr(filled, name, numbers[place])
    assert packer.pack(*numbers) == bytes(filled)


def test_numbers_are_those_of_the_header():
    text = HEADER.read_text(encoding="utf-8")
    numbers = dict(re.findall(r"TIDEGATE_(\w+) = (\d+)", text))
    numbers |= dict(re.findall(r"#define TIDEGATE_(ABI) (\d+)", text))
    for name in ("ABI", "LAYER_NORM", "BFLOAT16", "OWN"):
        assert getattr(library, name) == int(numbers[name]), name


def test_a_library_that_is_not_there_says_how_to_get_it(tmp_path):
    with pytest.raises(BackendError) as caught:
        library.load(tmp_path / "libtidegate.so")
    assert str(caught.value) == (
        "The native library is not installed: a C++ compiler at install time builds it"
    )


def test_a_file_that_is_no_library_says_so(tmp_path):
    path = tmp_path / "libtidegate.so"
    path.write_bytes(b"\x7fELF, but not really")
    with pytest.raises(BackendError, match=r"does not load \(.*\): reinstall it$"):
        library.load(path)


def test_another_library_says_so():
    import _ctypes

    with pytest.raises(BackendError, match="does not load"):
        library.load(Path(_ctypes.__file__))


@needs_native
def test_another_interface_says_so(monkeypatch):
    ours = library.ABI
    monkeypatch.setattr(library, "ABI", 1000)
    with pytest.raises(BackendError, match=rf"has interface {ours}, not 1000: install it"):
        library.load(Path(library.opened()._name))


@needs_native
def test_what_the_library_returns_becomes_an_error():
    library.check(0)
    for code, error in ((1, InputError), (2, MemoryError), (3, BackendError)):
        with pytest.raises(error, match=r"^The native library: .*\.$"):
            library.check(code)


def test_the_package_goes_on_without_it(tmp_path):
    code = (
        "import torch, tidegate.nn as tn\n"
        "from tidegate.kernels import library\n"
        "layer, x = tn.LSTM(3, 4), torch.zeros(5, 2, 3)\n"
        "layer(x)[0].sum().backward()\n"
        "print(layer.explain_backend(x))\n"
        "print(library.describe())\n"
        "try:\n"
        "    tn.LSTM(3, 4, backend='native')(x)\n"
        "except RuntimeError as error:\n"
        "    print(error)"
    )
    missing = tmp_path / "none.so"
    environment = {**os.environ, "TIDEGATE_LIBRARY": str(missing)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    reason = f"TIDEGATE_LIBRARY names a file that is not there, {missing}"
    explained, described, refused = done.stdout.splitlines()
    assert explained == f"aten runs it; native does not: {reason}."
    assert described == reason
    assert refused.endswith(f"got 'native'. {reason}; use backend=\"auto\".")


@needs_native
def test_describing_it_names_the_instruction_set():
    names = library.opened().tidegate_isas().decode().split(",")
    assert library.describe().startswith(library.opened().tidegate_isa().decode())
    assert library.describe().endswith(f"(this machine runs {', '.join(names)})")


@pytest.fixture
def started_with(monkeypatch, tmp_path):
    """Load the library once more, from a copy that has chosen nothing yet, under a TIDEGATE_ISA."""

    def start(isa: str) -> ctypes.CDLL:
        monkeypatch.setenv("TIDEGATE_ISA", isa)
        copy = shutil.copy(library.opened()._name, tmp_path)
        return library.load(Path(copy))

    return start


@needs_native
@pytest.mark.parametrize("name", HERE)
def test_the_environment_chooses_the_instruction_set(name, started_with):
    assert started_with(name).tidegate_isa() == name.encode()


@needs_native
@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("avx1024", "which is no instruction set"),
        ("AVX2", "which is no instruction set"),
        *[(name, "which this build or this machine does not have") for name in ELSEWHERE],
    ],
)
def test_an_instruction_set_that_is_not_there_is_refused(name, why, started_with):
    with pytest.raises(InputError) as caught:
        library._families(started_with(name))
    choices = ", ".join(HERE)
    assert str(caught.value) == (
        f"The native library: TIDEGATE_ISA must be one of {choices}; got '{name}', {why}."
    )


@needs_native
def test_an_instruction_set_that_is_not_there_is_an_error_of_the_user():
    """Met while the package is imported, it is still one line, and exit code 2."""
    code = "import sys; from tidegate.cli import main; sys.argv[1:] = ['info']; main()"
    environment = {**os.environ, "TIDEGATE_ISA": "avx1024"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: The native library: TIDEGATE_ISA must be one of ")
    assert done.stderr.count("\n") == 1


@needs_native
def test_an_empty_name_of_an_instruction_set_asks_for_none(started_with):
    assert started_with("").tidegate_isa() == HERE[0].encode()
