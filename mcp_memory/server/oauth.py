"""OAuth resource server: JWTs of one authorization server, checked against its published keys (RFC 9068), and the document that tells
clients where to get one (RFC 9728).

A token is taken only when its signature is by a key of the issuer with an asymmetric algorithm, it was issued for this server (`aud`), by
this issuer (`iss`), is in force (`exp`, `nbf`), and has every scope that is asked for. Tokens are never passed on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import jwt
from mcp.server.auth.provider import AccessToken

from mcp_memory.config import ServerConfig
from mcp_memory.domain.addresses import is_loopback
from mcp_memory.errors import ConfigError
from mcp_memory.server.issuer_keys import IssuerKeys

ALGORITHMS = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
)  # never `none`, never a shared secret
MAX_TOKEN_CHARS = 16_384
LEEWAY_S = 30  # between two machines' clocks
_WELL_KNOWN = "/.well-known/oauth-protected-resource"
_REQUIRED_CLAIMS = ["exp", "iss", "aud"]


@dataclass(frozen=True, slots=True)
class OAuthSettings:
    """What a token must say, and where the keys are."""

    issuer: str
    jwks_url: str
    audience: str
    resource: str  # the URL of /mcp, as clients see it
    scopes: tuple[str, ...] = ()


def oauth_settings(config: ServerConfig) -> OAuthSettings | None:
    """Return the settings of the resource-server mode; None where `oauth_issuer` is not set.

    Raises:
        ConfigError: A setting that goes with it is missing, or an address would send keys or tokens in clear text.
    """
    if not config.oauth_issuer:
        return None
    for name in ("oauth_jwks_url", "public_url"):
        if not getattr(config, name):
            raise ConfigError(f"server.oauth_issuer needs server.{name} too")
    for name in ("oauth_issuer", "oauth_jwks_url", "public_url"):
        parts = urlsplit(getattr(config, name))
        if not parts.hostname or (parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname))):
            raise ConfigError(f"server.{name} must be an https address")
    resource = config.public_url.rstrip("/") + "/mcp"
    scopes = tuple(scope.strip() for scope in config.oauth_scopes.split(",") if scope.strip())
    return OAuthSettings(config.oauth_issuer, config.oauth_jwks_url, config.oauth_audience or resource, resource, scopes)


class JwtVerifier:
    """The SDK's `TokenVerifier` for JWTs."""

    def __init__(self, settings: OAuthSettings) -> None:
        self._settings = settings
        self._keys = IssuerKeys(settings.jwks_url)

    async def verify_token(self, token: str) -> AccessToken | None:
        """Return who the token speaks for, or None where it is not acceptable. Scopes are the caller's to check.

        Raises:
            ProviderUnavailable: It names a key that is not here, and the issuer's keys cannot be fetched.
        """
        key_id = self._plausible(token)
        if key_id is None:
            return None
        key = await self._keys.get(key_id)
        claims = None if key is None else self._claims(token, key)
        return None if claims is None else _access(token, claims, self._settings.audience)

    def _plausible(self, token: str) -> str | None:
        """Return the key id of a token that claims to be what we take, before any key is fetched for it."""
        if len(token) > MAX_TOKEN_CHARS or token.count(".") != 2:
            return None
        try:
            header = jwt.get_unverified_header(token)
            issuer = jwt.decode(token, options={"verify_signature": False}).get("iss")
        except (jwt.PyJWTError, ValueError):
            return None
        key_id = header.get("kid")
        good = header.get("alg") in ALGORITHMS and issuer == self._settings.issuer and isinstance(key_id, str)
        return key_id if good else None

    def _claims(self, token: str, key: jwt.PyJWK) -> Mapping[str, Any] | None:
        try:
            claims: Mapping[str, Any] = jwt.decode(
                token,
                key,
                algorithms=list(ALGORITHMS),
                audience=self._settings.audience,
                issuer=self._settings.issuer,
                leeway=LEEWAY_S,
                options={"require": _REQUIRED_CLAIMS},
            )
            return claims
        except (jwt.PyJWTError, ValueError, TypeError):
            return None


def metadata_paths(settings: OAuthSettings) -> tuple[str, ...]:
    """Return the paths under which the protected-resource metadata is served: for this resource, and at the root."""
    return (_WELL_KNOWN + urlsplit(settings.resource).path, _WELL_KNOWN)


def metadata_url(settings: OAuthSettings) -> str:
    """Return the address of the metadata, for the `WWW-Authenticate` header."""
    parts = urlsplit(settings.resource)
    return f"{parts.scheme}://{parts.netloc}{_WELL_KNOWN}{parts.path}"


def metadata(settings: OAuthSettings) -> dict[str, Any]:
    """Return the protected-resource metadata (RFC 9728, section 2)."""
    document: dict[str, Any] = {
        "resource": settings.resource,
        "authorization_servers": [settings.issuer],
        "bearer_methods_supported": ["header"],
        "resource_name": "Episodic memory",
    }
    return document | ({"scopes_supported": list(settings.scopes)} if settings.scopes else {})


def _access(token: str, claims: Mapping[str, Any], audience: str) -> AccessToken:
    subject = str(claims.get("sub") or "")
    client = str(claims.get("client_id") or claims.get("azp") or subject or "oauth")
    scope = claims.get("scope", claims.get("scp", ""))
    scopes = scope.split() if isinstance(scope, str) else [str(item) for item in scope or ()]
    return AccessToken(
        token=token,
        client_id=client,
        scopes=scopes,
        expires_at=int(claims["exp"]),
        resource=audience,
        subject=subject or client,
        claims={"iss": claims["iss"]},
    )
