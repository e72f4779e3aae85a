"""Who is let in over HTTP: tokens of ours, token files, and JWTs of an authorization server."""

import base64
import hmac
import json
import os
import stat
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import anyio
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from mcp_memory.config import Config, ServerConfig
from mcp_memory.errors import ConfigError, InvalidInput, NotFound, ProviderUnavailable
from mcp_memory.redaction import redact
from mcp_memory.server.app import build_server
from mcp_memory.server.auth import Authentication
from mcp_memory.server.guard import Guard
from mcp_memory.server.http import http_app
from mcp_memory.server.issuer_keys import IssuerKeys
from mcp_memory.server.lifecycle import MemoryHost
from mcp_memory.server.oauth import JwtVerifier, oauth_settings
from mcp_memory.server.token_file import PREFIX, Holder, TokenFile, create_token, list_tokens, revoke_token

pytestmark = pytest.mark.anyio
ISSUER = "https://login.example.org/"
PUBLIC_URL = "https://memory.example.org"
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
FOREIGN_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Issuer:
    """A local HTTP server that answers like an authorization server's JWKS address."""

    def __init__(self) -> None:
        self.keys = [self._jwk(RSAAlgorithm, RSA_KEY.public_key(), "rsa-1"), self._jwk(ECAlgorithm, EC_KEY.public_key(), "ec-1")]
        self.fetches, self.broken, self.page = 0, False, b""
        self.may_answer = threading.Event()
        self.may_answer.set()
        issuer = self

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.fetches += 1
                issuer.may_answer.wait(10)
                body = issuer.page or json.dumps({"keys": issuer.keys}).encode()
                self.send_response(500 if issuer.broken else 200)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/jwks.json"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @staticmethod
    def _jwk(algorithm: Any, key: Any, kid: str) -> dict[str, Any]:
        return {**algorithm.to_jwk(key, as_dict=True), "kid": kid, "use": "sig"}


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    server = Issuer()
    yield server
    server.close()


def config_of(issuer: Issuer, **settings: Any) -> ServerConfig:
    return ServerConfig(oauth_issuer=ISSUER, oauth_jwks_url=issuer.url, public_url=PUBLIC_URL, **settings)


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    body = {"iss": ISSUER, "aud": f"{PUBLIC_URL}/mcp", "sub": "ann", "client_id": "editor", "scope": "memory", "iat": now, "exp": now + 300}
    return {name: value for name, value in (body | changes).items() if value is not None}


def signed(key: Any = RSA_KEY, kid: str | None = "rsa-1", algorithm: str = "RS256", **changes: Any) -> str:
    return jwt.encode(claims(**changes), key, algorithm=algorithm, headers={"kid": kid} if kid else None)


def signed_with_the_public_key() -> str:
    """Return the classic forgery: HMAC with the issuer's public key as the secret, made by hand as the library refuses to."""
    public = RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def part(raw: bytes) -> str:
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    head = part(json.dumps({"alg": "HS256", "typ": "JWT", "kid": "rsa-1"}).encode())
    body = f"{head}.{part(json.dumps(claims()).encode())}"
    return f"{body}.{part(hmac.digest(public, body.encode(), 'sha256'))}"


# --- token files ---


