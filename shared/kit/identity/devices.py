"""What kind of device a session is on: a browser family and a system, in codes. What it says itself is dropped."""

BROWSERS = (
    ("edg", "edge"),
    ("opr/", "opera"),
    ("samsungbrowser", "samsung"),
    ("firefox", "firefox"),
    ("fxios", "firefox"),
    ("crios", "chrome"),
    ("chrome", "chrome"),
    ("safari", "safari"),
)
"""In this order: all call themselves Mozilla, most Safari, and many Chrome."""
SYSTEMS = (
    ("android", "android"),
    ("iphone", "ios"),
    ("ipad", "ios"),
    ("windows", "windows"),
    ("mac os", "macos"),
    ("cros", "chromeos"),
    ("linux", "linux"),
)
OTHER = "other"


def device_of(user_agent: str) -> str:
    """The code of the device that describes itself so: `firefox:android`, `other:other` when nothing is known of it."""
    said = user_agent[:512].lower()
    return f"{_first(BROWSERS, said)}:{_first(SYSTEMS, said)}"


def _first(known: tuple[tuple[str, str], ...], said: str) -> str:
    return next((code for mark, code in known if mark in said), OTHER)
