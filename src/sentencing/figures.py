"""Everything that is drawn: one style, and the way a figure reaches a page (SVG, caption, alt text, source)."""

import html
import io
import re
from urllib.parse import quote

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator

from . import compare, designs, power, profiles, robustness, schemas, stages, victims
from .evidence import SOURCE_KINDS
from .tables import Rendered, in_brief, source_line, sources_of, write_text

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
    # A label may be text of others: a "$" in it begins no formula.
    "text.parse_math": False,
    # The same drawing must give the same bytes on every run.
    "svg.hashsalt": "sentencing",
}

# Matplotlib reads the style when a text or a legend is made, so everything that draws has to run inside it.
in_style = mpl.rc_context(STYLE)


@in_style
def show(
    figure: Figure, caption: str, alt: str, *, source_ids: str = "", to: str = "", data: pd.DataFrame | None = None
) -> Rendered:
    """Put a figure on the page as SVG with its caption, alternative text and source line, and close it.

    Parameters
    ----------
    caption : str
        What the figure shows and how to read it.
    alt : str
        What it tells, in words, for those who do not see it.
    source_ids : str
        Ids joined by ";".
    to : str
        Output that the drawing is written to as well, so that other pages can show it.
    data : pandas.DataFrame, optional
        What is drawn, for readers to take along.

    Raises
    ------
    ValueError
        When caption or alternative text is blank.
    """
    if not caption.strip() or not alt.strip():
        raise ValueError("a figure needs a caption and an alternative text")
    for label in figure.findobj(Text):
        label.set_parse_math(False)  # made outside the style
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    plt.close(figure)
    if to:
        write_text(buffer.getvalue(), to)
    markup = (
        f'<figure class="plot"><img alt="{html.escape(alt, quote=True)}" src="{svg_address(buffer.getvalue())}">'
        f"<figcaption>{html.escape(caption)}</figcaption>{source_line(source_ids)}</figure>"
    )
    return Rendered(markup, f"{caption}\n{alt}", data)


def svg_address(svg: str) -> str:
    """A drawing as an address that holds all of it, to stand between double quotes.

    Line breaks and indentation are left out. Escaped letters take a quarter less room than base64.
    """
    short = re.sub(r"\s*\n\s*", " ", svg).replace("> <", "><")
    short = short.replace("'", "&apos;").replace('"', "'")
    return f"data:image/svg+xml,{quote(short, safe=' :;,/?@=+$-_.!~*()' + chr(39))}"


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
def yearly_lines(
    axis: Axes, frame: pd.DataFrame, value: str, series: dict[str, str], years: range, joined: bool = True
) -> None:
    """Draw one line for each series over `years`; a year without a figure is a gap, never joined across.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns `year`, `series` and `value`; at most one row for each year and series.
    series : dict of str to str
        All series of the figure, in order, with their labels; those with figures in `frame` are drawn. A series
        has the colour and marker of its place, so that it looks the same in every panel.
    joined : bool
        Whether points of years that follow each other are joined.

    Raises
    ------
    ValueError
        When a year and series have two rows.
    """
    if frame.duplicated(["year", "series"]).any():
        twice = frame.loc[frame.duplicated(["year", "series"], keep=False), ["year", "series", value]]
        raise ValueError(f"one figure a year and series can be drawn; found {twice.to_dict('records')}")
    for place, (key, label) in enumerate(series.items()):
        line = frame[frame["series"] == key].set_index("year")[value].reindex(years).astype("float64")
        if line.notna().any():
            colour, marker = _look(place)
            style = {"marker": marker, "color": colour, "linestyle": "-" if joined else ""}
            axis.plot(list(years), line, label=label, **style)
    axis.set_ylim(bottom=0)
    axis.set_xlim(years[0] - 0.5, years[-1] + 0.5)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.tick_params(labelbottom=True)  # the legend stands between panels, so each needs its own years
    axis.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
    if axis.get_legend_handles_labels()[0]:
        axis.legend(fontsize=9, loc="upper left", bbox_to_anchor=(0, -0.12), ncols=2)


@in_style
def body_lines(yearly: pd.DataFrame, country: str, years: range) -> Rendered:
    """Published yearly totals, a panel for each stage and a line for each body.

    Parameters
    ----------
    yearly : pandas.DataFrame
        As of `stages.yearly_figures`, for one country.
    country : str
        Its name.
    """
    shown = {stage: title for stage, title in stages.STAGES.items() if (yearly["stage"] == stage).any()}
    shown = shown or {"none": "No yearly total is published here"}
    bodies = {body: label for body, label in stages.BODIES.items() if (yearly["body"] == body).any()}
    figure, axes = panels(list(shown.values()), height_inches=2.8)
    for axis, stage in zip(axes, shown, strict=True):
        rows = yearly[yearly["stage"] == stage].rename(columns={"body": "series"})
        # Terms known in some way are of different selections of people.
        yearly_lines(axis, rows, "value", bodies, years, joined=stage != "prison")
        axis.set_ylabel("reports" if stage == "reports_received" else "persons")
    caption = (
        f"{country}, {years[0]} to {years[-1]}: published yearly totals by step and body. Suppressed counts (1 to 4) "
        "are not drawn."
    )
    return show(figure, caption, stages.in_words(yearly), source_ids=sources_of(yearly), data=yearly)


