"""The webhook channel against a hostile server, and the address guard against what points inwards."""

import asyncio
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from standardwebhooks import Webhook, WebhookVerificationError

from services.notify.domain.addresses import is_public
from services.notify.gateways import addresses, secrets
from services.notify.gateways.addresses import Guard
from services.notify.gateways.secrets import Seal, SecretUnreadable
from services.notify.gateways.webhook import EXCERPT_BYTES, WebhookChannel
from tests.notify.conftest import a_channel
from tests.notify.factories import a_claim
from tests.notify.receiver import Receiver

SEAL = Seal(bytes(range(32)))
NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)

INWARD = (
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200", "100.127.255.255",
    "127.0.0.1", "127.0.0.2", "127.255.255.254", "169.254.0.1", "169.254.169.254", "169.254.170.2", "172.16.0.1",
    "172.17.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.0.1",
    "192.168.255.255", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250",
    "240.0.0.1", "255.255.255.255", "168.63.129.16",
    "::", "::1", "::127.0.0.1", "::8.8.8.8", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
    "::ffff:8.8.8.8", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b::808:808",
    "64:ff9b:1::1", "100::1", "2001::1", "2001:0:53aa:64c::1", "2001:10::1", "2001:20::1", "2001:db8::1",
    "2002:7f00:1::", "2002:a9fe:a9fe::1", "2002:c0a8:1::1", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254",
    "fd12:3456::1", "fe80::1", "fe80::1%lo", "febf::1", "fec0::1", "ff02::1", "ff0e::1", "4000::1", "not-an-address",
)  # fmt: skip
OUTWARD = ("8.8.8.8", "1.1.1.1", "36.91.0.1", "103.10.1.1", "2606:4700:4700::1111", "2404:8000::1", "2001:4860::8888")


