"""What an estimator raises when the data cannot carry an answer."""

from collections.abc import Sequence


class NotEstimable(ValueError):
    """The data do not determine the quantity asked for.

    Attributes
    ----------
    reason : str
        Why, in one sentence.
    rows : tuple
        Labels (or positions) of the rows that make it so; at most the first ten stand in the message.
    columns : tuple of str
        Names of the columns that make it so.
    """

    def __init__(self, reason: str, *, rows: Sequence = (), columns: Sequence[str] = ()):
        self.reason, self.rows, self.columns = reason, tuple(rows), tuple(columns)
        parts = [reason]
        if self.columns:
            parts.append(f"columns: {', '.join(map(str, self.columns))}")
        if self.rows:
            shown = ", ".join(map(str, self.rows[:10])) + (", …" if len(self.rows) > 10 else "")
            parts.append(f"rows: {shown}")
        super().__init__("; ".join(parts))


class NotConverged(RuntimeError):
    """An iteration ended before its result could be trusted; the message says how far it came."""

    @property
    def reason(self) -> str:
        return str(self)
