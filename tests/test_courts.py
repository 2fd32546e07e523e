"""Described groups in one set of columns, kinds of sanction, and the law with its dates."""

import functools

import pandas as pd
import pytest

from sentencing import corrections, courts

CODED_ROW = {
    "iso3": "AAA", "reference_year": 2017, "group_id": "AAA-2017-01", "kind": "range", "n": 5, "n_qualifier": "exact",
    "low_months": 6, "high_months": 60, "sanction": "prison", "offence": "trafficking", "exploitation": "sex",
    "level": "national", "covers_all": 1, "term_basis": "imposed", "locator": "prosecution:1-9", "source_id": "report",
}  # fmt: skip
OTHER_ROW = {
    "group_id": "OE-1", "iso3": "AAA", "reference_year": 2009, "year_low": 2009, "year_high": 2009, "n": 5,
    "source_kind": "official", "n_basis": "stated", "kind": "range", "low_months": 6, "high_months": 60,
    "sanction": "prison", "offence": "Art 113 trafficking", "exploitation": "all", "covers_all": 0, "source_id": "page",
}  # fmt: skip
SERBIA_ROW = OTHER_ROW | {"group_id": "SRB-1", "iso3": "SRB", "offence": "trafficking", "instance": "final"}
CASE_ROW = {
    "case_id": "SRB-X", "iso3": "SRB", "judgment_year": 2016, "instance": "first", "defendant_no": 1,
    "offence": "trafficking", "outcome": "convicted", "sanction": "prison", "sentence_low_months": 63,
    "sentence_high_months": 63, "exploitation": "sex", "source_id": "page",
}  # fmt: skip
WORLD_ROW = {
    "case_id": "AAA-1", "defendant_no": "1", "iso3": "AAA", "judgment_year": 2016, "year_low": 2016, "year_high": 2016,
    "instance": "first", "status": "first_instance", "n": 1, "outcome": "convicted", "sanction": "prison",
    "sentence_low_months": 48, "sentence_high_months": 48, "trafficking_conviction": 1, "exploitation": "labor",
    "source_id": "page",
}  # fmt: skip
BAND_ROW = {
    "band_id": "B-1", "year": 2015, "source_kind": "monitor", "offence": "trafficking", "band_low_months": 36,
    "band_high_months": 60, "value": "84", "value_kind": "percent", "source_id": "page",
}  # fmt: skip
CUSTODY_ROW = {
    "iso3": "AAA", "reference_year": 2017, "n_convicted": 10, "n_prison": 6, "qualifier": "exact",
    "law": "trafficking", "exploitation": "all", "scope": "national", "remainder": "unknown", "source_id": "report",
}  # fmt: skip
ARTICLE_ROW = {
    "iso3": "SRB", "article": "388", "paragraph": "1", "valid_from": "2009", "valid_from_precision": "year",
    "min_months": 36, "max_months": 144, "source_id": "page",
}  # fmt: skip
PRINTED_ROW = {
    "iso3": "SRB", "form": "sex", "min_months": 24, "life_max": 1, "law_name_short": "Act", "source_id": "report",
}  # fmt: skip
OFFICIAL_ROW = {
    "row_id": "O-1", "year": 2011, "judgment": "final", "paragraph": "1", "exploitation": "all", "sanction": "prison",
    "low_months": 36, "high_months": 60, "n_persons": 3, "covers_all": 1, "source_id": "page",
}  # fmt: skip
FIGURE_ROW = {
    "iso3": "AAA", "report_year": 2010, "reference_period": "statute", "indicator": "statutory_min", "value": "36",
    "unit": "months", "exploitation": "all", "source_id": "page",
}  # fmt: skip

READERS = {
    courts.CODED: (courts.coded_groups, CODED_ROW),
    courts.OTHER_GROUPS: (courts.other_edition_groups, OTHER_ROW),
    courts.SERBIA_GROUPS: (courts.serbia_groups, SERBIA_ROW),
    courts.SERBIA_CASES: (courts.serbia_cases, CASE_ROW),
    courts.WORLD_CASES: (courts.world_cases, WORLD_ROW),
    courts.SERBIA_BANDS: (courts.monitored_bands, BAND_ROW),
}


