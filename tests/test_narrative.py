"""Reading of country narratives: every phenomenon in sentences of our own, and what must hold for any text."""

import csv
import re
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentencing import paths
from sentencing.narrative import BadInput, Narrative, agreement, development_countries, extract, narratives
from sentencing.narrative.__main__ import main
from sentencing.narrative.grammar import months, terms
from sentencing.narrative.normalise import normalise
from sentencing.narrative.rows import COLUMNS
from sentencing.narrative.split import parts, sentences
from sentencing.narrative.write import marked
from sentencing.narrative.years import mentions

PLACES = [root / "shared" / "reference" / "tip_2018_narratives.csv" for root in (paths.ROOT, paths.ROOT.parent)]
REFERENCE = next((place for place in PLACES if place.exists()), None)
CODED = f"{paths.RAW / 'tip/coded_2018_'}"


def read(text: str, section: str = "prosecution", year: int = 2018) -> dict[str, list[dict]]:
    return extract(Narrative("ZZZ", "Nowhere", year, {section: text}))


def counted(text: str, section: str = "prosecution") -> list[tuple]:
    rows = read(text, section)["counts"]
    return [(r["reference_year"], r["stage"], r["value"], r["exploitation"]) for r in rows]


def totals(text: str, section: str = "prosecution") -> list[tuple]:
    return [row[:3] for row in counted(text, section) if row[3] == "all"]


def penalties(text: str) -> list[tuple]:
    rows = read(text)["statutes"]
    return [(r["form"], r["min_months"], r["max_months"], r["life_max"], r["fine_alternative"]) for r in rows]


def lengths(text: str) -> list[tuple]:
    rows = read(text)["sentences"]
    return [(r["reference_year"], r["kind"], r["n"], r["low_months"], r["high_months"], r["sanction"]) for r in rows]


# --- Mending and splitting ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("printed", "mended"),
    [
        ("sentences of one year or 65ATLANTISmore.", "sentences of one year or more."),
        ("ended in 2016. 151NEW ATLANTISThe police", "ended in 2016. The police"),
        ("for some ATLANTIS114training", "for some training"),
        ("such as rape.The police", "such as rape. The police"),
        ("investigated 31potential cases", "investigated 31 potential cases"),
        ("compared to106 suspects", "compared to 106 suspects"),
        ("victimsŠtwo women", "victims - two women"),
        ("called ﬁguestsﬂ there", 'called "guests" there'),
        ("trafﬁcking of ofﬁcials", "trafficking of officials"),
        ("paid •600", "paid €600"),
        ("under section 12 NGOs said", "under section 12 NGOs said"),
    ],
)
def test_damage_of_printing_is_mended(printed, mended):
    assert re.sub(" +", " ", normalise(printed).text) == mended


@given(st.text(alphabet=st.sampled_from("ab .,;()0123456789ABCŠﬁﬂ•’\n\u00a0é"), max_size=120), st.data())
def test_mended_words_are_found_again_where_they_stood(original, data):
    clean = normalise(original)
    if not clean.text:
        return
    start = data.draw(st.integers(0, len(clean.text) - 1))
    end = data.draw(st.integers(start + 1, len(clean.text)))
    first, last = clean.span(start, end)
    assert 0 <= first <= last <= len(original)
    left = iter(original[first:last])
    assert all(c in left for c in clean.text[start:end] if c in "abABC0123456789")


def test_offsets_outside_the_text_are_refused():
    with pytest.raises(ValueError, match="no characters"):
        normalise("abc").span(2, 2)


def test_reading_loads_neither_tables_nor_pages():
    code = "import sys, sentencing.narrative; print(sorted({'pandas', 'bs4', 'numpy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "[]\n", done.stderr


def test_unsplit_narrative_is_parted_at_its_headings():
    text = "Nowhere does not try. PROSECUTIONThe police tried. PROTECTION It cared. TRAFFICKING PROFILEAs reported, so."
    assert [part.role for part in parts({"intro": text})] == [
        "intro",
        "prosecution",
        "protection",
        "trafficking_profile",
    ]


def test_abbreviations_and_decimals_do_not_end_a_sentence():
    (part,) = parts({"prosecution": "Under Law No. 12 it fined him $1.5 million. The U.S. Agency helped. It ended."})
    assert [s.text.strip() for s in sentences(part)] == [
        "Under Law No. 12 it fined him $1.5 million.", "The U.S. Agency helped.", "It ended."
    ]  # fmt: skip


# --- Numbers, lengths of time, years ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "n"),
    [("three years", 36), ("three and a half years", 42), ("one year and six months", 18), ("18 months", 18),
     ("twenty-one years", 252), ("seven and one-half years", 90), ("six-year", 72), ("eight-and-a-half years", 102)],
)  # fmt: skip
def test_length_of_time_in_months(words, n):
    assert months(words) == n


def test_days_are_a_month_by_the_30_4():
    assert months("323 days") == pytest.approx(323 / 30.4, abs=0.01)


def test_what_is_no_length_of_time_is_refused():
    with pytest.raises(ValueError, match="no length"):
        months("red")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("terms of five to 10 years", [(60, 120, "")]),
        ("between six months and three years", [(6, 36, "")]),
        ("from 10 years to life imprisonment", [(120, None, "life")]),
        ("one year and six months to four years", [(18, 48, "")]),
        ("one year and six months imprisonment", [(18, 18, "")]),
        ("a boy 12 years old", []),
        ("children under 14 years of age", []),
    ],
)
def test_ranges_of_time(text, expected):
    assert [(t.low, t.high, t.end) for t in terms(text)] == expected


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("nine in 2016 and seven in 2015", [(2016,), (2015,)]),
        ("in the previous reporting period", [(2016,)]),
        ("during the reporting period", [(2017,)]),
        ("in fiscal year 2016", [(2016,)]),
        ("in FY 2017", [(2017,)]),
        ("in both 2016 and 2017", [(2016, 2017)]),
        ("the 2005 Act", []),
        ("as of March 2018", []),
        ("12,017 people", []),
    ],
)
def test_years_told(text, years):
    assert [m.years for m in mentions(text, 2018)] == years


