"""Figures: gaps stay gaps, contradictions are refused, and the same drawing gives the same bytes."""

import math
import re
from urllib.parse import unquote

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd
import pytest

from sentencing import figures, profiles, sources, stages, tip
from sentencing.evidence import SOURCE_KINDS

HOSTILE = '"><script>alert("x & y")</script>'


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def yearly(*rows: tuple) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["year", "series", "value"]).astype({"value": "Int64"})


def lines(frame: pd.DataFrame, series=None, years=range(2010, 2016)):
    _, (axis,) = figures.panels(["Title"])
    figures.yearly_lines(axis, frame, "value", series or {"tip": "TIP Report"}, years)
    return axis


def runs(line) -> list[list[tuple[int, float]]]:
    """Stretches of a line that are drawn joined."""
    stretches: list[list] = [[]]
    for year, value in zip(line.get_xdata(), line.get_ydata(), strict=True):
        if math.isnan(value):
            stretches.append([])
        else:
            stretches[-1].append((int(year), float(value)))
    return [s for s in stretches if s]


def svg(shown) -> str:
    return unquote(re.search(r"data:image/svg\+xml,([^\"]+)", shown.markup)[1]).replace("'", '"')


def test_line_is_broken_where_years_are_missing():
    axis = lines(yearly((2010, "tip", 1), (2011, "tip", 2), (2013, "tip", 4), (2015, "tip", 0)))
    assert runs(axis.lines[0]) == [[(2010, 1), (2011, 2)], [(2013, 4)], [(2015, 0)]]


def test_line_is_broken_where_a_year_has_a_row_without_a_value():
    axis = lines(yearly((2010, "tip", 1), (2011, "tip", None), (2012, "tip", 3)))
    assert runs(axis.lines[0]) == [[(2010, 1)], [(2012, 3)]]


def test_gap_is_seen_in_the_drawing():
    """A line over years that follow each other is one path of several points; a gap splits it."""
    figure, (axis,) = figures.panels(["T"])
    figures.yearly_lines(axis, yearly((2010, "a", 1), (2011, "a", 2), (2014, "a", 3), (2015, "a", 4)), "value",
                         {"a": "A"}, range(2010, 2016))  # fmt: skip
    path = re.search(r'<path d="([^"]+)" clip-path="[^"]+" style="fill: none; stroke: #0072b2', svg(
        figures.show(figure, "c", "a")
    ))[1]  # fmt: skip
    assert path.count("M") == 2


def test_two_rows_for_a_year_and_series_are_refused_with_their_values():
    with pytest.raises(ValueError, match="2011.*tip.*20.*2011.*tip.*30"):
        lines(yearly((2010, "tip", 1), (2011, "tip", 20), (2011, "tip", 30)))


def test_one_year_of_two_series_is_two_lines():
    axis = lines(yearly((2011, "tip", 20), (2011, "unodc", 30)), {"unodc": "UNODC", "tip": "TIP Report"})
    assert [line.get_label() for line in axis.lines] == ["UNODC", "TIP Report"]
    assert [runs(line) for line in axis.lines] == [[[(2011, 30)]], [[(2011, 20)]]]
    assert len({line.get_color() for line in axis.lines}) == len({line.get_marker() for line in axis.lines}) == 2


def test_series_without_a_figure_is_not_in_the_legend():
    axis = lines(yearly((2011, "tip", 20), (2011, "unodc", None)), {"unodc": "UNODC", "tip": "TIP Report"})
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["TIP Report"]


def test_years_beyond_the_span_are_not_drawn_and_the_axis_begins_at_zero():
    axis = lines(yearly((2009, "tip", 99), (2011, "tip", 20)))
    assert runs(axis.lines[0]) == [[(2011, 20)]]
    assert axis.get_ylim()[0] == 0 and axis.get_xlim() == (2009.5, 2015.5)


def test_frame_without_rows_draws_nothing():
    axis = lines(yearly())
    assert not axis.lines and axis.get_legend() is None


def test_no_two_series_of_a_figure_look_alike():
    axis = lines(yearly(*((2011, body, n) for n, body in enumerate(stages.BODIES))), stages.BODIES)
    assert len({(line.get_color(), line.get_marker()) for line in axis.lines}) == len(stages.BODIES)