@functools.cache
def raw(table: str) -> pd.DataFrame:
    return corrections.Reader("data/raw", "data/corrections.yml")(table)


def raw_rows(table: str, base: dict, *changes: dict) -> pd.DataFrame:
    """Hand-made rows with the columns and types of a raw table; the index counts lines from 2."""
    template = raw(table)
    rows = [dict.fromkeys(template, pd.NA) | {"correction_ids": ""} | base | change for change in changes]
    frame = pd.DataFrame(rows, columns=list(template))
    numeric = [c for c in template if template[c].dtype.kind in "fi"]
    frame[numeric] = frame[numeric].apply(pd.to_numeric)
    frame = frame.astype(template.dtypes.to_dict())
    frame.index = pd.RangeIndex(2, len(frame) + 2, name="row")
    return frame


def groups(table: str, *changes: dict) -> pd.DataFrame:
    reader, base = READERS[table]
    return reader(raw_rows(table, base, *changes))


def only(table: str, **change) -> pd.Series:
    return groups(table, change).iloc[0]


def custody(*changes: dict) -> pd.DataFrame:
    coded = raw_rows(courts.CODED_CUSTODY, CUSTODY_ROW, *changes)
    table = courts.clean_custody(coded, raw(courts.SERBIA_GROUPS).iloc[:0], raw(courts.SERBIA_OFFICIAL).iloc[:0])
    return table.set_index("row")


@functools.cache
def real_custody() -> pd.DataFrame:
    return courts.clean_custody(*map(raw, (courts.CODED_CUSTODY, courts.SERBIA_GROUPS, courts.SERBIA_OFFICIAL)))


def of(frame: pd.DataFrame, **wanted) -> pd.DataFrame:
    for column, value in wanted.items():
        frame = frame[frame[column].eq(value).fillna(False)]
    return frame


# ---------------------------------------------------------------------------- groups as published


@pytest.mark.parametrize("table", READERS)
def test_every_reader_gives_the_same_columns_with_the_line_of_each_row(table):
    found = groups(table, {}, {"group_id": "2nd", "defendant_no": 2, "band_id": "2nd", "case_id": "2nd"})
    assert list(found) == courts.GROUP_COLUMNS
    assert found["row"].tolist() == [2, 3]
    assert set(found["table"]) == {table}
    assert found["key"].is_unique
    pd.testing.assert_series_equal(found.dtypes, groups(courts.CODED, {}).dtypes)


@pytest.mark.parametrize("table", READERS)
def test_every_real_row_is_read_and_keeps_its_line(table):
    found = READERS[table][0](raw(table))
    assert found["row"].tolist() == raw(table).index.tolist()
    assert found["key"].is_unique and not found["iso3"].isna().any()


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        (courts.CODED, "exploitation", "piracy"),
        (courts.CODED, "sanction", "galley"),
        (courts.CODED, "n_qualifier", "dozens"),
        (courts.OTHER_GROUPS, "n_basis", "guessed"),
        (courts.OTHER_GROUPS, "exploitation", "piracy"),
        (courts.SERBIA_GROUPS, "n_basis", "guessed"),
        (courts.SERBIA_CASES, "sanction", "galley"),
        (courts.WORLD_CASES, "exploitation", "piracy"),
    ],
)
def test_an_unknown_value_is_refused_with_file_row_column_and_value(table, column, value):
    with pytest.raises(ValueError, match=f"{table}, row 3, .*{column}.*'{value}'"):
        groups(table, {}, {"defendant_no": 2, column: value})


@pytest.mark.parametrize(
    ("qualifier", "basis"),
    [("exact", "stated"), ("at_least", "minimum"), ("approx", "approximate"), ("inferred_total", "inferred_total"),
     ("unknown", "unknown")],
)  # fmt: skip
def test_the_coders_qualifier_tells_how_the_number_is_known(qualifier, basis):
    assert only(courts.CODED, n_qualifier=qualifier)["n_basis"] == basis


