"""Memory for large results of a pass, lent again when it comes back.

Fresh memory costs a page fault for every page, a tenth of the time of a pass; the gates and
outputs of the last step are free when those of the next one are made.
"""

from __future__ import annotations

import math
import threading

import numpy as np
import torch
from torch import Tensor

_LEAST = 1 << 20  # bytes; smaller pieces come as quickly from malloc
_MOST = 2 << 30  # bytes that wait for the next step; more is given back to the system
_ALIGN = 64

# A garbage collection in the middle of `_block` may end a loan in the same thread.
_lock = threading.RLock()
_free: list[torch.Tensor] = []


class _Loan:
    """A part of a block, which goes back when the last tensor that uses it is gone."""

    def __init__(self, block: Tensor, size: int) -> None:
        self.block = block
        address = block.data_ptr()
        self.__array_interface__ = {
            "data": (address + -address % _ALIGN, False),
            "shape": (size,),
            "typestr": "|u1",
            "version": 3,
        }

    def __del__(self) -> None:
        with _lock:
            _free.append(self.block)
            while len(_free) > 1 and sum(map(len, _free)) > _MOST:
                _free.pop(0)


def empty(like: Tensor, *shape: int) -> Tensor:
    """Make an unfilled tensor, if it is large of memory used before.

    Args:
        like: A tensor of the same type on the CPU.
        *shape: Its shape.
    """
    if type(like) is not Tensor:  # a fake tensor needs no memory
        return like.new_empty(*shape)
    size = math.prod(shape) * like.element_size()
    if size < _LEAST:
        return like.new_empty(*shape)
    array = np.asarray(_Loan(_block(size + _ALIGN), size))
    return torch.from_numpy(array).view(like.dtype).view(shape)


def _block(size: int) -> Tensor:
    """The smallest free block that fits without wasting more than a quarter, or a new one."""
    with _lock:
        fitting = [block for block in _free if size <= len(block) <= size + size // 4]
        if fitting:
            best = min(fitting, key=len)
            _free[:] = [block for block in _free if block is not best]
            return best
    # A ragged batch is seldom as long as the one before: some room lets the block serve again.
    return torch.empty(size + size // 8, dtype=torch.uint8, device="cpu")