# --- Counts -------------------------------------------------------------------------------------------------------

INVESTIGATION, PROSECUTION, CONVICTION = "investigation", "prosecution", "conviction"
ACQUITTAL, VICTIMS = "acquittal", "victims_identified"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Police investigated seven suspects, prosecuted five, and convicted three.",
         [(2017, INVESTIGATION, 7), (2017, PROSECUTION, 5), (2017, CONVICTION, 3)]),
        ("Courts investigated, prosecuted, and convicted 83 offenders.",
         [(2017, INVESTIGATION, 83), (2017, PROSECUTION, 83), (2017, CONVICTION, 83)]),
        ("Courts convicted 91 offenders, compared with 87 in 2016 and 86 in 2015.",
         [(2017, CONVICTION, 91), (2016, CONVICTION, 87), (2015, CONVICTION, 86)]),
        ("Police investigated 16 cases (14 in 2016).", [(2017, INVESTIGATION, 16), (2016, INVESTIGATION, 14)]),
        ("Courts convicted four traffickers, compared with none in 2016.",
         [(2017, CONVICTION, 4), (2016, CONVICTION, 0)]),
        ("In 2016, police investigated 10 cases and prosecuted four defendants.",
         [(2016, INVESTIGATION, 10), (2016, PROSECUTION, 4)]),
        ("Police opened nine investigations and indicted six suspects, compared with 12 and five, respectively, "
         "in 2016.",
         [(2017, INVESTIGATION, 9), (2017, PROSECUTION, 6), (2016, INVESTIGATION, 12), (2016, PROSECUTION, 5)]),
        ("Authorities opened 93 trafficking cases in 2017, a drop from 95 and 97 in 2016 and 2015, "
         "respectively.",
         [(2017, INVESTIGATION, 93), (2016, INVESTIGATION, 95), (2015, INVESTIGATION, 97)]),
        ("It told of 88 investigations, 66 prosecutions, and 44 convictions.",
         [(2017, INVESTIGATION, 88), (2017, PROSECUTION, 66), (2017, CONVICTION, 44)]),
        ("Seven suspects were prosecuted in 2017, the same number as in 2016.",
         [(2017, PROSECUTION, 7), (2016, PROSECUTION, 7)]),
        ("The number of convictions increased from 12 in 2016 to 20.",
         [(2016, CONVICTION, 12), (2017, CONVICTION, 20)]),
        ("The court acquitted two defendants.", [(2017, ACQUITTAL, 2)]),
        ("The court found four defendants guilty.", [(2017, CONVICTION, 4)]),
        ("In 2017, police sent 94 cases to court, compared with 89 in 2016.",
         [(2017, PROSECUTION, 94), (2016, PROSECUTION, 89)]),
        ("Prosecutors filed charges against 12 defendants.", [(2017, PROSECUTION, 12)]),
        ("In fiscal year 2017, authorities convicted 777 offenders.", [(2017, CONVICTION, 777)]),
        ("In 2016, the most recent year with data, courts convicted 84 traffickers. Of these, judges acquitted "
         "three defendants.",
         [(2016, CONVICTION, 84), (2016, ACQUITTAL, 3)]),
        ("Police opened 81 federal and 92 state investigations.",
         [(2017, INVESTIGATION, 81), (2017, INVESTIGATION, 92)]),
        ("The police opened 15 inquiries in 2017 and 12 in 2016.",
         [(2017, INVESTIGATION, 15), (2016, INVESTIGATION, 12)]),
        ("Twelve traffickers were found guilty, compared with nine in 2016.",
         [(2017, CONVICTION, 12), (2016, CONVICTION, 9)]),
        ("Prosecutors put on trial 12 suspects.", [(2017, PROSECUTION, 12)]),
        ("Prosecutors filed cases against 11 individuals.", [(2017, PROSECUTION, 11)]),
        ("Of 20 suspects arrested, 12 were prosecuted and five convicted.",
         [(2017, PROSECUTION, 12), (2017, CONVICTION, 5)]),
        ("Courts convicted six slaveholders and obtained its first conviction since the reform.",
         [(2017, CONVICTION, 6), (2017, CONVICTION, 1)]),
        ("Courts convicted nine: five for recruiting and four for transporting victims.",
         [(2017, CONVICTION, 9), (2017, CONVICTION, 5), (2017, CONVICTION, 4)]),
        ("Courts convicted 12 of 15 defendants, compared to nine of 10 in 2016.",
         [(2017, CONVICTION, 12), (2016, CONVICTION, 9)]),
        ("The number of prosecutions remained the same at 12.", [(2017, PROSECUTION, 12)]),
        ("Courts convicted five, down from 2016, when police investigated 12, indicted nine, and convicted four.",
         [(2017, CONVICTION, 5), (2016, INVESTIGATION, 12), (2016, PROSECUTION, 9), (2016, CONVICTION, 4)]),
        ("Courts convicted 20 in 2017; 14 of the 20 were convicted under article 5.",
         [(2017, CONVICTION, 20), (2017, CONVICTION, 14)]),
        ("Prosecutors charged two Atlantean and five Lemurian defendants.", [(2017, PROSECUTION, 7)]),
        ("It reported prosecuting, but not yet convicting, three suspects.",
         [(2017, PROSECUTION, 3), (2017, CONVICTION, 0)]),
        ("It told of investigating one case, compared with nine in 2016, and prosecuting eight suspects.",
         [(2017, INVESTIGATION, 1), (2016, INVESTIGATION, 9), (2017, PROSECUTION, 8)]),
        ("This compared with opening 11 investigations and prosecuting four suspects in 2016.",
         [(2016, INVESTIGATION, 11), (2016, PROSECUTION, 4)]),
        ("Police opened one trafficking investigation, besides work on a 2014 case.", [(2017, INVESTIGATION, 1)]),
        ("It reported convicting a trafficker for the first time.", [(2017, CONVICTION, 1)]),
        ("Courts convicted six traffickers and acquitted two others.", [(2017, CONVICTION, 6), (2017, ACQUITTAL, 2)]),
        ("Among its efforts were reforms, including convicting five traffickers.", [(2017, CONVICTION, 5)]),
        ("Police identified 14 suspects.", [(2017, INVESTIGATION, 14)]),
        ("Police arrested 15 people, six of whom it prosecuted.", [(2017, PROSECUTION, 6)]),
        ("Police knew of 64 cases, 40 of which were under investigation.", [(2017, INVESTIGATION, 40)]),
        ("Police forwarded 22 suspects to the public prosecutor's office for prosecution.", [(2017, PROSECUTION, 22)]),
        ("Police indicted 20 suspects, of whom eight were brought before a court.",
         [(2017, PROSECUTION, 20), (2017, PROSECUTION, 8)]),
        ("Investigations rose from 30 in 2016 to 44 in 2017.", [(2016, INVESTIGATION, 30), (2017, INVESTIGATION, 44)]),
        ("Prosecutions doubled to 40, from 20 in the previous year.",
         [(2017, PROSECUTION, 40), (2016, PROSECUTION, 20)]),
        ("Convictions totaled 19 in 2017, 23 in 2016, and 15 in 2015.",
         [(2017, CONVICTION, 19), (2016, CONVICTION, 23), (2015, CONVICTION, 15)]),
        ("The number of investigations was 31 in 2017, up from 26.",
         [(2017, INVESTIGATION, 31), (2016, INVESTIGATION, 26)]),
        ("Courts imposed convictions on 24 defendants, as against 17 in 2016.",
         [(2017, CONVICTION, 24), (2016, CONVICTION, 17)]),
        ("Authorities secured only two convictions, fewer than the five secured in 2016.",
         [(2017, CONVICTION, 2), (2016, CONVICTION, 5)]),
        ("Authorities registered 34 trafficking crimes in 2017.", [(2017, INVESTIGATION, 34)]),
        ("Of the 30 suspects arrested, the government prosecuted 12 and released 18.", [(2017, PROSECUTION, 12)]),
        ("Seven of the 10 prosecutions ended in convictions.", [(2017, CONVICTION, 7)]),
        ("Courts acquitted 14 defendants and dismissed the charges against three.", [(2017, ACQUITTAL, 14)]),
        ("Prosecutors did not begin any prosecutions, but they continued two prosecutions from earlier years.",
         [(2017, PROSECUTION, 0), (2017, PROSECUTION, 2)]),
    ],
)  # fmt: skip
def test_counts_and_their_years(text, expected):
    assert sorted(totals(text)) == sorted(expected)