def test_a_coded_case_is_publicised_and_a_subset_official():
    found = groups(courts.CODED, {"level": "case"}, {"level": "subset"}, {"level": "national"})
    assert found["source_kind"].tolist() == ["publicised", "official", "official"]


@pytest.mark.parametrize("table", [courts.CODED, courts.OTHER_GROUPS])
def test_parts_point_at_their_whole_in_the_same_table(table):
    assert only(table, subset_of="the whole")["subset_of"] == f"{table}:the whole"
    assert pd.isna(only(table)["subset_of"])


def test_blanks_stay_blank_and_never_become_zero():
    row = only(courts.CODED, low_months=pd.NA, high_months=pd.NA, n=pd.NA, n_qualifier="unknown")
    assert row[["low_months", "high_months", "n"]].isna().all()


def test_a_lower_bound_of_zero_that_was_coded_stays():
    assert only(courts.CODED, kind="interval", low_months=0, high_months=12)["low_months"] == 0


@pytest.mark.parametrize(
    ("offence", "expected"),
    [("Art 113 trafficking", "trafficking"), ("trafficking-related", "related"), ("trafficking or related", "related")],
)
def test_offences_of_other_editions_are_trafficking_or_related(offence, expected):
    assert only(courts.OTHER_GROUPS, offence=offence)["offence"] == expected


@pytest.mark.parametrize(("covers_all", "level"), [(1, "national"), (0, "subset"), (pd.NA, "subset")])
def test_only_a_group_that_covers_everyone_is_national(covers_all, level):
    assert only(courts.OTHER_GROUPS, covers_all=covers_all)["level"] == level


def test_a_span_of_years_leaves_the_year_blank():
    row = only(courts.SERBIA_GROUPS, reference_year=pd.NA, year_low=2020, year_high=2021)
    assert pd.isna(row["year"])
    assert (row["year_low"], row["year_high"]) == (2020, 2021)


@pytest.mark.parametrize(
    ("low", "high", "kind"),
    [
        (48, 48, "exact"),
        (48, 60, "interval"),
        (pd.NA, 60, "interval"),
        (48, pd.NA, "interval"),
        (pd.NA, pd.NA, "unknown"),
    ],
)
@pytest.mark.parametrize("table", [courts.SERBIA_CASES, courts.WORLD_CASES])
def test_the_kind_of_a_cases_term_follows_its_bounds(table, low, high, kind):
    assert only(table, sentence_low_months=low, sentence_high_months=high)["kind"] == kind


def test_defendants_are_one_person_each_and_share_their_case():
    found = groups(courts.SERBIA_CASES, {"defendant_no": 1}, {"defendant_no": 2})
    assert found["n"].tolist() == [1, 1]
    assert found["key"].tolist() == ["SRB-X|1", "SRB-X|2"]
    assert found["group"].tolist() == ["SRB-X", "SRB-X"]
    assert set(found["source_kind"]) == {"publicised"} and set(found["level"]) == {"case"}


@pytest.mark.parametrize("status", ["annulled", "quashed"])
def test_an_annulled_or_quashed_judgment_does_not_stand(status):
    assert only(courts.WORLD_CASES, status=status)["outcome"] == "does_not_stand"


@pytest.mark.parametrize("status", ["final", "appealed", "first_instance", "verdict_changed", "unknown"])
def test_other_outcomes_stand_as_told(status):
    assert only(courts.WORLD_CASES, status=status)["outcome"] == "convicted"
    assert only(courts.WORLD_CASES, status=status, outcome="acquitted")["outcome"] == "acquitted"


@pytest.mark.parametrize(("flag", "offence"), [(1, "trafficking"), (0, "related"), (pd.NA, "unspecified")])
def test_what_the_press_says_of_the_conviction_is_its_offence(flag, offence):
    assert only(courts.WORLD_CASES, trafficking_conviction=flag)["offence"] == offence