@in_style
def share_intervals(
    shares: pd.DataFrame, yearly: pd.DataFrame, country: str, parts: tuple[str, ...] = victims.MAIN_PARTS
) -> Rendered:
    """Shares with their intervals by year, a panel for each part and a marker for each body.

    Parameters
    ----------
    shares : pandas.DataFrame
        As of `victims.shares`, for one country.
    yearly : pandas.DataFrame
        As for `body_lines`, so that a body looks the same in both figures.
    country : str
        Its name.
    parts : tuple of str
        Parts of `victims.PARTS` to draw, in order, those that have a share.
    """
    drawn = shares[shares["part"].isin(parts)]
    present = {part: victims.PARTS[part].capitalize() for part in parts if (drawn["part"] == part).any()}
    figure, axes = panels(list(present.values()) or ["No share is published here"], height_inches=2.3)
    looks = _body_looks({*yearly["body"], *drawn["body"]})
    bodies = [body for body in looks if (drawn["body"] == body).any()]
    for axis, part in zip(axes, present, strict=False):
        for place, body in enumerate(bodies):
            colour, marker = looks[body]
            own = drawn[(drawn["part"] == part) & (drawn["body"] == body)]
            # Bodies stand side by side, so that intervals of one year do not hide each other.
            at = own["year"] + 0.17 * (place - (len(bodies) - 1) / 2)
            reach = 100 * pd.concat([own["share"] - own["low"], own["high"] - own["share"]], axis=1).T.to_numpy()
            axis.errorbar(at, 100 * own["share"], reach, fmt=marker, color=colour, label=stages.BODIES[body])
        axis.set_ylim(0, 100)
        axis.set_ylabel("percent")
        axis.set_xlim(drawn["year"].min() - 0.5, drawn["year"].max() + 0.5)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.tick_params(labelbottom=True)
    if present:
        axes[-1].legend(fontsize=9, loc="upper left", bbox_to_anchor=(0, -0.2), ncols=2)
    told = "; ".join(
        f"{row.label}: {100 * row.share:.0f} % ({100 * row.low:.0f} to {100 * row.high:.0f})"
        for row in drawn.itertuples()
    )
    caption = (
        f"{country}: shares of the victims identified in a year, each with its 95 % interval; compare only within a "
        "body. A year without a point: no count with its base was seen."
    )
    return show(figure, caption, told or "No share is published.", source_ids=sources_of(drawn), data=drawn)


def _body_looks(bodies: set[str]) -> dict[str, tuple[str, str]]:
    """Colour and marker of each body, as `yearly_lines` gives them by place."""
    return {body: _look(place) for place, body in enumerate(body for body in stages.BODIES if body in bodies)}


def _look(place: int) -> tuple[str, str]:
    """Colour and marker of the series at a place.

    Beyond the last colour they start again with other markers, so that no two series look alike.
    """
    turn, place_in_turn = divmod(place, len(COLOURS))
    return list(COLOURS.values())[place_in_turn], MARKERS[(place_in_turn + turn) % len(MARKERS)]


STATUS_LABELS = {
    "reported": "reported",
    "reported_as_none": "reported as none",
    "not_reported": "not reported",
    "not_covered": "not covered",
}
TIER_LABELS = ["Tier 1", "Tier 2", "Tier 2 Watch List", "Tier 3"]
HATCHES = ("", "///", "..", "xx")


@in_style
def known_people(people: pd.DataFrame, country: str, source_ids: str = "") -> Rendered:
    """People of whom something about the sentence is known, as bars by year and kind of source.

    Parameters
    ----------
    people : pandas.DataFrame
        As of `evidence.people`, for one country.
    country : str
        Its name.
    """
    figure, (axis,) = panels([f"{country}: people whose sentence is known in some way"], height_inches=3.2)
    dated = people.dropna(subset=["year_low"])
    summed = dated.pivot_table(index="year_low", columns="source_kind", values="n_smallest", aggfunc="sum")
    if len(summed):
        summed = summed.reindex(range(int(summed.index.min()), int(summed.index.max()) + 1)).astype("float64").fillna(0)
    base = pd.Series(0.0, index=summed.index)
    for kind, style in _styled(SOURCE_KINDS, summed.columns):
        axis.bar(summed.index, summed[kind], bottom=base, label=SOURCE_KINDS[kind], **style)
        base = base + summed[kind]
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.margins(y=0.1)
    axis.set_ylabel("persons")
    if len(summed):
        axis.legend(fontsize=9)
    else:
        axis.text(0.5, 0.5, "nothing published", ha="center", va="center", transform=axis.transAxes)
    told = "; ".join(f"{r.year_low}: {r.n_smallest} from {SOURCE_KINDS[r.source_kind]}" for r in dated.itertuples())
    caption = (
        f"{country}: people behind the usable evidence, by the first year in which they may have been sentenced, "
        "under the smallest possible bases."
    )
    return show(
        figure,
        caption,
        f"Bars by year, {int(dated['n_smallest'].sum())} people in all: {told or 'nobody'}.",
        source_ids=source_ids,
        data=dated,
    )


@in_style
def coverage(countries: pd.DataFrame, title: str, source_ids: str) -> Rendered:
    """For how many countries each stage is reported, as one bar a stage split into shares.

    Parameters
    ----------
    countries : pandas.DataFrame
        As of `tip.coverage_of`: numbers of countries by stage and status.
    """
    figure, (axis,) = panels([title], height_inches=3.6)
    shares = countries.div(countries.sum(axis=1), axis=0) * 100
    stages = [str(stage).replace("_", " ") for stage in shares.index]
    left = pd.Series(0.0, index=shares.index)
    for status, style in _styled(STATUS_LABELS, shares.columns):
        axis.barh(stages, shares[status], left=left, label=STATUS_LABELS[status], **style)
        left = left + shares[status]
    axis.invert_yaxis()
    axis.set_xlim(0, 100)
    axis.set_xlabel("percent of countries")
    axis.legend(fontsize=9, loc="upper center", bbox_to_anchor=(0.4, -0.2), ncols=2)
    told = "; ".join(f"{stage} {share:.0f} %" for stage, share in zip(stages, shares["reported"], strict=True))
    caption = (
        f"{int(countries.iloc[0].sum())} countries; not covered: not coded yet, or no narrative of that year read here."
    )
    return show(
        figure, caption, f"Countries with a figure: {told}.", source_ids=source_ids, data=countries.reset_index()
    )


