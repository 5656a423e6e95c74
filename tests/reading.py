"""What a reader sees of a page."""

import html
import re

import httpx2


def said(answer: httpx2.Response) -> str:
    """The words of a page between its frame, in one line."""
    body = answer.text.partition("<main")[2].partition("</main>")[0]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def hidden(answer: httpx2.Response, name: str) -> str:
    """The value of the one hidden field of this name."""
    [value] = re.findall(rf'name="{name}" value="([^"]*)"', answer.text)
    return str(value)
