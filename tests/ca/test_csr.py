"""Requests are read strictly, and nothing but a refusal comes out of hostile ones."""

from __future__ import annotations

import hashlib
import random

import pytest
from asn1crypto import csr as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from ca.csr import LARGEST, read_csr
from domain import der
from domain.errors import Code, Refusal
from tests.support.requests import holder_key, make_request
from tests.support.signers import KeySigner, key_bits_of, spki_of, stored_keys

UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.999.7"), b"\x05\x00")
CHALLENGE = "1.2.840.113549.1.9.7"
RSA_1024, RSA_3072, RSA_E3, P256, P521, ED25519 = stored_keys("odd-keys")


def refusal_of(octets: bytes) -> Refusal:
    with pytest.raises(Refusal) as refusal:
        read_csr(octets)
    return refusal.value


def resigned(info: bytes, number: int = 0) -> bytes:
    """A request with this CertificationRequestInfo, signed properly."""
    signer = KeySigner(holder_key("rsa", number))
    return der.sequence(info, signer.algorithm, der.bit_string(signer.sign(info)))


def info_with(*attributes: bytes, spki: bytes | None = None) -> bytes:
    content = b"".join(sorted(attributes))
    return der.sequence(der.integer(0), der.sequence(), spki or spki_of(holder_key()), der.explicit(0, content))


def attribute(oid: str, *values: bytes) -> bytes:
    return der.sequence(der.oid(oid), der.tlv(der.SET, *values))


def test_an_rsa_request_gives_its_key() -> None:
    key = read_csr(make_request("rsa", 3))
    public = holder_key("rsa", 3).public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    assert (key.type, key.name) == ("rsa", "rsa-2048")
    assert key.spki == spki_of(public)
    assert key.public_key == key_bits_of(public)
    assert (key.modulus, key.exponent) == (public.public_numbers().n, 65537)
    assert key.digest == hashlib.sha256(spki_of(public)).digest()


def test_an_elliptic_request_gives_its_key() -> None:
    key = read_csr(make_request("ec", 1))
    assert (key.type, key.name, key.modulus, key.exponent) == ("ec", "ec-p384", None, None)
    assert key.public_key == holder_key("ec", 1).public_key().public_bytes(
        Encoding.X962, PublicFormat.UncompressedPoint
    )


def test_the_key_agrees_with_another_parser() -> None:
    octets = make_request()
    parsed = asn1.CertificationRequest.load(octets, strict=True)["certification_request_info"]["subject_pk_info"]
    assert read_csr(octets).spki == parsed.dump()


@pytest.mark.parametrize(
    ("octets", "name"),
    [
        pytest.param(make_request(key=RSA_3072), "rsa-3072", id="a-larger-modulus"),
        pytest.param(make_request(key=RSA_E3), "rsa-2048", id="another-exponent"),
        pytest.param(make_request(key=P256), "ec-p256", id="a-smaller-curve"),
        pytest.param(make_request(key=P521), "ec-p521", id="a-larger-curve"),
        pytest.param(make_request(hash_=hashes.SHA384()), "rsa-2048", id="a-signature-with-sha-384"),
        pytest.param(make_request(hash_=hashes.SHA512()), "rsa-2048", id="a-signature-with-sha-512"),
        pytest.param(make_request("ec", hash_=hashes.SHA512()), "ec-p384", id="an-ecdsa-signature-with-sha-512"),
        pytest.param(make_request(extensions=[(UNKNOWN, False)]), "rsa-2048", id="an-unknown-extension-as-a-wish"),
        pytest.param(
            make_request(extensions=[(x509.BasicConstraints(True, None), True)]),
            "rsa-2048",
            id="a-known-critical-extension-that-will-not-be-granted",
        ),
        pytest.param(make_request(attributes=[(CHALLENGE, b"word")]), "rsa-2048", id="a-challenge-password"),
    ],
)
def test_reading_is_not_judging_the_key(octets: bytes, name: str) -> None:
    assert read_csr(octets).name == name


def test_a_signature_by_another_key_is_refused() -> None:
    info = info_with(spki=spki_of(holder_key("rsa", 1)))
    assert refusal_of(resigned(info, number=0)).code is Code.BAD_REQUEST_SIGNATURE