@in_style
def tier_history(tiers: pd.DataFrame, country: str, source_ids: str = "") -> Rendered:
    """The tier of one country in each report, as points on named levels, the best on top.

    Parameters
    ----------
    tiers : pandas.DataFrame
        Rows of `tip.clean_tiers` for one country.
    """
    figure, (axis,) = panels([f"{country}: tier in each report"], height_inches=2.6)
    history = tiers.sort_values("report_year")
    ranks = history["tier_rank"].astype("float64")
    axis.plot(history["report_year"].astype("float64"), ranks, marker="o", linestyle="", color=COLOURS["blue"])
    axis.set_yticks(range(1, len(TIER_LABELS) + 1), TIER_LABELS)
    axis.set_ylim(len(TIER_LABELS) + 0.5, 0.5)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    if ranks.isna().all():
        axis.set_xticks([])
        axis.text(0.5, 0.5, "no tier seen", ha="center", va="center", transform=axis.transAxes)
    known = history.dropna(subset=["tier"])
    told = "; ".join(f"{year}: {tier}" for year, tier in zip(known["report_year"], known["tier"], strict=True))
    caption = "Tier by year of the report; a year without a point: no tier seen here."
    return show(
        figure, caption, f"{country} by report year: {told or 'no tier seen'}.", source_ids=source_ids, data=history
    )


@in_style
def likelihood_curves(curves: pd.DataFrame, title: str) -> Rendered:
    """Relative likelihood of each median for one offender, a line for each description.

    Parameters
    ----------
    curves : pandas.DataFrame
        As of `lessons.likelihood_curves`.
    """
    figure, (axis,) = panels([title], height_inches=3.4)
    styles = ("-", "--", "-.", ":")
    for (name, curve), colour, style in zip(curves.items(), COLOURS.values(), styles, strict=False):
        axis.plot(curves.index, curve, color=colour, linestyle=style, label=name)
    axis.set_xlabel("median term, months")
    axis.set_ylabel("likelihood, share of the best")
    axis.set_ylim(0, 1.05)
    axis.legend(fontsize=9, loc="upper left", bbox_to_anchor=(0, -0.2), ncols=2)
    told = "; ".join(
        f"{name}: at least half of the best from {half.index[0]:.0f} to {half.index[-1]:.0f} months"
        for name, half in ((name, curve[curve >= 0.5]) for name, curve in curves.items())
    )
    caption = "How well each median fits one offender, for each way in which the term of that offender may be told."
    return show(figure, caption, f"One line a description. {told}.", data=curves)


@in_style
def information(shares: pd.DataFrame) -> Rendered:
    """Bars: the share of the information of exact lengths that each description carries.

    Parameters
    ----------
    shares : pandas.DataFrame
        As of `lessons.information`.
    """
    figure, (axis,) = panels(["Information left"], height_inches=3.6)
    labels = {
        "median_spread_known": "on the median, spread known",
        "median": "on the median",
        "spread": "on the spread",
    }
    height = 0.8 / len(labels)
    for place, ((column, label), colour, hatch) in enumerate(
        zip(labels.items(), COLOURS.values(), HATCHES, strict=False)
    ):
        at = [row + place * height for row in range(len(shares))]
        axis.barh(at, 100 * shares[column], height, color=colour, hatch=hatch, edgecolor="white", label=label)
    axis.set_yticks([row + height for row in range(len(shares))], shares["description"])
    axis.invert_yaxis()
    axis.set_xlim(0, 100)
    axis.set_xlabel("percent of that of exact lengths")
    axis.legend(fontsize=9, loc="upper center", bbox_to_anchor=(0.3, -0.2), ncols=2)
    told = "; ".join(
        f"{row['description']}: {100 * row['median']:.0f} % on the median, {100 * row['spread']:.0f} % on the spread"
        for row in shares.to_dict("records")
    )
    return show(figure, "What each description of the same people still tells.", told + ".", data=shares)


@in_style
def heaps(terms_months, edges_months) -> Rendered:
    """Bars: how often each term is pronounced, with the edges of the bands in which sources print them."""
    counts = pd.Series(terms_months).value_counts(normalize=True).sort_index() * 100
    figure, (axis,) = panels(["Terms as pronounced, and the edges of the bands"], height_inches=2.8)
    at_edge = counts.index.isin(edges_months)
    for chosen, colour, label in ((~at_edge, "sky", "other terms"), (at_edge, "orange", "terms on an edge")):
        axis.bar(counts.index[chosen], counts[chosen], width=4, color=COLOURS[colour], label=label)
    for edge in edges_months:
        axis.axvline(edge, color=COLOURS["grey"], linestyle="--", linewidth=1)
    axis.set_xlim(0, 150)
    axis.set_xlabel("months")
    axis.set_ylabel("percent of people")
    axis.legend(fontsize=9)
    told = ", ".join(f"{edge:g} months {counts.get(edge, 0.0):.0f} %" for edge in edges_months)
    shares = counts.rename_axis("months").rename("percent").reset_index()
    caption = "Terms come in steps. Those on an edge all belong to the band that includes it."
    return show(figure, caption, f"Terms on the edges of the bands: {told} of the people.", data=shares)


OPEN_MONTHS = 30  # how far beyond the last printed length an open end is drawn


