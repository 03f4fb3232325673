"""Which device a session is on, in words that its owner recognises. For people only: a client may claim anything."""

import re

UNKNOWN_DEVICE = "Unknown device"

# The first that is found counts: most browsers also name those that they want to be taken for
_BROWSERS = (
    ("Edge", re.compile(r"\bEdgA?(?:iOS)?/")),
    ("Opera", re.compile(r"\bOPR/|\bOpera\b")),
    ("Samsung Internet", re.compile(r"\bSamsungBrowser/")),
    ("Firefox", re.compile(r"\bFirefox/|\bFxiOS/")),
    ("Chrome", re.compile(r"\bChrome/|\bCriOS/|\bChromium/")),
    ("Safari", re.compile(r"\bSafari/")),
)
_SYSTEMS = (
    ("iPhone", re.compile(r"\biPhone\b")),
    ("iPad", re.compile(r"\biPad\b")),
    ("Android", re.compile(r"\bAndroid\b")),
    ("Windows", re.compile(r"\bWindows\b")),
    ("ChromeOS", re.compile(r"\bCrOS\b")),
    ("macOS", re.compile(r"\bMac(?:intosh| OS X)\b")),
    ("Linux", re.compile(r"\bLinux\b|\bX11\b")),
)
# `curl/8.5.0`, `okhttp/4.12`, `Dart/3.4 (dart:io)`
_PROGRAM = re.compile(r"([A-Za-z][A-Za-z0-9 ._-]{0,39}?)/")


def describe_device(user_agent: str) -> str:
    """Return "Firefox on Windows", "Safari on iPhone", a program's own name, or UNKNOWN_DEVICE."""
    browser = next((name for name, pattern in _BROWSERS if pattern.search(user_agent)), None)
    system = next((name for name, pattern in _SYSTEMS if pattern.search(user_agent)), None)
    if browser is None:
        program = _PROGRAM.match(user_agent)
        browser = program[1] if program is not None and program[1] != "Mozilla" else None
    if browser and system:
        return f"{browser} on {system}"
    return browser or system or UNKNOWN_DEVICE
