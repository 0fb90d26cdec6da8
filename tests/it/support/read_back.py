"""Reads what `sg-audit` wrote and prints what is in it as JSON.

Usage: python read_back.py junit|markdown|csv|yaml < OUTPUT
"""

import csv
import io
import json
import sys


def junit(text: str) -> object:
    from junitparser import JUnitXml, TestSuite

    def case(it) -> dict:
        results = [{"kind": type(result).__name__, "type": result.type, "message": result.message, "text": result.text}
                   for result in it.result]
        return {"name": it.name, "results": results}

    def suite(it: TestSuite) -> dict:
        counts = {"tests": it.tests, "failures": it.failures, "errors": it.errors}
        return {"name": it.name, **counts, "cases": [case(one) for one in it]}

    return [suite(it) for it in JUnitXml.fromstring(text.encode())]


def markdown(text: str) -> object:
    """Rows of tables as the kinds and texts of what is in their cells, and everything that is a link or HTML."""
    from markdown_it import MarkdownIt

    read = {"headings": [], "rows": [], "links": [], "html": [], "fences": []}
    inside = None
    for token in MarkdownIt("gfm-like").parse(text):
        if token.type.endswith("_open"):
            inside = token.tag
            if inside == "tr":
                read["rows"].append([])
        elif token.type == "inline":
            pieces = [{"kind": piece.type, "text": piece.content} for piece in token.children or []]
            if inside in ("td", "th"):
                read["rows"][-1].append(pieces)
            elif inside.startswith("h"):
                read["headings"].append(token.content)
            for piece in token.children or []:
                if piece.type == "link_open":
                    read["links"].append(piece.attrs["href"])
                elif piece.type in ("html_inline", "image"):
                    read["html"].append(piece.content)
        elif token.type == "html_block":
            read["html"] += token.content.split("\n")
        elif token.type == "fence":
            read["fences"].append(token.content)
    return read


def comma_separated(text: str) -> object:
    """As a list of rows, read with commas and, as in many languages, with semicolons."""
    return {name: list(csv.reader(io.StringIO(text), delimiter=delimiter))
            for name, delimiter in [("comma", ","), ("semicolon", ";")]}


def yaml(text: str) -> object:
    import yaml as parser

    # `on` is a word here, and no truth value.
    return parser.load(text, parser.BaseLoader)


if __name__ == "__main__":
    read = {"junit": junit, "markdown": markdown, "csv": comma_separated, "yaml": yaml}[sys.argv[1]]
    json.dump(read(sys.stdin.read()), sys.stdout)
