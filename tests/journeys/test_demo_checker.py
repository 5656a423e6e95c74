"""The demo's checker sees one thing removed or repeated at every place of the chain."""

import dataclasses
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deploy.local.demo import checker
from deploy.local.demo.evidence import (
    Arrival,
    Assignment,
    Delivery,
    Evidence,
    JournalRow,
    Leaf,
    Record,
    Referral,
    Subscription,
)

START = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


def a_row(event_id: str, type_: str, case_id: str, seq: int, **data: Any) -> JournalRow:
    return JournalRow(
        event_id=event_id,
        shared=True,
        type=type_,
        case_id=case_id,
        case_seq=seq,
        occurred_at=START + timedelta(seconds=seq),
        payload=json.dumps({"actor": "a", "data": {"case_id": case_id, **data}}).encode(),
    )


def a_record(sender: str, row: JournalRow) -> Record:
    return Record(f"{sender}.events", row.event_id, row.type, row.case_id, row.case_seq, row.payload)


def a_sound_world() -> Evidence:
    """Two people of a list of three (one was held back), three needs, one of them with a second attempt."""
    told = {"province": "73", "restricted": False, "agency_id": "DINSOS-73", "attempt": 1}
    journals = {
        "intake": (
            a_row("i1", "intake.arrival_recorded.v1", "c1", 1),
            a_row("i2", "intake.arrival_recorded.v1", "c2", 1),
        ),
        "referral": (
            a_row("r1", "referral.referral_opened.v1", "c1", 1, referral_id="f1", need="NEED", **told),
            a_row(
                "r2", "referral.assignment_sent.v1", "c1", 2, referral_id="f1", need="NEED", assignment_id="a1", **told
            ),
            a_row("r3", "referral.referral_opened.v1", "c1", 3, referral_id="f2", need="SICK", **told),
            a_row(
                "r4", "referral.assignment_sent.v1", "c1", 4, referral_id="f2", need="SICK", assignment_id="a2", **told
            ),
            a_row("r5", "referral.assignment_declined.v1", "c1", 5, referral_id="f2", need="SICK", **told),
            a_row(
                "r6", "referral.assignment_sent.v1", "c1", 6, referral_id="f2", need="SICK", assignment_id="a3", **told
            ),
            a_row("r7", "referral.referral_opened.v1", "c2", 1, referral_id="f3", need="NEED", **told),
            a_row("r8", "referral.gap_opened.v1", "c2", 2, referral_id="f3", need="NEED", **told),
        ),
    }
    every = [(sender, row) for sender, rows in journals.items() for row in rows]
    return Evidence(
        listed_lines=(2, 3, 4),
        shown_lines=frozenset({3}),
        held_back_lines=frozenset({3}),
        journals=journals,
        outboxes={"intake": (), "referral": ()},
        parked={"referral": ()},
        records=tuple(a_record(sender, row) for sender, row in every),
        arrivals=(Arrival("c1", ("NEED", "SICK"), 2), Arrival("c2", ("NEED",), 4)),
        referrals=(
            Referral("f1", "c1", "NEED", open=True),
            Referral("f2", "c1", "SICK", open=True),
            Referral("f3", "c2", "NEED", open=True),
        ),
        referred=(("c1", "NEED"), ("c1", "SICK"), ("c2", "NEED")),
        assignments=(
            Assignment("a1", "f1", live=True),
            Assignment("a2", "f2", live=False),
            Assignment("a3", "f2", live=True),
        ),
        subscriptions=(
            Subscription(
                subscription_id="s1",
                created_at=START,
                changed_at=START,
                ended=False,
                provinces=frozenset({"73"}),
                needs=frozenset({"SICK"}),
                events=frozenset({"referral.assignment_sent.v1"}),
            ),
        ),
        deliveries=(Delivery("d1", "s1", "r4", "delivered"), Delivery("d2", "s1", "r6", "delivered")),
        leaves=tuple(Leaf(n, sender, row.event_id) for n, (sender, row) in enumerate(every)),
    )


Change = Callable[[Evidence], Evidence]


def without(place: str, n: int = -1) -> Change:
    def change(e: Evidence) -> Evidence:
        things = list(getattr(e, place))
        del things[n]
        return dataclasses.replace(e, **{place: tuple(things)})

    return change


def twice(place: str, n: int = -1, **other: Any) -> Change:
    def change(e: Evidence) -> Evidence:
        things = getattr(e, place)
        return dataclasses.replace(e, **{place: (*things, dataclasses.replace(things[n], **other))})

    return change


def changed(place: str, n: int, **other: Any) -> Change:
    def change(e: Evidence) -> Evidence:
        things = list(getattr(e, place))
        things[n] = dataclasses.replace(things[n], **other)
        return dataclasses.replace(e, **{place: tuple(things)})

    return change


def journal(sender: str, change: Callable[[list[JournalRow]], list[JournalRow]]) -> Change:
    return lambda e: dataclasses.replace(e, journals={**e.journals, sender: tuple(change(list(e.journals[sender])))})


