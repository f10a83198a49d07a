"""Commands about OpenURLs."""

from __future__ import annotations

import json
import sys

import click

from delivery.openurl import parse_openurl


@click.group()
def openurl() -> None:
    """OpenURL addresses."""


@openurl.command("parse")
@click.argument("string", help="OpenURL, or its query alone.")
def openurl_parse(string: str) -> None:
    """Print the citation in an OpenURL as JSON ('-' reads standard input). Exit 2 when there is nothing in it to find a work by."""
    text = sys.stdin.read() if string == "-" else string
    parsed = parse_openurl(text)
    answer = parsed.citation.to_dict() | {"referrer": parsed.referrer, "problems": list(parsed.problems)}
    click.echo(json.dumps(answer, ensure_ascii=False, indent=1))
    if not parsed.citation.can_be_found:
        sys.exit(2)
