"""The error function, which NumPy does not provide, to the accuracy of the data type.

In float32, ``erf(x) = tanh(x r(x^2))`` with a polynomial r, because NumPy's tanh is fast. In float64,
``erf(x) = x p(x^2) / q(x^2)`` with polynomials p and q that have only positive coefficients, so that nothing cancels.
Both forms are odd, which preserves the relative accuracy near 0, and both are valid up to where erf rounds to 1.

The coefficients were fitted for this project: relative least squares at Chebyshev nodes of x^2 in 60-digit
arithmetic against mpmath's erf, reweighted by the error of the fit until it was level (Lawson's method). The
relative errors of the fits are 7.1e-8 and 4.7e-17.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from runtime.kernels.base import Array

SINGLE_END = 4.0
SINGLE = (
    1.12837925304902655,
    0.102769806664272517,
    -0.000195159726154659377,
    -0.000614972074324794953,
    8.46568383116124704e-5,
    -4.8070558463647561e-6,
    2.87607966367319961e-8,
    5.37950298990722976e-9,
)
DOUBLE_END = 6.0
DOUBLE_ABOVE = (
    1.12837916709551252,
    0.221375594197878779,
    0.0663337386719096633,
    0.0069550461786881031,
    0.000861554506647784258,
    5.76818916974465823e-5,
    3.93998377848470733e-6,
    1.72055872499584945e-7,
    6.83256865101151379e-9,
    1.74239968963748917e-10,
    3.32514187649628708e-12,
    2.17332281314017418e-14,
    1.50979581140989981e-17,
)
DOUBLE_BELOW = (
    1.0,
    0.529522345549593115,
    0.135294193793572325,
    0.0221191030434940374,
    0.00258519303510506108,
    0.000228313697203136765,
    1.56759707812206887e-5,
    8.45608018915489131e-7,
    3.56175860196215087e-8,
    1.1380500792089752e-9,
    2.56853783429558145e-11,
    3.27098820313051112e-13,
    8.56681805726705222e-16,
)


def erf(x: Array, out: Array, square: Array, value: Array) -> None:
    """Write the error function of `x` to `out`; `square` and `value` are workspace of the same shape.

    The relative error is below 2.5e-7 in float32 and below 1e-15 in float64. `out` may be `x`.

    Examples
    --------
    >>> x = np.array([-1.0, 0.0, 0.5])
    >>> out = np.empty(3)
    >>> erf(x, out, np.empty(3), np.empty(3))
    >>> out.round(12).tolist()
    [-0.84270079295, 0.0, 0.520499877813]
    """
    single = x.dtype == np.float32
    end = SINGLE_END if single else DOUBLE_END
    np.maximum(x, -end, out=out)
    np.minimum(out, end, out=out)
    np.multiply(out, out, out=square)
    if single:
        _polynomial(SINGLE, square, value)
        np.multiply(out, value, out=out)
        np.tanh(out, out=out)
        return
    _polynomial(DOUBLE_ABOVE, square, value)
    np.multiply(out, value, out=out)
    _polynomial(DOUBLE_BELOW, square, value)
    np.divide(out, value, out=out)


def _polynomial(coefficients: Sequence[float], x: Array, out: Array) -> None:
    """Write the value of the polynomial to `out`; the constant coefficient comes first (Horner's scheme)."""
    np.multiply(x, coefficients[-1], out=out)
    for coefficient in coefficients[-2:0:-1]:
        np.add(out, coefficient, out=out)
        np.multiply(out, x, out=out)
    np.add(out, coefficients[0], out=out)
