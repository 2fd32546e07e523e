"""The glossary: how it is read, and how first uses of its words on a page are marked."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentencing import paths
from sentencing.site import glossary
from sentencing.site.glossary import Entry, GlossaryError, mark

TEXT = """# Glossary

```{glossary}
median
  The middle term: half got *less*. See {term}`mean <mean value>` and [this](x.html).

log-normal
lognormal
  A family of curves
  with a bell.

TIP Report
  A report {cite}`tip2018`.
```

Between.

:::{glossary}
p value
  How often.
:::
"""
ENTRIES = glossary.read(TEXT)
MEDIAN = '<a class="term" href="glossary.html#term-median" title="The middle term: half got less.">{}</a>'


def marked(page: str) -> list[str]:
    """The words that a page has as marked terms."""
    return re.findall(r'<a class="term"[^>]*>([^<]*)</a>', mark(page, ENTRIES))


def test_entries_of_all_directives_are_read_with_terms_of_one_meaning_together():
    assert [entry.terms for entry in ENTRIES] == [
        ("median",),
        ("log-normal", "lognormal"),
        ("TIP Report",),
        ("p value",),
    ]
    assert ENTRIES[1].meaning == "A family of curves with a bell."


def test_hover_shows_the_first_sentence_without_markup():
    assert [e.in_short for e in ENTRIES[:3]] == [
        "The middle term: half got less.",
        "A family of curves with a bell.",
        "A report .",
    ]
    assert Entry(("x",), "See {term}`mean <mean value>` [this](x.html). More.").in_short == "See mean this."


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("# Nothing", "there is no entry"),
        ("```{glossary}\nmedian\n```\n", "'median' has no meaning"),
        ("```{glossary}\n  Middle.\n```\n", "meaning without a term"),
        ("```{glossary}\nmedian\n  Middle.\n\nMedian\n  Again.\n```\n", "'median' stands there twice"),
    ],
)
def test_faulty_glossary_is_refused_with_the_reason(text, told):
    with pytest.raises(GlossaryError, match=re.escape(told)):
        glossary.read(text)


def test_first_use_leads_to_the_entry_and_the_second_does_not():
    page = "<p>The median and the\nmedian.</p>"
    assert mark(page, ENTRIES) == f"<p>The {MEDIAN.format('median')} and the\nmedian.</p>"


def test_words_of_one_meaning_are_marked_once():
    assert marked("<p>lognormal, log-normal</p>") == ["lognormal"]


@pytest.mark.parametrize(
    ("page", "found"),
    [
        ("<p>Medians</p>", ["Medians"]),
        ("<p>a p\n  value of</p>", ["p\n  value"]),
        ("<p>TIP Reports, tip report</p>", ["TIP Reports"]),
        ("<p>p values</p>", ["p values"]),
        ("<p>submedian, median-based, medianite, non-median</p>", []),
        ("<p>(median)</p>", ["median"]),
        ("<p>MEDIAN</p>", []),
    ],
)
def test_whole_words_in_the_forms_of_running_text_are_found(page, found):
    assert marked(page) == found


@pytest.mark.parametrize("tag", sorted(glossary.LEFT_ALONE))
def test_terms_are_left_alone_where_a_link_would_disturb(tag):
    assert marked(f"<{tag} id='x'>median <b>median</b></{tag}><p>the median</p>") == ["median"]
    page = f"<{tag}>median</{tag}><p>the median</p>"
    assert mark(page, ENTRIES) == f"<{tag}>median</{tag}><p>the {MEDIAN.format('median')}</p>"


def test_terms_in_formulas_and_outputs_are_left_alone_by_their_class():
    for name in sorted(glossary.CLASSES_LEFT_ALONE):
        assert marked(f'<div class="a {name}"><div>median</div> median</div><p>x</p>') == []
    assert marked('<div class="mathematics">median</div>') == ["median"]


def test_tags_inside_scripts_comments_and_attributes_are_no_text():
    page = '<script>if (a<b) "<p>median";</script><!-- median <p> --><img alt="a > median"><p>x</p>'
    assert mark(page, ENTRIES) == page


def test_text_after_a_script_or_style_is_read():
    assert marked("<style>p > b {}</style><p>median</p><script>x</script><p>p value</p>") == ["median", "p value"]


def test_meaning_is_escaped_in_the_attribute():
    entry = Entry(("x",), 'Says "less" <than> & more.')
    assert 'title="Says &quot;less&quot; &lt;than&gt; &amp; more."' in mark("<p>x</p>", [entry])


def test_marks_can_be_reached_by_keyboard():
    (tag,) = re.findall(r"<a [^>]*>", mark("<p>median</p>", ENTRIES))
    assert "href=" in tag and "tabindex" not in tag


def test_address_of_the_glossary_is_that_seen_from_the_page():
    assert 'href="../glossary.html#term-p-value"' in mark("<p>p value</p>", ENTRIES, "../glossary.html")


def test_pages_of_a_site_are_marked_from_where_they_stand(tmp_path):
    (tmp_path / "countries").mkdir()
    for name in ("index", "countries/SRB", "glossary", "sources", "plain"):
        (tmp_path / f"{name}.html").write_text(f"<p>{'x' if name == 'plain' else 'median'}</p>\n", encoding="utf-8")
    assert glossary.mark_pages(tmp_path, ENTRIES) == ["countries/SRB.html", "index.html"]
    read = {p.stem: p.read_text(encoding="utf-8") for p in tmp_path.rglob("*.html")}
    assert 'href="glossary.html#term-median"' in read["index"]
    assert 'href="../glossary.html#term-median"' in read["SRB"]
    assert read["sources"] == read["glossary"] == "<p>median</p>\n"


WORDS = st.sampled_from(
    ["median", "p value", " ", "x", "&amp;", "<b>", "</b>", "<code>", "</code>", "TIP Report", "\n"]
)


@given(st.lists(WORDS, max_size=30).map("".join))
def test_nothing_but_the_marks_is_added(page):
    assert re.sub(r'<a class="term"[^>]*>([^<]*)</a>', r"\1", mark(page, ENTRIES)) == page


def test_page_without_entries_stays():
    assert mark("<p>median</p>", []) == "<p>median</p>"


# --- The glossary of the site ---------------------------------------------------------------------------------------


def of_the_site() -> list[Entry]:
    return glossary.read((paths.DOCS / "glossary.md").read_text(encoding="utf-8"))


def test_glossary_of_the_site_explains_in_whole_sentences_and_gives_serbian_words_of_law():
    text = (paths.DOCS / "glossary.md").read_text(encoding="utf-8")
    law = glossary.read(text[text.index("## Law") : text.index("## Sources")])
    assert len(law) > 10
    assert [e.terms for e in law if "Serbian: *" not in e.meaning] == []
    assert [e.terms for e in of_the_site() if not (e.in_short.endswith(".") and len(e.in_short) < 300)] == []


def test_terms_that_entries_refer_to_are_there():
    known = {term for entry in of_the_site() for term in entry.terms}
    named = {name for entry in of_the_site() for name in re.findall(r"\{term\}`([^`<]+)`", entry.meaning)}
    assert named <= known


def test_words_with_another_meaning_elsewhere_are_not_taken_for_a_term():
    """A language model is no statistical one; a table can be a grid; computers stand in clusters."""
    page = "<p>a large language model; the grid below; on a cluster; the first model</p>"
    links = re.findall(r'#term-([^"]+)"[^>]*>([^<]+)<', mark(page, of_the_site()))
    assert links == [("large-language-model", "large language model"), ("model", "model")]


def test_anchors_are_unique():
    anchors = [glossary.anchor(term) for entry in of_the_site() for term in entry.terms]
    assert len(set(anchors)) == len(anchors)


def test_serbian_is_written_in_latin_script():
    assert re.search(r"[\u0400-\u04ff]", (paths.DOCS / "glossary.md").read_text(encoding="utf-8")) is None


class _Links(HTMLParser):
    def __init__(self):
        super().__init__()
        self.deepest = self.open = 0

    def handle_starttag(self, tag, attrs):
        self.open += tag == "a"
        self.deepest = max(self.deepest, self.open)

    def handle_endtag(self, tag):
        self.open -= tag == "a"


def test_no_link_stands_inside_another():
    terms = [term for entry in of_the_site() for term in entry.terms]
    page = "<main>" + "".join(f"<p>{t} of <a href='x'>{t} <em>{t}</em></a> and {t}</p>" for t in terms) + "</main>"
    reader = _Links()
    reader.feed(mark(page, of_the_site()))
    assert reader.deepest == 1