def test_series_looks_the_same_in_panels_that_draw_other_series():
    series = {"tip": "TIP", "unodc": "UNODC"}
    alone = lines(yearly((2011, "unodc", 1)), series).lines[0]
    second = lines(yearly((2011, "tip", 1), (2011, "unodc", 1)), series).lines[1]
    assert (alone.get_color(), alone.get_marker()) == (second.get_color(), second.get_marker())


@pytest.mark.parametrize(("caption", "alt"), [("", "words"), ("words", ""), (" \n", "words"), ("words", "\t")])
def test_figure_without_caption_or_alternative_text_is_refused(caption, alt):
    figure, _ = figures.panels(["T"])
    with pytest.raises(ValueError, match="alternative text"):
        figures.show(figure, caption, alt)


def test_alternative_text_and_caption_are_escaped():
    figure, _ = figures.panels(["T"])
    markup = figures.show(figure, f"caption {HOSTILE}", f"alt {HOSTILE}")._repr_html_()
    assert "<script" not in markup
    assert 'alt="alt &quot;&gt;&lt;script&gt;alert(&quot;x &amp; y&quot;)' in markup
    assert "<figcaption>caption &quot;&gt;&lt;script&gt;" in markup


def test_same_figure_twice_gives_the_same_bytes():
    def draw() -> str:
        figure, axes = figures.panels(["One", "Two"])
        frame = yearly((2010, "tip", 1), (2011, "tip", 2), (2014, "unodc", 3))
        for axis in axes:
            figures.yearly_lines(axis, frame, "value", {"tip": "TIP", "unodc": "UNODC"}, range(2010, 2016))
        return figures.show(figure, "Caption", "Words").markup + figures.known_people(people(), "Serbia").markup

    first = draw()
    with mpl.rc_context({"svg.hashsalt": None, "font.size": 20}):
        second = draw()
    assert first == second == draw()


def test_drawing_holds_no_date_and_no_version():
    figure, _ = figures.panels(["T"])
    text = svg(figures.show(figure, "c", "a"))
    assert "<dc:date>" not in text and mpl.__version__ not in text


def test_figure_is_closed_once_shown():
    figure, _ = figures.panels(["T"])
    assert plt.get_fignums()
    figures.show(figure, "c", "a")
    assert not plt.get_fignums()


def test_figure_has_words_where_html_is_not_shown():
    figure, _ = figures.panels(["T"])
    assert repr(figures.show(figure, "Caption", "Words")) == "Caption\nWords"


def test_figure_carries_what_is_drawn():
    figure, _ = figures.panels(["T"])
    shown = figures.show(figure, "c", "a", data=pd.DataFrame({2019: [1.50], "n": pd.array([None], "Int64")}))
    assert shown._repr_mimebundle_() == {"text/csv": "2019,n\n1.5,\n"}
    figure, _ = figures.panels(["T"])
    assert figures.show(figure, "c", "a")._repr_mimebundle_() == {}


def test_source_stands_with_the_figure():
    source_id = next(iter(sources.read_sources()))
    figure, _ = figures.panels(["T"])
    assert '<p class="source">Source: ' in figures.show(figure, "c", "a", source_ids=source_id).markup


def test_style_does_not_leak_into_figures_of_others():
    before = dict(mpl.rcParams)
    figure, _ = figures.panels(["T"])
    figures.show(figure, "c", "a")
    assert dict(mpl.rcParams) == before


# --- The figures of the pages ---------------------------------------------------------------------------------------


def people(*rows: tuple) -> pd.DataFrame:
    """Year, kind of source and number of people, as `evidence.people` gives them."""
    rows = rows or ((2010, "official", 3), (2012, "publicised", 2), (2012, "monitor", 4))
    frame = pd.DataFrame(rows, columns=["year_low", "source_kind", "n_smallest"])
    return frame.astype({"year_low": "Int64", "n_smallest": "Int64"})


def written(shown) -> set[str]:
    """Texts in a drawing; they are paths there, with what they say as a comment."""
    return set(re.findall(r"<!-- (.*?) -->", svg(shown)))


