"""A QR code as an SVG path: dark squares on white, to be read from paper and screens."""

from __future__ import annotations

from dataclasses import dataclass

import qrcode


@dataclass(frozen=True)
class QrCode:
    """``path`` is the ``d`` of an SVG path in a square of ``size`` units, the quiet zone included."""

    size: int
    path: str


def qr_code(text: str, *, border: int = 2) -> QrCode:
    """Return the QR code of a text, such as the address of a badge.

    The quiet zone should be four squares; the white box around the code adds what is missing.
    """
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=0)
    code.add_data(text)
    code.make(fit=True)
    rows = code.get_matrix()
    parts: list[str] = []
    for y, row in enumerate(rows):
        start = None
        for x, is_dark in enumerate([*row, False]):
            if is_dark and start is None:
                start = x
            elif not is_dark and start is not None:
                parts.append(f"M{start + border} {y + border}h{x - start}v1h-{x - start}z")
                start = None
    return QrCode(len(rows) + 2 * border, "".join(parts))