@in_style
def published_rows(rows: pd.DataFrame, country: str, lines_months: dict[str, float]) -> Rendered:
    """Every usable description of sentenced people as it is published, one below the other, by kind of source.

    Parameters
    ----------
    rows : pandas.DataFrame
        Rows of the evidence table.
    country : str
        Its name.
    lines_months : dict of str to float
        Lengths to mark, by what they are, such as a statutory minimum.
    """
    kinds = [kind for kind in SOURCE_KINDS if (rows["source_kind"] == kind).any()]
    in_time = rows.sort_values(["year_low", "low_months"], na_position="first", kind="stable")
    ordered = pd.concat([in_time[in_time["source_kind"] == kind] for kind in kinds] or [rows])
    bounds = ordered[["low_months", "high_months"]].astype("float64")
    beyond = max([*bounds.max().dropna(), *lines_months.values(), 60.0]) + OPEN_MONTHS
    figure, (axis,) = panels([f"{country}: sentences as published"], height_inches=1.6 + 0.24 * max(len(ordered), 4))
    # Triangles mark open ends here, so no kind of source has one.
    looks = zip(COLOURS.values(), (m for m in MARKERS if m not in "^v"), strict=False)
    styles = dict(zip(SOURCE_KINDS, looks, strict=False))
    names, told = [], []
    for place, row in enumerate(ordered.to_dict("records")):
        colour, marker = styles[row["source_kind"]]
        low, high = (None if pd.isna(row[c]) else float(row[c]) for c in ("low_months", "high_months"))
        names.append(f"{years_in_words(row)}: {people_in_words(row)}")
        told.append(f"{names[-1]}, {length_in_words(row)}, {SOURCE_KINDS[row['source_kind']]}")
        average = row["kind"] == "mean"
        if low is not None and low == high:
            fill = "white" if average else colour
            axis.plot(low, place, marker=marker, color=colour, markerfacecolor=fill, markersize=6, linestyle="")
            continue
        if low is None and high is None:
            axis.plot(beyond, place, marker=9, color=colour, markersize=6, linestyle="", clip_on=False)
            continue
        ends = (0.0 if low is None else low, beyond if high is None else high)
        width = 1 if average else 4
        axis.plot(ends, (place, place), color=colour, linewidth=width, solid_capstyle="butt", alpha=0.45)
        for at, end, attained in ((ends[0], low, row["low_attained"]), (ends[1], high, row["high_attained"])):
            shape = marker if attained == 1 else ("|" if end is not None else (9 if at else 8))
            axis.plot(at, place, marker=shape, color=colour, markersize=6, linestyle="", clip_on=False)
    for (label, months), style in zip(lines_months.items(), ("--", ":", "-."), strict=False):
        axis.axvline(months, color=COLOURS["grey"], linestyle=style, linewidth=1.2, label=label)
    for kind in kinds:
        colour, marker = styles[kind]
        axis.plot([], [], color=colour, marker=marker, linewidth=4, alpha=0.7, label=SOURCE_KINDS[kind])
    axis.set_yticks(range(len(names)), names, fontsize=9)
    axis.set_ylim(len(names) - 0.4, -0.6)
    axis.set_xlim(0, beyond)
    axis.set_xlabel("months of prison")
    if kinds:
        figure.legend(fontsize=9, loc="outside lower left", ncols=2)
    else:
        axis.text(0.5, 0.5, "nothing published", ha="center", va="center", transform=axis.transAxes)
    caption = (
        "A point is a term that somebody is known to have received. A bar says only that all these people's terms lie "
        "within it; points at its ends: the text gives them as the shortest and the longest term; a triangle marks an "
        "end that is open."
    )
    if ordered["kind"].eq("mean").any():
        caption += " A hollow point or a thin line is an average, which nobody need have received."
    if bounds.isna().all(axis=1).any():
        caption += " A triangle alone is a term for life."
    alt = "; ".join(told) + "." if told else "Nothing is published."
    return show(figure, caption, alt, source_ids=sources_of(rows, "source_id"), data=rows)


def years_in_words(row: dict) -> str:
    """Years of a row of the evidence."""
    return f"{row['year_low']}" if row["year_low"] == row["year_high"] else f"{row['year_low']}–{row['year_high']}"


def people_in_words(row: dict) -> str:
    """People of a row of the evidence, under each base that its printed share can have."""
    if not pd.isna(row["n"]):
        return f"{row['n']} {'person' if row['n'] == 1 else 'people'}"
    numbers = str(row["count_candidates"]).split(";")
    people = "person" if numbers == ["1"] else "people"
    several = f"{', '.join(numbers[:-1])} or {numbers[-1]}" if len(numbers) > 1 else numbers[0]
    share = "the rest" if row["is_remainder"] else f"{row['share_percent']:g} %"
    return f"{several} {people} ({share})"


def length_in_words(row: dict) -> str:
    """Terms of a row of the evidence."""
    low, high = row["low_months"], row["high_months"]
    if pd.isna(low) and pd.isna(high):
        return "life" if row["sanction"] == "life" else "length not told"
    if row["kind"] == "mean":
        return f"on average {low:g} months" if low == high else f"on average {low:g} to {high:g} months"
    if pd.isna(low):
        return f"{'at most' if row['high_inclusive'] else 'under'} {high:g} months"
    if pd.isna(high):
        return f"{'at least' if row['low_inclusive'] else 'over'} {low:g} months"
    return f"{low:g} months" if low == high else f"{low:g} to {high:g} months"


@in_style
def share_bounds(reported: pd.DataFrame, title: str, country: str, to: str = "") -> Rendered:
    """Bars from the smallest to the largest possible share, one for each group, and a line at one half.

    Parameters
    ----------
    reported : pandas.DataFrame
        In `estimands.REPORTED` columns, unit share, one quantity. Groups of a single year are drawn paler.
    title : str
        What the share is of.
    country : str
        Its name.
    to : str
        Output the drawing is written to as well.
    """
    rows = reported.to_dict("records")
    figure, (axis,) = panels([title], height_inches=1.3 + 0.3 * max(len(rows), 2))
    for place, row in enumerate(rows):
        colour = COLOURS["sky" if row["group"][:4].isdigit() else "orange" if row["group"][:3] == "all" else "blue"]
        low, high = 100 * row["low"], 100 * row["high"]
        # A share that is known is a thin line: it would not show with its true width of nothing.
        axis.barh(place, max(high - low, 1.2), left=min(low, 98.8), height=0.6, color=colour)
        axis.text(min(high, 98.8) + 2.5, place, in_brief(row), va="center", fontsize=9, clip_on=False)
    if not rows:
        axis.text(0.5, 0.5, "nothing published", ha="center", va="center", transform=axis.transAxes)
    axis.set_yticks(range(len(rows)), [f"{row['group']} ({row['n']})" for row in rows], fontsize=9)
    axis.set_ylim(max(len(rows), 1) - 0.4, -0.6)
    axis.set_xlim(0, 118)
    axis.set_xticks(range(0, 101, 25))
    axis.axvline(50, color=COLOURS["grey"], linestyle="--", linewidth=1.2)
    axis.set_xlabel("percent of people; dashed: one half")
    told = [f"{row['group']} ({row['n']} people): {in_brief(row)}" for row in rows]
    caption = (
        f"{country}: the smallest and the largest share that the published figures allow, without any model. In "
        "brackets: people of whom something is known."
    )
    alt = f"{title}: {'; '.join(told) or 'nobody is described'}."
    return show(figure, caption, alt, source_ids=sources_of(reported), to=to, data=reported)