def test_forms_of_exploitation_are_parts():
    text = "Courts convicted 12 traffickers (nine for sex trafficking and three for forced labor) in 2017."
    assert counted(text) == [
        (2017, CONVICTION, 12, "all"), (2017, CONVICTION, 9, "sex"), (2017, CONVICTION, 3, "labor")
    ]  # fmt: skip


def test_figure_of_one_form_only_is_the_total_too():
    rows = counted("Police investigated three forced labor cases.")
    assert rows == [(2017, INVESTIGATION, 3, "labor"), (2017, INVESTIGATION, 3, "all")]


@pytest.mark.parametrize("rest", ["three for unspecified forms", "three unspecified forms of exploitation",
                                  "three for an unknown form of exploitation"])  # fmt: skip
def test_part_without_a_form_is_other(rest):
    rows = counted(f"Police investigated 12 cases (nine for sex trafficking and {rest}).")
    assert rows[1:] == [(2017, INVESTIGATION, 9, "sex"), (2017, INVESTIGATION, 3, "other")]


def test_bracket_takes_its_form_from_what_stands_before_it_and_not_from_another_bracket():
    rows = counted("Courts convicted two traffickers (one sex trafficking and one labor trafficking) (five in 2016).")
    assert [row for row in rows if row[0] == 2016] == [(2016, CONVICTION, 5, "all")]


def test_forms_with_and_without_a_noun_add_up_to_the_total():
    rows = counted("Courts convicted eight people for sex trafficking, five for forced labor, and two for begging.")
    assert (2017, CONVICTION, 15, "all") in rows


def test_second_clause_with_a_verb_of_its_own_is_not_part_of_the_comparison():
    text = "Police sent 89 cases to court, compared to 83 in 2016, and convicted 77 traffickers."
    assert (2017, CONVICTION, 77) in totals(text)


