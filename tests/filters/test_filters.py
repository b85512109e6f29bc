"""Filters from census to verdict: exact for every certificate, small, signed, bound to a class, and with an end."""

from __future__ import annotations

import math
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random

import numpy as np
import pytest
from asn1crypto import core
from asn1crypto.algos import SignedDigestAlgorithm as AlgorithmIdentifier
from hypothesis import given
from hypothesis import strategies as st

from domain.der import DerError
from domain.errors import Code, Refusal
from domain.serial import SerialNumber
from filters.build import build_filter
from filters.census import Census
from filters.checker import FilterChecker, Verdict
from filters.container import FilterFile, read_filter
from filters.make import MARGIN, make_filter
from filters.placement import Placement
from keys.algorithms import verify
from tests.support.lists import G1, G2, ISSUERS, SIGNERS

NOW = datetime(2027, 4, 1, tzinfo=UTC)
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
KEY, OTHER_KEY = bytes(range(32)), bytes(32)
EARLIER = NOW - 9 * DAY


def serials_of(chance: Random, count: int) -> list[SerialNumber]:
    return sorted(SerialNumber.drawn_from(chance.randbytes(16)) for _ in range(count))


def census_of(certificates: dict[SerialNumber, tuple[datetime, bool]]) -> Census:
    ordered = sorted(certificates)
    return Census.of(
        b"".join(serial.octets for serial in ordered),
        np.array([int(certificates[serial][0].timestamp()) for serial in ordered], np.int64),
        b"".join(serial.octets for serial in ordered if certificates[serial][1]),
    )


def make(
    census: Census, number: int = 1, base: FilterFile | None = None, now: datetime = NOW, seed: int = 0
) -> FilterFile:
    octets = make_filter(
        census,
        issuer=ISSUERS[G1],
        signer=SIGNERS[G1],
        verifiers="private-operators",
        key=KEY,
        number=number,
        base=base,
        now=now,
        lifetime=2 * DAY,
        random=Random(seed).randbytes,
    )
    return read_filter(octets)


def signed_by_issuer(algorithm: bytes, octets: bytes, signature: bytes) -> bool:
    return verify(ISSUERS[G1].spki, algorithm, octets, signature)


def checker_of(base: FilterFile, delta: FilterFile | None = None, key: bytes = KEY) -> FilterChecker:
    return FilterChecker(key, base, delta, signed_by_issuer)


CERTIFICATES = st.dictionaries(
    st.binary(min_size=16, max_size=16).map(SerialNumber.drawn_from), st.booleans(), max_size=60
)


@given(certificates=CERTIFICATES, seed=st.integers(0, 99))
def test_a_filter_is_right_for_every_certificate(certificates: dict[SerialNumber, bool], seed: int) -> None:
    census = census_of({serial: (EARLIER, revoked) for serial, revoked in certificates.items()})
    checker = checker_of(make(census, seed=seed))
    for serial, revoked in certificates.items():
        assert checker.check(serial, EARLIER, NOW) is (Verdict.REVOKED if revoked else Verdict.GOOD)


LIVES = st.dictionaries(
    st.binary(min_size=16, max_size=16).map(SerialNumber.drawn_from),
    st.tuples(st.sampled_from(["before", "within the margin", "after"]), st.booleans(), st.booleans()),
    max_size=60,
)


@given(lives=LIVES, seed=st.integers(0, 99))
def test_base_and_delta_together_are_right_whatever_happened_between(
    lives: dict[SerialNumber, tuple[str, bool, bool]], seed: int
) -> None:
    begins = {"before": EARLIER, "within the margin": NOW - MARGIN / 2, "after": NOW + 2 * SECOND}
    then = {serial: (begins[when], first) for serial, (when, first, _) in lives.items() if when == "before"}
    later = {serial: (begins[when], second) for serial, (when, _, second) in lives.items()}
    base = make(census_of(then), seed=seed)
    delta = make(census_of(later), number=2, base=base, now=NOW + DAY, seed=seed + 1)
    checker = checker_of(base, delta)
    for serial, (not_before, revoked) in later.items():
        verdict = checker.check(serial, not_before, NOW + DAY)
        assert verdict is (Verdict.REVOKED if revoked else Verdict.GOOD)


