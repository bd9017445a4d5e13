"""What tests that call the native library share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from tidegate import kernels
from tidegate.kernels import BACKENDS, library


@pytest.fixture
def threads_and_scratch() -> Iterator[None]:
    """Tests set the number of threads as they like; NaN stands in the library's own memory."""
    before = torch.get_num_threads()
    library.opened().tidegate_poison(1)
    yield
    library.opened().tidegate_poison(0)
    torch.set_num_threads(before)


@pytest.fixture
def without_native(monkeypatch: pytest.MonkeyPatch) -> None:
    """What there is on a machine without the native library."""
    left = {name: module for name, module in BACKENDS.items() if name != "native"}
    monkeypatch.setattr(kernels, "BACKENDS", left)
