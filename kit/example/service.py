"""A service that people log in to with the authentication certificate on their card, and that remembers handles only.

Run it: gunicorn "service:create_app('jpki-verify.toml', 'session.key')"
"""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import Any

from flask import Flask, Response, jsonify, request, session

from jpki_verify import Code, Rejected, Verdict, Verifier
from jpki_verify.messages import Language, message

STATUS = {Verdict.NOT_VALID: 403, Verdict.SETUP: 500, Verdict.UNDECIDED: 503}


def create_app(settings: str, secret: str) -> Flask:
    """The service. `secret` is a file with the key that sessions are signed with, the same for all workers."""
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=Path(secret).read_bytes(),
        MAX_CONTENT_LENGTH=64 * 1024,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        SESSION_COOKIE_NAME="session",
    )
    verifier = Verifier.open(settings)

    @app.post("/challenge")
    def challenge() -> Response:
        session.clear()
        session["challenge"] = verifier.new_challenge()
        return jsonify(challenge=session["challenge"])

    @app.post("/log-in")
    def log_in() -> Response:
        sent = asked("certificate", "signature")
        person = verifier.log_in(session.pop("challenge", ""), sent["certificate"], sent["signature"])
        customer = verifier.recall(person)
        if customer is None:  # somebody new: here your own system opens an account
            customer = f"customer {person.handle[-6:]}"
            verifier.remember(person, customer)
        session["person"] = person.handle
        return jsonify(welcome=customer)

    @app.post("/contract")
    def sign_contract() -> Response:
        sent = asked("document", "certificate", "signature")
        person = verifier.check_signature(sent["document"], sent["certificate"], sent["signature"])
        return jsonify(signed_by=person.handle, at=person.checked_at.isoformat())

    @app.get("/")
    def who() -> Response:
        return jsonify(person=session.get("person"))

    @app.post("/log-out")
    def log_out() -> Response:
        session.clear()
        return jsonify(person=None)

    @app.errorhandler(Rejected)
    def refused(rejected: Rejected) -> tuple[Response, int]:
        # What people read comes from the code; the detail is for the operator, and names nobody.
        app.logger.warning("refused: %s: %s", rejected.code.value, rejected.detail)
        language: Language = "ja" if request.accept_languages.best_match(["en", "ja"]) == "ja" else "en"
        return jsonify(code=rejected.code.value, title=message(rejected.code.value, language).title), STATUS[
            rejected.code.verdict
        ]

    return app


def asked(*names: str) -> dict[str, bytes]:
    """The octets that a JSON body has under these names, in base64."""
    body: Any = request.get_json(silent=True)
    try:
        return {name: base64.b64decode(body[name], validate=True) for name in names}
    except (TypeError, KeyError, ValueError, binascii.Error):
        raise Rejected(Code.NO_CERTIFICATE, f"want JSON with {', '.join(names)} in base64") from None
