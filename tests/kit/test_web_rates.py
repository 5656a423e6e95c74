"""How often somebody may ask, and from where somebody asks."""

import gc
import time

import pytest
from starlette.requests import HTTPConnection

from shared.kit.web import rates
from shared.kit.web.rates import Buckets, Windows, address_of, networks


class Ticks:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


class TestBuckets:
    def test_give_a_minutes_worth_at_once_and_then_evenly(self, ticks: Ticks) -> None:
        buckets = Buckets(60, ticks=ticks)

        assert [buckets.take("wati") for _ in range(60)] == [0.0] * 60
        assert buckets.take("wati") == pytest.approx(1.0)
        ticks.now += 1.0
        assert buckets.take("wati") == 0.0
        assert buckets.take("wati") == pytest.approx(1.0)

    def test_are_full_again_after_a_minute(self, ticks: Ticks) -> None:
        buckets = Buckets(5, ticks=ticks)
        for _ in range(9):
            buckets.take("wati")
        ticks.now += 60.0

        assert [buckets.take("wati") > 0 for _ in range(6)] == [False] * 5 + [True]

    def test_are_each_ones_own(self, ticks: Ticks) -> None:
        buckets = Buckets(1, ticks=ticks)
        buckets.take("wati")

        assert buckets.take("wati") > 0
        assert buckets.take("rina") == 0

    def test_asking_in_vain_costs_nothing(self, ticks: Ticks) -> None:
        buckets = Buckets(60, ticks=ticks)
        for _ in range(500):
            buckets.take("wati")
        ticks.now += 1.0

        assert buckets.take("wati") == 0.0

    def test_can_be_without_limit(self, ticks: Ticks) -> None:
        buckets = Buckets(0, ticks=ticks)

        assert not any(buckets.take("port-NNK") for _ in range(10_000))

    def test_do_not_pile_up(self, ticks: Ticks, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(rates, "MOST_KEPT", 10)
        buckets, windows = Buckets(60, ticks=ticks), Windows(60, ticks=ticks)
        for n in range(100):
            buckets.take(str(n))
            windows.count(str(n))

        assert len(buckets._full_at) == len(windows._counts) == 10

    def test_cost_less_than_two_microseconds(self) -> None:
        buckets = Buckets(1_000_000)
        keys = [f"person-{n}" for n in range(1_000)]
        gc.disable()
        try:
            best = min(_seconds_for(buckets, keys) for _ in range(20)) / len(keys)
        finally:
            gc.enable()

        assert best < 2e-6


def _seconds_for(buckets: Buckets, keys: list[str]) -> float:
    began = time.perf_counter()
    for key in keys:
        buckets.take(key)
    return time.perf_counter() - began


class TestWindows:
    def test_count_from_the_first_until_they_are_over(self, ticks: Ticks) -> None:
        windows = Windows(3600, ticks=ticks)

        assert [windows.count("wati") for _ in range(3)] == [1, 2, 3]
        ticks.now += 3599
        assert windows.count("wati") == 4
        ticks.now += 1
        assert windows.count("wati") == 1


def a_connection(host: str, forwarded: str = "") -> HTTPConnection:
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    return HTTPConnection({"type": "http", "client": (host, 1), "headers": headers})


class TestAddress:
    @pytest.mark.parametrize(
        ("proxies", "host", "forwarded", "address"),
        [
            ("", "203.0.113.9", "", "203.0.113.9"),
            ("", "10.0.0.1", "203.0.113.9", "10.0.0.1"),
            ("10.0.0.0/8", "10.0.0.1", "203.0.113.9", "203.0.113.9"),
            ("10.0.0.0/8", "10.0.0.1", "198.51.100.1, 203.0.113.9", "203.0.113.9"),
            ("10.0.0.0/8", "10.0.0.1", "198.51.100.1, 203.0.113.9, 10.0.0.7", "203.0.113.9"),
            ("10.0.0.0/8", "203.0.113.9", "198.51.100.1", "203.0.113.9"),
            ("10.0.0.0/8", "10.0.0.1", "nonsense", "10.0.0.1"),
            ("10.0.0.0/8", "10.0.0.1", "", "10.0.0.1"),
            ("", "2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::/64"),
        ],
    )
    def test_is_believed_as_far_as_our_own_proxies_wrote_it(
        self, proxies: str, host: str, forwarded: str, address: str
    ) -> None:
        assert address_of(a_connection(host, forwarded), networks(proxies)) == address

    def test_has_proxies_that_are_networks(self) -> None:
        with pytest.raises(ValueError, match="nonsense"):
            networks("10.0.0.0/8, nonsense")
