"""Who may use the HTTP server: holders of a token of ours (setting or token file), or of a JWT of the configured authorization server."""

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mcp.server.auth.provider import AccessToken

from mcp_memory.config import ServerConfig
from mcp_memory.errors import ConfigError
from mcp_memory.server.auditing import BOUND
from mcp_memory.server.token_file import TokenFile, Tokens, read_tokens

if TYPE_CHECKING:
    from mcp_memory.server.oauth import JwtVerifier, OAuthSettings

_NO_TOKENS = Tokens()
logger = logging.getLogger(__name__)


class Authentication:
    """The SDK's `TokenVerifier` over all ways to be let in. Built once; a token file is followed while the server runs."""

    def __init__(self, config: ServerConfig) -> None:
        """Raises ConfigError: a token is too short, the token file cannot be read, or an OAuth setting is missing or unsafe."""
        self._tokens = read_tokens(config.token)
        self._file = TokenFile(config.token_file) if config.token_file else None
        self._oauth: OAuthSettings | None = None
        self._jwts: JwtVerifier | None = None
        if config.oauth_issuer:  # its libraries are loaded by those who use it
            from mcp_memory.server import oauth

            self._oauth = oauth.oauth_settings(config)
            assert self._oauth is not None
            self._jwts = oauth.JwtVerifier(self._oauth)

    @property
    def required(self) -> bool:
        """Whether a request must carry a token. True for an empty token file: then nobody is let in."""
        return bool(self._tokens) or self._file is not None or self._jwts is not None

    async def verify_token(self, token: str) -> AccessToken | None:
        """Return who holds *token*, or None where nobody we know does.

        Raises:
            ProviderUnavailable: It may be a JWT, and the authorization server's keys cannot be fetched.
        """
        holder = self._tokens.holder(token) or self._of_file().holder(token)
        if holder is not None:
            # The token itself goes no further than this.
            claims = {BOUND: holder.projects} if holder.projects else None
            return AccessToken(token="", client_id=holder.name, scopes=list(self.scopes), subject=holder.name, claims=claims)
        if self._jwts is None:
            return None
        access = await self._jwts.verify_token(token)
        if access is None:
            return None
        claims = {name: value for name, value in (access.claims or {}).items() if name != BOUND}
        return access.model_copy(update={"token": "", "claims": claims})

    def _of_file(self) -> Tokens:
        if self._file is None:
            return _NO_TOKENS
        try:
            return self._file.tokens()
        except ConfigError as error:
            logger.error("no token of the token file is accepted: %s", error.message)
            return _NO_TOKENS

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes a JWT must have."""
        return self._oauth.scopes if self._oauth is not None else ()

    def missing_scopes(self, access: AccessToken) -> tuple[str, ...]:
        """Return which of the scopes *access* lacks."""
        return tuple(scope for scope in self.scopes if scope not in access.scopes)

    def challenge(self, error: str = "", description: str = "") -> str:
        """Return the `WWW-Authenticate` header of a refusal (RFC 6750 section 3, RFC 9728 section 5.1).

        Without OAuth it says no more than `Bearer`, so that no client goes looking for an authorization server.
        """
        if self._oauth is None:
            return "Bearer"
        from mcp_memory.server import oauth

        fields = {"error": error, "error_description": description, "resource_metadata": oauth.metadata_url(self._oauth)}
        if error == "insufficient_scope":
            fields["scope"] = " ".join(self.scopes)
        return "Bearer " + ", ".join(f'{name}="{value}"' for name, value in fields.items() if value)

    def documents(self) -> Mapping[str, Mapping[str, Any]]:
        """Return what is served to everybody, by path: the protected-resource metadata. Empty without OAuth."""
        if self._oauth is None:
            return {}
        from mcp_memory.server import oauth

        return dict.fromkeys(oauth.metadata_paths(self._oauth), oauth.metadata(self._oauth))