@pytest.mark.parametrize(
    ("text", "stages"),
    [
        ("The government did not convict any traffickers.", [CONVICTION]),
        ("Authorities did not report any prosecutions or convictions.", [PROSECUTION, CONVICTION]),
        ("There were no investigations, prosecutions, or convictions.", [INVESTIGATION, PROSECUTION, CONVICTION]),
        ("It did not report investigating or prosecuting suspected traffickers.", [INVESTIGATION, PROSECUTION]),
        ("None of the cases resulted in a conviction.", [CONVICTION]),
        ("Courts did not convict anyone on trafficking charges.", [CONVICTION]),
        ("The government never obtained a labor trafficking conviction.", [CONVICTION]),
        ("It did not report any prosecutions, or the identification of any victims.", [PROSECUTION, VICTIMS]),
        ("It did not prosecute or convict any traffickers, including complicit officials.", [PROSECUTION, CONVICTION]),
        ("There were no prosecutions or convictions of traffickers.", [PROSECUTION, CONVICTION]),
        ("Neither prosecutions nor convictions were reported.", [PROSECUTION, CONVICTION]),
        ("The authorities neither investigated nor prosecuted any traffickers.", [INVESTIGATION, PROSECUTION]),
        ("Without any convictions, the law remained untested.", [CONVICTION]),
        ("No one was prosecuted or convicted.", [PROSECUTION, CONVICTION]),
        ("Not a single trafficker was convicted.", [CONVICTION]),
        ("Courts heard one case and convicted no one.", [CONVICTION]),
        ("The government took no steps to investigate or prosecute traffickers.", [INVESTIGATION, PROSECUTION]),
        ("Courts did not hand down any convictions.", [CONVICTION]),
        ("The year ended with the government not reporting any prosecutions.", [PROSECUTION]),
        (
            "It has never convicted a trafficker and did not prosecute any suspected traffickers.",
            [CONVICTION, PROSECUTION],
        ),
    ],
)
def test_none_is_zero(text, stages):
    rows = read(text)["counts"]
    assert [(r["stage"], r["value"], r["qualifier"]) for r in rows] == [(stage, 0, "none") for stage in stages]


def test_no_data_is_not_zero():
    (row,) = read("The government did not provide data on convictions.")["counts"]
    assert (row["stage"], row["value"], row["qualifier"]) == (CONVICTION, None, "not_reported")


def test_none_holds_for_the_year_before_where_the_text_says_so():
    text = "Similar to the previous year, authorities did not convict any traffickers in the reporting period."
    assert totals(text) == [(2017, CONVICTION, 0), (2016, CONVICTION, 0)]
    text = "The government reported no convictions for the third consecutive year."
    assert totals(text) == [(2017, CONVICTION, 0), (2016, CONVICTION, 0)]


@pytest.mark.parametrize(
    "text",
    [
        "The government lacked data on convictions.",
        "Authorities were unable to provide statistics on convictions.",
        "Authorities were unable to share figures on convictions.",
        "Officials could not say how many traffickers were convicted.",
        "Conviction data were not available.",
        "No data were available on the number of convictions.",
        "Courts did not keep records of convictions.",
        "Officials declined to share the number of convictions.",
        "It remained unknown how many traffickers were convicted.",
        "It was unclear how many of these investigations led to convictions.",
        "Convictions rose from the year 2016, for which the government did not report the number of convictions.",
    ],
)
def test_lack_of_data_is_not_reported(text):
    assert [(r["stage"], r["qualifier"]) for r in read(text)["counts"]] == [(CONVICTION, "not_reported")]


def test_total_or_none_counts_for_more_than_lack_of_other_data():
    text = "Courts did not convict any traffickers. It did not report the number of convictions under other laws."
    assert totals(text) == [(2017, CONVICTION, 0)]


def test_figure_given_for_comparison_is_no_total_where_the_other_is_none():
    rows = counted("Police investigated three forced labor cases, compared with eight sex trafficking cases in 2016.")
    assert rows == [(2017, INVESTIGATION, 3, "labor"), (2016, INVESTIGATION, 8, "sex"), (2017, INVESTIGATION, 3, "all")]


@pytest.mark.parametrize(
    "text",
    [
        "In this case, authorities prosecuted 12 suspects.",
        "The government did not report any investigations, prosecutions, or convictions of complicit officials.",
        "Courts convicted two officials complicit in trafficking.",
        "The police cooperated with foreign counterparts and investigated 12 suspects.",
        "Under articles 172 and 189, courts convicted traffickers.",
        "In March 2017, a court convicted three traffickers.",
        "The government trained 300 officers on investigations.",
        "Police arrested 40 suspects.",
        "Of the 12 convictions, all were upheld.",
        "Three traffickers received fines.",
        "Foreign authorities convicted 12 citizens of the country.",
        "Since 2010, authorities have prosecuted 58 traffickers.",
        "An appeals court overturned the convictions of four traffickers.",
        "Courts sentenced one convicted trafficker to 10 years' imprisonment.",
    ],
)
def test_what_is_not_counted(text):
    assert totals(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The government identified 96 victims (99 in 2016).", [(2017, VICTIMS, 96), (2016, VICTIMS, 99)]),
        ("A total of 45 victims were identified in 2017, compared with 50 in 2016.",
         [(2017, VICTIMS, 45), (2016, VICTIMS, 50)]),
        ("Authorities did not identify any trafficking victims.", [(2017, VICTIMS, 0)]),
        ("Police identified 30 victims, including four child victims, compared with 28 in 2016.",
         [(2017, VICTIMS, 30), (2016, VICTIMS, 28)]),
        (
            "Police identified nine victims, compared with 10 victims identified in the previous reporting period.",
            [(2017, VICTIMS, 9), (2016, VICTIMS, 10)],
        ),
        ("The government assisted 12 victims.", [(2017, VICTIMS, 12)]),
        ("Authorities identified 20 victims. It assisted 12 victims.", [(2017, VICTIMS, 20)]),
        ("Authorities identified two adult and five child victims.", [(2017, VICTIMS, 7)]),
        ("Police detected 50 women victims of trafficking.", [(2017, VICTIMS, 50)]),
        ("The number of victims authorities identified decreased to 30 from 45.",
         [(2017, VICTIMS, 30), (2016, VICTIMS, 45)]),
        ("An NGO identified 90 victims. Of these, 12 were victims of forced labor.", []),
        ("Authorities did not identify any victims, while an NGO identified 12.", [(2017, VICTIMS, 0)]),
        ("Authorities have not identified a trafficking victim.", [(2017, VICTIMS, 0)]),
        ("It did not identify any victims in 2017 or 2016 and has not identified a foreign victim since 2012.",
         [(2017, VICTIMS, 0), (2016, VICTIMS, 0)]),
        ("It was unclear how many victims the government identified.", [(2017, VICTIMS, None)]),
        ("There were 66 identified victims in 2017 and 70 in 2016.", [(2017, VICTIMS, 66), (2016, VICTIMS, 70)]),
        ("Police certified 15 victims, more than the eight certified in 2016.",
         [(2017, VICTIMS, 15), (2016, VICTIMS, 8)]),
        ("Three NGOs identified 29 victims.", []),
        ("The government did not keep statistics on identified victims.", [(2017, VICTIMS, None)]),
        ("Sixteen victims were assisted in shelters, and NGOs assisted 29.", [(2017, VICTIMS, 16)]),
    ],
)  # fmt: skip
def test_victims_are_counted_in_the_section_on_protection(text, expected):
    assert totals(text, "protection") == expected


