"""Assembly: from settings to working parts. The only place that names concrete stores, keys, clocks and chance."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from itertools import count
from pathlib import Path
from time import time

from ca.authority import Authority, Generation
from ca.generation import issuer_of
from config import law, rules
from config.admission import AdmissionInForce
from config.document import ConfigurationFaults, KeyPlace
from config.files import read_file, read_secret
from config.issuer_settings import IssuerSettings
from config.key_ring import read_ring, require_whole_ring
from config.municipalities import load_municipalities
from config.nodes import StatusNode, system_steady
from config.provisions import make_writer
from config.register import make_admission, make_board, make_gate, make_register
from config.settings import Settings, load
from config.signers import KeySigner, Signers
from config.signing import ANSWERS_TIMED, SigningTimes
from crl.publisher import Publisher
from crl.scope import distribution_point, freshest_points
from domain.certificates import Issuer, IssuerId
from domain.changes import LagCount
from domain.code_keys import CodeKeys
from domain.errors import Refusal
from domain.lists import Scope
from domain.ports import Signer, StatusLookup
from domain.provisions import Channel
from keys.algorithms import ED25519, key_id_of, verify
from mass.parts import MassParts
from ocsp.delegation import delegate
from ocsp.ready import ReadyAnswers
from ocsp.responder import Responder, ResponderKey, answer
from ocsp.response import OcspAnswer
from oversight.inspection import Inspection
from policies.admission import Requestor
from policies.rulebook import LawTables
from provisions.writer import SegmentWriter
from residents.parts import Intake
from residents.rotation import require_same_keys
from residents.sealing import Sealer
from store.register_mark import RegisterMark
from store.work import SqlBegin
from verifiers.admit import status_admission
from verifiers.gate import Gate
from verifiers.handle_office import HandleOffice
from verifiers.proposals import Board
from verifiers.register import Register

_READY_ANSWERS = 100_000
"""Kept by each worker: some 150 MB of RSA answers."""


def system_clock() -> datetime:
    """Now by the machine's clock, aware UTC in whole seconds."""
    return _moment(int(time()))


_MACHINES = system_clock


@lru_cache(maxsize=1)
def _moment(second: int) -> datetime:
    """Cached, because a responder asks many thousand times in a second."""
    return datetime.fromtimestamp(second, UTC)


system_random = os.urandom


