"""Where a rising function passes 0, as bisection finds it, with fewer calls."""

from collections.abc import Callable

_NEAR = 4.0  # final intervals to either side of an estimate
_ESTIMATES = 8


def bisected(excess: Callable[[float], float], low: float, high: float, halvings: int = 24) -> float:
    """The lower end of the interval that so many halvings of [low, high] leave.

    The lower half is kept where `excess`, a rising function, is above 0 at the middle, else the upper one. The
    secant through known points first narrows the interval in which the function has to be called; middles outside
    it are decided already.

    Examples:
        >>> calls = []
        >>> root = bisected(lambda x: calls.append(x) or x**3 - 2.0, 0.0, 30.0)
        >>> round(root, 4), len(calls) < 16
        (1.2599, True)
    """
    known = _Known(excess, low, high)
    known.narrow((high - low) * 0.5**halvings)
    for _ in range(halvings):
        middle = 0.5 * (low + high)
        if known.is_above(middle):
            high = middle
        else:
            low = middle
    return low


class _Known:
    """Points of a rising function so far: the highest that is not above 0, and the lowest that is."""

    def __init__(self, excess: Callable[[float], float], low: float, high: float) -> None:
        self._excess = excess
        self.below, self.above = low, high
        self._points: list[tuple[float, float]] = []

    def is_above(self, x: float) -> bool:
        """Whether the function is above 0 at x; it is called only where that isn't known."""
        if x <= self.below:
            return False
        return x >= self.above or self._call(x) > 0.0

    def narrow(self, step: float) -> None:
        """Bring both ends to within some steps of the root, where secants find it."""
        self._call(self.below)
        self._call(self.above)
        last = self.above
        for _ in range(_ESTIMATES):
            (a, f), (b, g) = self._points[-2:]
            x = b - g * (b - a) / (g - f) if g != f else self.below
            if not self.below < x < self.above:
                x = 0.5 * (self.below + self.above)
            if abs(x - last) < step:
                break
            last = x
            self._call(x)
        for x in (last - _NEAR * step, last + _NEAR * step):
            if self.below < x < self.above:
                self._call(x)

    def _call(self, x: float) -> float:
        value = self._excess(x)
        self._points.append((x, value))
        if value > 0.0:
            self.above = min(self.above, x)
        else:
            self.below = max(self.below, x)
        return value