def test_a_made_token_is_recognised_by_its_file_and_the_file_does_not_hold_it(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "tokens"
    ann, bob = create_token(path, "ann"), create_token(path, "bob")
    assert ann.startswith(PREFIX)
    assert len(ann) >= 40
    assert ann != bob
    file = TokenFile(path)
    assert file.tokens().holder(ann) == Holder("ann")
    assert file.tokens().holder(bob) == Holder("bob")
    assert file.tokens().holder(ann[:-1]) is None
    text = path.read_text()
    assert ann not in text
    assert bob not in text
    assert [entry.name for entry in list_tokens(path)] == ["ann", "bob"]
    assert all(entry.created_at.endswith("+00:00") for entry in list_tokens(path))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_a_token_file_is_its_owners_only_also_after_a_revocation(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    create_token(path, "ann")
    create_token(path, "bob")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    revoke_token(path, "ann")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_revoked_and_added_tokens_take_effect_while_the_file_is_in_use(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    ann = create_token(path, "ann")
    file = TokenFile(path)
    bob = create_token(path, "bob")
    assert file.tokens().holder(bob) == Holder("bob")
    revoke_token(path, "ann")
    assert file.tokens().holder(ann) is None
    assert file.tokens().holder(bob) == Holder("bob")


def test_names_are_unique_and_plain(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    create_token(path, "ann@laptop.home-1")
    with pytest.raises(InvalidInput, match="already"):
        create_token(path, "ann@laptop.home-1")
    for name in ("", "a b", "a=b", "a\nb", "#", "x" * 65):
        with pytest.raises(InvalidInput):
            create_token(path, name)
    with pytest.raises(NotFound):
        revoke_token(path, "nobody")


def test_a_file_edited_by_hand_may_have_comments_blank_lines_and_no_last_newline(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    path.write_text("# who may come in\n\nchosen-by-hand-0123456789")
    token = create_token(path, "ann")
    tokens = TokenFile(path).tokens()
    assert tokens.holder("chosen-by-hand-0123456789") == Holder("token-3")
    assert tokens.holder(token) == Holder("ann")


def test_a_broken_line_is_an_error_that_does_not_show_it(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    path.write_text("hunter2\n")
    with pytest.raises(ConfigError) as caught:
        TokenFile(path)
    assert "hunter2" not in caught.value.line()


async def test_when_the_token_file_goes_away_nobody_is_let_in(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    token = create_token(path, "ann")
    authentication = Authentication(ServerConfig(token_file=str(path)))
    access = await authentication.verify_token(token)
    assert access is not None
    assert (access.subject, access.token) == ("ann", "")
    os.remove(path)
    assert authentication.required
    assert await authentication.verify_token(token) is None


async def test_an_empty_token_file_lets_nobody_in(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    path.touch()
    authentication = Authentication(ServerConfig(token_file=str(path)))
    assert authentication.required
    assert await authentication.verify_token("") is None


def test_our_own_tokens_are_redacted_from_memories(tmp_path: Path) -> None:
    token = create_token(tmp_path / "tokens", "ann")
    assert redact(f"header {token}")[0] == "header [redacted:mcp-memory-token]"


# --- JWTs ---


async def test_a_good_jwt_says_who_it_speaks_for(issuer: Issuer) -> None:
    authentication = Authentication(config_of(issuer))
    for token in (signed(), signed(EC_KEY, "ec-1", "ES256"), signed(aud=["other", f"{PUBLIC_URL}/mcp"])):
        access = await authentication.verify_token(token)
        assert access is not None
        assert (access.subject, access.client_id, access.scopes, access.claims) == ("ann", "editor", ["memory"], {"iss": ISSUER})
        assert access.token == ""
    assert issuer.fetches == 1


BAD: dict[str, Any] = {
    "expired": {"exp": int(time.time()) - 120},
    "not yet": {"nbf": int(time.time()) + 86_400},  # from when tests are collected: they may run for long
    "without end": {"exp": None},
    "for another server": {"aud": "https://other.example.org/mcp"},
    "for nobody": {"aud": None},
    "of another issuer": {"iss": "https://evil.example.org/"},
    "of no issuer": {"iss": None},
    "signed by a foreign key": {"key": FOREIGN_KEY},
    "with an unknown key id": {"kid": "other"},
    "without a key id": {"kid": None},
    "signed with another key's algorithm": {"key": EC_KEY, "algorithm": "ES256"},
}


@pytest.mark.parametrize("changes", BAD.values(), ids=BAD.keys())
async def test_a_bad_jwt_is_nobodys(issuer: Issuer, changes: dict[str, Any]) -> None:
    assert await Authentication(config_of(issuer)).verify_token(signed(**changes)) is None


async def test_unsigned_tokens_and_shared_secrets_are_refused_before_any_key_is_fetched(issuer: Issuer) -> None:
    authentication = Authentication(config_of(issuer))
    good = signed()
    for token in (
        jwt.encode(claims(), "", algorithm="none", headers={"kid": "rsa-1"}),
        signed_with_the_public_key(),
        good.rpartition(".")[0] + ".",
        "a.b.c",
        "no-dots-0123456789",
        "." * 2,
        "x" * 20_000 + ".y.z",
        "",
        "é.ü.ö",
    ):
        assert await authentication.verify_token(token) is None
    assert issuer.fetches <= 1  # the one with the signature cut off names a good algorithm


async def test_a_tampered_payload_is_refused(issuer: Issuer) -> None:
    head, _, signature = signed().split(".")
    payload = signed(sub="root").split(".")[1]
    assert await Authentication(config_of(issuer)).verify_token(f"{head}.{payload}.{signature}") is None


async def test_random_key_ids_do_not_make_us_hammer_the_issuer(issuer: Issuer) -> None:
    authentication = Authentication(config_of(issuer))
    for number in range(20):
        assert await authentication.verify_token(signed(kid=f"made-up-{number}")) is None
    assert issuer.fetches <= 2


async def test_an_issuer_that_cannot_be_reached_is_our_trouble_not_a_bad_token(issuer: Issuer) -> None:
    issuer.broken = True
    authentication = Authentication(config_of(issuer))
    for _ in range(5):
        with pytest.raises(ProviderUnavailable):
            await authentication.verify_token(signed())
    assert issuer.fetches == 1


async def test_keys_that_are_here_serve_while_the_issuer_is_broken_or_slow_and_unknown_ones_are_our_trouble(issuer: Issuer) -> None:
    verifier = JwtVerifier(oauth_settings(config_of(issuer)))  # type: ignore[arg-type]
    now = [1_000.0]
    verifier._keys = IssuerKeys(issuer.url, lambda: now[0])
    assert await verifier.verify_token(signed()) is not None
    issuer.broken = True
    for _ in range(3):
        now[0] += 400  # stale, and time for another fetch
        with pytest.raises(ProviderUnavailable):
            await verifier.verify_token(signed(kid="made-up"))
        assert await verifier.verify_token(signed()) is not None
    issuer.broken = False
    issuer.may_answer.clear()
    now[0] += 400
    with anyio.fail_after(2):  # the issuer says nothing
        assert await verifier.verify_token(signed()) is not None
    issuer.may_answer.set()
    now[0] += 24 * 3600
    issuer.broken = True
    with pytest.raises(ProviderUnavailable):
        await verifier.verify_token(signed())


async def test_a_new_key_is_taken_up_within_seconds_and_forged_ids_fetch_no_faster(issuer: Issuer) -> None:
    verifier = JwtVerifier(oauth_settings(config_of(issuer)))  # type: ignore[arg-type]
    now = [1_000.0]
    verifier._keys = IssuerKeys(issuer.url, lambda: now[0])
    assert await verifier.verify_token(signed()) is not None
    issuer.keys.append(Issuer._jwk(RSAAlgorithm, FOREIGN_KEY.public_key(), "rsa-2"))
    for _ in range(50):
        now[0] += 0.1
        await verifier.verify_token(signed(kid="made-up"))
    assert issuer.fetches <= 2
    now[0] += 6
    assert await verifier.verify_token(signed(FOREIGN_KEY, kid="rsa-2")) is not None


@pytest.mark.parametrize("page", [b"<html>Sign in</html>", b"[]", b"{}", b'{"keys": []}', b'{"keys": 3}', b"\xff\xfe"])
async def test_a_page_that_is_no_set_of_keys_is_our_trouble(issuer: Issuer, page: bytes) -> None:
    issuer.page = page
    with pytest.raises(ProviderUnavailable):
        await Authentication(config_of(issuer)).verify_token(signed())


async def test_our_own_tokens_work_beside_jwts_and_have_every_scope(issuer: Issuer) -> None:
    authentication = Authentication(config_of(issuer, token="x" * 20, oauth_scopes="memory, memory:write"))
    access = await authentication.verify_token("x" * 20)
    assert access is not None
    assert authentication.missing_scopes(access) == ()
    for form in ({"scope": "memory"}, {"scope": None, "scp": ["memory"]}):
        access = await authentication.verify_token(signed(**form))
        assert access is not None
        assert authentication.missing_scopes(access) == ("memory:write",)


@pytest.mark.parametrize(
    "settings",
    [
        {"oauth_jwks_url": ""},
        {"public_url": ""},
        {"public_url": "http://memory.example.org"},
        {"oauth_jwks_url": "http://login.example.org/jwks"},
        {"oauth_jwks_url": "file:///etc/passwd"},
        {"oauth_issuer": "login"},
    ],
)
def test_oauth_settings_that_are_missing_or_unsafe_are_refused(settings: dict[str, str]) -> None:
    good: dict[str, Any] = {"oauth_issuer": ISSUER, "oauth_jwks_url": "https://login.example.org/jwks", "public_url": PUBLIC_URL}
    with pytest.raises(ConfigError):
        Authentication(ServerConfig(**{**good, **settings}))


# --- over HTTP ---


def client_of(config: ServerConfig) -> TestClient:
    """Return a client of a small application behind the guard; it answers who the user is."""
    authentication = Authentication(config)

    async def who(request: Request) -> JSONResponse:
        return JSONResponse(request.user.access_token.subject)

    routes = [Route("/mcp", who, methods=["GET", "POST"])]
    routes += [Route(path, lambda _, body=body: JSONResponse(body), methods=["GET"]) for path, body in authentication.documents().items()]
    app = Starlette(routes=routes, middleware=[Middleware(Guard, config=config, authentication=authentication)])
    return TestClient(app, base_url=PUBLIC_URL)


def test_a_client_without_a_token_is_told_where_to_get_one(issuer: Issuer) -> None:
    client = client_of(config_of(issuer, oauth_scopes="memory"))
    answer = client.post("/mcp")
    assert answer.status_code == 401
    address = f"{PUBLIC_URL}/.well-known/oauth-protected-resource/mcp"
    assert answer.headers["www-authenticate"] == f'Bearer resource_metadata="{address}"'
    for path in ("/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource"):
        assert client.get(path).json() == {
            "resource": f"{PUBLIC_URL}/mcp",
            "authorization_servers": [ISSUER],
            "bearer_methods_supported": ["header"],
            "resource_name": "Episodic memory",
            "scopes_supported": ["memory"],
        }


def test_the_guard_lets_a_jwt_in_and_names_what_is_wrong_with_others(issuer: Issuer) -> None:
    client = client_of(config_of(issuer, oauth_scopes="memory"))

    def ask(token: str) -> Any:
        return client.post("/mcp", headers={"Authorization": f"Bearer {token}"})

    assert ask(signed()).json() == "ann"
    bad = ask(signed(exp=1))
    assert bad.status_code == 401
    assert 'error="invalid_token"' in bad.headers["www-authenticate"]
    narrow = ask(signed(scope="other"))
    assert narrow.status_code == 403
    assert 'error="insufficient_scope"' in narrow.headers["www-authenticate"]
    assert 'scope="memory"' in narrow.headers["www-authenticate"]


def test_while_the_issuer_is_away_the_guard_answers_503(issuer: Issuer) -> None:
    issuer.broken = True
    answer = client_of(config_of(issuer)).post("/mcp", headers={"Authorization": f"Bearer {signed()}"})
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"


def test_the_real_application_serves_the_document_to_everybody_and_the_rest_to_nobody_unknown(issuer: Issuer) -> None:
    config = Config(server=config_of(issuer))
    host = MemoryHost(config)
    client = TestClient(http_app(build_server(host, "core"), host, Authentication(config.server)), base_url=PUBLIC_URL)
    answer = client.get("/.well-known/oauth-protected-resource/mcp")
    assert answer.json()["authorization_servers"] == [ISSUER]
    assert answer.headers["access-control-allow-origin"] == "*"
    assert client.get("/healthz").status_code == 200
    for method, path in (("POST", "/mcp"), ("GET", "/mcp"), ("GET", "/sse"), ("POST", "/messages/"), ("GET", "/metrics")):
        assert client.request(method, path).status_code == 401


def test_with_tokens_of_ours_only_no_client_is_sent_to_an_authorization_server() -> None:
    client = client_of(ServerConfig(token="x" * 20, public_url=PUBLIC_URL))
    answer = client.post("/mcp")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert client.get("/.well-known/oauth-protected-resource", headers={"Authorization": f"Bearer {'x' * 20}"}).status_code == 404
    assert client.post("/mcp?token=" + "x" * 20).status_code == 401  # never in the address
    assert client.post("/mcp", headers={"Authorization": "Basic " + "x" * 20}).status_code == 401