# How a country is drawn: the one that is looked at, its neighbours, all others.
MARKS = {"country": ("orange", "D"), "neighbour": ("blue", "s"), "": ("grey", "o")}
# For each unit: what the axis is of, its ends, its ticks, and how a number is told.
COUNTRY_AXES = {
    "months": (
        "median term, months (each line doubles)",
        (0.9, 1100.0),
        (3, 6, 12, 24, 48, 96, 192, 384, 768),
        "{:.0f}",
    ),
    "ratio": ("median divided by the {end} of the law", (0.015, 12.0), (0.03, 0.1, 0.25, 0.5, 1, 2, 4), "{:.2f}"),
}


@in_style
def country_dots(countries: pd.DataFrame, country: str, unit: str, end: str = "maximum") -> Rendered:
    """Fitted medians of countries on top of what the printed bounds allow, a panel for each tier.

    Parameters
    ----------
    countries : pandas.DataFrame
        As of `compare.by_country` (months) or `compare.to_law` (ratio). Those without a median are drawn only where
        they are marked.
    country : str
        Name of the country that is looked at.
    unit : {"months", "ratio"}
    end : str
        Of a ratio: which end of the law.
    """
    drawn = countries[countries["median"].notna() | (countries["mark"].ne("") & countries["raw_low"].notna())]
    drawn = drawn[drawn[["median", "raw_low", "raw_high"]].notna().any(axis=1)]
    label, limits, ticks, form = COUNTRY_AXES[unit]
    tiers = [tier for tier in compare.TIERS if (drawn["tier"] == tier).any()]
    rows = [int((drawn["tier"] == tier).sum()) for tier in tiers] or [3]
    figure, axes = plt.subplots(
        len(rows), 1, sharex=True, squeeze=False, figsize=(WIDTH_INCHES, 1.6 + 0.45 * len(rows) + 0.19 * sum(rows)),
        height_ratios=[n + 0.4 for n in rows],
    )  # fmt: skip
    for axis, tier in zip(axes[:, 0], tiers, strict=False):
        axis.set_title(compare.TIERS[tier])
        _country_lines(axis, drawn[drawn["tier"] == tier].to_dict("records"), limits)
    last = axes[-1, 0]
    if tiers:
        last.set_xscale("log")
        last.set_xlim(*limits)
        last.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        last.minorticks_off()
    else:
        last.text(0.5, 0.5, "no country has a median", ha="center", va="center", transform=last.transAxes)
    last.set_xlabel(label.format(end=end))
    if unit == "ratio":
        for axis in axes[:, 0]:
            axis.axvline(1.0, color="black", linestyle="--", linewidth=1)
    present = [mark for mark in MARKS if (drawn["mark"] == mark).any()]
    names = {"country": country, "neighbour": "its neighbours", "": "other countries"}
    for mark in present:
        colour, marker = MARKS[mark]
        last.plot([], [], color=COLOURS[colour], marker=marker, label=names[mark])
    last.plot([], [], color=COLOURS["sky"], linewidth=6, alpha=0.45, label="what the printed bounds allow")
    if drawn["raw_average"].notna().any():
        last.plot([], [], marker="|", color="black", markersize=9, linestyle="", label="an average as printed")
    figure.legend(*last.get_legend_handles_labels(), fontsize=9, loc="outside lower left", ncols=2)
    caption = (
        f"Point and line: {'fitted median' if unit == 'months' else 'its ratio to the law'} with its 95 % interval. "
        "Pale bar: where the median may lie by the printed bounds alone; it reaches the frame where nothing bounds it. "
        "Tiers are those of an earlier report; they are no causes."
    )
    if unit == "ratio":
        caption += f" Dashed: as long as the {end}."
    told = "; ".join(_country_told(row, form) for row in drawn.to_dict("records"))
    return show(figure, caption, f"{told or 'No country has a median'}.", source_ids=sources_of(drawn), data=drawn)


def _country_lines(axis: Axes, rows: list[dict], limits: tuple[float, float]) -> None:
    for place, row in enumerate(rows):
        colour, marker = MARKS[row["mark"]]
        low, high = (limits[i] if pd.isna(row[end]) else row[end] for i, end in enumerate(("raw_low", "raw_high")))
        if pd.notna(row["raw_low"]) or pd.notna(row["raw_high"]):
            # A median that is printed exactly would have no width.
            low, high = (low, high) if high > 1.12 * low else (low / 1.06, high * 1.06)
            axis.plot((low, high), (place, place), color=COLOURS["sky"], linewidth=6, alpha=0.45, solid_capstyle="butt")
        axis.plot((row["lower"], row["upper"]), (place, place), color=COLOURS[colour], linewidth=1.4)
        axis.plot(row["median"], place, marker=marker, color=COLOURS[colour], markersize=5 + (row["mark"] == "country"))
        axis.plot(row["raw_average"], place, marker="|", color="black", markersize=9)
    axis.set_yticks(range(len(rows)), [_short(row) for row in rows], fontsize=8)
    for text, row in zip(axis.get_yticklabels(), rows, strict=True):
        text.set_fontweight("bold" if row["mark"] else "normal")
    axis.set_ylim(len(rows) - 0.4, -0.6)


def _short(row: dict) -> str:
    """Name of a country without what stands behind a comma, which its code replaces."""
    name, comma, _ = row["country"].partition(",")
    return f"{name} ({row['iso3']})" if comma else name