def test_groups_of_one_form_are_added_up_and_a_figure_told_again_is_one():
    text = (
        "Police identified 40 victims. Of these, 11 children and 20 adults were victims of forced labor. Shelters were "
        "full and care was poor. Of the 31 victims of forced labor identified in 2017, all stayed in the capital."
    )
    rows = counted(text, "protection")
    assert rows == [(2017, VICTIMS, 40, "all"), (2017, VICTIMS, 31, "labor")]


def test_children_freed_from_armed_groups_are_counted_apart():
    text = "Authorities identified 140 children who left armed groups (167 in 2016)."
    assert [row for row in counted(text, "protection") if row[3] == "all"] == []
    assert (2017, VICTIMS, 140, "other") in counted(text, "protection")


def test_convictions_are_not_taken_from_the_section_on_protection():
    assert totals("Courts convicted 12 traffickers.", "protection") == []


@pytest.mark.parametrize(
    ("text", "qualifier"),
    [("at least 12", "at_least"), ("approximately 12", "approx"), ("as many as 12", "at_most"), ("12", "exact")],
)
def test_qualifier_of_a_count(text, qualifier):
    (row,) = read(f"Courts convicted {text} traffickers.")["counts"]
    assert row["qualifier"] == qualifier


def test_introduction_is_read_only_for_what_the_section_does_not_tell():
    sections = {"intro": "Courts convicted nine traffickers and prosecuted four suspects.",
                "prosecution": "Courts convicted 10 traffickers."}  # fmt: skip
    rows = extract(Narrative("ZZZ", "", 2018, sections))["counts"]
    assert sorted((r["stage"], r["value"]) for r in rows) == [(CONVICTION, 10), (PROSECUTION, 4)]


# --- Statutes -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The law criminalized sex and labor trafficking and prescribed penalties of five to 10 years imprisonment.",
         [("basic_all", 60, 120, 0, 0)]),
        ("It prescribed penalties of up to 20 years imprisonment, a fine, or both.", [("basic_all", None, 240, 0, 1)]),
        ("The law prescribed penalties of 15 years to life imprisonment.", [("basic_all", 180, None, 1, 0)]),
        ("It prescribed a minimum penalty of five years imprisonment.", [("basic_all", 60, None, 0, 0)]),
        ("It prescribed penalties of at least three years and up to 12 years imprisonment.",
         [("basic_all", 36, 144, 0, 0)]),
        ("It prescribed maximum penalties of 13 to 23 years imprisonment.", [("basic_all", None, 276, 0, 0)]),
        ("The law prescribed penalties of two to nine years imprisonment for trafficking of adults and six to 13 "
         "years imprisonment for trafficking of children.", [("adult", 24, 108, 0, 0), ("child", 72, 156, 0, 0)]),
        ("Penalties increased to 17 to 19 years imprisonment under aggravated circumstances.",
         [("aggravated", 204, 228, 0, 0)]),
        ("Article 9 criminalized forced labor and prescribed penalties of up to three years imprisonment.",
         [("labor", None, 36, 0, 0)]),
        ("The law prescribed a minimum penalty of one year imprisonment for adult trafficking and six years "
         "imprisonment for child trafficking.", [("adult", 12, None, 0, 0), ("child", 72, None, 0, 0)]),
        ("The law prescribed penalties of 10 years imprisonment.", [("basic_all", 120, 120, 0, 0)]),
        ("It prescribed penalties of 16-20 years imprisonment.", [("basic_all", 192, 240, 0, 0)]),
        ("Article 7 criminalized receiving money from trafficking and prescribed a maximum penalty of 10 years "
         "imprisonment.", [("basic_all", None, 120, 0, 0)]),
        ("Courts convicted six traffickers and sentenced them to two to five years imprisonment.", []),
        ("A draft law would increase penalties to 20 years imprisonment.", []),
    ],
)  # fmt: skip
def test_prescribed_penalties(text, expected):
    assert penalties(text) == expected