class StubNames(AbstractResolver):
    """A name server under an attacker's hand: answers in turn, whatever is asked."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = list(answers)
        self.asked = 0

    async def resolve(self, host: str, port: int = 0, family: int = socket.AF_UNSPEC) -> list[ResolveResult]:
        answer = self._answers[min(self.asked, len(self._answers) - 1)]
        self.asked += 1
        return [
            ResolveResult(
                hostname=host,
                host=one,
                port=port,
                family=socket.AF_INET6 if ":" in one else socket.AF_INET,
                proto=0,
                flags=0,
            )
            for one in answer
        ]

    async def close(self) -> None:
        """Nothing to close."""


@asynccontextmanager
async def a_channel_with(names: StubNames, private: frozenset[str] = frozenset()) -> AsyncIterator[WebhookChannel]:
    channel = WebhookChannel(
        open_secret=SEAL.open, private=private, resolver=lambda _: names, connect_s=0.3, total_s=0.6
    )
    yield channel
    await channel.aclose()


class TestAddresses:
    @pytest.mark.parametrize("address", INWARD)
    def test_inward_addresses_are_not_public(self, address: str) -> None:
        assert not is_public(address)

    @pytest.mark.parametrize("address", OUTWARD)
    def test_outward_addresses_are_public(self, address: str) -> None:
        assert is_public(address)

    def test_the_corpus_is_large(self) -> None:
        assert len(set(INWARD)) >= 60


class TestGuard:
    @pytest.mark.parametrize("address", [one for one in INWARD if one != "not-an-address"])
    async def test_a_name_that_leads_inwards_is_refused_at_connect_time(self, address: str) -> None:
        async with a_channel_with(StubNames([address])) as channel:
            answer = await channel.send(a_claim("https://innocent.example.org/n", seal=SEAL, now=NOW), now=NOW)

        assert answer.trouble == "address_refused"

    @pytest.mark.parametrize(
        "host",
        [
            "127.0.0.1", "127.1", "0x7f.1", "2130706433", "0177.0.0.1", "0x7f000001", "localhost", "localhost.",
            "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::]", "0.0.0.0", "0", "127.0.0.1.",
        ],
    )  # fmt: skip
    async def test_no_spelling_of_loopback_connects(self, host: str, receiver: Receiver) -> None:
        channel = WebhookChannel(open_secret=SEAL.open, connect_s=1, total_s=2)
        try:
            url = f"http://{host}:{receiver.port}/canary"
            answer = await channel.send(a_claim(url, seal=SEAL, now=NOW), now=NOW)
        finally:
            await channel.aclose()

        assert answer.trouble in {"address_refused", "connection"}
        assert receiver.received == []

    async def test_an_answer_that_changes_between_two_questions_is_seen_at_each_connection(
        self, receiver: Receiver
    ) -> None:
        names = StubNames(["93.184.215.14"], ["127.0.0.1"])
        async with a_channel_with(names) as channel:
            claimed = a_claim(f"http://rebind.example.org:{receiver.port}/canary", seal=SEAL, now=NOW)
            await channel.send(claimed, now=NOW)
            channel._session.connector.clear_dns_cache()  # type: ignore[union-attr]
            second = await channel.send(claimed, now=NOW)

        assert names.asked == 2
        assert second.trouble == "address_refused"
        assert receiver.received == []

    async def test_a_mixed_answer_never_reaches_the_inward_half(self, receiver: Receiver) -> None:
        async with a_channel_with(StubNames(["127.0.0.1", "93.184.215.14"])) as channel:
            url = f"http://mixed.example.org:{receiver.port}/canary"
            await channel.send(a_claim(url, seal=SEAL, now=NOW), now=NOW)

        assert receiver.received == []

    async def test_the_development_list_allows_its_places_only(self, receiver: Receiver) -> None:
        async with a_channel(receiver) as channel:
            allowed = await channel.send(a_claim(f"{receiver.url}/ok", seal=SEAL, now=NOW), now=NOW)
            other = await channel.send(a_claim("http://127.0.0.1:9/ok", seal=SEAL, now=NOW), now=NOW)

        assert (allowed.status, other.trouble) == (204, "address_refused")

    def test_a_name_of_the_development_list_is_learnt(self) -> None:
        guard = Guard(frozenset({"receiver:8000"}))
        guard.learn("receiver", 8000, "10.0.0.7")
        guard.learn("receiver", 22, "10.0.0.8")

        guard.socket((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("10.0.0.7", 8000))).close()
        with pytest.raises(OSError, match="address refused"):
            guard.socket((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("10.0.0.8", 22)))

    async def test_no_proxy_of_the_environment_is_used(
        self, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, receiver.url)
        async with a_channel_with(StubNames(["127.0.0.1"]), frozenset({receiver.place})) as channel:
            await channel.send(a_claim("http://somebody.example.org/canary", seal=SEAL, now=NOW), now=NOW)

        assert receiver.received == []


class TestHostileServer:
    @pytest.mark.parametrize(
        ("path", "status", "trouble"),
        [
            ("/ok", 204, None),
            ("/big", 200, None),
            ("/endless", 200, None),
            ("/drip", 200, None),
            ("/gzip-bomb", 200, None),
            ("/drip-head", None, "timeout"),
            ("/silent", None, "timeout"),
            ("/headers", None, "connection"),
            ("/header", None, "connection"),
            ("/interim", None, "connection"),
            ("/extension", 200, None),
            ("/trailers", None, "connection"),
            ("/nonsense", None, "connection"),
            ("/hang-up", None, "connection"),
            ("/redirect", 302, "redirect"),
            ("/redirect-here", 307, "redirect"),
            ("/status/500", 500, "server_error"),
            ("/status/410", 410, "client_error"),
            ("/status/429", 429, "throttled"),
        ],
    )
    async def test_is_answered_for_in_bounded_time_and_space(
        self, receiver: Receiver, path: str, status: int | None, trouble: str | None
    ) -> None:
        began, total_s = time.monotonic(), 1.5 if trouble == "timeout" else 5.0
        async with a_channel(receiver, total_s=total_s) as channel:
            answer = await channel.send(a_claim(f"{receiver.url}{path}", seal=SEAL, now=NOW), now=NOW)

        assert (answer.status, answer.trouble) == (status, trouble)
        assert time.monotonic() - began < 3
        assert len(answer.response) <= EXCERPT_BYTES
        assert receiver.at("/canary") == []
        assert receiver.bytes_out < 8_000_000

    async def test_a_long_answer_is_cut_at_four_kibibytes(self, receiver: Receiver) -> None:
        async with a_channel(receiver) as channel:
            answer = await channel.send(a_claim(f"{receiver.url}/big", seal=SEAL, now=NOW), now=NOW)

        assert len(answer.response) == 4096

    async def test_retry_after_is_read(self, receiver: Receiver) -> None:
        async with a_channel(receiver) as channel:
            for said, seconds in (
                ("30", 30), ("Mon, 23 Nov 2026 03:01:00 GMT", 60), ("yesterday", None), ("-5", None), ("9" * 30, 10**8),
                (f"Mon, {'9' * 20} Nov 2026 03:01:00 GMT", None), (f"Mon, 23 Nov 2026 03:01:00 +{'9' * 16}", None),
            ):  # fmt: skip
                receiver.retry_after = said
                answer = await channel.send(a_claim(f"{receiver.url}/status/429", seal=SEAL, now=NOW), now=NOW)
                assert (answer.retry_after.total_seconds() if answer.retry_after else None) == seconds

    async def test_a_server_that_signed_its_own_certificate_is_not_told(
        self, receiver: Receiver, tmp_path: Path
    ) -> None:
        await receiver.stop()
        await receiver.start(_self_signed(tmp_path))
        async with a_channel(receiver) as channel:
            answer = await channel.send(a_claim(f"https://{receiver.place}/ok", seal=SEAL, now=NOW), now=NOW)

        assert answer.trouble == "tls"
        assert receiver.received == []

    async def test_a_server_that_speaks_no_tls_is_not_told(self, receiver: Receiver) -> None:
        async with a_channel(receiver) as channel:
            answer = await channel.send(a_claim(f"https://{receiver.place}/ok", seal=SEAL, now=NOW), now=NOW)

        assert answer.trouble in {"tls", "connection", "timeout"}
        assert receiver.received == []

    async def test_many_slow_servers_do_not_hold_up_a_quick_one(self, receiver: Receiver) -> None:
        async with a_channel(receiver) as channel:
            slow = [
                asyncio.create_task(channel.send(a_claim(f"{receiver.url}/silent", seal=SEAL, now=NOW), now=NOW))
                for _ in range(30)
            ]
            await asyncio.sleep(0.05)
            began = time.monotonic()
            answer = await channel.send(a_claim(f"{receiver.url}/ok", seal=SEAL, now=NOW), now=NOW)
            for task in slow:
                task.cancel()

        assert answer.status == 204
        assert time.monotonic() - began < 0.5

    async def test_names_that_are_never_answered_do_not_hold_up_one_that_was(
        self, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        closing = threading.Event()

        def look_up(host: str, port: int, **_: object) -> list[object]:
            if host.startswith("dead"):
                closing.wait(10)
                raise socket.gaierror
            return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port))]

        monkeypatch.setattr(addresses.socket, "getaddrinfo", look_up)
        place = f"quick.example.org:{receiver.port}"
        channel = WebhookChannel(open_secret=SEAL.open, private=frozenset({place}), connect_s=0.5, total_s=1)
        # An answer that is cut leaves no connection behind, so that each attempt asks for the name.
        quick = a_claim(f"http://{place}/big", seal=SEAL, now=NOW)
        dead = [a_claim(f"http://dead{n}.example.org/", seal=SEAL, now=NOW) for n in range(40)]
        try:
            first = await channel.send(quick, now=NOW)
            lost = await asyncio.gather(*[channel.send(one, now=NOW) for one in dead])
            channel._session.connector.clear_dns_cache()  # type: ignore[union-attr]
            again = await channel.send(quick, now=NOW)
        finally:
            closing.set()
            await channel.aclose()

        assert first.status == 200
        assert {one.trouble for one in lost} == {"timeout"}
        assert again.status == 200


class TestSignature:
    async def test_verifies_and_a_changed_byte_does_not(self, receiver: Receiver) -> None:
        now = datetime.now(UTC)
        claimed = a_claim(f"{receiver.url}/ok", seal=SEAL, now=now, body='{"type":"t","nama":"é"}'.encode())
        secret = SEAL.open(claimed.subscription_id, claimed.sealed_secret)
        async with a_channel(receiver) as channel:
            await channel.send(claimed, now=now)

        [received] = receiver.received
        Webhook(secret).verify(received.body, received.headers)
        for headers, body in (
            (received.headers, received.body.replace(b"t", b"u")),
            (received.headers | {"webhook-id": "other"}, received.body),
            (received.headers | {"webhook-timestamp": str(int(now.timestamp()) - 60)}, received.body),
        ):
            with pytest.raises(WebhookVerificationError):
                Webhook(secret).verify(body, headers)
        with pytest.raises(WebhookVerificationError):
            Webhook(secrets.new_secret()).verify(received.body, received.headers)

    async def test_headers_carry_no_more_than_they_must(self, receiver: Receiver) -> None:
        traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        claimed = a_claim(f"{receiver.url}/ok", seal=SEAL, now=NOW, traceparent=traceparent)
        async with a_channel(receiver) as channel:
            await channel.send(claimed, now=NOW)

        headers = receiver.received[0].headers
        assert headers["traceparent"] == traceparent
        assert headers.keys() == {
            "host", "content-type", "content-length", "accept-encoding", "accept", "user-agent", "traceparent",
            "webhook-id", "webhook-timestamp", "webhook-signature",
        }  # fmt: skip


class TestSeal:
    def test_secrets_have_the_standards_form(self) -> None:
        secret = secrets.new_secret()

        assert secret.startswith("whsec_")
        assert 24 <= len(Webhook(secret)._whsecret) <= 64
        assert secret != secrets.new_secret()

    def test_opens_for_its_subscription_only(self) -> None:
        sealed = SEAL.close("one", "whsec_x")

        assert SEAL.open("one", sealed) == "whsec_x"
        with pytest.raises(SecretUnreadable):
            SEAL.open("two", sealed)
        with pytest.raises(SecretUnreadable):
            SEAL.open("one", sealed[:-1] + bytes([sealed[-1] ^ 1]))
        with pytest.raises(SecretUnreadable):
            Seal(bytes(32)).open("one", sealed)
        assert b"whsec" not in sealed


def _self_signed(folder: Path) -> ssl.SSLContext:
    """A server's TLS context with a certificate for 127.0.0.1 that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2036, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return context
