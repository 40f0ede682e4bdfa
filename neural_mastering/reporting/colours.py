"""Which colour a line, a button or a row gets, the same on a whole page."""

from collections.abc import Sequence

RESULT_COLOURS = 6


class Colours:
    """Which line class a name gets, the same on a whole page.

    Before, target, reference and oracle have fixed colours; results take the others in the order of their first
    use. A reference that is also the name of a result keeps that one's colour.
    """

    def __init__(self, results: Sequence[str] = ()) -> None:
        self._slots: dict[str, int] = {}
        for name in results:
            self._slot(name)

    def class_of(self, name: str, role: str) -> str:
        """A class of the style sheet such as "c-before" or "c-result-2 dash-1"."""
        if role != "result" and not (role == "reference" and name in self._slots):
            return f"c-{role}"
        slot = self._slot(name)
        dash = slot // RESULT_COLOURS
        return f"c-result-{slot % RESULT_COLOURS}" + (f" dash-{min(dash, 2)}" if dash else "")

    def _slot(self, name: str) -> int:
        return self._slots.setdefault(name, len(self._slots))
