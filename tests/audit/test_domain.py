"""The tree against its definition (RFC 6962, 2.1) and against vectors that others publish."""

import base64
import hashlib
from datetime import UTC, datetime, timedelta, timezone
from functools import cache

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.audit.domain import checkpoints, leaves, merkle, tiles, trails
from shared.verifier import rujukan_verify as outsider
from tests.audit import factories

# The inputs and roots of the test tree of Certificate Transparency's reference implementations.
CT_LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
CT_INCLUSION = {
    (0, 8): (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
    ),
    (5, 8): (
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"
    ),
}
CT_CONSISTENCY = {
    (6, 8): (
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"
    ),
    (2, 5): (
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
    ),
}

SIZES = st.one_of(st.integers(0, 600), st.sampled_from([255, 256, 257, 511, 512, 65_535, 65_536, 65_537, 66_000]))
HASHES = [hashlib.sha256(b"%d" % n).digest() for n in range(66_001)]


def tree_hash(hashes: list[bytes]) -> bytes:
    """MTH(D[n]) word for word as RFC 6962 defines it, over leaf hashes."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return hashlib.sha256(b"\x01" + tree_hash(hashes[:k]) + tree_hash(hashes[k:])).digest()


def tiles_of(size: int, steps: tuple[int, ...] = ()) -> dict[tiles.Tile, bytes]:
    """The tiles of the first `size` hashes, grown in these steps."""
    held: dict[tiles.Tile, bytes] = {}
    at = 0
    for end in [*sorted(step for step in steps if step < size), size]:
        held |= tiles.extended(at, {place: held[place] for place in tiles.edge(at)}, HASHES[at:end])
        at = end
    return held


def proof(spans: list[merkle.Range], held: dict[tiles.Tile, bytes]) -> list[bytes]:
    return tiles.range_hashes(spans, {place: held[place] for place in tiles.needed(spans)})


def root_from(held: dict[tiles.Tile, bytes], size: int) -> bytes:
    return merkle.range_hash((0, size), lambda node: tiles.hash_in(held, node))


class TestMerkle:
    def test_gives_the_published_roots(self) -> None:
        tree = merkle.Frontier()
        roots = []
        for data in CT_LEAVES:
            tree.extend([merkle.leaf_hash(data)])
            roots.append(tree.root().hex())

        assert roots == CT_ROOTS
        assert merkle.Frontier().root().hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

    def test_gives_the_published_proofs(self) -> None:
        held = tiles.extended(0, {}, [merkle.leaf_hash(data) for data in CT_LEAVES])

        for (index, size), expected in CT_INCLUSION.items():
            assert b"".join(proof(merkle.inclusion_ranges(index, size), held)).hex() == expected
        for (old, new), expected in CT_CONSISTENCY.items():
            assert b"".join(proof(merkle.consistency_ranges(old, new), held)).hex() == expected

    def test_every_inclusion_proof_of_every_small_tree_verifies_elsewhere(self) -> None:
        held = tiles_of(70)

        for size in range(1, 71):
            root = tree_hash(HASHES[:size])
            for index in range(size):
                path = proof(merkle.inclusion_ranges(index, size), held)
                assert outsider.root_by_inclusion(index, size, HASHES[index], path) == root

    def test_every_consistency_proof_of_every_small_pair_verifies_elsewhere(self) -> None:
        held = tiles_of(70)
        roots = [tree_hash(HASHES[:size]) for size in range(71)]

        for new in range(71):
            for old in range(new + 1):
                path = proof(merkle.consistency_ranges(old, new), held)
                outsider.check_consistency((old, roots[old]), (new, roots[new]), path)

    @settings(deadline=None)
    @given(st.data())
    def test_proofs_of_large_trees_verify_elsewhere(self, data: st.DataObject) -> None:
        size = data.draw(st.integers(1, 66_000))
        index = data.draw(st.integers(0, size - 1))
        old = data.draw(st.integers(0, size))

        root = root_from(LARGE, size)
        path = proof(merkle.inclusion_ranges(index, size), LARGE)
        assert outsider.root_by_inclusion(index, size, HASHES[index], path) == root
        path = proof(merkle.consistency_ranges(old, size), LARGE)
        outsider.check_consistency((old, root_from(LARGE, old)), (size, root), path)

    def test_a_proof_for_ten_million_leaves_is_under_a_kilobyte(self) -> None:
        assert len(merkle.inclusion_ranges(5_000_000, 10_000_000)) * 32 <= 1_024

    @pytest.mark.parametrize(("index", "size"), [(0, 0), (3, 3), (-1, 2)])
    def test_no_proof_of_a_leaf_outside(self, index: int, size: int) -> None:
        with pytest.raises(ValueError, match="not in a tree"):
            merkle.inclusion_ranges(index, size)


LARGE = tiles_of(66_000)


@cache
def row_of(level: int) -> list[bytes]:
    """All hashes of one level of tiles over all 66,000 leaves, by the definition."""
    if level == 0:
        return HASHES
    below = row_of(level - 1)
    return [tree_hash(below[at : at + 256]) for at in range(0, len(below) // 256 * 256, 256)]


class TestTiles:
    @settings(deadline=None)
    @given(SIZES, st.lists(st.integers(0, 66_000), max_size=5))
    @example(65_537, [256, 65_536])
    def test_grown_in_any_steps_are_what_is_computed_directly(self, size: int, steps: list[int]) -> None:
        held = tiles_of(size, tuple(steps))

        assert held == {
            (level, index): b"".join(row_of(level)[index * 256 : min(width, index * 256 + 256)])
            for level, width in tiles.widths(size)
            for index in range(-(-width // 256))
        }

    @settings(deadline=None)
    @given(SIZES)
    def test_the_root_needs_only_the_open_tiles(self, size: int) -> None:
        held = {place: row for place, row in tiles_of(size).items() if place in tiles.edge(size)}

        frontier = merkle.Frontier()
        frontier.extend(HASHES[:size])
        assert root_from(held, size) == frontier.root()

    def test_a_change_anywhere_is_a_difference(self) -> None:
        held = tiles_of(600)
        assert tiles.first_difference(600, held) is None

        for place, row in held.items():
            for wrong in (bytes([row[0] ^ 1]) + row[1:], row[:-32]):
                touched = {**held, place: wrong}
                is_open = place in tiles.edge(600)
                if is_open and len(wrong) == len(row) and place[0] == 0:
                    assert root_from(touched, 600) != root_from(held, 600)
                else:
                    assert tiles.first_difference(600, touched) is not None

    def test_refuses_to_grow_from_an_open_tile_that_is_too_short(self) -> None:
        with pytest.raises(tiles.NoSuchTile):
            tiles.extended(10, {(0, 0): HASHES[0]}, HASHES[10:12])

    @pytest.mark.parametrize(
        ("index", "width", "path"),
        [(0, 256, "tile/0/000"), (5, 1, "tile/0/005.p/1"), (1_234_067, 256, "tile/0/x001/x234/067")],
    )
    def test_paths_are_those_of_tlog_tiles(self, index: int, width: int, path: str) -> None:
        assert tiles.path_of(0, index, width) == path
        assert tiles.named(path.removeprefix("tile/0/")) == (index, width)

    @pytest.mark.parametrize(
        "path", ["", "1", "0000", "x000/001", "001.p/0", "001.p/256", "001.p/01", "001.p/", "x1/001", "../000", "٠٠٠"]
    )
    def test_other_paths_name_nothing(self, path: str) -> None:
        with pytest.raises(tiles.NoSuchTile):
            tiles.named(path)


class TestCheckpoints:
    def test_keys_and_signatures_are_those_of_other_implementations(self) -> None:
        key = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
        text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
        line = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
        note = f"{text}\n— PeterNeumann {line}\n"

        name, public = checkpoints.parse_key(key)

        assert checkpoints.verifier_key(name, public) == key
        assert checkpoints.note(text, name, public, base64.b64decode(line)[4:]) == note
        assert outsider.signed_lines(note, outsider.read_key(key), "the note") == text[:-1].split("\n")

    def test_a_key_reads_back(self) -> None:
        key = checkpoints.verifier_key("rujukan.example/ledger", bytes(range(32)))

        assert checkpoints.parse_key(key) == ("rujukan.example/ledger", bytes(range(32)))

    def test_a_key_with_another_name_is_refused(self) -> None:
        key = checkpoints.verifier_key("rujukan.example/ledger", bytes(range(32)))

        with pytest.raises(checkpoints.MalformedNote):
            checkpoints.parse_key(key.replace("example", "elsewhere"))

    def test_a_note_reads_back(self) -> None:
        checkpoint = checkpoints.Checkpoint("rujukan.example/ledger", 7, HASHES[0])
        note = checkpoints.note(checkpoint.text, checkpoint.origin, HASHES[1], b"s" * 64)

        read, signatures = checkpoints.parse_note(note)

        assert read == checkpoint
        assert signatures == [(checkpoint.origin, checkpoints.key_hash(checkpoint.origin, HASHES[1]), b"s" * 64)]


class TestLeaves:
    def test_the_data_is_canonical(self) -> None:
        leaf = factories.a_leaf(
            source="intake",
            case_seq=3,
            occurred_at=datetime(2026, 11, 23, 8, 0, tzinfo=timezone(timedelta(hours=8))),
        )

        assert leaf.data == (
            b'{"case":"%b","commitment":"%b","id":"%b","seq":3,"source":"intake",'
            b'"time":"2026-11-23T00:00:00.000000Z","type":"intake.arrival_recorded.v1","v":1}'
        ) % (leaf.case_id.encode(), leaf.commitment.hex().encode(), leaf.event_id.encode())

    def test_the_same_payload_has_another_commitment_each_time(self) -> None:
        assert factories.a_leaf(salt=b"1" * 32).commitment != factories.a_leaf(salt=b"2" * 32).commitment

    def test_an_id_that_is_not_canonical_is_refused(self) -> None:
        with pytest.raises(leaves.NotCanonical):
            factories.a_leaf(case_id="019AB000-0000-7000-8000-000000000001")

    def test_a_time_without_a_zone_is_refused(self) -> None:
        with pytest.raises(leaves.NotCanonical):
            factories.a_leaf(occurred_at=datetime(2026, 11, 23))  # noqa: DTZ001


class TestTrails:
    START = datetime(2026, 11, 23, tzinfo=UTC)

    def a_leaf(self, source: str, case_seq: int, seconds: int, index: int = 0) -> leaves.Leaf:
        return factories.a_leaf(
            index=index, source=source, case_seq=case_seq, occurred_at=self.START + timedelta(seconds=seconds)
        )

    def test_services_are_interleaved_by_time_and_each_keeps_its_own_order(self) -> None:
        told = [
            self.a_leaf("referral", 1, 5, index=0),
            self.a_leaf("intake", 2, 9, index=1),
            self.a_leaf("intake", 1, 0, index=2),
            # A clock that was put back: number 3 still comes after number 2.
            self.a_leaf("intake", 3, 1, index=3),
        ]

        ordered = [(leaf.source, leaf.case_seq) for leaf in trails.in_order(told)]

        assert ordered == [("intake", 1), ("referral", 1), ("intake", 2), ("intake", 3)]

    def test_at_the_same_time_the_earlier_service_comes_first(self) -> None:
        told = [self.a_leaf("audit", 1, 0), self.a_leaf("notify", 1, 0), self.a_leaf("intake", 1, 0)]

        assert [leaf.source for leaf in trails.in_order(told)] == ["intake", "notify", "audit"]

    def test_holes_are_found_and_closed(self) -> None:
        told = [self.a_leaf("intake", n, 0) for n in (1, 4, 7)] + [self.a_leaf("referral", 2, 0)]

        assert trails.gaps(told) == [
            trails.Gap("intake", 2, 3),
            trails.Gap("intake", 5, 6),
            trails.Gap("referral", 1, 1),
        ]
        assert trails.gaps([self.a_leaf("intake", n, 0) for n in range(1, 8)]) == []

    def test_a_number_used_twice_is_found(self) -> None:
        told = [self.a_leaf("intake", 1, 0), self.a_leaf("intake", 1, 1), self.a_leaf("intake", 2, 1)]

        assert trails.conflicts(told) == [trails.Conflict("intake", 1)]
