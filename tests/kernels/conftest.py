"""What tests that call the native library share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from tidegate.kernels import library


@pytest.fixture
def threads_and_scratch() -> Iterator[None]:
    """Tests set the number of threads as they like; NaN stands in the library's own memory."""
    before = torch.get_num_threads()
    library.opened().tidegate_poison(1)
    yield
    library.opened().tidegate_poison(0)
    torch.set_num_threads(before)
