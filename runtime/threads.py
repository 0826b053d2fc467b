"""How many threads the BLAS may use: one for small steps, all for large ones.

A small product of matrices is over before a second thread has fetched what the first one just wrote, and on a
machine that is busy the two wait for each other. Measured on two cores, LeNet-5 in batches of 64 (27 million
multiply-accumulates forward) trains on 17,000 images/s with one thread and 15,000 with two; with two, one epoch
beside other programs fell to 1,200, with one thread and both cores kept busy by others it stayed at 11,000.
Products of 64 x 576 x 1024 and more are nearly twice as fast with two.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

SMALL_STEP = 200_000_000
"""Multiply-accumulates of a forward pass below which one thread serves best."""


def for_step(macs: int) -> AbstractContextManager[Any]:
    """Return a context in which the BLAS uses as many threads as a forward pass of so much work deserves.

    Examples
    --------
    >>> with for_step(416_520 * 64):
    ...     pass
    """
    return _blas().limit(limits=1, user_api="blas") if macs < SMALL_STEP else nullcontext()


@cache
def _blas() -> Any:
    from threadpoolctl import ThreadpoolController  # looks for the libraries once, after NumPy has loaded its own

    return ThreadpoolController()