def _country_told(row: dict, form: str) -> str:
    median, lower, upper = (form.format(row[c]) for c in ("median", "lower", "upper"))
    return f"{row['country']}: " + (row["said"] if pd.isna(row["median"]) else f"{median} ({lower} to {upper})")


@in_style
def two_publishers(pairs: pd.DataFrame, country: str, iso3: str) -> Rendered:
    """Convictions by the TIP Report against those by UNODC, a point for each country and year.

    Parameters
    ----------
    pairs : pandas.DataFrame
        As of `compare.tip_and_unodc`.
    country, iso3 : str
        Name and code of the country that is marked.
    """
    figure, axis = plt.subplots(figsize=(WIDTH_INCHES, WIDTH_INCHES))
    ends = pairs[["tip_low", "tip_high", "unodc_low", "unodc_high"]]
    top = float(ends.max().max()) * 1.5 if len(pairs) else 10.0
    axis.plot((0, top), (0, top), color=COLOURS["grey"], linestyle="--", linewidth=1.2)
    looks = {
        "yes": ("equal", "green", "o"),
        "no": ("different", "blue", "x"),
        "cannot be told": ("may be equal", "amber", "s"),
    }
    for answer, (label, colour, marker) in looks.items():
        own = pairs[pairs["agree"] == answer]
        for row in own[own["unodc_low"] < own["unodc_high"]].itertuples():
            axis.plot(
                (row.unodc_low, row.unodc_high), (row.tip_low,) * 2, color=COLOURS[colour], linewidth=1, alpha=0.5
            )
        middle = own[["unodc_low", "unodc_high"]].mean(axis=1)
        axis.plot(middle, own["tip_low"], marker=marker, color=COLOURS[colour], linestyle="", alpha=0.75,
                  label=f"{label} ({len(own)})")  # fmt: skip
    marked = pairs[pairs["iso3"] == iso3]
    if len(marked):
        axis.plot(marked[["unodc_low", "unodc_high"]].mean(axis=1), marked["tip_low"], marker="D", markersize=10,
                  markerfacecolor="none", markeredgecolor=COLOURS["orange"], markeredgewidth=1.8, linestyle="",
                  label=f"{country} ({len(marked)})")  # fmt: skip
    for scale, limits, line in (
        (axis.set_xscale, axis.set_xlim, axis.xaxis),
        (axis.set_yscale, axis.set_ylim, axis.yaxis),
    ):
        scale("symlog", linthresh=1)
        limits(-0.3, top)
        ticks = [tick for tick in (0, 1, 3, 10, 30, 100, 300, 1000, 3000, 10000) if tick <= top]
        line.set_ticks(ticks, [f"{tick}" for tick in ticks])
    axis.minorticks_off()
    axis.set_xlabel("people convicted, UNODC")
    axis.set_ylabel("people convicted, TIP Report")
    figure.legend(fontsize=9, loc="outside lower left", ncols=2)
    caption = (
        "Each point is a country and year. On the dashed line the two publishers agree; a short line is a count of "
        "1 to 4 that UNODC withholds. Axes grow by factors."
    )
    counts = pairs["agree"].value_counts()
    told = (
        f"Equal {counts.get('yes', 0)}, different {counts.get('no', 0)}, may be equal {counts.get('cannot be told', 0)}"
    )
    alt = f"{told}, of {len(pairs)} countries and years."
    if len(marked):
        each = "; ".join(
            f"{r.year}: TIP {r.tip_low:.0f}, UNODC {r.unodc_low:.0f}"
            + f" to {r.unodc_high:.0f}" * (r.unodc_low != r.unodc_high)
            for r in marked.itertuples()
        )
        alt += f" {country}, {each}."
    return show(figure, caption, alt, source_ids=sources_of(pairs), data=pairs)


@in_style
def silence(grid: pd.DataFrame, country: str, source_ids: str = "") -> Rendered:
    """What the TIP Report tells of each step and year, as a grid of cells; each status has a colour and a sign.

    Parameters
    ----------
    grid : pandas.DataFrame
        As of `profiles.silence`: status by step (rows) and year (columns).
    country : str
        Its name.
    """
    looks = dict(zip(profiles.STATUSES, (("blue", "●"), ("sky", "0"), ("amber", "–"), ("", "")), strict=True))
    figure, (axis,) = panels([f"{country}: what the TIP Report tells of each year"], height_inches=2.9)
    for place, step in enumerate(grid.index):
        for year, status in grid.loc[step].items():
            colour, sign = looks[status]
            fill = COLOURS[colour] if colour else "white"
            axis.barh(place, 0.92, left=year - 0.46, height=0.9, color=fill, edgecolor=STYLE["grid.color"])
            axis.text(year, place, sign, ha="center", va="center", fontsize=8,
                      color="white" if colour == "blue" else "black")  # fmt: skip
    axis.grid(False)
    axis.set_yticks(range(len(grid)), [step.replace("_", " ") for step in grid.index], fontsize=9)
    axis.set_ylim(len(grid) - 0.4, -0.6)
    axis.set_xlim(grid.columns[0] - 0.6, grid.columns[-1] + 0.6)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    handles = [
        Patch(facecolor=COLOURS[colour] if colour else "white", edgecolor=COLOURS["grey"],
              label=f"{profiles.STATUSES[status]}" + f" ({sign})" * bool(sign))
        for status, (colour, sign) in looks.items()
    ]  # fmt: skip
    figure.legend(handles=handles, fontsize=9, loc="outside lower left", ncols=2)
    counts = {status: int((grid == status).sum().sum()) for status in profiles.STATUSES}
    told = "; ".join(f"{profiles.STATUSES[status]} {n}" for status, n in counts.items())
    caption = (
        "One cell for each step and year. Not reported: the text says so, or was read and gives none. Not read here: "
        "no narrative that could tell was coded for this repository, which says nothing about the country."
    )
    return show(figure, caption, f"Of {grid.size} cells: {told}.", source_ids=source_ids, data=grid.reset_index())


