"""Everything that is drawn: one style, and the way a figure reaches a page (SVG, caption, alt text, source)."""

import base64
import html
import io

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from . import sources
from .tables import Rendered

# Okabe & Ito's colours for readers with any kind of colour vision (doi 10.1038/nmeth.1618); yellow is left
# out because a thin yellow line does not show on white.
COLOURS = {
    "blue": "#0072B2",
    "orange": "#D55E00",
    "green": "#009E73",
    "purple": "#AA4499",
    "sky": "#56B4E9",
    "amber": "#E69F00",
    "grey": "#595959",
}
MARKERS = ("o", "s", "^", "D", "v", "P", "X")

# Drawn this wide a figure keeps its text readable when a telephone shrinks it to its own width.
WIDTH_INCHES = 5.6

STYLE = {
    "figure.facecolor": "white",
    "figure.constrained_layout.use": True,
    "savefig.facecolor": "white",
    "font.size": 11,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e3e3e3",
    "lines.linewidth": 1.6,
    "lines.markersize": 5,
    "legend.frameon": False,
    # The same drawing must give the same bytes on every run.
    "svg.hashsalt": "sentencing",
}

# Matplotlib reads the style when a text or a legend is made, so everything that draws has to run inside it.
in_style = mpl.rc_context(STYLE)


@in_style
def show(figure: Figure, caption: str, alt: str, *, source_ids: str = "") -> Rendered:
    """Put a figure on the page as SVG with its caption, alternative text and source line, and close it.

    Parameters
    ----------
    caption : str
        What the figure shows and how to read it.
    alt : str
        What it tells, in words, for those who do not see it.
    source_ids : str
        Ids joined by ";".

    Raises
    ------
    ValueError
        When caption or alternative text is blank.
    """
    if not caption.strip() or not alt.strip():
        raise ValueError("a figure needs a caption and an alternative text")
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    plt.close(figure)
    data = base64.b64encode(buffer.getvalue().encode()).decode()
    source = f'<span class="source">Source: {html.escape(sources.describe(source_ids))}</span>' if source_ids else ""
    markup = (
        f'<figure class="plot"><img alt="{html.escape(alt, quote=True)}" src="data:image/svg+xml;base64,{data}">'
        f"<figcaption>{html.escape(caption)} {source}</figcaption></figure>"
    )
    return Rendered(markup, f"{caption}\n{alt}")


@in_style
def panels(titles: list[str], height_inches: float = 2.1) -> tuple[Figure, list[Axes]]:
    """A column of panels, one below the other with a common horizontal axis, in the project's style."""
    size = (WIDTH_INCHES, height_inches * len(titles))
    figure, axes = plt.subplots(len(titles), 1, sharex=True, squeeze=False, figsize=size)
    column = list(axes[:, 0])
    for axis, title in zip(column, titles, strict=True):
        axis.set_title(title)
    return figure, column


@in_style
def yearly_lines(axis: Axes, frame: pd.DataFrame, value: str, series: dict[str, str], years: range) -> None:
    """Draw one line for each series over `years`; a year without a figure is a gap, never joined across.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns `year`, `series` and `value`; at most one row for each year and series.
    series : dict of str to str
        All series of the figure, in order, with their labels; those with figures in `frame` are drawn. A series
        has the colour and marker of its place, so that it looks the same in every panel.

    Raises
    ------
    ValueError
        When a year and series have two rows.
    """
    if frame.duplicated(["year", "series"]).any():
        twice = frame.loc[frame.duplicated(["year", "series"], keep=False), ["year", "series", value]]
        raise ValueError(f"one figure a year and series can be drawn; found {twice.to_dict('records')}")
    colours = list(COLOURS.values())
    for place, (key, label) in enumerate(series.items()):
        line = frame[frame["series"] == key].set_index("year")[value].reindex(years).astype("float64")
        if line.notna().any():
            style = {"marker": MARKERS[place % len(MARKERS)], "color": colours[place % len(colours)]}
            axis.plot(list(years), line, label=label, **style)
    axis.set_ylim(bottom=0)
    axis.set_xlim(years[0] - 0.5, years[-1] + 0.5)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.tick_params(labelbottom=True)  # the legend stands between panels, so each needs its own years
    axis.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
    if axis.get_legend_handles_labels()[0]:
        axis.legend(fontsize=9, loc="upper left", bbox_to_anchor=(0, -0.12), ncols=2)


@in_style
def stacked_years(axis: Axes, frame: pd.DataFrame, value: str, kinds: dict[str, str]) -> None:
    """Draw one bar a year, made of the kinds in order; each kind has its own colour and hatching.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns `year`, `kind` and `value`; rows of one year and kind are added up.
    kinds : dict of str to str
        Kinds to draw, in order, with their labels.
    """
    dated = frame.dropna(subset=["year"])
    if dated.empty:
        axis.text(0.5, 0.5, "nothing published", ha="center", va="center", transform=axis.transAxes)
        return
    years = range(int(dated["year"].min()), int(dated["year"].max()) + 1)
    summed = dated.pivot_table(index="year", columns="kind", values=value, aggfunc="sum").reindex(years).fillna(0)
    base = pd.Series(0.0, index=summed.index)
    for (kind, label), colour, hatch in zip(kinds.items(), COLOURS.values(), ("", "///", "..", "xx"), strict=False):
        if kind in summed and summed[kind].sum() > 0:
            heights = summed[kind].astype("float64")
            axis.bar(summed.index, heights, bottom=base, label=label, color=colour, hatch=hatch, edgecolor="white")
            base = base + heights
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.legend(fontsize=9)


@in_style
def shares_of(axis: Axes, frame: pd.DataFrame, labels: dict[str, str]) -> None:
    """Draw one horizontal bar for each row of `frame`, split by its columns into shares of the row's total.

    Parameters
    ----------
    frame : pandas.DataFrame
        Index: what the bars are of. Columns: the parts, counts.
    labels : dict of str to str
        Parts to draw, in order, with their labels.
    """
    shares = frame.div(frame.sum(axis=1), axis=0) * 100
    left = pd.Series(0.0, index=frame.index)
    for (part, label), colour, hatch in zip(labels.items(), COLOURS.values(), ("", "///", "..", "xx"), strict=False):
        width = shares.get(part, pd.Series(0.0, index=frame.index)).fillna(0)
        axis.barh(frame.index, width, left=left, label=label, color=colour, hatch=hatch, edgecolor="white")
        left = left + width
    axis.invert_yaxis()
    axis.set_xlim(0, 100)
    axis.set_xlabel("percent of countries")
    axis.legend(fontsize=9, loc="upper center", bbox_to_anchor=(0.4, -0.2), ncols=2)


@in_style
def ranked_years(axis: Axes, years: pd.Series, ranks: pd.Series, names: list[str]) -> None:
    """Draw a rank by year as points on named levels, the best (rank 1) on top; years without a rank stay empty."""
    axis.plot(years, ranks, marker="o", linestyle="", color=COLOURS["blue"])
    axis.set_yticks(range(1, len(names) + 1), names)
    axis.set_ylim(len(names) + 0.5, 0.5)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
