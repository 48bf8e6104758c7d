"""What keeps a signature away."""

from __future__ import annotations

from function.errors import TransientError


class SigningError(TransientError):
    """Nobody signed: the key's service or the certificate is at fault, not the picture."""

    stage = "sign"
