"""Edge: where the pocket model's recipe and its kit draw from: a generator that its caller seeds, never the clock."""

from __future__ import annotations

from random import Random as Chance

__all__ = ["Chance"]