def test_a_press_group_without_a_number_is_of_unknown_size():
    row = only(courts.WORLD_CASES, n=pd.NA)
    assert pd.isna(row["n"]) and row["n_basis"] == "unknown"


def test_the_lowest_band_is_open_below_and_the_highest_above():
    found = groups(
        courts.SERBIA_BANDS,
        {"band_low_months": 0, "band_high_months": 36},
        {"band_low_months": 60, "band_high_months": pd.NA},
    )
    assert pd.isna(found.at[0, "low_months"]) and found.at[0, "high_months"] == 36
    assert found.at[1, "low_months"] == 60 and pd.isna(found.at[1, "high_months"])


def test_bands_of_a_year_are_one_group_and_have_shares_instead_of_people():
    found = groups(courts.SERBIA_BANDS, {"value": "84"}, {"value": "11"}, {"year": 2018})
    assert found["group"].tolist() == ["2015", "2015", "2018"]
    assert found["share_percent"].tolist() == [84, 11, 84]
    assert found["n"].isna().all() and set(found["n_basis"]) == {"base"}
    assert set(found["iso3"]) == {"SRB"}


def test_a_share_in_words_has_no_percentage_and_its_period_a_first_and_last_year():
    found = READERS[courts.SERBIA_BANDS][0](raw(courts.SERBIA_BANDS))
    words = found[found["year"].isna()].squeeze()
    assert (words["key"], words["group"], words["year_low"], words["year_high"]) == (
        "SRB-B-013", "2018-2020", 2018, 2020
    )  # fmt: skip
    assert pd.isna(words["share_percent"])


def test_recoding_counts_blanks_as_a_value():
    column = pd.Series(["a", None], index=[2, 3], name="letters")
    assert courts.recode(column, {"a": "A", "": "none"}, "x.csv").tolist() == ["A", "none"]
    with pytest.raises(ValueError, match=r"x\.csv, row 3, column letters: unknown ''; known: a"):
        courts.recode(column, {"a": "A"}, "x.csv")


def test_refusal_to_recode_names_five_rows_the_first_value_and_what_is_known():
    column = pd.Series(list("axyzaxyz"), index=range(2, 10), name="letters")
    with pytest.raises(ValueError) as caught:
        courts.recode(column, {"b": "B", "a": "A", "": ""}, "x.csv")
    assert str(caught.value) == "data/raw/x.csv, row 3, 4, 5, 7, 8, column letters: unknown 'x'; known: a, b"


# ---------------------------------------------------------------------------- custody

CUSTODY_COLUMNS = [
    "iso3", "reference_year", "n_convicted", "n_sentenced", "n_prison", "n_suspended", "n_fine_only",
    "n_other_noncustodial", "n_not_prison", "n_unknown", "qualifier", "law", "exploitation", "scope", "remainder",
    "used", "why_not", "source_id", "locator", "table", "row", "note",
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, ""),
        ({"n_prison": 10}, ""),
        ({"n_prison": 11}, "the sanctions listed add up to more than the convicted"),
        ({"n_prison": 9, "n_suspended": 1, "n_fine_only": 1}, "the sanctions listed add up to more than the convicted"),
        ({"n_convicted": pd.NA}, "number convicted or their sanctions not stated"),
        ({"n_prison": pd.NA}, "number convicted or their sanctions not stated"),
        ({"n_prison": pd.NA, "n_fine_only": 0}, ""),
        ({"qualifier": "at_most", "n_prison": pd.NA}, "given as at most so many: their sanctions are not known"),
        ({"qualifier": "at_least"}, ""),
    ],
)  # fmt: skip
def test_reason_why_a_custody_row_is_not_used_is_told_in_full(change, reason):
    row = custody(change).loc[2]
    assert (row["why_not"], row["used"]) == (reason, int(not reason))


