"""Errors of drawing."""

from __future__ import annotations

from planner.findings import PlannerError


class DrawError(PlannerError):
    """Error in drawing a picture: no layout engine, an unknown format, a heat without numbers (family D6xx).

    Examples
    --------
    >>> str(DrawError.of("D602", "`net.gif`: unknown format"))
    'error[D602]: `net.gif`: unknown format'
    """
