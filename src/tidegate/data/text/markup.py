"""Markup: what of a text is HTML, and what only looks like it."""

from __future__ import annotations

import html
import re

# Elements that the standard has, or had (its section on obsolete features among them).
_PAIRED = """
    a abbr acronym address applet article aside audio b bdi bdo big blink blockquote button canvas
    caption center cite code data datalist del details dfn dialog dir div dl em fieldset
    figcaption figure font footer form frameset g h1 h2 h3 h4 h5 h6 header hgroup i iframe ins kbd
    label legend main map mark marquee math menu meter nav nobr noembed noframes noscript object
    ol output picture pre progress q ruby s samp script search section select slot small span
    strike strong style sub summary sup svg table template textarea time title tt u ul var video
    xmp
"""
# The end tag may be left out, or there is none, and they are written without attributes, too.
_SINGLE = """
    body br colgroup dd dt head hr html li optgroup option p rb rp rt rtc tbody td tfoot th thead
    tr wbr
"""
# They say nothing without attributes.
_TELLING = """
    area base basefont bgsound circle col ellipse embed frame image img input keygen line link meta
    param path polygon polyline rect source track use
"""
# Attributes without a value; any other one has its =, or "<b and then c>" would be a tag.
_SWITCHES = """
    allowfullscreen async autofocus autoplay checked compact controls declare default defer
    disabled download formnovalidate hidden inert ismap itemscope loop multiple muted nohref
    nomodule noresize noshade novalidate nowrap open playsinline readonly required reversed scoped
    seamless selected sortable truespeed typemustmatch
"""


def _either(*lists: str) -> str:
    return "|".join(name for names in lists for name in names.split())


_NAME = r"[a-z_:@*#(\[][^\s\"'<>/=]*"
_QUOTED = rf"""{_NAME}\s*=\s*(?:"[^"<]*"|'[^'<]*')"""
# What must follow leaves one way to read each: hostile texts take no longer than others.
_PLAIN = rf"""{_NAME}\s*=\s*[^\s"'<>`]+(?=[\s>])"""
_SWITCH = rf"(?:{_either(_SWITCHES)})(?=[\s/>])"
# Quoted ones may follow each other without a space, as in class="a"id="b".
_ATTRIBUTES = rf"(?:[\s/]+(?:{_QUOTED})*(?:{_QUOTED}|{_PLAIN}|{_SWITCH}))"
_KNOWN = _either(_PAIRED, _SINGLE, _TELLING) + r"|[ovwm]:[a-z]+|st1:[a-z]+"  # and those of Office

_BLOCKS = re.compile(
    # A comment or script must not hold the start of another one: that keeps the search linear on
    # hostile texts.
    r"<!--(?:(?!<!--).)*?-->|<!\[(?:if\b[^<>\]]*|endif)\]>"
    r"|<script\b[^<>]*>(?:(?!<script).)*?</script\s*>"
    r"|<style\b[^<>]*>(?:(?!<style).)*?</style\s*>"
    r"|<!doctype\s[^<>]*>|<\?xml\s[^<>]*>",
    re.IGNORECASE | re.DOTALL,
)
_TAG = re.compile(
    rf"<(?P<end>/)(?:{_KNOWN})\s*>"
    rf"|<(?:{_KNOWN}){_ATTRIBUTES}+[\s/]*>"
    rf"|<(?:{_either(_SINGLE)}|[ovwm]:[a-z]+|st1:[a-z]+)[\s/]*>"
    rf"|<(?P<bare>{_either(_PAIRED)})[\s/]*>",
    re.IGNORECASE,
)
# Without their semicolon &copy and the like stand in addresses, &not in "&notice".
_ENTITY = re.compile(r"&(?:#\d{1,7};|#\d{2,7}|#x[0-9a-f]{1,6};|[a-z][a-z0-9]{1,31};)", re.I)


def strip_markup(text: str) -> str:
    """Put a space where a tag, comment or script of HTML stood; then resolve entities.

    A tag has the name of an element of HTML, and attributes that are some. An element that must be
    closed is one if the text closes it, or if it has an attribute, so `<time>` may stand for a
    time. Whatever else stands between < and > is text: `a<b and c>d`, `<user>`, `<ann@host.org>`.

    Args:
        text: The text.

    Returns:
        The text without markup.

    Example:
        >>> strip_markup("<p>Tom &amp; <i class='x'>Ann</i>: 1<b and c>d <user>")
        ' Tom &  Ann : 1<b and c>d <user>'
    """
    if "<" in text:
        text = _BLOCKS.sub(" ", text)
        closed = {name.lower() for name in re.findall(r"</([A-Za-z][A-Za-z0-9]*)\s*>", text)}

        def kept(found: re.Match[str]) -> str:
            bare = found["bare"]
            return found[0] if bare is not None and bare.lower() not in closed else " "

        text = _TAG.sub(kept, text)
    return _ENTITY.sub(lambda found: html.unescape(found[0]), text) if "&" in text else text
