# SPDX-License-Identifier: Apache-2.0
"""HTML in which every text is escaped, unless it was made here."""

from __future__ import annotations

import html
from collections.abc import Iterable

from .. import BANNER

#: With the pages: they need no script, and what slips into one is not to run.
HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:"}

_STYLE = """
body{font-family:sans-serif;line-height:1.4;margin:0 auto;max-width:80em;padding:1em}
table{border-collapse:collapse;margin-bottom:1.5em;width:100%}
td,th{border:1px solid #bbb;padding:.3em .6em;text-align:left;vertical-align:top;overflow-wrap:anywhere}
pre{overflow-x:auto;background:#f4f4f4;padding:.6em;white-space:pre-wrap;overflow-wrap:anywhere}
nav a{margin-right:1em}
.notice{background:#fec;padding:.8em;margin-top:0}
.GOOD,.success{background:#dfd}.BAD,.failed{background:#fdd}.CONCERNING,.active{background:#ffd}
ul.tree,ul.tree ul{border-left:1px solid #bbb;list-style:none;padding-left:1em}
span[class]{padding:0 .3em}
@media(max-width:45em){
thead{display:none}tr{display:block;border:1px solid #bbb;margin-bottom:.8em}
td,tbody th{display:block;border:0;padding:.15em .5em}td:empty{display:none}
td::before,tbody th::before{content:attr(data-label)": ";font-weight:normal;color:#555}
}
"""


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def _escaped(content: object) -> str:
    return content if isinstance(content, Markup) else html.escape(str(content))


def element(name: str, *content: object, **attributes: str | None) -> Markup:
    """Return an element; an attribute is named as in Python (``class_``, ``data_label``) and left out when None."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{name}{given}>{''.join(map(_escaped, content))}</{name}>")


def join(parts: Iterable[object], separator: str = "") -> Markup:
    """Return parts one after the other."""
    return Markup(html.escape(separator).join(map(_escaped, parts)))


def link(text: object, target: str) -> Markup:
    """Return a link."""
    return element("a", text, href=target)


def mark(word: str) -> Markup:
    """Return a state or a health summary in its colour."""
    return element("span", word, class_=word)


def table(labels: list[str], rows: Iterable[tuple[str | None, list[object]]]) -> Markup:
    """Return a table whose rows, each with its id, begin with their heading; a narrow screen shows them as cards."""
    body = []
    for identifier, cells in rows:
        first, *others = zip(labels, cells, strict=True)
        heading = element("th", first[1], scope="row", data_label=first[0])
        data = [element("td", cell, data_label=label) for label, cell in others]
        body.append(element("tr", heading, *data, id=identifier))
    head = element("thead", element("tr", *(element("th", label, scope="col") for label in labels)))
    return element("table", head, element("tbody", join(body, "\n")))


def document(title: str, navigation: Iterable[object], *content: object, refresh: int | None = None) -> str:
    """Return a page, which says first what it is.

    :param refresh: seconds until the browser asks for it again; never when None.
    """
    again = f'<meta http-equiv="refresh" content="{refresh}">' if refresh else ""
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
{again}<link rel="icon" href="data:,"><title>{html.escape(title)} - stand-in for Cloudera Manager</title>
<style>{_STYLE}</style></head><body>
{element("p", f"{BANNER}.", class_="notice")}
{element("header", element("h1", title), element("nav", join(navigation, " ")))}
{element("main", join(content, chr(10)))}
</body></html>
"""
