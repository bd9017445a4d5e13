"""What a wheel holds: the C library where a compiler makes it, and a package that works without."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LIBRARIES = ("libtidegate.so", "libtidegate.dylib", "tidegate.dll")
COMPILER = next(filter(None, map(shutil.which, ("c++", "g++", "clang++"))), None)

pytest.importorskip("scikit_build_core", reason="builds need the back-end at hand")


def build(kind: str, folder: Path, **environment: str) -> Path:
    """One wheel or source archive of this checkout, by the back-end itself: no network."""
    if kind == "wheel" and not (shutil.which("cmake") or importlib.util.find_spec("cmake")):
        pytest.skip("no CMake here")
    script = "import sys, scikit_build_core.build as b; getattr(b, sys.argv[1])(sys.argv[2])"
    folder.mkdir()
    subprocess.run(
        [sys.executable, "-c", script, f"build_{kind}", str(folder)],
        cwd=ROOT,
        env={**os.environ, **environment},
        check=True,
        timeout=600,
    )
    (made,) = folder.iterdir()
    return made


def tidegate(wheel: Path, folder: Path, *arguments: str) -> str:
    """What the command says when the package is read from that wheel and from nowhere else."""
    zipfile.ZipFile(wheel).extractall(folder)
    # -S leaves out the .pth file through which an editable install shows the checkout.
    path = os.pathsep.join([str(folder), sysconfig.get_path("purelib")])
    here = {key: value for key, value in os.environ.items() if not key.startswith("TIDEGATE_")}
    run = subprocess.run(
        [sys.executable, "-S", "-m", "tidegate", *arguments],
        cwd=folder,
        env={**here, "PYTHONPATH": path, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def libraries(wheel: Path) -> list[str]:
    return [name for name in zipfile.ZipFile(wheel).namelist() if name.endswith(LIBRARIES)]


def sources(folder: Path) -> set[str]:
    """Modules, and the data, pages and scripts beside them; nothing that was compiled."""
    made = (".pyc", ".so", ".dylib", ".dll", ".lib")
    found = (path for path in folder.rglob("*") if path.is_file() and path.suffix not in made)
    return {path.relative_to(folder).as_posix() for path in found}


@pytest.fixture(scope="module")
def pure(tmp_path_factory):
    """The wheel of a machine whose compiler does not compile."""
    folder = tmp_path_factory.mktemp("wheel") / "pure"
    nothing = shutil.which("false") or "no-such-compiler"
    return build("wheel", folder, CC=nothing, CXX=nothing, TIDEGATE_REQUIRE_NATIVE="")


def test_without_a_compiler_the_wheel_is_pure_python(pure):
    assert pure.name.endswith("-py3-none-any.whl")
    assert libraries(pure) == []
    files = sources(ROOT / "src")
    assert files <= set(zipfile.ZipFile(pure).namelist())
    assert {"tidegate/py.typed", "tidegate/explain/report/report.html"} <= files


def test_without_a_compiler_the_package_works_and_says_how_to_get_the_speed(pure, tmp_path):
    told = tidegate(pure, tmp_path / "site", "info")
    assert "compiler" in told
    assert "aten runs it" in told
    assert "native runs it" not in told


def test_a_failing_compiler_is_an_error_where_the_library_is_required(tmp_path):
    nothing = shutil.which("false") or "no-such-compiler"
    with pytest.raises(subprocess.CalledProcessError):
        build("wheel", tmp_path / "dist", CXX=nothing, TIDEGATE_REQUIRE_NATIVE="1")


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(COMPILER is None, reason="no compiler here")
def test_with_a_compiler_one_wheel_fits_every_python(tmp_path):
    wheel = build("wheel", tmp_path / "dist", TIDEGATE_REQUIRE_NATIVE="1")
    assert "-py3-none-" in wheel.name
    assert not wheel.name.endswith("-any.whl")
    (library,) = libraries(wheel)
    assert Path(library).parent.as_posix() == "tidegate/kernels"
    assert "native runs it" in tidegate(wheel, tmp_path / "site", "info")


def test_the_source_archive_holds_what_the_library_is_built_from(tmp_path):
    archive = build("sdist", tmp_path / "dist")
    with tarfile.open(archive) as files:
        names = {name.partition("/")[2] for name in files.getnames()}
    written = {p.relative_to(ROOT).as_posix() for p in (ROOT / "native").rglob("*.*")}
    assert written <= names
    assert {"CMakeLists.txt", "constraints.txt", "Makefile", "tests/helpers.py"} <= names
    assert not [name for name in names if name.endswith(LIBRARIES)]
