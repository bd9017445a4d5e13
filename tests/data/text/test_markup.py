"""Markup: HTML is cleaned out, and what only looks like it is text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.data.text.markup import strip_markup


@pytest.mark.parametrize(
    "text",
    [
        "a<b and then c>d ok",
        "a <b and c> d",
        "mail <john@example.org> now",
        "<user> said <name>",
        "I <3 you",
        "x <- y, y -> z, x <= 3",
        "if a<i and i>b",
        "List<String> and vector<int>",
        "1<2>0",
        "<p or not",
        "&notice &copyright=1 AT&T R&D &",
        "<http://example.org/a?b=c&copy=1>",
        "<laughs> <sigh> </sarcasm>",
        "see <time> and <b>",
    ],
)
def test_text_stays(text):
    assert strip_markup(text) == text


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("one<br>two<br/>three<BR />four", "one two three four"),
        ("<p>Tom &amp; Ann</p>", "Tom & Ann"),
        ('<a href="http://a.b/c?d>e">link</a>', "link"),
        ("<div class=x id='y'>in</div>", "in"),
        ("<!-- a < b > c -->seen", "seen"),
        ("<script>if (a<b) {}</script>seen", "seen"),
        ("<STYLE type='text/css'>b{}</STYLE>seen", "seen"),
        ("<!DOCTYPE html><html><body>seen</body></html>", "seen"),
        ("&#39;quoted&#39; &lt;b&gt; &eacute; &#x41;", "'quoted' <b> é A"),
        ("<b>bold</b> and a<b and c>d", "bold and a<b and c>d"),
        ("<input disabled><img src=x.png alt='a'>", ""),
        ("<td>1<td>2", "1 2"),
    ],
)
def test_html_goes(text, wanted):
    assert " ".join(strip_markup(text).split()) == wanted


@given(st.text(st.sampled_from("<>/ab&;= '\"!-"), max_size=60))
def test_nothing_raises_and_nothing_is_added(text):
    assert len(strip_markup(text)) <= len(text)