def test_custody_rows_are_whole_and_in_order_of_country_and_year():
    found = courts.clean_custody(
        raw_rows(
            courts.CODED_CUSTODY, CUSTODY_ROW, {"iso3": "TZA"},
            {"n_suspended": 2, "n_fine_only": 1, "exploitation": pd.NA, "remainder": "noncustodial", "note": "n",
             "locator": "p. 1", "n_sentenced": 9},
            {"reference_year": 2016, "n_convicted": pd.NA},
        ),
        raw_rows(courts.SERBIA_GROUPS, SERBIA_ROW, {"kind": "unknown", "offence": "other", "reference_year": 2015}, {}),
        raw_rows(courts.SERBIA_OFFICIAL, OFFICIAL_ROW, {}, {"sanction": "life", "n_persons": 2, "source_id": "z"},
                 {"sanction": "fine", "n_persons": 4}, {"sanction": "probation", "n_persons": 5},
                 {"year": 2012, "covers_all": 0}),
    )  # fmt: skip
    assert list(found) == CUSTODY_COLUMNS and list(found.index) == list(range(6))
    assert found[["iso3", "reference_year", "table", "row"]].values.tolist() == [
        ["AAA", 2016, courts.CODED_CUSTODY, 4], ["AAA", 2017, courts.CODED_CUSTODY, 3],
        ["SRB", 2011, courts.SERBIA_OFFICIAL, 2], ["SRB", 2012, courts.SERBIA_OFFICIAL, 6],
        ["SRB", 2015, courts.SERBIA_GROUPS, 2], ["TZA", 2017, courts.CODED_CUSTODY, 2],
    ]  # fmt: skip
    rows = found.astype("object").where(found.notna(), None).values.tolist()
    assert rows[1][2:] == [
        10, 9, 6, 2, 1, None, 4, 0, "exact", "trafficking", "all", "national", "noncustodial", 1, "", "report", "p. 1",
        courts.CODED_CUSTODY, 3, "n",
    ]  # fmt: skip
    assert rows[2][2:] == [
        14, None, 5, 0, 4, 5, 9, 0, "exact", "trafficking", "all", "national", "none", 1, "", "page;z", None,
        courts.SERBIA_OFFICIAL, 2, None,
    ]  # fmt: skip
    assert rows[3][2:10] == [None, None, 3, 0, 0, 0, 0, None]
    assert rows[3][10:17] == [
        "exact", "trafficking", "all", "national", "unknown", 0, "does not cover everyone convicted that year",
    ][:7]  # fmt: skip
    assert rows[4][10:17] == [
        "approx", "mixed", "all", "subset", "unknown", 0,
        "shares of plea judgments, most of them for another offence: no custody figure for trafficking",
    ]  # fmt: skip
    assert rows[0][8:10] == [None, None] and rows[0][15:17] == [0, "number convicted or their sanctions not stated"]


def test_a_year_without_convicted_says_so():
    nobody = raw_rows(courts.SERBIA_OFFICIAL, OFFICIAL_ROW, {"n_persons": 0})
    empty = raw(courts.CODED_CUSTODY).iloc[:0], raw(courts.SERBIA_GROUPS).iloc[:0]
    row = courts.clean_custody(*empty, nobody).squeeze()
    assert (row["n_convicted"], row["used"], row["why_not"]) == (0, 0, "nobody was convicted")


def test_what_is_not_said_of_the_others_is_unknown_and_not_outside_prison():
    row = custody({"remainder": "unknown"}).loc[2]
    assert (row["n_unknown"], row["used"]) == (4, 1)
    assert pd.isna(row["n_not_prison"]) or row["n_not_prison"] == 0


def test_a_noncustodial_remainder_did_not_go_to_prison():
    row = custody({"remainder": "noncustodial"}).loc[2]
    assert (row["n_not_prison"], row["n_unknown"]) == (4, 0)


def test_where_nothing_remains_the_sanctions_listed_are_all():
    row = custody({"n_suspended": 3, "n_fine_only": 1, "n_other_noncustodial": 0, "remainder": "none"}).loc[2]
    assert (row["n_not_prison"], row["n_unknown"], row["used"]) == (4, 0, 1)


