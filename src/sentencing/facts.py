"""What two readings of a narrative must share to agree: the facts of a row of the coded tables.

Two coders are compared by it, and the program that reads narratives with the coders; so their scores can stand side by
side.
"""

CUSTODY_COUNTS = ("n_convicted", "n_sentenced", "n_prison", "n_suspended", "n_fine_only", "n_other_noncustodial")
TABLES = ("counts", "custody", "sentences", "statutes")


def of_row(table: str, row: dict[str, str]) -> list[tuple[str, ...]]:
    """Facts of one row, each a tuple of texts; a row on custody has one for each number it gives.

    Parameters
    ----------
    table : str
        One of TABLES.
    row : dict of str to str
        Cells as text, "" for a blank. Lengths are compared to the month.
    """
    year = (row["iso3"], _whole(row.get("reference_year", "")))
    if table == "counts":
        return [(*year, row["stage"], "" if row["qualifier"] == "not_reported" else _whole(row["value"]))]
    if table == "custody":
        return [(*year, name, _whole(row[name])) for name in CUSTODY_COUNTS if row[name]]
    low, high = ("low_months", "high_months") if table == "sentences" else ("min_months", "max_months")
    return [(*(year if table == "sentences" else year[:1]), _whole(row[low]), _whole(row[high]))]


def _whole(cell: str) -> str:
    return f"{float(cell):.0f}" if cell else ""