@in_style
def standing(measured: pd.DataFrame, iso3: str, near: profiles.Peers) -> Rendered:
    """A country among its peers, a strip for each measure that it or they publish.

    Parameters
    ----------
    measured : pandas.DataFrame
        As of `profiles.measures`, for the country and its peers.
    iso3 : str
        The country that is marked.
    near : profiles.Peers
        Its peers.
    """
    present = {m: label for m, label in profiles.MEASURES.items() if (measured["measure"] == m).any()}
    titles = [label[0].upper() + label[1:] for label in present.values()] or ["Nothing to compare"]
    figure, axes = plt.subplots(len(titles), 1, squeeze=False, figsize=(WIDTH_INCHES, 0.7 + 0.85 * len(titles)))
    for axis, title, measure in zip(axes[:, 0], titles, present or [""], strict=True):
        rows = measured[measured["measure"] == measure]
        axis.set_title(title, fontsize=9, fontweight="normal")
        for mark, own in (("", rows[rows["iso3"] != iso3]), ("country", rows[rows["iso3"] == iso3])):
            colour, marker = MARKS[mark]
            for row in own[own["low"] < own["high"]].itertuples():
                axis.plot((row.low, row.high), (0, 0), color=COLOURS[colour], linewidth=1.4, alpha=1 if mark else 0.4)
            style = {"markersize": 8} if mark else {"markersize": 7, "markerfacecolor": "none", "alpha": 0.8}
            axis.plot(own["value"], [0] * len(own), marker=marker, linestyle="", color=COLOURS[colour], **style)
        if measure in profiles.RATES:
            top = float(rows[["value", "high"]].max().max())
            axis.set_xscale("symlog", linthresh=1)
            ticks = [tick for tick in (0, 1, 3, 10, 30, 100, 300, 1000) if tick <= max(top, 1)]
            axis.set_xticks(ticks, [f"{tick}" for tick in ticks])
            axis.minorticks_off()
        axis.set_xlim(left=0)
        axis.set_ylim(-1, 1)
        axis.set_yticks([])
        axis.spines["left"].set_visible(False)
    if not present:
        axes[0, 0].set_xticks([])
    present_marks = [mark for mark in ("country", "") if measured["iso3"].eq(iso3).eq(mark == "country").any()]
    names = {"country": schemas.country_name(iso3), "": f"other countries of {near.label}" if near.label else ""}
    for mark in present_marks:
        colour, marker = MARKS[mark]
        fill = COLOURS[colour] if mark else "none"
        axes[-1, 0].plot([], [], marker=marker, linestyle="", color=COLOURS[colour], markerfacecolor=fill,
                         label=names[mark])  # fmt: skip
    if present_marks:
        figure.legend(*axes[-1, 0].get_legend_handles_labels(), fontsize=9, loc="outside lower left", ncols=2)
    caption = (
        "Each sign is a country. Each strip has its own scale; rates above one grow by factors. A line is a count that "
        "is withheld, or an interval. "
        "Countries count by different rules, and a high number can mean much crime, much effort, or full figures."
    )
    return show(
        figure, caption, profiles.standing_told(measured, iso3, near), source_ids=sources_of(measured), data=measured
    )


# How an estimand is drawn, by its unit: factor, what stands at the axis, and the value that says "no difference".
CURVE_UNITS = {
    "months": (1, "months", None),
    "percent": (1, "percent a year", 0.0),
    "share": (100, "percent", None),
    "ratio": (1, "ratio", 1.0),
}
BINS = 120  # columns of the matrix of choices; a column may stand for several designs


@in_style
def specification_curve(
    results: pd.DataFrame, source_kind: str, estimand: str, declared: designs.Declared, reference: str, title: str,
    published: str = "as in notebook 05",
) -> Rendered:  # fmt: skip
    """Every design's estimate in order of size, and below it which options the designs have.

    Parameters
    ----------
    results : pandas.DataFrame
        As of `multiverse.read_results`.
    source_kind, estimand : str
        Whose (blank where no kind is told apart), and what of them.
    declared : designs.Declared
        The choices.
    reference : str
        Hash of the design that is marked, the one of the published results.
    title : str
        Of whom: the name of a country, or what is compared.
    published : str
        Where the marked design is published.
    """
    rows, n_all = robustness.curve(results, source_kind, estimand), robustness.n_designs(results, source_kind, estimand)
    factor, unit, nothing = CURVE_UNITS[designs.study_of(declared.study).UNITS[estimand]]
    label, kind = declared.estimands[estimand], SOURCE_KINDS.get(source_kind, "")
    heading = f"{kind.capitalize()}: {label}" if kind else label[0].upper() + label[1:]
    if not len(rows):
        figure, (axis,) = panels([heading], height_inches=1.6)
        axis.set_axis_off()
        axis.text(0.5, 0.5, "no design can be estimated", ha="center", va="center", transform=axis.transAxes)
        return show(figure, f"{title}: none of {n_all} designs gives an estimate.", f"{label}: no estimate.")
    options = _options_shown(rows, declared)
    figure, (top, below) = plt.subplots(
        2, 1, figsize=(WIDTH_INCHES, 2.6 + 0.17 * len(options)), height_ratios=[2.0, 0.17 * len(options) + 0.2]
    )
    at = range(len(rows))
    low, high, value = (factor * rows[c] for c in ("low", "high", "estimate"))
    if low.notna().any():
        top.fill_between(at, low, high, color=COLOURS["sky"], alpha=0.35, linewidth=0, label="95 % intervals")
    top.plot(at, value, color=COLOURS["blue"], label="estimates, by size")
    marked = rows.index[rows["design"] == reference]
    if len(marked):
        top.plot(marked, value[marked], marker="D", linestyle="", color=COLOURS["orange"], label=published)
    if nothing is not None:
        top.axhline(nothing, color=COLOURS["grey"], linestyle="--", linewidth=1.2)
    # Open intervals would hide the estimates.
    span = float(value.max() - value.min()) or 1.0
    lowest, highest = float(value.min()) - 0.2 * span, float(value.max()) + 0.2 * span
    top.set_ylim(np.nanmin([low.quantile(0.1), lowest]), np.nanmax([high.quantile(0.9), highest]))
    figure.suptitle(heading, x=0.02, ha="left", fontsize=10, fontweight="bold")
    top.set_ylabel(unit)
    top.set_xticks([])
    top.set_xlim(-0.5, len(rows) - 0.5)
    figure.legend(*top.get_legend_handles_labels(), fontsize=9, loc="outside lower left", ncols=2)
    binned = np.array_split(np.arange(len(rows)), min(BINS, len(rows)))
    shades = np.array(
        [[rows[choice].eq(option).to_numpy()[part].mean() for part in binned] for choice, option in options]
    )
    below.imshow(shades, aspect="auto", cmap="Greys", vmin=0, vmax=1, interpolation="nearest")
    labels = [": ".join(map(robustness.words, pair)) for pair in options]
    below.set_yticks(range(len(options)), labels, fontsize=7)
    for place in range(1, len(options)):
        if options[place][0] != options[place - 1][0]:
            below.axhline(place - 0.5, color=COLOURS["grey"], linewidth=0.6)
    below.set_xticks([])
    below.grid(False)
    caption = (
        f"{title}: the designs that can be estimated ({len(rows)} of {n_all}), each once, from the smallest to the "
        "largest estimate; below, how many of the designs at each place have an option (black: all of them). Their "
        "number is nobody's probability. The band reaches the frame where intervals are wider or open."
    )
    about = f"{label}, {kind}" if kind else label
    told = f"{about}: estimates from {value.min():.3g} to {value.max():.3g} {unit}, middle {value.median():.3g}."
    return show(figure, caption, told, data=rows)