def test_a_known_suspended_sentence_is_not_prison_whatever_remains():
    row = custody({"n_suspended": 1, "remainder": "unknown"}).loc[2]
    assert row[["n_unknown", "n_not_prison"]].fillna(-1).tolist() == [3, 1]


def test_prison_not_prison_and_unknown_add_up_to_the_convicted():
    used = of(real_custody(), used=1)
    parts = used[["n_prison", "n_not_prison", "n_unknown"]].fillna(0).sum(axis=1)
    assert of(used.assign(off=parts != used["n_convicted"]), off=True)["iso3"].tolist() == []


def test_more_sanctions_than_convicted_are_not_used():
    row = custody({"n_prison": 9, "n_fine_only": 2}).loc[2]
    assert row["used"] == 0
    assert "more than the convicted" in row["why_not"]


@pytest.mark.parametrize("change", [{"n_convicted": pd.NA}, {"n_prison": pd.NA}])
def test_without_the_convicted_or_any_sanction_a_row_is_not_used(change):
    row = custody(change).loc[2]
    assert row["used"] == 0
    assert "not stated" in row["why_not"]


@pytest.mark.parametrize(
    ("national", "subset", "used"),
    [
        ({}, {}, 0),
        ({}, {"exploitation": "labor"}, 0),
        ({"law": "mixed"}, {}, 0),
        ({"law": "mixed"}, {"law": "related"}, 0),
        ({}, {"law": "related"}, 1),
        ({}, {"law": "mixed"}, 1),
        ({"iso3": "BBB"}, {}, 1),
        ({"reference_year": 2016}, {}, 1),
        ({"scope": "subset"}, {}, 1),
    ],
)
def test_a_subset_is_left_out_where_a_national_row_of_its_law_contains_it(national, subset, used):
    found = custody(national, {"scope": "subset", "n_convicted": 3, "n_prison": 1} | subset)
    assert found["used"].to_dict() == {2: 1, 3: used}
    assert found.at[3, "why_not"] == ("" if used else "inside the national figure of tip/coded_2018_custody.csv:2")


@pytest.mark.parametrize(
    ("country", "year", "rows"),
    [
        ("CHL", 2017, {("mixed", "all"): 1, ("trafficking", "all"): 0, ("related", "sex"): 0}),
        ("DEU", 2016, {("trafficking", "all"): 1, ("trafficking", "sex"): 0, ("trafficking", "labor"): 0}),
        ("AUT", 2016, {("trafficking", "all"): 1, ("related", "sex"): 1}),
    ],
)
def test_custody_counts_nest(country, year, rows):
    found = of(real_custody(), iso3=country, reference_year=year)
    assert {(r.law, r.exploitation): r.used for r in found.itertuples()} == rows


def test_malaysias_sanctions_exceed_the_convicted():
    row = of(real_custody(), iso3="MYS").squeeze()
    assert row["used"] == 0 and "more than the convicted" in row["why_not"]


def test_serbia_has_no_usable_custody_row():
    serbia = of(real_custody(), iso3="SRB")
    assert len(serbia) == 3
    assert (serbia["used"] == 0).all() and (serbia["why_not"] != "").all()


def test_every_custody_row_is_kept():
    coded = of(real_custody(), table=courts.CODED_CUSTODY)
    assert sorted(coded["row"]) == raw(courts.CODED_CUSTODY).index.tolist()
    assert ((real_custody()["used"] == 1) == (real_custody()["why_not"] == "")).all()


# ---------------------------------------------------------------------------- the law


def statutes(serbia=(), figures=()) -> pd.DataFrame:
    return courts.clean_statutes(
        raw_rows(courts.SERBIA_STATUTE, ARTICLE_ROW, *(serbia or [{}])),
        raw(courts.CODED_STATUTES).iloc[:1],
        raw_rows(courts.OTHER_FIGURES, FIGURE_ROW, *(figures or [{}])),
    )


@functools.cache
def real_statutes() -> pd.DataFrame:
    return courts.clean_statutes(*map(raw, (courts.SERBIA_STATUTE, courts.CODED_STATUTES, courts.OTHER_FIGURES)))


