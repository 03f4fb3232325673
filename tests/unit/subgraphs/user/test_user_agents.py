import pytest

from subgraphs.user.user_agents import UNKNOWN_DEVICE, describe_device

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("user_agent", "device"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Windows"),
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/138.0.0.0 Safari/537.36", "Chrome on Windows"),
        (
            f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/138.0.0.0 Safari/537.36 Edg/138.0.0.0",
            "Edge on Windows",
        ),
        (f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} Chrome/138.0 Safari/537.36 OPR/120.0", "Opera on Linux"),
        (f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {WEBKIT} Chrome/138.0 Safari/537.36", "Chrome on ChromeOS"),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5"
            " Safari/605.1.15",
            "Safari on macOS",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
            " CriOS/138.0.7204.33 Mobile/15E148 Safari/604.1",
            "Chrome on iPhone",
        ),
        (
            f"Mozilla/5.0 (Linux; Android 15; SM-S928B) {WEBKIT} SamsungBrowser/28.0 Chrome/130.0 Mobile Safari/537.36",
            "Samsung Internet on Android",
        ),
        ("curl/8.5.0", "curl"),
        ("Dart/3.4 (dart:io)", "Dart"),
        ("okhttp/4.12.0", "okhttp"),
        ("Pasar Shop/2.1 (iPad; iOS 18.5)", "Pasar Shop on iPad"),
        ("Mozilla/5.0 (compatible)", UNKNOWN_DEVICE),
        ("", UNKNOWN_DEVICE),
        ("<script>alert(1)</script>", UNKNOWN_DEVICE),
        ("x" * 200, UNKNOWN_DEVICE),
    ],
)
def test_a_device_is_named_as_its_owner_would(user_agent: str, device: str) -> None:
    assert describe_device(user_agent) == device