def bars(monkeypatch, draw, *arguments) -> dict[str, list[tuple[float, float]]]:
    """Where each bar of a drawing begins and how long it is, by label."""
    kept = []
    monkeypatch.setattr(plt, "close", kept.append)
    draw(*arguments)
    (figure,) = kept
    return {
        container.get_label(): [
            (bar.get_y(), bar.get_height()) if container.orientation == "vertical" else (bar.get_x(), bar.get_width())
            for bar in container
        ]
        for container in figure.axes[0].containers
    }


def test_people_known_are_stacked_by_year_and_kind(monkeypatch):
    drawn = bars(monkeypatch, figures.known_people, people(), "Serbia")
    assert drawn == {
        "monitored judgments": [(0, 0), (0, 0), (0, 4)],
        "government figures": [(0, 3), (0, 0), (4, 0)],
        "publicised cases": [(3, 0), (0, 0), (4, 2)],
    }


def test_people_known_are_told_in_words():
    shown = figures.known_people(people(), "Serbia & <b>")
    assert {"government figures", "monitored judgments", "publicised cases"} <= written(shown)
    assert "9 people in all: 2010: 3 from government figures; 2012: 2 from publicised cases" in shown.text
    assert "Serbia &amp; &lt;b&gt;" in shown.markup and "<b>" not in shown.markup


@pytest.mark.parametrize("nobody", [people().head(0), people((None, "official", 3))], ids=["no row", "no year"])
def test_people_of_whom_nothing_is_known_are_said_to_be_none(nobody):
    shown = figures.known_people(nobody, "Tuvalu")
    assert "nothing published" in written(shown) and "nobody" in shown.text


def test_kind_without_a_label_is_refused_and_not_left_out():
    with pytest.raises(ValueError, match="rumour.*official"):
        figures.known_people(people((2010, "rumour", 3)), "Serbia")


def countries() -> pd.DataFrame:
    return pd.DataFrame(
        {"reported": [1, 3], "reported_as_none": [0, 1], "not_reported": [3, 0], "not_covered": [0, 0]},
        index=pd.Index(["conviction", "victims_identified"], name="stage"),
    )


def test_shares_of_countries_add_up_to_a_hundred(monkeypatch):
    drawn = bars(monkeypatch, figures.coverage, countries(), "T", "")
    assert list(drawn) == ["reported", "reported as none", "not reported", "not covered"]
    assert drawn["reported"] == [(0, 25), (0, 75)]
    assert [begin + width for begin, width in drawn["not covered"]] == [100, 100]


def test_coverage_is_told_in_words():
    shown = figures.coverage(countries(), "T", "")
    assert "4 countries" in shown.text and "conviction 25 %; victims identified 75 %" in shown.text


def test_tiers_are_points_in_the_order_of_years_and_none_where_there_is_no_rank():
    tiers = pd.DataFrame({"report_year": [2012, 2010, 2011], "tier": ["3", "1", "special"],
                          "tier_rank": pd.array([4, 1, None], dtype="Int64")})  # fmt: skip
    shown = figures.tier_history(tiers, "Serbia")
    assert "2010: 1; 2011: special; 2012: 3" in shown.text
    assert {"Tier 1", "Tier 2", "Tier 2 Watch List", "Tier 3"} <= written(shown)
    assert "no tier seen" in figures.tier_history(tiers.head(0), "Tuvalu").text


@pytest.mark.parametrize("labels", [SOURCE_KINDS, figures.STATUS_LABELS], ids=["kinds", "statuses"])
def test_there_are_looks_enough_for_all_labels(labels):
    looks = figures._styled(labels, list(labels))
    assert [part for part, _ in looks] == list(labels)
    assert len({(look["color"], look["hatch"]) for _, look in looks}) == len(labels)


def test_labels_of_the_figures_are_those_of_the_tables():
    assert set(figures.STATUS_LABELS) == set(tip.STATUSES)


# --- Published rows and bounds --------------------------------------------------------------------------------------

PUBLISHED = {
    "year_low": 2018, "year_high": 2018, "n": 1, "count_candidates": pd.NA, "share_percent": math.nan, "kind": "exact",
    "low_months": math.nan, "high_months": math.nan, "low_inclusive": 1, "high_inclusive": 1, "low_attained": 0,
    "high_attained": 0, "sanction": "prison", "source_kind": "publicised", "source_id": "",
    "is_remainder": 0,
}  # fmt: skip