@pytest.mark.parametrize(
    ("valid_from", "bounds", "source_ids"),
    [
        ("2006-01-01", (24, 120), "astra-rs-004"),
        ("2009", (36, 144), "astra-rs-005;higher-public-prosecution-no-001"),
    ],
)
def test_the_basic_form_of_serbian_law_by_date(valid_from, bounds, source_ids):
    row = of(real_statutes(), iso3="SRB", article="388", paragraph="1", valid_from=valid_from).squeeze()
    assert (row["min_months"], row["max_months"]) == bounds
    assert row["source_ids"] == source_ids
    assert row["raw_rows"].count(courts.SERBIA_STATUTE) == len(source_ids.split(";"))


def test_what_the_2018_edition_prints_of_serbian_law_stays_beside_it_marked():
    row = of(real_statutes(), iso3="SRB", edition=2018).squeeze()
    assert (row["min_months"], row["max_months"], row["told_by"]) == (24, 144, "TIP Report")
    assert row["correction_ids"] == "edition-2018-serbian-minimum"


def test_two_sources_of_one_paragraph_are_one_row():
    found = of(statutes([{"source_id": "b"}, {"source_id": "a"}, {"source_id": "b"}]), told_by="statute text").squeeze()
    assert found["source_ids"] == "a;b"
    assert found["raw_rows"] == ";".join(f"{courts.SERBIA_STATUTE}:{row}" for row in (2, 3, 4))


@pytest.mark.parametrize(
    "other",
    [{"valid_from": "2006"}, {"max_months": 120}, {"min_months": pd.NA}, {"paragraph": "2"}, {"article": "389"}],
)
def test_paragraphs_that_differ_stay_apart(other):
    assert len(of(statutes([{}, other]), told_by="statute text")) == 2


def test_a_bound_the_law_does_not_name_stays_blank():
    row = of(statutes([{"max_months": pd.NA}]), told_by="statute text").squeeze()
    assert pd.isna(row["max_months"]) and row["min_months"] == 36


def pairs(*figures: dict) -> list[tuple]:
    found = of(statutes(figures=figures), iso3="AAA")
    bounds = found[["edition", "form", "min_months", "max_months"]].astype(object)
    return sorted((tuple(None if pd.isna(v) else v for v in row) for row in bounds.to_numpy()), key=str)


MAXIMUM = {"indicator": "statutory_max", "value": "144"}


def test_the_minimum_and_maximum_of_an_edition_stand_side_by_side():
    assert pairs({}, MAXIMUM) == [(2010, "figure:all", 36, 144)]
    assert pairs(MAXIMUM, {}) == [(2010, "figure:all", 36, 144)]


def test_a_bound_without_its_partner_stays_alone():
    assert pairs({}) == [(2010, "figure:all", 36, None)]
    assert pairs(MAXIMUM) == [(2010, "figure:all", None, 144)]


@pytest.mark.parametrize("other", [{"report_year": 2011}, {"source_id": "another"}, {"exploitation": "child"}])
def test_bounds_of_different_laws_are_no_pair(other):
    assert len(pairs({}, MAXIMUM | other)) == 2


def test_several_laws_of_one_page_keep_their_own_bounds():
    second = [{"value": "60"}, MAXIMUM | {"value": "240"}]
    wanted = [(2010, "figure:all", 36, 144), (2010, "figure:all", 60, 240)]
    assert pairs({}, MAXIMUM, *second) == wanted
    assert pairs({}, second[0], MAXIMUM, second[1]) == wanted


def test_figures_that_are_no_statute_are_left_out():
    assert pairs({}, MAXIMUM, {"indicator": "convictions", "value": "7"}) == [(2010, "figure:all", 36, 144)]


