"""What a learner is told about one answer, as text and as HTML."""

import sys
from dataclasses import dataclass
from html import escape

_LOOK = {  # verdict -> mark, word, colour of the rule beside it (never the only signal)
    True: ("✓", "Right", "#009e73"),
    False: ("✗", "Not yet", "#d55e00"),
    None: ("•", "Noted", "#0072b2"),
}


@dataclass(frozen=True)
class Feedback:
    """The verdict on one answer.

    right: True, False, or None where only grading decides; share: part of the points, 0..1; mistake:
    the named mistake, if the answer shows one; read: False where no answer could be read from the value:
    a quiz and a drill do not count that as a try, nor record it.
    """

    right: bool | None
    share: float
    message: str
    mistake: str | None = None
    read: bool = True

    def __str__(self) -> str:
        mark, word, _ = _LOOK[self.right]
        return f"{mark} {word}. {self.message}".rstrip()

    __repr__ = __str__

    def __bool__(self) -> bool:
        return self.right is True

    def _ipython_display_(self) -> None:
        """Shown as display data: nbgrader reads a cell's result as points, and this is none."""
        shell = sys.modules["IPython"].get_ipython()  # it is IPython that calls
        shell.display_pub.publish({"text/plain": str(self), "text/html": self._repr_html_()})

    def _repr_html_(self) -> str:
        mark, word, colour = _LOOK[self.right]
        return (
            f'<div role="status" style="border-left:4px solid {colour};padding:.3em .8em;margin:.4em 0">'
            f"<strong>{mark} {word}.</strong> {escape(self.message)}</div>"
        )
