"""Access tokens that a router under test believes."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from core.identity import Identity
from core.tokens import AccessTokenIssuer, generate_private_key, load_signing_key


class TokenIssuer:
    """Issues tokens; *authentication* is the section of the router's configuration that believes them."""

    def __init__(self, folder: Path) -> None:
        key = load_signing_key(generate_private_key("EdDSA"), "EdDSA")
        self._issuer = AccessTokenIssuer(key, issuer="pasar", audience="pasar", ttl_s=600)
        file = folder / "jwks.json"
        file.write_text(json.dumps(self._issuer.jwks()))
        self.authentication: dict[str, Any] = {"jwks_file": str(file)}

    def token(
        self, subject: str = "u1", *scopes: str, roles: frozenset[str] = frozenset(), age: timedelta = timedelta()
    ) -> str:
        """Return a token that was issued *age* ago."""
        identity = Identity(subject=subject, roles=roles, scopes=frozenset(scopes))
        return self._issuer.issue(identity, now=datetime.now(UTC) - age)