class Services:
    """The parts of one state directory, each made when first asked for: the status service never opens an issuing key.

    Raises Refusal(BAD_CONFIGURATION) or ConfigurationFaults from whichever part cannot be made.
    """

    def __init__(self, settings: Settings, node: str | None = None) -> None:
        """`node` names one of several status nodes that a machine may have. A node with a name never writes to the
        database, and has no key for it."""
        self.settings = settings
        self.node_name = node
        self.clock = system_clock
        self.random = system_random
        self.signing = SigningTimes()
        self.judged_at: datetime | None = None
        self._generations: tuple[int, ...] = ()

    @cached_property
    def database_url(self) -> str:
        database = self.settings.database
        return database if isinstance(database, str) else read_secret(database).decode()

    @cached_property
    def begin(self) -> SqlBegin:
        signer = None
        if self.node_name is None:
            signer = self.signing.timed("audit", self.signer(self.settings.audit_key))
        begin = SqlBegin(self.database_url, signer, keys=self)
        begin.on_change = self._follow
        begin.register_changing = self.register_mark.changing
        return begin

    def _follow(self) -> None:
        self.node.follower.follow()

    def attend(self, generations: tuple[int, ...]) -> bool:
        """The `CodeKeyWatch` port: for the sealer, as soon as there is one. Many processes need none."""
        self._generations = generations
        return self.sealer.attend(generations) if "sealer" in self.__dict__ else False

    def require(self, generations: tuple[int, ...]) -> bool:
        return self.sealer.require(generations)

    @cached_property
    def node(self) -> StatusNode:
        return StatusNode(self.settings, self.database_url, self.clock, self.node_name)

    @cached_property
    def status(self) -> StatusLookup:
        """What the model of this node says, or the database itself."""
        return self.node.lookup

    @cached_property
    def record(self) -> SegmentWriter:
        """Where this process puts provisions on record."""
        return make_writer(self.settings.provisions, self.clock, self.random)

    @cached_property
    def gate(self) -> Gate:
        """The one way in to status, handles, news and validation."""
        return make_gate(self)

    @cached_property
    def admission(self) -> AdmissionInForce:
        return make_admission(self)

    @cached_property
    def sealer(self) -> Sealer:
        sealer = Sealer(self._code_keys(), self.random, reread=self._code_keys, kept=self._kept_keys)
        if self._generations:
            sealer.attend(self._generations)
        return sealer

    def _code_keys(self) -> dict[int, CodeKeys]:
        return read_ring(self.settings.secrets)

    def _kept_keys(self) -> dict[int, bytes]:
        with self.begin(write=False) as work:
            return {record.generation: record.kept for record in work.code_keys.all() if record.kept}

    def require_code_keys(self) -> None:
        """Raises ConfigurationFaults, or Refusal(BAD_CONFIGURATION) for keys of resident codes of another database."""
        require_whole_ring(self.settings.secrets)
        with self.begin(write=False) as work:
            require_same_keys(self.sealer, work)

    @cached_property
    def issuers(self) -> Mapping[IssuerId, Issuer]:
        """Every configured key generation of both authorities."""
        return {row.id: self.issuer(row) for row in self.settings.issuers}

    def issuer(self, row: IssuerSettings) -> Issuer:
        """One key generation, read from its certificate."""
        return issuer_of(read_file(row.certificate), row.id, row.kind)

    @cached_property
    def issuer_signers(self) -> Mapping[IssuerId, Signer]:
        return {row.id: self.signer(row.key, self.issuers[row.id].certificate) for row in self.settings.issuers}

    @cached_property
    def law(self) -> LawTables:
        """The tables of law in force when this process first asked: a change counts from its next start."""
        return law.read_law(law.texts_in_force(self.begin))

    @cached_property
    def authority(self) -> Authority:
        profiles = rules.load_profiles(self.settings.profiles)
        return Authority(
            generations=tuple(
                Generation(
                    row.generation,
                    self.issuers[row.id],
                    self.signing.timed("issuing", self.issuer_signers[row.id]),
                    rules.profile_named(profiles, row.profile),
                    row.issuing,
                    rules.profile_named(profiles, row.mobile_profile) if row.mobile_profile else None,
                )
                for row in self.settings.issuers
            ),
            names=self.settings.names,
            municipalities=load_municipalities(),
            locations=self.settings.locations,
            variants=rules.load_variants(),
            causes=self.law.causes,
            issuance=self.law.issuance,
            holds=self.law.holds,
            known_weak=rules.load_weak_keys(self.settings.weak_keys),
            sealer=self.sealer,
            begin=self.begin,
            clock=self.clock,
            random=self.random,
        )

    @cached_property
    def intake(self) -> Intake:
        tables = (load_municipalities(), self.law.events, self.law.causes)
        return Intake(self.begin, self.clock, self.random, self.sealer, *tables)

    @cached_property
    def board(self) -> Board:
        return make_board(self)

    @cached_property
    def register(self) -> Register:
        return make_register(self)

    @cached_property
    def register_mark(self) -> RegisterMark:
        return RegisterMark(self.settings.state / "register-mark")

    @cached_property
    def mass(self) -> MassParts:
        return MassParts(self.intake, {row.id: row.kind for row in self.settings.issuers})

    @cached_property
    def publisher(self) -> Publisher:
        return Publisher(
            issuers=self.issuers,
            signers={id_: self.signing.timed("lists", signer) for id_, signer in self.issuer_signers.items()},
            point=self._point,
            policy=self.settings.crl,
            freshest=lambda scope: freshest_points(scope, self.settings.locations),
            begin=self.begin,
            clock=self.clock,
            directory=self.settings.crl_directory,
            holder=f"{socket.gethostname()}:{os.getpid()}:{self.random(4).hex()}",
            shared_clock=self.node.feed.moment if self.node.is_shared and self.clock is system_clock else None,
        )

    def _point(self, scope: Scope) -> bytes:
        subject = self.settings.names[self.issuers[scope.issuer].kind].subject
        return distribution_point(scope, subject, load_municipalities(), self.settings.locations)

    @cached_property
    def responder(self) -> Responder:
        return Responder(
            keys={row.id: self.responder_key(row, self.issuers[row.id]) for row in self.settings.issuers},
            lookup=self.status,
            policy=self.settings.ocsp,
            admit=status_admission(self.register, self.settings.ocsp.access, Channel.OCSP, self.gate),
            clock=self.clock,
            # Beside a clock that somebody turns nothing lasts a tenth of a second.
            steady=system_steady if self.clock is _MACHINES else count(1 << 62, 10**9).__next__,
            record=self.record,
            ready=ReadyAnswers(self.settings.ocsp.ready, _READY_ANSWERS) if self.settings.ocsp.ready else None,
        )

    def responder_key(self, row: IssuerSettings, issuer: Issuer) -> ResponderKey:
        """The key that signs an issuer's OCSP answers, with its certificate."""
        certificate = read_file(row.responder_certificate)
        signer = self.signer(row.responder_key, certificate, repeatable=False)
        return delegate(issuer, certificate, self.signing.timed("responder", signer, every=ANSWERS_TIMED))

    def answer(self, octets: bytes, caller: Requestor | None) -> OcspAnswer:
        """The OCSP answer to a request."""
        return answer(self.responder, octets, caller)

    @cached_property
    def handles(self) -> HandleOffice:
        from config.handles import handle_office  # which needs this class

        return handle_office(self)

    def lags(self) -> Sequence[LagCount]:
        """How long revocations took until a list showed them, counted since the beginning; nothing while the database
        is away."""
        try:
            with self.begin(write=False) as work:
                return work.changes.counts()
        except Refusal:
            return ()

    def inspection(self) -> Inspection:
        """What `oversight` looks at."""
        from config.inspection import inspection_of  # which needs this class

        return inspection_of(self)

    def check_head(self, key_id: str, octets: bytes, signature: bytes) -> bool:
        """Whether the audit key made that signature, judged by its public half alone."""
        spki = read_file(self.settings.audit_public_key)
        return key_id == key_id_of(spki) and verify(spki, ED25519, octets, signature)

    def close(self) -> None:
        """Let go of provision records, and close the database connections that are not in use."""
        for part in ("record", "begin", "node"):
            if part in self.__dict__:
                getattr(self, part).close()

    def require_schema(self) -> None:
        """Raises ConfigurationFaults when the database is missing, or is not of this version of the program, and
        Refusal(STORE_UNAVAILABLE) or (BUSY) while it is away."""
        from store import schema  # brings Alembic along, which takes long and is seldom needed

        if faults := schema.check(self.database_url):
            raise ConfigurationFaults([f"database: {fault}" for fault in faults])

    def upgrade_schema(self) -> bool:
        """Bring the database's tables up to this version of the program; whether they were older.

        Raises ConfigurationFaults for a database that is missing, none of ours, or newer; refusals as `require_schema`.
        """
        from store import schema

        faults = schema.check(self.database_url)
        if faults == [schema.OLDER]:
            schema.create(self.database_url)
            return True
        self.require_schema()
        return False

    def signer(self, key: KeyPlace, certificate: bytes | None = None, *, repeatable: bool = True) -> KeySigner:
        """The signer of a key, as `config.signers.Signers.open` gives it."""
        return self.signers.open(key, certificate, repeatable=repeatable)

    @cached_property
    def signers(self) -> Signers:
        return Signers(self.settings)


def assemble(state: Path, node: str | None = None) -> Services:
    """The services of a state directory, for a node of that name if there is one. Raises ConfigurationFaults."""
    return Services(load(state), node)
