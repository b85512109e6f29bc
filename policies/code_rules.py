"""Rules that are functions: their numbers are not data, or nothing about them can be changed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: the row of a table, or a function. `id` is the table and a word, `then` what follows when it holds.

    `verified` is False where something of it was not seen in a source; the source says what.
    """

    id: str
    when: str
    then: str
    source: str
    verified: bool

    @property
    def table(self) -> str:
        return self.id.partition("/")[0]

    @property
    def word(self) -> str:
        return self.id.partition("/")[2]


def _code(name: str, where: str, then: str, source: str, verified: bool = True) -> Rule:
    """`where` names the functions that decide by it."""
    return Rule(f"code/{name}", ", ".join(f"`{one}`" for one in where.split()), then, source, verified)


_PAGE = "An official page"
_OURS = "ours"

CODE_RULES = (
    _code(
        "validity",
        "policies.validity.leaf_validity",
        "the earliest of the fifth birthday, the end of the card and that of the authentication certificate",
        "An official page that quotes the rule; the article was not seen",
    ),
    _code("renewal", "policies.validity.renewable", "in the last three months", _PAGE),
    _code("signing-age", "policies.validity.require_signing_age", "none below the age of 15", _PAGE),
    _code(
        "key",
        "policies.keys.accept_key",
        "RSA of 2,048 bits or more, P-384; no weak key",
        "施行規則 §2: RSA from 2,048",
    ),
    _code("card-life", "policies.issuance.require_card_life", "no card ends later than cards do", _PAGE),
    _code("wards", "policies.issuance.require_no_ward", "no signing certificate for wards", _PAGE),
    _code(
        "substitutes",
        "policies.characters.substitute",
        "what certificates cannot write is replaced by the first table that knows how (config/data/substitution.toml)",
        "The tables name their sources; their order is this project's choice",
        verified=False,
    ),
    _code(
        "second-revocation",
        "policies.causes.standing_after",
        "what is revoked stays as it is; a hold may become a revocation and keeps its time",
        "RFC 5280 §5.3.1: a hold is one of the reasons; that its time stays is this project's choice",
        verified=False,
    ),
    _code(
        "phones-rest",
        "policies.causes.orders_for",
        "when the card's signing certificate is revoked, so is what is on a phone, as far as its own rows say",
        "Press: a phone's certificates borrow the validity of the card's. unverified: that they end when it is revoked "
        "alone; ours, since whoever has its key could have applied for them",
        verified=False,
    ),
    _code(
        "same-resident",
        "policies.matching.match_octets",
        "four items name a resident when they are equal but for width, spaces and dashes",
        _OURS,
        verified=False,
    ),
    _code(
        "same-text",
        "policies.comparison.compare_names policies.comparison.compare_addresses",
        "equal, perhaps, or other: by the rules of notation, and by a person where one says perhaps",
        _OURS,
        verified=False,
    ),
    _code(
        "list-due",
        "policies.crl.CrlPolicy",
        "a list is made when something changed, and before half of its life is gone",
        "RFC 5280 §5.1.2.5: the next list by nextUpdate at the latest; when before is this project's choice",
        verified=False,
    ),
    _code(
        "answer-life",
        "policies.ocsp.OcspPolicy",
        "how long an OCSP answer stands, and what is said of serials that were never issued",
        "RFC 6960 §2.2, §2.4, §4.4.8; the numbers are settings",
    ),
    _code(
        "queues",
        "policies.queues.shares policies.batches.BatchPolicy",
        "municipalities are served in turn and alike, and wait in bounded queues",
        _OURS,
        verified=False,
    ),
    _code(
        "news",
        "policies.news.word_of policies.news.due_at",
        "verifiers hear of a change by handle, on one of 28 nights",
        "ours, so that times join no databases",
        verified=False,
    ),
    _code(
        "items",
        "policies.consents.require_items",
        "items are told with the signing certificate alone",
        "Guideline of the latest-4-items service; for delegated validation unverified",
        verified=False,
    ),
    _code(
        "documents",
        "policies.consents.signs",
        "authentication certificates sign challenges, and no documents",
        "Profile: their keyUsage lacks nonRepudiation (read-outs of cards); for delegated validation ours",
        verified=False,
    ),
    _code("consent-time", "policies.consents.ConsentPolicy", "good once, for minutes", _OURS, verified=False),
    _code("two-officers", "verifiers.proposals.confirm", "who proposes does not confirm", _OURS, verified=False),
    _code(
        "unanswered-alarm",
        "detection.judging.judge_day",
        "who is asked for a reason and gives none in seven days is told to try later",
        "ours, after 公的個人認証法 §18(7): provision may be refused",
        verified=False,
    ),
    _code(
        "change-over",
        "verifiers.handle_rotation.retirement_content",
        "handles of an older key are understood for 90 days, unless two officers cut them off",
        _OURS,
        verified=False,
    ),
    _code(
        "disclosure",
        "provisions.disclosure.disclose_to_owner provisions.disclosure.disclose_at_counter",
        "people are shown their own records, by their authentication key or at their municipality's counter",
        "公的個人認証法 §58(1); 規則 §75, as quoted, for the counter",
        verified=False,
    ),
    _code(
        "status-after-expiry",
        "domain.status.CertificateStatus",
        "never good",
        "Inferred: 法 §18, 保存期間に係る失効情報",
        verified=False,
    ),
)
