"""What notify knows, without a database."""

from datetime import UTC, datetime, timedelta

import pytest

from services.notify.domain import circuits, deliveries
from services.notify.domain.circuits import Circuit
from services.notify.domain.refusals import EndpointRefused
from services.notify.domain.subscriptions import EVENTS, EndpointRules, Filter, Listener, Matcher, endpoint
from services.notify.gateways.secrets import Seal
from shared.kit.ids import new_id
from tests.notify.factories import a_claim, an_answer

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
SEAL = Seal(bytes(32))
PUBLIC = EndpointRules(http_allowed=False, ports=frozenset({443, 8443}), private=frozenset())


class TestFilter:
    def test_an_empty_filter_wants_all(self) -> None:
        assert Filter().wants(("referral.gap_opened.v1", "53", "NEED"))

    @pytest.mark.parametrize(
        ("wants", "wanted"),
        [
            (Filter(events=frozenset({"e"}), provinces=frozenset({"53"}), needs=frozenset({"WAGE"})), True),
            (Filter(events=frozenset({"other"}), provinces=frozenset({"53"})), False),
            (Filter(provinces=frozenset({"73"})), False),
            (Filter(needs=frozenset({"NEED"})), False),
            (Filter(needs=frozenset({"NEED", "WAGE"})), True),
        ],
    )
    def test_all_sets_must_let_a_fact_through(self, wants: Filter, wanted: bool) -> None:
        assert wants.wants(("e", "53", "WAGE")) is wanted

    def test_a_matcher_answers_who_wants_a_kind(self) -> None:
        south = Listener("1", "A", Filter(provinces=frozenset({"53"})))
        everything = Listener("2", "B", Filter())

        matcher = Matcher((south, everything))

        assert matcher.who_wants(("e", "53", "NEED")) == (south, everything)
        assert matcher.who_wants(("e", "73", "NEED")) == (everything,)


class TestEndpoint:
    @pytest.mark.parametrize(
        ("url", "canonical"),
        [
            ("https://example.org", "https://example.org/"),
            ("https://EXAMPLE.org:8443/a?b=1", "https://example.org:8443/a?b=1"),
            ("https://münchen.example.org/x", "https://xn--mnchen-3ya.example.org/x"),
            ("https://8.8.8.8/x", "https://8.8.8.8/x"),
            ("https://[2606:4700::1111]/x", "https://[2606:4700::1111]/x"),
            ("https://example.org./x", "https://example.org/x"),
        ],
    )
    def test_takes_public_addresses(self, url: str, canonical: str) -> None:
        assert endpoint(url, PUBLIC) == canonical

    @pytest.mark.parametrize(
        ("url", "part"),
        [
            ("http://example.org/", "scheme"),
            ("gopher://example.org/", "scheme"),
            ("file:///etc/passwd", "scheme"),
            ("example.org/x", "scheme"),
            ("https://user:pw@example.org/", "credentials"),
            ("https://example.org@127.0.0.1/", "credentials"),
            ("https://@example.org/", "credentials"),
            ("https://example.org/#x", "fragment"),
            ("https://example.org:22/", "port"),
            ("https://example.org:99999/", "form"),
            ("https://example.org:x/", "form"),
            ("https:///path", "host"),
            ("https://localhost/", "host"),
            ("https://localhost./", "host"),
            ("https://intake/", "host"),
            ("https://db.internal/", "host"),
            ("https://printer.local/", "host"),
            ("https://127.0.0.1/", "host"),
            ("https://0x7f.1/", "host"),
            ("https://2130706433/", "host"),
            ("https://0177.0.0.1/", "host"),
            ("https://127.1/", "host"),
            ("https://10.0.0.8/", "host"),
            ("https://169.254.169.254/latest", "host"),
            ("https://[::1]/", "host"),
            ("https://[::ffff:127.0.0.1]/", "host"),
            ("https://①②⑦.⓪.⓪.①/", "host"),
            ("https://a b.example.org/", "form"),
            ("https://example.org\\@evil/", "form"),
            ("https://example.org/\x00", "form"),
        ],
    )
    def test_refuses_by_the_part_at_fault(self, url: str, part: str) -> None:
        with pytest.raises(EndpointRefused) as refused:
            endpoint(url, PUBLIC)

        assert refused.value.part == part

    def test_takes_a_private_place_of_the_development_list(self) -> None:
        rules = EndpointRules(http_allowed=True, ports=frozenset({443}), private=frozenset({"127.0.0.1:9001"}))

        assert endpoint("http://127.0.0.1:9001/n", rules) == "http://127.0.0.1:9001/n"
        with pytest.raises(EndpointRefused):
            endpoint("http://127.0.0.1:9002/n", rules)


class TestVerdict:
    @pytest.mark.parametrize(
        ("status", "trouble", "verdict"),
        [
            (200, None, "delivered"),
            (204, None, "delivered"),
            (299, None, "delivered"),
            (409, None, "delivered"),
            (301, "redirect", "retry"),
            (304, "redirect", "retry"),
            (400, "client_error", "hopeless"),
            (401, "client_error", "hopeless"),
            (404, "client_error", "hopeless"),
            (422, "client_error", "hopeless"),
            (408, "timeout", "retry"),
            (410, "client_error", "gone"),
            (425, "throttled", "retry"),
            (429, "throttled", "retry"),
            (500, "server_error", "retry"),
            (503, "server_error", "retry"),
            (599, "server_error", "retry"),
        ],
    )
    def test_follows_the_table_of_states(self, status: int, trouble: str | None, verdict: str) -> None:
        found = deliveries.trouble_with(status, retry_after=False)

        assert found == trouble
        assert deliveries.verdict(an_answer(status, trouble=found)) == verdict

    def test_503_with_retry_after_is_throttling(self) -> None:
        assert deliveries.trouble_with(503, retry_after=True) == "throttled"


