"""Codes of authenticator apps, with the vectors of the RFCs."""

from datetime import UTC, datetime

import pytest

from core.totp import (
    generate_totp_secret,
    match_totp,
    show_totp_secret,
    totp_code,
    totp_counter,
    totp_uri,
)

# RFC 6238, appendix B: the secret of the SHA-1 rows
SECRET = b"12345678901234567890"


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_codes_of_rfc_6238(seconds: int, code: str) -> None:
    counter = totp_counter(datetime.fromtimestamp(seconds, UTC))
    assert totp_code(SECRET, counter, digits=8) == code
    assert totp_code(SECRET, counter) == code[2:]


def test_the_codes_of_rfc_4226() -> None:
    assert [totp_code(SECRET, counter) for counter in range(10)] == [
        *("755224", "287082", "359152", "969429", "338314"),
        *("254676", "287922", "162583", "399871", "520489"),
    ]


@pytest.mark.parametrize(("step", "matches"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_one_step_before_and_after_counts(step: int, matches: bool) -> None:
    now = datetime(2026, 11, 24, 12, 0, 29, tzinfo=UTC)
    counter = totp_counter(now) + step
    assert match_totp(SECRET, totp_code(SECRET, counter), now=now) == (counter if matches else None)


def test_a_step_begins_with_its_second() -> None:
    assert totp_counter(datetime(1970, 1, 1, 0, 0, 29, 999_000, tzinfo=UTC)) == 0
    assert totp_counter(datetime(1970, 1, 1, 0, 0, 30, tzinfo=UTC)) == 1
    assert match_totp(SECRET, "755224", now=datetime(1970, 1, 1, tzinfo=UTC)) == 0


@pytest.mark.parametrize("code", ["", "75522", "7552240", "x", "\u0667\u0665\u0665\u0662\u0662\u0664"])
def test_other_texts_match_nothing(code: str) -> None:
    assert match_totp(SECRET, code, now=datetime(1970, 1, 1, tzinfo=UTC)) is None


def test_secrets_have_the_bits_that_the_rfc_recommends_and_are_never_the_same() -> None:
    secrets = {generate_totp_secret() for _ in range(10)}
    assert len(secrets) == 10
    assert {len(secret) for secret in secrets} == {20}


def test_an_app_reads_the_address() -> None:
    assert totp_uri(SECRET, issuer="Toko Pasar", account="ani+test@example.com") == (
        "otpauth://totp/Toko%20Pasar:ani%2Btest@example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
        "&issuer=Toko%20Pasar&algorithm=SHA1&digits=6&period=30"
    )
    assert show_totp_secret(b"\0" * 4) == "AAAAAAA"
