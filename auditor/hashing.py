"""SHA-256 without OpenSSL: `hashlib` loads that library, which takes 5 to 10 ms, for the few kilobytes hashed here."""

from __future__ import annotations

__all__ = ["sha256", "sha256_hex"]

try:
    from _sha2 import sha256  # type: ignore[import-not-found]  # Python 3.12 and later
except ImportError:
    try:
        from _sha256 import sha256  # type: ignore[import-not-found]  # Python 3.11
    except ImportError:  # an interpreter built without its own
        from hashlib import sha256


def sha256_hex(content: bytes) -> str:
    """The digest in hexadecimal."""
    return str(sha256(content).hexdigest())