# --- Sentences and custody ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Courts sentenced two traffickers to three and a half years imprisonment.",
         [(2017, "exact", 2, 42, 42, "prison")]),
        ("Five traffickers received sentences ranging from seven months to 23 years imprisonment.",
         [(2017, "range", 5, 7, 276, "prison")]),
        ("Four traffickers received sentences between 11 and 14 years imprisonment.",
         [(2017, "range", 4, 132, 168, "prison")]),
        ("Six traffickers received sentences of at least two years in prison.",
         [(2017, "interval", 6, 24, None, "prison")]),
        ("Three traffickers received sentences of no less than one year in prison.",
         [(2017, "interval", 3, 12, None, "prison")]),
        ("Three traffickers received sentences of up to one year in prison.", [(2017, "interval", 3, 0, 12, "prison")]),
        ("Sentences ranged from two months to life imprisonment.", [(2017, "range", None, 2, None, "life")]),
        ("Courts issued life sentences to two traffickers.", [(2017, "exact", 2, None, None, "life")]),
        ("The average sentence was 15 months.", [(2017, "mean", None, 15, 15, "prison")]),
        ("Courts sentenced two men to four and nine years in prison, respectively.",
         [(2017, "exact", 1, 48, 48, "prison"), (2017, "exact", 1, 108, 108, "prison")]),
        ("Judges suspended the sentences of three convicted traffickers.",
         [(2017, "interval", 3, None, None, "suspended")]),
        ("Four traffickers received fully suspended sentences and eight received fines.",
         [(2017, "interval", 4, None, None, "suspended"), (2017, "exact", 8, None, None, "fine")]),
        ("Four traffickers received partially suspended sentences of two years imprisonment.",
         [(2017, "exact", 4, 24, 24, "partly_suspended")]),
        ("One trafficker received two years probation.", [(2017, "exact", 1, 24, 24, "probation")]),
        ("Courts sentenced two traffickers to five years imprisonment with four years suspended.",
         [(2017, "exact", 2, 60, 60, "partly_suspended")]),
        ("Sentences ranged from two and a half years up to seven years.", [(2017, "range", None, 30, 84, "prison")]),
        ("Judges suspended the sentences of three convicted traffickers (one for one year and two for two years).",
         [(2017, "exact", 1, 12, 12, "suspended"), (2017, "exact", 2, 24, 24, "suspended")]),
        ("Of the traffickers, one received a term of up to five years, and three for one year or less.",
         [(2017, "interval", 1, 0, 60, "prison"), (2017, "interval", 3, 0, 12, "prison")]),
        ("The other three suspects - one driver and two recruiters - each received a sentence of one year in prison.",
         [(2017, "exact", 3, 12, 12, "prison")]),
        ("Sentences were longer than in the previous reporting period, when judges sentenced two men to five years.",
         [(2016, "exact", 2, 60, 60, "prison")]),
        ("Courts convicted nine traffickers: six were fined and three were placed on probation.",
         [(2017, "exact", 6, None, None, "fine"), (2017, "exact", 3, None, None, "probation")]),
        ("Courts convicted six traffickers, but suspended all sentences.",
         [(2017, "interval", 6, None, None, "suspended")]),
        ("Courts convicted six traffickers; all received conditional sentences.",
         [(2017, "interval", 6, None, None, "suspended")]),
        ("Of the nine convictions, seven resulted in prison sentences and two in suspended sentences.",
         [(2017, "interval", 2, None, None, "suspended")]),
        ("Judges suspended the sentences of the remaining eight.", [(2017, "interval", 8, None, None, "suspended")]),
        ("Judges suspended the sentences of 65 percent of convicted traffickers.", []),
        ("A court sentenced the trafficker to 18 months imprisonment, nine of which were suspended.",
         [(2017, "exact", 1, 18, 18, "partly_suspended")]),
        ("One trafficker was sentenced to two years in prison and fined.", [(2017, "exact", 1, 24, 24, "prison")]),
        ("Sentences ranged from a suspended sentence to four years in prison.",
         [(2017, "interval", None, 0, 48, "prison")]),
        ("Courts sentenced 20 traffickers to prison: 12 for less than one year and eight for more than five years.",
         [(2017, "interval", 12, 0, 12, "prison"), (2017, "interval", 8, 60, None, "prison")]),
        ("A court reduced the sentences of two traffickers from 10 years to six years imprisonment.",
         [(2017, "exact", 2, 72, 72, "prison")]),
        ("A trafficker was sentenced to nine years, which a higher court reduced to six years imprisonment.",
         [(2017, "exact", 1, 72, 72, "prison")]),
        ("Two traffickers were sentenced to 97 months, 84 months, and 60 months imprisonment.",
         [(2017, "exact", 2, 97, 97, "prison"), (2017, "exact", 2, 84, 84, "prison"),
          (2017, "exact", 2, 60, 60, "prison")]),
        ("Courts gave sentences of three years to eight traffickers.", [(2017, "exact", 8, 36, 36, "prison")]),
        ("Of six convicted, four were sentenced to five years and two to one year in prison.",
         [(2017, "exact", 4, 60, 60, "prison"), (2017, "exact", 2, 12, 12, "prison")]),
        ("The law provided for sentences of five to 10 years, but courts imposed sentences of 12 to 18 months.",
         [(2017, "range", None, 12, 18, "prison")]),
        ("Courts convicted 41 people, most of whom received suspended sentences.", []),
        ("A fine of $900 was paid by the trafficker in lieu of six months imprisonment.", []),
        ("The code allowed the suspension of prison terms of less than two years.", []),
        ("A border guard was sentenced to four years in prison for taking bribes from traffickers.", []),
        ("A former official was sentenced to seven years imprisonment for forced labor.",
         [(2017, "exact", 1, 84, 84, "prison")]),
        ("Authorities extradited one trafficker to Lemuria, where he was sentenced to 12 years imprisonment.", []),
        ("A court in a neighboring country sentenced two traffickers to five years imprisonment.", []),
        ("An appeals court overturned the conviction of two traffickers sentenced to 10 years imprisonment.", []),
        ("Three people were convicted of smuggling and sentenced to two years imprisonment.", []),
        ("The law prescribed sentences of two to five years imprisonment.", []),
        ("In the past five years, courts sentenced many traffickers.", []),
    ],
)  # fmt: skip
def test_sentences_imposed(text, expected):
    assert lengths(text) == expected


def test_sentence_takes_the_year_told_in_its_comparison():
    text = "Courts sentenced four traffickers to 11 to 14 years imprisonment, compared to seven to 19 years in 2016."
    assert [(row[0], row[3], row[4]) for row in lengths(text)] == [(2017, 132, 168), (2016, 84, 228)]


