import pytest
from pydantic import SecretStr

from subgraphs.user.accounts.mail_tokens import MailTokens, hash_mail_token, new_nonce

SECRET = SecretStr("s" * 32)


def test_a_token_follows_from_its_nonce_and_the_secret() -> None:
    nonce = new_nonce()
    assert MailTokens(SECRET).derive(nonce) == MailTokens(SECRET).derive(nonce)
    assert MailTokens(SECRET).derive(nonce) != MailTokens(SecretStr("t" * 32)).derive(nonce)
    assert MailTokens(SECRET).derive(nonce) != MailTokens(SECRET).derive(new_nonce())


def test_a_token_has_256_bits_and_needs_no_quoting() -> None:
    tokens = {MailTokens(SECRET).derive(new_nonce()) for _ in range(100)}
    assert len(tokens) == 100
    assert all(len(token) == 43 and token.replace("-", "").replace("_", "").isalnum() for token in tokens)
    assert all(len(bytes.fromhex(new_nonce())) == 32 for _ in range(10))


def test_what_is_stored_is_not_the_token() -> None:
    token = MailTokens(SECRET).derive("nonce")
    # The same in every process and after every update: letters are sent again
    assert token == "XcLe4rEDEaCrtBlAYC8j1zqjkM1_TgppnzFo7PKg_PE"
    assert len(hash_mail_token(token)) == 64
    assert token not in hash_mail_token(token)


@pytest.mark.parametrize("secret", ["", "short", "s" * 31])
def test_a_secret_that_is_too_short_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match="PASAR_INTERNAL_SECRET needs at least 32 characters"):
        MailTokens(SecretStr(secret))