def published(*changes: dict) -> pd.DataFrame:
    frame = pd.DataFrame([PUBLISHED | change for change in changes], columns=list(PUBLISHED))
    return frame.astype(dict.fromkeys(["year_low", "year_high", "n"], "Int64") | {"count_candidates": object})


AS_PUBLISHED = [
    ({"low_months": 48, "high_months": 48}, "2018: 1 person, 48 months, publicised cases"),
    ({"low_months": 12, "high_months": 96, "n": 13}, "2018: 13 people, 12 to 96 months"),
    ({"high_months": 36, "high_inclusive": 0}, "1 person, under 36 months"),
    ({"high_months": 36}, "1 person, at most 36 months"),
    ({"low_months": 60, "low_inclusive": 0}, "1 person, over 60 months"),
    ({"low_months": 12}, "1 person, at least 12 months"),
    ({"n": pd.NA, "count_candidates": "3;5", "share_percent": 38.0, "low_months": 60}, "3 or 5 people (38 %)"),
    ({"n": pd.NA, "count_candidates": "3;6;9", "share_percent": 75.0, "low_months": 6}, "3, 6 or 9 people (75 %)"),
    ({"n": pd.NA, "count_candidates": "1", "share_percent": 5.0, "low_months": 6}, "1 person (5 %)"),
    ({"n": pd.NA, "count_candidates": "4;8", "share_percent": 66.0, "is_remainder": 1, "low_months": 6},
     "4 or 8 people (the rest)"),
    ({"year_high": 2020, "low_months": 6}, "2018–2020: 1 person"),
    ({"sanction": "life"}, "1 person, life"),
    ({"kind": "mean", "low_months": 40, "high_months": 40, "n": 7}, "7 people, on average 40 months"),
    ({"kind": "mean", "low_months": 24, "high_months": 72, "n": 7}, "on average 24 to 72 months"),
]  # fmt: skip


def test_published_rows_are_told_as_they_were_published():
    shown = figures.published_rows(published(*(change for change, _ in AS_PUBLISHED)), "Serbia", {})
    told = shown.text.splitlines()[-1].rstrip(".").split("; ")
    assert len(told) == len(AS_PUBLISHED) and "nan" not in shown.text
    for _, words in AS_PUBLISHED:
        assert sum(words in line for line in told) == 1, words


def test_published_rows_stand_by_kind_of_source_and_in_time():
    term = {"low_months": 48, "high_months": 48}
    shown = figures.published_rows(
        published(term | {"year_low": 2013, "year_high": 2013}, term | {"source_kind": "official"},
                  term | {"source_kind": "monitor"}, term | {"year_low": 2011, "year_high": 2011}),
        "Serbia", {"minimum of the law": 36.0, "maximum of the law": 144.0},
    )  # fmt: skip
    order = ["monitored judgments", "government figures", "2011: 1 person", "2013: 1 person"]
    assert [shown.text.index(words) for words in order] == sorted(shown.text.index(words) for words in order)
    assert {"minimum of the law", "maximum of the law", *order[:2], "publicised cases"} <= written(shown)


def test_published_rows_of_nobody_say_so():
    shown = figures.published_rows(published(), "Tuvalu", {})
    assert "nothing published" in written(shown) and "Nothing is published." in shown.text


def test_averages_and_life_terms_are_explained_only_where_there_are_any():
    term, average = {"low_months": 48, "high_months": 48}, {"kind": "mean", "low_months": 40, "high_months": 40}
    plain = figures.published_rows(published(term), "Serbia", {}).text
    assert "average" not in plain and "life" not in plain
    both = figures.published_rows(published(term, average, {"sanction": "life"}), "Serbia", {}).text
    assert "is an average" in both and "a term for life" in both


def reported_bounds(*rows: tuple) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["group", "low", "high", "n"])
    return frame.assign(name=frame["group"], quantity="q", value=math.nan, unit="share", source_ids="", refused="")


def test_bounds_are_bars_from_the_smallest_to_the_largest_share(monkeypatch):
    rows = reported_bounds(("2018, monitored", 0.2, 0.7, 8), ("government figures", 1.0, 1.0, 60))
    kept = []
    monkeypatch.setattr(plt, "close", kept.append)
    shown = figures.share_bounds(rows, "Terms", "Serbia")
    drawn = [(bar.get_x(), bar.get_width()) for bars in kept[0].axes[0].containers for bar in bars]
    assert drawn[0] == pytest.approx((20, 50))
    # A share that is known has a mark that can be seen and does not leave the axis.
    assert drawn[1][1] > 0.5 and drawn[1][0] + drawn[1][1] == pytest.approx(100)
    assert "2018, monitored (8 people): 20 to 70 %; government figures (60 people): 100 %." in shown.text


