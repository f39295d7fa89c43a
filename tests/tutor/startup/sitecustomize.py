"""Keep what takes longest in the Tutor programs that tests start: compiling templates, and making and checking a key.

A compiled template is used for as long as its source is the same. The key is worth nothing: it is never deployed.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from Crypto.PublicKey import RSA

KEPT = Path(os.environ["TUTOR_TESTS_KEEP"])

_start = jinja2.Environment.__init__
_generate = RSA.generate


def start(self: jinja2.Environment, *arguments: Any, **options: Any) -> None:
    _start(self, *arguments, **options)
    self.bytecode_cache = jinja2.FileSystemBytecodeCache(str(KEPT))


def generate(bits: int) -> RSA.RsaKey:
    path = KEPT / f"{bits}.pem"
    if not path.exists():
        mine = path.with_suffix(f".{os.getpid()}")
        mine.write_bytes(_generate(bits).export_key())
        mine.rename(path)
    return RSA.import_key(path.read_bytes())


jinja2.Environment.__init__ = start  # type: ignore[method-assign]
RSA.generate = generate
# Each template that needs the key imports it anew, and each import looks whether its factors are primes.
RSA.import_key = cache(RSA.import_key)
