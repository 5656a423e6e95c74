"""V7: what a session's id is made of, and that whoever is signed in can always leave."""

import base64
import re
from pathlib import Path

import pytest

from shared.kit.identity import sessions

ROOT = Path(__file__).parents[2]
TEMPLATES = sorted({*ROOT.glob("services/*/templates/*.html"), *ROOT.glob("shared/kit/templates/*.html")})
WHOLE = [file for file in TEMPLATES if "<!doctype" in (text := file.read_text(encoding="utf-8")) or "extends" in text]

ON_PAPER = ROOT / "shared/kit/templates/paper.html"


class TestId:
    def test_is_256_random_bits(self) -> None:
        ids = [sessions.new_id() for _ in range(2_000)]

        assert len(set(ids)) == 2_000
        assert {len(base64.urlsafe_b64decode(one + "=")) for one in ids} == {32}
        # Of 2,000 × 256 fair bits about half are set; an id with a counter or a clock in it is nowhere near.
        for bit in range(256):
            seen = sum(int.from_bytes(base64.urlsafe_b64decode(one + "=")) >> bit & 1 for one in ids)
            assert 800 < seen < 1_200, f"bit {bit}"

    def test_of_another_form_is_not_looked_up(self) -> None:
        assert sessions.is_id(sessions.new_id())
        assert not any(map(sessions.is_id, ("", "A" * 42, "A" * 44, "A" * 42 + "=", "A" * 42 + "\n", "é" * 43)))


class TestLeaving:
    @pytest.mark.parametrize("file", WHOLE, ids=lambda file: f"{file.parts[-3]}/{file.name}")
    def test_is_offered_on_every_page(self, file: Path) -> None:
        """Each page stands in one of the two frames, and none empties what they say of who is signed in."""
        text = file.read_text(encoding="utf-8")
        if file.name == "shell.html":
            me = text[text.index("{% if actor %}") : text.index("{% elif sign_in_href %}")]
            assert re.search(r'<form method="post" action="/keluar">{{ hidden_fields\(\) }}<button', me)
            return
        if file == ON_PAPER:
            assert '<form method="post" action="/keluar">{{ hidden_fields() }}<button' in text
            return
        frames = re.findall(r'^{% extends "(\w+).html" %}$', text, re.MULTILINE)
        assert frames in (["shell"], ["paper"])
        assert set(re.findall(r"{%-? block (\w+)", text)) >= {"title", "main"}

    def test_parts_of_pages_are_no_pages(self) -> None:
        assert all("<html" not in file.read_text(encoding="utf-8") for file in TEMPLATES if file not in WHOLE)
