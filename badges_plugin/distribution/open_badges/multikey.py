"""Ed25519 keys as Multikey text, and the alphabets of what is signed: base58btc and base64url.

https://www.w3.org/TR/controller-document/#multikey , https://www.rfc-editor.org/rfc/rfc7515#section-2
"""

from __future__ import annotations

import base64

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_DIGITS = {letter: value for value, letter in enumerate(_ALPHABET)}
#: Multibase prefix of base58btc.
_BASE58 = "z"
#: Multicodec prefix of an Ed25519 public key.
_ED25519 = b"\xed\x01"
_KEY_BYTES = 32


def to_base58(data: bytes) -> str:
    """Return ``data`` in base58btc, with the multibase prefix "z"."""
    number = int.from_bytes(data)
    letters = []
    while number:
        number, digit = divmod(number, 58)
        letters.append(_ALPHABET[digit])
    zeros = len(data) - len(data.lstrip(b"\0"))
    return _BASE58 + _ALPHABET[0] * zeros + "".join(reversed(letters))


def from_base58(text: str, *, length: int) -> bytes:
    """Return the ``length`` bytes that ``text`` stands for; raise ValueError if it stands for anything else."""
    digits = text.removeprefix(_BASE58)
    # 58 letters hold less than 6 bits each. Longer text is junk, and the time to read it grows with its square.
    if not text.startswith(_BASE58) or len(digits) > 2 * length:
        raise ValueError("not base58btc of that length")
    number = 0
    for letter in digits:
        if letter not in _DIGITS:
            raise ValueError("not base58btc")
        number = number * 58 + _DIGITS[letter]
    zeros = len(digits) - len(digits.lstrip(_ALPHABET[0]))
    body = number.to_bytes((number.bit_length() + 7) // 8)
    data = b"\0" * zeros + body
    if len(data) != length:
        raise ValueError("not base58btc of that length")
    return data


def to_base64url(data: bytes) -> str:
    """Return ``data`` in base64url, without padding and without a multibase prefix."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """Return the bytes that ``text`` stands for; raise ValueError if it is not base64url."""
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def encode(public_key: Ed25519PublicKey) -> str:
    """Return the key as ``publicKeyMultibase`` of a Multikey ("z6Mk...")."""
    return to_base58(_ED25519 + public_key.public_bytes_raw())


def decode(text: str) -> Ed25519PublicKey:
    """Return the key that ``encode`` wrote; raise ValueError for any other text."""
    data = from_base58(text, length=len(_ED25519) + _KEY_BYTES)
    if not data.startswith(_ED25519):
        raise ValueError("not an Ed25519 key")
    return Ed25519PublicKey.from_public_bytes(data.removeprefix(_ED25519))