class TestSchedule:
    @pytest.mark.parametrize("chance", [-1.0, 0.0, 1.0])
    def test_each_pause_is_the_tables_within_a_fifth_and_the_end_is_not_before_75_hours(self, chance: float) -> None:
        now, gaps = NOW, []
        for step in range(40):
            again = deliveries.next_attempt(step, queued_at=NOW, now=now, chance=chance)
            if again is None:
                break
            gaps.append(again - now)
            now = again

        assert now - NOW >= timedelta(hours=75)
        table = [*deliveries.SCHEDULE, *[deliveries.SCHEDULE[-1]] * 5]
        for gap, planned in zip(gaps, table, strict=False):
            assert abs(gap - planned) <= planned * 0.2
        assert len(gaps) <= len(deliveries.SCHEDULE) + 2

    def test_retry_after_only_makes_it_later_and_has_a_ceiling(self) -> None:
        def pause(step: int, seconds: int) -> timedelta:
            again = deliveries.next_attempt(
                step, queued_at=NOW, now=NOW, chance=0, retry_after=timedelta(seconds=seconds)
            )
            assert again is not None
            return again - NOW

        assert pause(0, 60) == timedelta(seconds=60)
        assert pause(5, 60) == timedelta(hours=2)
        assert pause(0, 10**7) == timedelta(hours=24)


class TestAfter:
    def test_a_failed_test_is_not_tried_again(self) -> None:
        claimed = a_claim("https://x", seal=SEAL, now=NOW, test=True)

        outcome = deliveries.after(claimed, an_answer(500, trouble="server_error"), now=NOW, chance=0)

        assert (outcome.status, outcome.next_attempt_at) == ("expired", None)

    @pytest.mark.parametrize("status", list(deliveries.MOVES))
    def test_every_state_has_moves_to_known_states(self, status: deliveries.Status) -> None:
        assert deliveries.MOVES[status] <= deliveries.MOVES.keys()

    @pytest.mark.parametrize(
        ("answer", "status"),
        [
            (an_answer(200), "delivered"),
            (an_answer(404, trouble="client_error"), "dead_lettered"),
            (an_answer(410, trouble="client_error"), "retry_wait"),
            (an_answer(None, trouble="timeout"), "retry_wait"),
        ],
    )
    def test_every_outcome_is_a_legal_move(self, answer: deliveries.Answer, status: deliveries.Status) -> None:
        outcome = deliveries.after(a_claim("https://x", seal=SEAL, now=NOW), answer, now=NOW, chance=0)

        assert outcome.status == status
        assert status in deliveries.MOVES["sending"]
        assert (outcome.next_attempt_at is None) == (outcome.ended_at is not None)


class TestCircuit:
    def test_a_quick_server_is_trusted_with_many(self) -> None:
        circuit = circuits.after(Circuit(new_id()), [an_answer(200, ms=10)] * 3, now=NOW)

        assert circuit.trusted
        assert circuit.claim_window == 128

    def test_a_slow_server_shares_the_patient_places(self) -> None:
        circuit = circuits.after(Circuit(new_id()), [an_answer(200, ms=8000)], now=NOW)

        assert not circuit.trusted
        assert circuit.claim_window == 4

    def test_failures_open_it_ever_longer_up_to_ten_minutes(self) -> None:
        failed = an_answer(None, trouble="timeout", ms=10_000)
        pauses = []
        circuit = Circuit(new_id())
        for _ in range(12):
            circuit = circuits.after(circuit, [failed], now=NOW)
            pauses.append(circuit.open_until - NOW if circuit.open_until else None)

        assert pauses[:4] == [None] * 4
        assert pauses[4:8] == [timedelta(seconds=s) for s in (30, 60, 120, 240)]
        assert pauses[-1] == timedelta(minutes=10)
        assert circuit.claim_window == 1

    def test_a_success_closes_it(self) -> None:
        failed = [an_answer(500, trouble="server_error")] * 7

        circuit = circuits.after(Circuit(new_id()), [*failed, an_answer(200)], now=NOW)

        assert (circuit.open_until, circuit.consecutive_failures, circuit.delivered, circuit.failed) == (None, 0, 1, 7)

    def test_a_server_that_asks_for_rest_gets_it(self) -> None:
        busy = an_answer(429, trouble="throttled", retry_after=timedelta(seconds=90))

        assert circuits.after(Circuit(new_id()), [busy], now=NOW).open_until == NOW + timedelta(seconds=90)


def test_a_notice_is_small_and_carries_codes_only() -> None:
    body = deliveries.body(
        event_type=max(EVENTS, key=len),
        event_id=new_id(),
        case_id=new_id(),
        need="INFECT",
        province="53",
        state="acknowledged",
        occurred_at=NOW,
    )

    assert len(body) < 2000