class TestChecker:
    def test_finds_nothing_in_a_sound_world(self) -> None:
        assert checker.check(a_sound_world()).findings == ()

    @pytest.mark.parametrize(
        ("place", "change"),
        [
            ("manifest row", without("arrivals")),
            ("manifest row", lambda e: dataclasses.replace(e, held_back_lines=frozenset())),
            ("without a problem on record", lambda e: dataclasses.replace(e, held_back_lines=frozenset())),
            ("arrival not told", journal("intake", lambda rows: rows[:1])),
            ("need without its referral", without("referrals", 1)),
            ("has not heard of", without("referred")),
            ("assignment not told", journal("referral", lambda rows: [r for r in rows if r.event_id != "r6"])),
            ("open referral without", changed("assignments", 2, live=False)),
            ("open referral without", without("assignments", 0)),
            ("open referral without", journal("referral", lambda rows: [r for r in rows if r.event_id != "r8"])),
            ("number in referral's journal", journal("referral", lambda rows: rows[1:])),
            ("journal not in Kafka", without("records", 4)),
            ("differs from intake's journal", changed("records", 0, value=b"{}")),
            ("differs from intake's journal", changed("records", 0, topic="intake.audit")),
            ("differs from intake's journal", changed("records", 0, key="c9")),
            ("journal row without its leaf", without("leaves", 3)),
            ("leaf number", changed("leaves", 0, number=77)),
            ("notice to subscription", without("deliveries")),
            ("outbox", lambda e: dataclasses.replace(e, outboxes={"intake": (5,)})),
            ("parked by", lambda e: dataclasses.replace(e, parked={"notify": ("p1",)})),
        ],
    )
    def test_counts_what_is_lost(self, place: str, change: Change) -> None:
        verdict = checker.check(change(a_sound_world()))

        assert verdict.lost >= 1
        assert any(f.kind == "lost" and place in f.place for f in verdict.findings), verdict.findings

    @pytest.mark.parametrize(
        ("place", "change"),
        [
            ("manifest row", twice("arrivals", case_id="c3")),
            ("manifest row", lambda e: dataclasses.replace(e, held_back_lines=frozenset({2, 3}))),
            ("arrival not told", journal("intake", lambda rows: [*rows, dataclasses.replace(rows[0], event_id="i9")])),
            ("need without its referral", twice("referrals", referral_id="f9")),
            ("need without its referral", without("arrivals")),
            (
                "referral not told",
                journal("referral", lambda rows: [*rows, dataclasses.replace(rows[0], event_id="r99")]),
            ),
            ("two live assignments", changed("assignments", 1, live=True)),
            ("ended referral with a live assignment", changed("referrals", 0, open=False)),
            ("assignment without a referral", twice("assignments", referral_id="f9", assignment_id="a9")),
            (
                "number in intake's journal",
                journal("intake", lambda rows: [*rows, dataclasses.replace(rows[0], event_id="i9")]),
            ),
            ("that is in no journal", twice("records", event_id="x1")),
            ("journal row without its leaf", twice("leaves", number=10)),
            ("notice to subscription", twice("deliveries", delivery_id="d9")),
            ("nobody subscribed to", twice("deliveries", delivery_id="d9", event_id="r1")),
        ],
    )
    def test_counts_what_is_doubled(self, place: str, change: Change) -> None:
        verdict = checker.check(change(a_sound_world()))

        assert verdict.doubled >= 1
        assert any(f.kind == "doubled" and place in f.place for f in verdict.findings), verdict.findings

    def test_lets_a_record_be_sent_twice(self) -> None:
        assert checker.check(twice("records")(a_sound_world())).findings == ()

    def test_lets_a_row_written_while_it_reads_be_anywhere(self) -> None:
        world = twice("leaves", number=10, event_id="x1")(twice("records", event_id="x1")(a_sound_world()))

        assert checker.check(world).doubled == 2
        assert checker.check(dataclasses.replace(world, told_meanwhile=frozenset({"x1"}))).findings == ()

    def test_lets_a_fact_told_before_the_subscription_go_either_way(self) -> None:
        at = START + timedelta(seconds=5)
        late = changed("subscriptions", 0, created_at=at, changed_at=at)

        assert checker.check(late(a_sound_world())).findings == ()
        assert checker.check(without("deliveries", 0)(late(a_sound_world()))).findings == ()

    @pytest.mark.parametrize(
        "change",
        [{"needs": frozenset()}, {"provinces": frozenset({"65"})}, {"ended": True}],
        ids=["widened", "moved", "ended"],
    )
    def test_lets_a_fact_told_before_a_change_of_the_subscription_go_either_way(self, change: dict[str, Any]) -> None:
        later = changed("subscriptions", 0, changed_at=START + timedelta(seconds=7), **change)

        assert checker.check(later(a_sound_world())).findings == ()
        assert checker.check(without("deliveries", 0)(later(a_sound_world()))).findings == ()

    def test_lets_a_fact_told_while_the_subscription_is_changed_go_either_way(self) -> None:
        wider = changed("subscriptions", 0, changed_at=START + timedelta(seconds=3), needs=frozenset())

        assert checker.check(wider(a_sound_world())).findings == ()

    def test_holds_a_subscription_to_what_it_says_after_its_change(self) -> None:
        world = changed("subscriptions", 0, created_at=START - timedelta(days=1), changed_at=START - timedelta(hours=1))

        assert checker.check(world(a_sound_world())).findings == ()
        assert checker.check(without("deliveries", 0)(world(a_sound_world()))).lost == 1
        ended = changed("subscriptions", 0, ended=True)
        assert checker.check(ended(world(a_sound_world()))).doubled == 2

    def test_wants_no_notice_about_a_restricted_need(self) -> None:
        def restrict(rows: list[JournalRow]) -> list[JournalRow]:
            return [dataclasses.replace(r, payload=r.payload.replace(b"false", b"true")) for r in rows]

        world = journal("referral", restrict)(a_sound_world())
        world = dataclasses.replace(
            world, records=tuple(a_record(s, r) for s, rows in world.journals.items() for r in rows)
        )

        assert checker.check(world).doubled == 2