def test_what_is_newer_than_the_filter_is_not_covered() -> None:
    checker = checker_of(make(census_of({})))
    stranger = SerialNumber.drawn_from(b"s" * 16)
    assert checker.check(stranger, NOW - MARGIN + SECOND, NOW) is Verdict.NOT_COVERED


@pytest.mark.parametrize(
    ("moment", "code"),
    [
        pytest.param(NOW - SECOND, Code.CLOCK_BEHIND, id="before-it-was-made"),
        pytest.param(NOW + 2 * DAY + SECOND, Code.OUT_OF_ORDER, id="after-its-end"),
    ],
)
def test_a_filter_is_used_in_its_time_only(moment: datetime, code: Code) -> None:
    checker = checker_of(make(census_of({})))
    with pytest.raises(Refusal) as caught:
        checker.check(SerialNumber.drawn_from(b"s" * 16), EARLIER, moment)
    assert caught.value.code is code


class Columns(core.SequenceOf):  # type: ignore[misc]
    _child_spec = core.OctetString


class RibbonSequence(core.Sequence):  # type: ignore[misc]
    _fields = [("length", core.Integer), ("columns", Columns)]  # noqa: RUF012


class TbsFilter(core.Sequence):  # type: ignore[misc]
    """As the module of the container describes it, for a base."""

    _fields = [  # noqa: RUF012
        ("version", core.Integer),
        ("signature", AlgorithmIdentifier),
        ("issuer", core.UTF8String),
        ("key_identifier", core.OctetString),
        ("class", core.UTF8String),
        ("number", core.Integer),
        ("covers", core.GeneralizedTime),
        ("this_update", core.GeneralizedTime),
        ("next_update", core.GeneralizedTime),
        ("salt", core.OctetString),
        ("first", RibbonSequence),
        ("second", RibbonSequence),
    ]


@pytest.fixture(scope="module")
def many() -> tuple[Census, FilterFile]:
    """100,000 certificates, of which 5 % are revoked."""
    chance = Random(7)
    serials = serials_of(chance, 100_000)
    census = census_of({serial: (EARLIER, chance.random() < 0.05) for serial in serials})
    return census, make(census)


def test_its_size_is_near_the_least_possible(many: tuple[Census, FilterFile]) -> None:
    census, file = many
    share = float(census.revoked.mean())
    least = -len(census.serials) * (share * math.log2(share) + (1 - share) * math.log2(1 - share)) / 8
    assert file.filter.octets < 1.25 * least


def test_without_the_key_of_its_class_it_tells_nothing(many: tuple[Census, FilterFile]) -> None:
    """With another key the answers do not go with the truth: among revoked and good ones alike."""
    census, file = many
    answers = file.filter.contains(Placement(OTHER_KEY, file.filter.salt), census.serials.view(np.uint8).data)
    assert abs(answers[census.revoked].mean() - answers[~census.revoked].mean()) < 0.03
    octets = file.tbs
    assert not any(serial in octets for serial in census.serials[:500].tolist())


def test_an_independent_reading_comes_to_the_same_verdicts(many: tuple[Census, FilterFile]) -> None:
    """OpenSSL does the AES, its command line the key derivation, and integers the rest."""
    census, file = many
    fields = TbsFilter.load(file.tbs, strict=True).native
    salt = fields["salt"]
    ribbons = [(fields[name]["length"], fields[name]["columns"]) for name in ("first", "second")]
    chosen = census.serials[:400].tolist()
    octets = b"".join(serial.ljust(16, b"\x00") for serial in chosen)
    starts, first, second = (_openssl_blocks(purpose, salt, octets) for purpose in (b"fractions", b"first", b"second"))

    def zero(which: int, ribbon: int) -> bool:
        length, columns = ribbons[ribbon]
        fraction = int.from_bytes(starts[which][8 * ribbon : 8 * ribbon + 8], "little") >> 32
        start = fraction * (length - 127) >> 32
        row = int.from_bytes((first, second)[ribbon][which], "little") | 1
        return all((row & int.from_bytes(column, "little") >> start).bit_count() % 2 == 0 for column in columns)

    assert [zero(n, 0) and zero(n, 1) for n in range(400)] == census.revoked[:400].tolist()
    assert census.revoked[:400].any()