def test_a_signature_over_other_octets_is_refused() -> None:
    ours, theirs = make_request("rsa", 0), make_request("rsa", 0, attributes=[(CHALLENGE, b"word")])
    start, _ = der.only(ours, der.SEQUENCE)
    _, _, info_end = der.read(theirs, 4)
    mixed = der.sequence(theirs[4:info_end], ours[der.read(ours, start)[2] :])
    assert refusal_of(mixed).code is Code.BAD_REQUEST_SIGNATURE


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(make_request(hash_=hashes.SHA224()), id="sha-224"),
        pytest.param(
            x509.CertificateSigningRequestBuilder()
            .subject_name(x509.Name([]))
            .sign(
                holder_key(),
                hashes.SHA256(),
                rsa_padding=padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH),
            )
            .public_bytes(Encoding.DER),
            id="rsa-pss",
        ),
        pytest.param(
            der.sequence(
                info_with(),
                der.sequence(der.oid("1.2.840.113549.1.1.5"), der.tlv(der.NULL)),
                der.bit_string(bytes(256)),
            ),
            id="sha-1",
        ),
        pytest.param(
            der.sequence(info_with(), KeySigner(holder_key("ec")).algorithm, der.bit_string(b"\x30\x00")),
            id="ecdsa-under-an-rsa-key",
        ),
        pytest.param(
            der.sequence(info_with(), der.sequence(der.oid("2.999.1")), der.bit_string(b"x")), id="an-unknown-one"
        ),
    ],
)
def test_other_signature_algorithms_are_refused(octets: bytes) -> None:
    refusal = refusal_of(octets)
    assert refusal.code is Code.BAD_REQUEST_SIGNATURE
    assert "SHA-256, SHA-384 or SHA-512" in refusal.detail


def compressed_point() -> bytes:
    """A proper request whose P-384 key is written as a compressed point."""
    key = holder_key("ec")
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    spki = der.sequence(der.sequence(der.oid("1.2.840.10045.2.1"), der.oid("1.3.132.0.34")), der.bit_string(point))
    info, signer = info_with(spki=spki), KeySigner(key)
    return der.sequence(info, signer.algorithm, der.bit_string(signer.sign(info)))


def without_null() -> bytes:
    """A proper request whose RSA key has no parameters."""
    algorithm = der.sequence(der.oid("1.2.840.113549.1.1.1"))
    return resigned(info_with(spki=der.sequence(algorithm, der.bit_string(key_bits_of(holder_key())))))


EXTENSION_REQUEST, MICROSOFT_REQUEST = "1.2.840.113549.1.9.14", "1.3.6.1.4.1.311.2.1.14"
NO_EXTENSIONS = der.sequence()
UNKNOWN_CRITICAL = der.sequence(der.sequence(der.oid("2.999.7"), der.boolean(True), der.octet_string(b"\x05\x00")))


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x30", id="one-octet"),
        pytest.param(make_request() + b"\x00", id="an-octet-after-the-end"),
        pytest.param(make_request()[:-1], id="an-octet-missing"),
        pytest.param(b"\x30\x80" + make_request()[4:] + b"\x00\x00", id="an-indefinite-length"),
        pytest.param(b"\x30\x83\x00" + make_request()[2:], id="a-length-not-in-its-shortest-form"),
        pytest.param(b"-----BEGIN CERTIFICATE REQUEST-----", id="pem"),
        pytest.param(resigned(der.sequence(der.integer(1), info_with()[7:])), id="version-2"),
        pytest.param(make_request(extensions=[(UNKNOWN, True)]), id="an-unknown-critical-extension"),
        pytest.param(
            resigned(info_with(attribute(MICROSOFT_REQUEST, UNKNOWN_CRITICAL))), id="the-same-under-the-other-attribute"
        ),
        pytest.param(
            resigned(info_with(attribute(CHALLENGE, b"\x0c\x01a"), attribute(CHALLENGE, b"\x0c\x01b"))),
            id="an-attribute-twice",
        ),
        pytest.param(
            resigned(info_with(attribute(CHALLENGE, b"\x0c\x01a", b"\x0c\x01b"))), id="an-attribute-with-two-values"
        ),
        pytest.param(resigned(info_with(attribute(CHALLENGE))), id="an-attribute-without-value"),
        pytest.param(
            resigned(
                info_with(attribute(EXTENSION_REQUEST, NO_EXTENSIONS), attribute(MICROSOFT_REQUEST, NO_EXTENSIONS))
            ),
            id="extensions-asked-for-in-two-ways",
        ),
        pytest.param(
            resigned(info_with(attribute(EXTENSION_REQUEST, der.integer(1)))),
            id="an-extension-request-that-is-a-number",
        ),
        pytest.param(
            resigned(
                info_with(
                    attribute(
                        EXTENSION_REQUEST,
                        der.sequence(*[der.sequence(der.oid("2.5.29.19"), der.octet_string(b"\x30\x00"))] * 2),
                    )
                )
            ),
            id="an-extension-twice",
        ),
        pytest.param(
            resigned(
                info_with(
                    attribute(
                        EXTENSION_REQUEST, der.sequence(der.sequence(der.oid("2.5.29.19"), der.octet_string(b"\xff")))
                    )
                )
            ),
            id="an-extension-with-senseless-octets",
        ),
        pytest.param(compressed_point(), id="a-compressed-point"),
        pytest.param(without_null(), id="an-rsa-key-without-null"),
    ],
)
def test_anything_but_a_plain_request_is_malformed(octets: bytes) -> None:
    assert refusal_of(octets).code is Code.MALFORMED


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(make_request(key=ED25519), id="ed25519"),
        pytest.param(
            resigned(info_with(spki=der.sequence(der.sequence(der.oid("2.999.1")), der.bit_string(b"key")))),
            id="an-unknown-kind-of-key",
        ),
        pytest.param(
            resigned(
                info_with(
                    spki=rsa.RSAPublicNumbers(65537, (1 << 4159) + 9)
                    .public_key()
                    .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
                )
            ),
            id="a-huge-modulus",
        ),
    ],
)
def test_keys_that_cannot_be_used_are_refused_before_their_signature_is_tried(octets: bytes) -> None:
    assert refusal_of(octets).code is Code.BAD_KEY