def custody(text: str) -> list[tuple]:
    names = ("n_convicted", "n_sentenced", "n_prison", "n_suspended", "n_fine_only", "n_other_noncustodial")
    return [tuple(row[name] for name in names) for row in read(text)["custody"]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Courts convicted seven traffickers. All convicted traffickers received prison sentences.",
         [(7, 7, 7, 0, 0, 0)]),
        ("Courts convicted nine traffickers. Six traffickers received prison sentences of five years and three "
         "received suspended sentences.", [(9, 9, 6, 3, 0, 0)]),
        ("Courts convicted nine traffickers. Four received suspended sentences.", [(9, None, None, 4, None, None)]),
        ("Courts convicted 12 traffickers. Three of these traffickers received a suspended sentence, eight received a "
         "fine, and one received a prison sentence.", [(12, 12, 1, 3, 8, 0)]),
        ("Courts convicted nine traffickers. Courts convicted four sex traffickers; two of them received prison "
         "sentences of two years and two received fines.", [(4, 4, 2, 0, 2, 0)]),
        ("Courts convicted nine traffickers. Five convictions carried prison sentences and three convictions carried "
         "suspended sentences.", [(9, None, 5, 3, None, None)]),
        ("Courts convicted six traffickers. Four traffickers received prison sentences and two awaited sentencing.",
         [(6, 4, 4, 0, 0, 0)]),
        ("Courts convicted nine traffickers. In one case, judges sentenced two traffickers to five years imprisonment.",
         []),
        ("Courts convicted nine traffickers.", []),
        ("Courts sentenced five traffickers to prison terms of two years.", []),
        ("Courts convicted eight traffickers. None of the convicted traffickers served time in prison.",
         [(8, None, 0, None, None, None)]),
        ("Fewer than half of the 31 convicted traffickers received prison sentences.", []),
        ("Only one of the nine convicted traffickers was sentenced to prison.", [(9, None, 1, None, None, None)]),
        ("Courts convicted 12 traffickers, imposing prison sentences on seven, suspended sentences on four, and a fine "
         "on one.", [(12, 12, 7, 4, 1, 0)]),
        ("Courts convicted three traffickers in 2017, compared with one in 2016. The convicted traffickers received "
         "prison sentences of five years each, whereas in 2016 the convicted trafficker received a suspended sentence.",
         [(3, 3, 3, 0, 0, 0), (1, 1, 0, 1, 0, 0)]),
        ("Courts convicted 18 traffickers, 15 for sex trafficking and three for labor trafficking. Of the 15 convicted "
         "sex traffickers, 10 were imprisoned and five received suspended sentences. All three labor traffickers were "
         "fined.", [(18, 18, 10, 5, 3, 0), (15, 15, 10, 5, 0, 0), (3, 3, 0, 0, 3, 0)]),
    ],
)  # fmt: skip
def test_what_became_of_the_convicted(text, expected):
    assert custody(text) == expected


# --- Rows ---------------------------------------------------------------------------------------------------------

TEXT = ("The law prescribed penalties of five to 10 years imprisonment.Police investigated 16 cases (14 in 2016). "
        "Courts convicted 12 12ATLANTIStraffickers. Two traffickers received suspended sentences.")  # fmt: skip


def test_rows_have_the_columns_of_the_coded_tables_and_their_rule():
    for table, rows in read(TEXT).items():
        with Path(f"{CODED}{table}.csv").open(newline="", encoding="utf-8") as file:
            coded = next(csv.reader(file))
        assert list(COLUMNS[table]) == [*coded, "rule"]
        assert rows and all(list(row) == list(COLUMNS[table]) and row["rule"] for row in rows)


def test_locator_gives_the_words_as_printed():
    (row,) = [r for r in read(TEXT)["counts"] if r["stage"] == CONVICTION]
    section, start, end = re.split("[:-]", row["locator"])
    assert (section, TEXT[int(start) : int(end)]) == ("prosecution", "12 12ATLANTIStraffickers")


PIECES = """Courts convicted sentenced identified prosecuted investigated 12 three 2016 in ( ) , ; . traffickers victims
    cases to five years imprisonment compared with none respectively both sex trafficking labor and for the previous
    reporting period did not any data on penalties prescribed life suspended fines of between from up percent Š
    65ATLANTIS"""
prose = st.lists(st.sampled_from(re.findall(r"\S+", PIECES)), max_size=60).map(" ".join)


@settings(max_examples=150, deadline=None)
@given(st.one_of(prose, st.text(max_size=300)))
def test_any_text_can_be_read_and_every_row_points_into_it(text):
    for section in ("prosecution", "protection", "intro"):
        for rows in read(text, section).values():
            for row in rows:
                name, start, end = re.split("[:-]", row["locator"])
                assert name == section and 0 <= int(start) < int(end) <= len(text)
                assert text[int(start) : int(end)].strip()


GROWING = ["and ", "12 ", "sentenced 12 ", "(", "three, ", "A", "1", "compared with ", "sex ", "five years "]
GROWING += ["and one ", "one-", "did not ", "sentences that "]


@pytest.mark.parametrize("piece", GROWING)
def test_time_grows_in_line_with_the_text(piece):
    def seconds(n: int) -> float:
        start = time.perf_counter()
        read(f"Courts convicted {piece * n} traffickers to five years.")
        return time.perf_counter() - start

    seconds(20)
    assert seconds(1600) < 40 * max(seconds(200), 0.003)


# --- Input, output, agreement -------------------------------------------------------------------------------------


@pytest.fixture
def table(tmp_path):
    def make(content: str, encoding: str = "utf-8") -> Path:
        path = tmp_path / "narratives.csv"
        path.write_bytes(content.encode(encoding))
        return path

    return make


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("iso3,report_year,intro\nZZZ,2018,x\n", "column country missing"),
        ("iso3,country,report_year\nZZZ,Nowhere,2018\n", "no section"),
        ("iso3,country,report_year,intro\nzz,Nowhere,2018,x\n", "line 2: iso3 is 'zz'"),
        ("iso3,country,report_year,intro\nZZZ,Nowhere,soon,x\n", "line 2: report_year is 'soon'"),
    ],
)
def test_bad_tables_are_told_with_their_place(table, content, message):
    with pytest.raises(BadInput, match=re.escape(message)):
        list(narratives(table(content)))


