"""Made-up holders: residents with codes of their own, their keys, and the applications their municipality makes."""

from __future__ import annotations

import base64
import itertools
import json
import math
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from domain.applications import Card, IssuanceApplication
from domain.birth import BirthDate
from domain.certificates import Kind
from domain.parties import Party, Role
from domain.people import BasicAttributes, MunicipalityCode, ResidentCode, Sex, resident_check_digit

KIYOSE = MunicipalityCode("132217")
CITY = Party(1, Role.MUNICIPALITY, "kiyose", KIYOSE)
ITEMS = BasicAttributes("霧島　透子", "東京都清瀬市霞野２－１４－３０５", BirthDate(1988, 11, 3), Sex.FEMALE)
CARD_ENDS = date(2030, 12, 31)
_OLDEST = date(1931, 1, 1)
_DAYS = 27_000  # birth dates of adults
_FAMILY, _GIVEN = "霧島清水春日井東五十嵐", ("透子", "翔", "さくら", "健太郎", "ゆい", "一")
_EXPONENT = 65537
_WIDE = str.maketrans("0123456789", "０１２３４５６７８９")


def resident_code(number: int) -> ResidentCode:
    """A code for each number below 9·10⁹."""
    body = f"{1_000_000_000 + number:010d}"
    return ResidentCode(body + resident_check_digit(body))


def items_of(number: int) -> BasicAttributes:
    """The four items of resident `number`: names and addresses of many lengths, birth dates of all adults."""
    start = number % 8
    name = f"{_FAMILY[start : start + 1 + number % 3]}　{_GIVEN[number % len(_GIVEN)]}"
    born = BirthDate.on(_OLDEST + timedelta(days=number * 7919 % _DAYS))
    address = f"東京都清瀬市霞野{number % 9 + 1}－{number % 40 + 1}－{number % 1000 + 1}".translate(_WIDE)
    return BasicAttributes(name, address, born, Sex.FEMALE if number % 2 else Sex.MALE)


def make_requests(count: int) -> list[bytes]:
    """PKCS#10 requests (DER) over as many different RSA-2048 keys."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return [builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER) for key in _keys(count)]


def _keys(count: int) -> Iterator[rsa.RSAPrivateKey]:
    """Keys that share primes two by two: worthless, and made a hundred times quicker than sound ones."""
    wanted = math.isqrt(2 * count) + 2
    numbers = (rsa.generate_private_key(_EXPONENT, 2048).private_numbers() for _ in range((wanted + 1) // 2))
    primes = [prime for number in numbers for prime in (number.p, number.q)]
    for p, q in itertools.islice(itertools.combinations(primes, 2), count):
        d = rsa.rsa_recover_private_exponent(_EXPONENT, p, q)
        parts = (p, q, d, rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q))
        public = rsa.RSAPublicNumbers(_EXPONENT, p * q)
        yield rsa.RSAPrivateNumbers(*parts, public).private_key(unsafe_skip_rsa_key_validation=True)


def make_application(number: int, signature: bytes, authentication: bytes) -> IssuanceApplication:
    """The application of resident `number` for a pair."""
    return IssuanceApplication(
        caller=CITY,
        key=f"bench-{number}",
        municipality=KIYOSE,
        resident_code=resident_code(number),
        attributes=items_of(number),
        card=Card(f"card-{number}", CARD_ENDS),
        requests={Kind.SIGNATURE: signature, Kind.AUTHENTICATION: authentication},
    )


def make_applications(first: int, requests: Sequence[bytes]) -> list[IssuanceApplication]:
    """Applications of residents from number `first` on, two requests for each."""
    return [make_application(first + n // 2, *requests[n : n + 2]) for n in range(0, len(requests), 2)]


def as_json(application: IssuanceApplication) -> bytes:
    """The body in which the API takes an application."""
    items = application.attributes
    document = {
        "resident_code": application.resident_code.digits,
        "municipality_code": application.municipality.value,
        "attributes": {
            "name": items.name,
            "address": items.address,
            "birth_date": items.birth_date.text,
            "sex": items.sex.value,
        },
        "card": {"id": application.card.id, "expires_on": application.card.expires_on.isoformat()},
        "requests": {kind.value: base64.b64encode(der).decode() for kind, der in application.requests.items()},
    }
    return json.dumps(document, ensure_ascii=False).encode()