def test_statutes_are_whole_rows_in_order_of_country_source_edition_article_and_date():
    found = courts.clean_statutes(
        raw_rows(
            courts.SERBIA_STATUTE, ARTICLE_ROW, {"valid_from": "2012"},
            {"note": "n", "description": "d"}, {"source_id": "b"},
            {"article": "ZP 5", "paragraph": pd.NA},
        ),
        raw_rows(
            courts.CODED_STATUTES, PRINTED_ROW, {"fine_alternative": 0}, {"fine_alternative": 1}, {"life_max": 0},
        ),
        raw_rows(
            courts.OTHER_FIGURES, FIGURE_ROW, {"iso3": "TZA"}, {"report_year": 2011}, {"note": "m"}, MAXIMUM,
            {"report_year": pd.NA, "exploitation": "child"},
        ),
    )  # fmt: skip
    assert list(found.index) == list(range(9))
    shown = found[["iso3", "told_by", "edition", "form", "article", "valid_from", "law_name", "raw_rows"]]
    figure, law, printed = courts.OTHER_FIGURES, courts.SERBIA_STATUTE, courts.CODED_STATUTES
    assert shown.astype("object").where(shown.notna(), None).values.tolist() == [
        ["AAA", "TIP Report", 2010, "figure:all", None, None, None, f"{figure}:4;{figure}:5"],
        ["AAA", "TIP Report", 2011, "figure:all", None, None, None, f"{figure}:3"],
        ["AAA", "other", None, "figure:child", None, None, None, f"{figure}:6"],
        ["SRB", "TIP Report", 2018, "sex", None, None, "Act", f"{printed}:2;{printed}:3"],
        ["SRB", "TIP Report", 2018, "sex", None, None, "Act", f"{printed}:4"],
        ["SRB", "statute text", None, "article", "388", "2009", "Criminal Code", f"{law}:3;{law}:4"],
        ["SRB", "statute text", None, "article", "388", "2012", "Criminal Code", f"{law}:2"],
        ["SRB", "statute text", None, "article", "ZP 5", "2009", "other act", f"{law}:5"],
        ["TZA", "TIP Report", 2010, "figure:all", None, None, None, f"{figure}:2"],
    ]  # fmt: skip
    folded = found.iloc[5]
    assert (folded["description"], folded["note"], folded["source_ids"]) == ("d", "n", "b;page")
    assert (folded["min_months"], folded["max_months"]) == (36.0, 144.0) and pd.isna(folded["fine_alternative"])
    assert (folded["valid_from_precision"], folded["correction_ids"]) == ("year", "")
    assert pd.isna(folded["life_max"]) and pd.isna(folded["valid_to"])
    assert found.loc[[3, 4], "life_max"].tolist() == [1, 0] and found.at[3, "fine_alternative"] == 1
    assert pd.isna(found.at[4, "fine_alternative"]) and found.loc[[3, 4], "description"].tolist() == ["", ""]
    assert found.at[0, "note"] == "m" and found.at[0, "source_ids"] == "page"
    assert found[["edition", "life_max", "fine_alternative"]].dtypes.astype(str).tolist() == ["Int64"] * 3


def test_every_statute_row_is_in_the_table():
    told = {row for cell in real_statutes()["raw_rows"] for row in cell.split(";")}
    figures = raw(courts.OTHER_FIGURES)
    wanted = {
        courts.SERBIA_STATUTE: raw(courts.SERBIA_STATUTE).index,
        courts.CODED_STATUTES: raw(courts.CODED_STATUTES).index,
    }
    wanted[courts.OTHER_FIGURES] = figures.index[figures["indicator"].isin(["statutory_min", "statutory_max"])]
    assert told == {f"{table}:{row}" for table, rows in wanted.items() for row in rows}


@pytest.mark.parametrize(("country", "edition", "bounds"), [("SVN", 2008, (6, 120)), ("ROU", 2007, (36, 156))])
def test_real_pairs_of_other_editions(country, edition, bounds):
    row = of(real_statutes(), iso3=country, edition=edition, form="figure:all").squeeze()
    assert (row["min_months"], row["max_months"]) == bounds
    assert row["raw_rows"].count(courts.OTHER_FIGURES) == 2