def test_table_that_is_not_utf8_is_told(table):
    with pytest.raises(BadInput, match="not UTF-8"):
        list(narratives(table("iso3,country,report_year,intro\nZZZ,Nowhére,2018,x\n", "latin-1")))


def test_folder_is_read_and_bad_names_are_told(tmp_path):
    (tmp_path / "ZZZ-2018.txt").write_text("PROSECUTION Courts convicted 12 traffickers.", encoding="utf-8")
    page = "<style>p{}</style><h2>PROSECUTION</h2><p>Courts convicted<b> 13 </b>traffickers.</p><script>1</script>"
    (tmp_path / "YYY-2018.html").write_text(page, encoding="utf-8")
    found = {n.iso3: totals(n.sections["intro"], "intro") for n in narratives(tmp_path)}
    assert found == {"YYY": [(2017, CONVICTION, 13)], "ZZZ": [(2017, CONVICTION, 12)]}
    (tmp_path / "Nowhere.txt").write_text("x", encoding="utf-8")
    with pytest.raises(BadInput, match="ISO3-year"):
        list(narratives(tmp_path))


def test_nothing_there_is_told(tmp_path):
    with pytest.raises(BadInput, match="no such file"):
        list(narratives(tmp_path / "absent.csv"))


class Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.words = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words.append(data)


def test_command_writes_tables_and_an_escaped_page(table, tmp_path, capsys):
    evil = "<script>alert(1)</script> Courts convicted 12 traffickers & others."
    path = table(f'iso3,country,report_year,prosecution\nZZZ,"<b>Nowhere",2018,"{evil}"\n')
    assert main([str(path), str(tmp_path / "out")]) == 0
    assert "1 narratives: 1 counts" in capsys.readouterr().out
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "counts.csv", "custody.csv", "report.html", "sentences.csv", "statutes.csv"
    ]  # fmt: skip
    page = Page()
    page.feed((tmp_path / "out/report.html").read_text(encoding="utf-8"))
    assert "script" not in {tag for tag, _ in page.tags} and evil in "".join(page.words)
    (mark,) = [attributes for tag, attributes in page.tags if tag == "mark"]
    assert mark["title"].startswith("count: persons: counts reference_year=2017 stage=conviction")
    assert not any(
        value.startswith(("http", "//")) for _, a in page.tags for n, value in a.items() if n in ("src", "href")
    )


def test_command_leaves_earlier_output_alone_when_the_input_is_bad(table, tmp_path, capsys):
    out = tmp_path / "out"
    good = "iso3,country,report_year,prosecution\nZZZ,Nowhere,2018,Courts convicted 12 traffickers.\n"
    assert main([str(table(good)), str(out)]) == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    assert main([str(table(good + "zz,Nowhere,2018,x\n")), str(out)]) == 2
    assert "line 3: iso3" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_overlapping_marks_are_joined_and_the_text_is_kept():
    text = "one <two> three"
    html = marked(text, [(0, 9, "a"), (4, 15, 'b"'), (4, 9, "a")])
    assert html == '<mark title="a; b&quot;">one &lt;two&gt; three</mark>'


def test_development_countries_do_not_depend_on_order_and_are_four_fifths():
    countries = agreement.coded_countries(CODED)
    drawn = development_countries(countries)
    assert drawn == development_countries(sorted(countries, reverse=True)) < countries
    assert len(drawn) == round(0.8 * len(countries))


def test_agreement_of_the_coded_tables_with_themselves_is_full(tmp_path):
    for name in COLUMNS:
        (tmp_path / f"{name}.csv").write_bytes(Path(f"{CODED}{name}.csv").read_bytes())
    scores = agreement.scores(tmp_path, CODED, agreement.coded_countries(CODED))
    assert {score.f1 for score in scores.values()} == {1.0}


def test_agreement_counts_shared_facts(tmp_path):
    for name, columns in COLUMNS.items():
        for folder in ("read", "coded"):
            (tmp_path / folder).mkdir(exist_ok=True)
            (tmp_path / folder / f"{name}.csv").write_text(",".join(columns) + "\n", encoding="utf-8")
    row = "{},2017,conviction,persons,{},exact,all,trafficking,,,,x:0-1,,r\n"
    with (tmp_path / "read/counts.csv").open("a", encoding="utf-8") as file:
        file.write(row.format("ZZZ", 3) + row.format("ZZZ", 3) + row.format("YYY", 9))
    with (tmp_path / "coded/counts.csv").open("a", encoding="utf-8") as file:
        file.write(row.format("ZZZ", 3) + row.format("ZZZ", 4))
    score = agreement.scores(tmp_path / "read", f"{tmp_path / 'coded'}/", {"ZZZ"})["counts"]
    assert (score.shared, score.read, score.coded) == (1, 2, 2)
    assert (score.precision, score.recall, score.f1) == (0.5, 0.5, 0.5)


# Somewhat below what the rules reach on countries that nobody looked at while writing them.
FLOORS = {"counts": 0.78, "custody": 0.59, "sentences": 0.77, "statutes": 0.9, "overall": 0.77}


@pytest.mark.skipif(REFERENCE is None, reason="tip_2018_narratives.csv is not beside the repository")
def test_rules_hold_on_countries_that_were_held_out(tmp_path):
    assert main([str(REFERENCE), str(tmp_path)]) == 0
    everyone = agreement.coded_countries(CODED)
    scores = agreement.scores(tmp_path, CODED, everyone - development_countries(everyone))
    assert {name: score.f1 for name, score in scores.items() if score.f1 < FLOORS[name]} == {}
