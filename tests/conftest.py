"""What every test runs under: fixed seeds, poisoned memory, no display, and the two markers."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import hypothesis
import pytest

if TYPE_CHECKING:
    import numpy as np

Report = pytest.TestReport | pytest.CollectReport

os.environ["MPLBACKEND"] = "Agg"
# Threads that wait for each other crawl on a busy machine, and the workers of xdist make it busy.
# Set before torch is imported; subprocesses inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A busy machine is slow, not wrong; and a failing example must come back in the next run.
hypothesis.settings.register_profile("tidegate", deadline=None, derandomize=True)
hypothesis.settings.load_profile("tidegate")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="run the tests marked slow too")
    rule = "fail where a test is skipped, unless it is marked slow or gpu"
    parser.addoption("--no-skips", action="store_true", help=rule)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    import torch

    skip_slow = pytest.mark.skip(reason="slow: runs with --slow")
    skip_gpu = pytest.mark.skip(reason="no CUDA device here")
    for item in items:
        if "slow" in item.keywords and not config.getoption("--slow"):
            item.add_marker(skip_slow)
        if "gpu" in item.keywords and not torch.cuda.is_available():
            item.add_marker(skip_gpu)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Report, Report]:
    report = yield
    if not {"slow", "gpu"} & item.keywords.keys():
        _fail_if_skipped(report, item.config)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, Report, Report]:
    report = yield
    _fail_if_skipped(report, collector.config)
    return report


def _fail_if_skipped(report: Report, config: pytest.Config) -> None:
    """With --no-skips, what was to be skipped has failed, and its reason says what is missing."""
    if report.skipped and isinstance(report.longrepr, tuple) and config.getoption("--no-skips"):
        report.outcome = "failed"
        report.longrepr = f"--no-skips forbids: {report.longrepr[2]}"


@pytest.fixture(autouse=True)
def seeds_and_poison(request: pytest.FixtureRequest) -> Iterator[None]:
    """Seed every generator, and make `torch.empty` hand out NaN instead of what lay in memory.

    The poison is part of torch's deterministic mode; on a GPU that mode also forbids operations
    which layers rightly use, so tests marked gpu run without it.
    """
    import random

    import numpy as np
    import torch

    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 - the generator that a careless caller uses is the one to fix
    torch.manual_seed(0)
    poison = request.node.get_closest_marker("gpu") is None
    torch.use_deterministic_algorithms(poison)
    yield
    torch.use_deterministic_algorithms(False)


_CURVES: dict[tuple[object, ...], bytes] = {}


@pytest.fixture(autouse=True)
def curves_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw one learning curve for each kind of history, not one for each model that is saved.

    Every saved model has such a picture, and only tests/test_card.py looks at it.
    """
    from tidegate import card

    draw = card.learning_curve

    def once(history: card.History) -> bytes:
        kind = (len(history), *(name for row in history for name in row))
        if kind not in _CURVES:
            _CURVES[kind] = draw(history)
        return _CURVES[kind]

    monkeypatch.setattr(card, "learning_curve", once)


@pytest.fixture
def rng() -> np.random.Generator:
    """A generator of the test's own: what one test draws does not depend on which others run."""
    import numpy as np

    return np.random.default_rng(0)


@pytest.fixture
def mgu(monkeypatch: pytest.MonkeyPatch) -> type:
    """Import the plug-in, which registers its cell, and forget it afterwards."""
    import importlib
    import sys

    from tidegate import cells

    monkeypatch.setattr(cells.base, "_REGISTRY", dict(cells.base._REGISTRY))
    monkeypatch.delitem(sys.modules, "tests.plugins.mgu", raising=False)
    return importlib.import_module("tests.plugins.mgu").MGU