def test_bounds_of_nobody_are_said_to_be_none():
    assert "nobody is described" in figures.share_bounds(reported_bounds(), "Terms", "Tuvalu").text


def test_drawing_is_also_written_where_other_pages_find_it(tmp_path):
    shown = figures.share_bounds(reported_bounds(("all", 0.2, 0.7, 8)), "T", "Serbia", to=str(tmp_path / "f.svg"))
    written = (tmp_path / "f.svg").read_text(encoding="utf-8")
    assert figures.svg_address(written) in shown.markup
    figures.share_bounds(reported_bounds(("all", 0.2, 0.7, 8)), "T", "Serbia")
    assert len(list(tmp_path.iterdir())) == 1


# --- One country by itself ------------------------------------------------------------------------------------------


def drawings(monkeypatch) -> list:
    """Figures as they are handed over to be shown, which closes them."""
    kept, show = [], figures.show

    def keep(figure, *words, **more):
        kept.append(figure)
        return show(figure, *words, **more)

    monkeypatch.setattr(figures, "show", keep)
    return kept


def test_every_status_of_a_year_has_a_sign_of_its_own_and_is_counted_in_words(monkeypatch):
    statuses = [*profiles.STATUSES, "not_covered"]
    grid = pd.DataFrame([statuses, statuses[::-1]], index=["prosecution", "custody_share"], columns=range(2010, 2015))
    kept = drawings(monkeypatch)
    shown = figures.silence(grid, HOSTILE)
    axis = kept[0].axes[0]
    signs = [text.get_text() for text in axis.texts]
    assert signs == ["●", "0", "–", "", "", "", "", "–", "0", "●"]
    assert [tick.get_text() for tick in axis.get_yticklabels()] == ["prosecution", "custody share"]
    fills = [patch.get_facecolor() for patch in axis.patches[:4]]
    assert len(set(fills)) == 4 and fills[3][:3] == (1, 1, 1)
    assert "Of 10 cells: reported 2; reported as none 2; not reported 2; not read here 4." in shown.text
    assert "<script" not in shown.markup


MEASURED = pd.DataFrame(
    [("SRB", "Serbia", "conviction_tip", 2017, 3.0, 3.0, 3.0),
     ("ALB", "Albania", "conviction_tip", 2016, 0.0, 0.0, 0.0),
     ("HRV", "Croatia", "conviction_unodc", 2016, float("nan"), 0.25, 1.0)],
    columns=["iso3", "country", "measure", "year", "value", "low", "high"],
).assign(unit="number", source_ids="")  # fmt: skip
NEAR = profiles.Peers("Southern Europe", ("ALB", "HRV"))


def test_country_is_drawn_among_its_peers_a_strip_for_each_measure(monkeypatch):
    kept = drawings(monkeypatch)
    shown = figures.standing(MEASURED, "SRB", NEAR)
    first, second = kept[0].axes
    assert [axis.get_title("left").split(" a year")[0] for axis in (first, second)] == ["Convicted", "Convicted"]
    assert [list(line.get_xdata()) for line in first.lines] == [[0.0], [3.0]]
    assert list(second.lines[0].get_xdata()) == [0.25, 1.0]
    labels = [text.get_text() for text in kept[0].legends[0].get_texts()]
    assert labels == ["Serbia", "other countries of Southern Europe"]
    assert profiles.standing_told(MEASURED, "SRB", NEAR) in shown.text


@pytest.mark.parametrize("measured", [MEASURED.iloc[:0], MEASURED.iloc[:1], MEASURED.iloc[1:]])
def test_standing_is_drawn_whoever_is_missing(measured):
    assert "<figure" in figures.standing(measured, "SRB", NEAR).markup


def test_standing_of_a_country_in_no_region_says_so():
    assert "nobody to compare with" in figures.standing(MEASURED.iloc[:0], "XKX", profiles.Peers("", ())).text