def test_an_oversized_request_is_refused_unread() -> None:
    assert refusal_of(bytes(LARGEST + 1)).code is Code.TOO_LARGE
    assert refusal_of(bytes(LARGEST)).code is Code.MALFORMED


@given(st.binary(max_size=200))
@settings(max_examples=500)
def test_random_octets_are_only_ever_refused(octets: bytes) -> None:
    assert refusal_of(octets).code is Code.MALFORMED


def damaged(octets: bytes, chance: random.Random) -> bytes:
    """The octets with one to four bits, octets or runs changed, removed or added."""
    mutant = bytearray(octets)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        place = chance.randrange(len(mutant))
        match chance.randrange(4):
            case 0:
                mutant[place] ^= 1 << chance.randrange(8)
            case 1:
                mutant[place] = chance.choice((0x00, 0x01, 0x7F, 0x80, 0x81, 0xFF, 0x30, 0x31, 0xA0))
            case 2:
                del mutant[place : place + chance.randrange(1, 8)]
            case _:
                mutant[place:place] = chance.randbytes(chance.randrange(1, 4))
    return bytes(mutant)


@pytest.mark.parametrize(
    "original",
    [
        pytest.param(make_request(), id="rsa"),
        pytest.param(make_request("ec"), id="ec"),
        pytest.param(make_request("ec", attributes=[(CHALLENGE, b"word")]), id="ec-with-an-attribute"),
    ],
)
def test_thousands_of_damaged_requests_are_refused_or_harmless(original: bytes) -> None:
    """Each mutant is refused, or it is the same request with the same key and a signature that still fits."""
    chance = random.Random(20270401)
    wanted = read_csr(original)
    refused = 0
    for _ in range(3000):
        try:
            assert read_csr(damaged(original, chance)) == wanted
        except Refusal:
            refused += 1
    assert refused > 2900


RICH = info_with(
    attribute(CHALLENGE, b"\x0c\x04word"),
    attribute(
        EXTENSION_REQUEST,
        der.sequence(
            *(
                der.sequence(der.oid(extension.oid.dotted_string), der.octet_string(extension.public_bytes()))
                for extension in (
                    x509.BasicConstraints(True, 1),
                    x509.SubjectAlternativeName(
                        [x509.DNSName("a.example"), x509.RegisteredID(x509.ObjectIdentifier("2.999"))]
                    ),
                    x509.KeyUsage(True, False, False, False, False, False, False, False, False),
                    x509.NameConstraints([x509.DNSName("example")], None),
                )
            )
        ),
    ),
    spki=spki_of(P256),
)


def test_thousands_of_damaged_contents_under_a_proper_signature_are_refused_or_read() -> None:
    """What stands inside is hostile too: whoever has a key can sign anything."""
    chance = random.Random(20270401)
    signer = KeySigner(P256)
    read = 0
    for _ in range(5000):
        info = damaged(RICH, chance)
        try:
            key = read_csr(der.sequence(info, signer.algorithm, der.bit_string(signer.sign(info))))
        except Refusal:
            continue
        assert key.spki == spki_of(P256)
        read += 1
    assert 0 < read < 2500


def test_odd_rsa_numbers_are_refused_whatever_is_wrong_with_them() -> None:
    """No modulus and exponent, however strange, get past the signature or raise anything else."""
    chance = random.Random(20270401)
    for _ in range(1000):
        bits = chance.choice((512, 1023, 1024, 2048, 4096))
        modulus = chance.getrandbits(bits) | 1 << (bits - 1)
        exponent = chance.choice((-3, 0, 1, 2, 3, 65537, chance.getrandbits(64) | 1, modulus - 2, modulus | 1))
        numbers = der.sequence(der.integer(modulus), der.integer(exponent))
        algorithm = der.sequence(der.oid("1.2.840.113549.1.1.1"), der.tlv(der.NULL))
        info = info_with(spki=der.sequence(algorithm, der.bit_string(numbers)))
        refusal = refusal_of(der.sequence(info, KeySigner(holder_key()).algorithm, der.bit_string(bytes(bits // 8))))
        assert refusal.code in {Code.BAD_KEY, Code.BAD_REQUEST_SIGNATURE}


@pytest.mark.parametrize("number", range(3))
def test_a_request_of_every_length_is_refused_when_cut(number: int) -> None:
    original = make_request("ec", number)
    assert all(refusal_of(original[:length]).code is Code.MALFORMED for length in range(len(original)))
