"""Telling dead owners of leases from living ones, by nobody's clock but one's own."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from vocwatch.store.leases import Held

RENEW_SECONDS = 20.0
DEAD_SECONDS = 120.0


class Leash:
    """Remembers when each lease was seen to change last. `seconds` must not leap."""

    def __init__(self, seconds: Callable[[], float]):
        self._seconds = seconds
        self._seen: dict[str, tuple[Held, float]] = {}
        self._renewed = seconds()

    def look(self, held: Iterable[Held]) -> None:
        """Take note of the leases as they are now."""
        moment = self._seconds()
        before, self._seen = self._seen, {}
        for one in held:
            known = before.get(one.name)
            same = known is not None and (known[0].fence, known[0].beat, known[0].owner) == (one.fence, one.beat, one.owner)
            self._seen[one.name] = known if known is not None and same else (one, moment)

    def dead(self, name: str) -> Held | None:
        """Return a lease whose owner has shown no life for two minutes, as it was seen; None for any other."""
        known = self._seen.get(name)
        if known is None or known[0].owner is None or self._seconds() - known[1] < DEAD_SECONDS:
            return None
        return known[0]

    def time_to_renew(self) -> bool:
        """Whether one's own leases should be renewed; then the time runs anew."""
        if self._seconds() - self._renewed < RENEW_SECONDS:
            return False
        self._renewed = self._seconds()
        return True