def _openssl_blocks(purpose: bytes, salt: bytes, octets: bytes) -> list[bytes]:
    message = b"jpki revocation filter\x00" + purpose + b"\x00" + salt
    mac = ("openssl", "dgst", "-sha256", "-mac", "hmac", "-macopt", f"hexkey:{KEY.hex()}", "-binary")
    derived = subprocess.run(mac, input=message, capture_output=True, check=True).stdout
    aes = ("openssl", "enc", "-aes-256-ecb", "-nopad", "-K", derived.hex())
    encrypted = subprocess.run(aes, input=octets, capture_output=True, check=True).stdout
    return [encrypted[n : n + 16] for n in range(0, len(encrypted), 16)]


def test_every_filter_has_its_own_places(many: tuple[Census, FilterFile]) -> None:
    census, file = many
    assert make(census, seed=8).filter.first.columns != file.filter.first.columns


def test_a_file_that_the_issuer_did_not_sign_is_refused() -> None:
    file = make(census_of({}))
    with pytest.raises(Refusal) as caught:
        FilterChecker(KEY, file, None, lambda *parts: verify(ISSUERS[G2].spki, *parts))
    assert caught.value.code is Code.FOREIGN_ISSUER


def test_a_file_that_was_made_with_another_key_is_refused() -> None:
    for key in (OTHER_KEY, KEY[:-1] + bytes((KEY[-1] ^ 1,))):
        with pytest.raises(Refusal) as caught:
            checker_of(make(census_of({})), key=key)
        assert caught.value.code is Code.NOT_ADMITTED


@pytest.mark.parametrize(
    "files",
    [
        pytest.param(lambda base, delta: (delta, None), id="a-delta-alone"),
        pytest.param(lambda base, delta: (base, base), id="a-base-for-a-delta"),
        pytest.param(lambda base, delta: (make(census_of({}), number=3), delta), id="a-delta-of-another-base"),
    ],
)
def test_files_that_do_not_belong_together_are_refused(
    files: Callable[[FilterFile, FilterFile], tuple[FilterFile, FilterFile | None]],
) -> None:
    base = make(census_of({}))
    delta = make(census_of({}), number=2, base=base, now=NOW + DAY)
    with pytest.raises(Refusal) as caught:
        checker_of(*files(base, delta))
    assert caught.value.code is Code.OUT_OF_ORDER


OCTETS = make_filter(
    census_of({SerialNumber.drawn_from(b"r" * 16): (EARLIER, True)}),
    issuer=ISSUERS[G1],
    signer=SIGNERS[G1],
    verifiers="courts",
    key=KEY,
    number=1,
    base=None,
    now=NOW,
    lifetime=DAY,
    random=Random(1).randbytes,
)


@given(position=st.integers(0, len(OCTETS) - 1), bit=st.integers(0, 7))
def test_a_file_with_a_flipped_bit_is_not_read_or_not_believed(position: int, bit: int) -> None:
    spoilt = bytearray(OCTETS)
    spoilt[position] ^= 1 << bit
    try:
        file = read_filter(bytes(spoilt))
    except DerError:
        return
    with pytest.raises(Refusal):
        checker_of(file)


@given(st.binary(max_size=300))
def test_other_octets_are_no_filter(octets: bytes) -> None:
    with pytest.raises(DerError):
        read_filter(octets)


@pytest.mark.parametrize(
    ("serials", "revoked", "words"),
    [
        pytest.param([2, 1], [], "rising order", id="out-of-order"),
        pytest.param([1, 1], [], "rising order", id="twice"),
        pytest.param([1, 2], [3], "never issued", id="revoked-and-never-issued"),
        pytest.param([], [1], "never issued", id="nothing-was-issued"),
    ],
)
def test_a_census_that_cannot_be_true_is_refused(serials: list[int], revoked: list[int], words: str) -> None:
    octets, listed = (b"".join(n.to_bytes(16) for n in numbers) for numbers in (serials, revoked))
    with pytest.raises(ValueError, match=words):
        Census.of(octets, np.zeros(len(serials), np.int64), listed)


def test_a_filter_that_cannot_be_made_is_not_given_out() -> None:
    serial = b"s" * 16
    with pytest.raises(RuntimeError, match="both inside and outside"):
        build_filter(KEY, serial, serial, Random(1).randbytes)