def _options_shown(rows: pd.DataFrame, declared: designs.Declared) -> list[tuple[str, object]]:
    """Choices and options of the estimable designs, where these differ; equivalent choices first."""
    order = [name for equivalent in (True, False) for name in declared.names(equivalent)]
    options = {choice.id: choice.options for choice in declared.choices}
    return [(n, o) for n in order if rows[n].nunique() > 1 for o in options[n] if rows[n].eq(o).any()]


@in_style
def years_needed(needed: pd.DataFrame, scenarios: dict[str, str], study: power.Study) -> Rendered:
    """Years on each side of a change that each form of publication needs, a panel for each scenario.

    Parameters
    ----------
    needed : pandas.DataFrame
        As of `power.years_needed`.
    scenarios : dict of str to str
        Those to draw, with the titles of their panels.
    study : power.Study
    """
    drawn = needed[needed["scenario"].isin(scenarios)]
    forms = list(dict.fromkeys(drawn["form"]))
    people = drawn.drop_duplicates("people").set_index("people")["people_a_year"]
    figure, axes = panels(list(scenarios.values()), height_inches=0.9 + 0.42 * len(forms))
    beyond, none = 1.16 * study.years[-1], 1.26 * study.years[-1]
    for axis, scenario in zip(axes, scenarios, strict=True):
        for place, name in enumerate(people.index):
            colour, marker = _look(place)
            own = drawn[(drawn["scenario"] == scenario) & (drawn["people"] == name)].set_index("form").loc[forms]
            at = np.arange(len(forms)) + 0.22 * (place - (len(people) - 1) / 2)
            years, low, high = (own[c].astype("float64") for c in ("years", "years_low", "years_high"))
            axis.hlines(at, low.fillna(beyond), high.fillna(beyond).where(low.notna(), beyond), color=colour)
            axis.plot(years, at, marker, color=colour, label=f"{people[name]:.0f} people a year")
            open_end = years.isna() & own["holds"]
            axis.plot(np.full(open_end.sum(), beyond), at[open_end], ">", color=colour, markerfacecolor="white")
            failed = years.isna() & ~own["holds"]
            axis.plot(np.full(failed.sum(), none), at[failed], "x", color=colour)
        axis.set_yticks(range(len(forms)), [power.SHORT[form] for form in forms], fontsize=10)
        axis.set_ylim(len(forms) - 0.5, -0.5)
        axis.set_xlim(0, none + 1)
        ticks = range(0, study.years[-1] + 1, 5)
        axis.set_xticks([*ticks, beyond], [*map(str, ticks), "more"])
        axis.tick_params(labelbottom=True)
    axes[-1].set_xlabel("years before and as many after")
    figure.legend(*axes[0].get_legend_handles_labels(), fontsize=9, loc="outside lower left", ncols=3)
    caption = (
        f"Years of publication, before a change and as many after it, until a change of the median by "
        f"{study.change_months:g} months is seen in {100 * study.power:.0f} % of made-up histories. Lines: what the "
        "number of histories leaves open. Open arrow: more than the years tried. Cross: the test raises too many "
        "false alarms."
    )
    told = ". ".join(
        f"{title}: " + "; ".join(_needed_told(part) for _, part in drawn[drawn["scenario"] == scenario].groupby(
            "form", sort=False))
        for scenario, title in scenarios.items()
    )  # fmt: skip
    return show(figure, caption, f"{told}.", data=drawn)


def _needed_told(rows: pd.DataFrame) -> str:
    told = [f"{row['people_a_year']:.0f} people a year {power.years_in_words(row)}" for row in rows.to_dict("records")]
    return f"{power.SHORT[rows['form'].iloc[0]]}: {', '.join(told)} years"


def _styled(labels: dict[str, str], present) -> list[tuple[str, dict]]:
    """Parts to draw in the order of their labels, each with a colour and a hatching of its own.

    Raises
    ------
    ValueError
        When a part has no label: it would be left out of the drawing without a word.
    """
    unknown = sorted(set(present) - set(labels))
    if unknown:
        raise ValueError(f"no label for {', '.join(unknown)}; known are {', '.join(labels)}")
    looks = zip(labels, COLOURS.values(), HATCHES, strict=False)
    drawn = [(part, {"color": colour, "hatch": hatch, "edgecolor": "white"}) for part, colour, hatch in looks]
    return [(part, look) for part, look in drawn if part in present]
