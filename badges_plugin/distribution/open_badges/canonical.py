"""JSON-LD documents as canonical N-Quads (RDFC-1.0), the bytes that embedded proofs are made over.

PyLD does the work. What it lets pass and JavaScript verifiers do not is refused here: terms that no context defines
(PyLD drops them, so that they would be neither signed nor noticed), relative and unclean IRIs, nulls. What would let a
stranger spend our time is refused too. https://www.w3.org/TR/rdf-canon/
"""

from __future__ import annotations

import json
import re
import threading
from functools import cache
from importlib.resources import files
from typing import Any, NoReturn

from pyld.canon import URDNA2015
from pyld.context_resolver import ContextResolver
from pyld.jsonld import JsonLdError, JsonLdProcessor

from badges_plugin.distribution.open_badges.data import Document

CREDENTIALS = "https://www.w3.org/ns/credentials/v2"
OPEN_BADGES = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
EXTENSIONS = "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"

_FILES = {
    CREDENTIALS: "credentials-v2.json",
    OPEN_BADGES: "open-badges-3.0.3.json",
    EXTENSIONS: "open-badges-extensions.json",
}
URLS = tuple(_FILES)
#: Where terms go that no context defines, and relative IRIs.
_NOWHERE = "https://undefined.invalid/"
_VOCABULARY = {"@vocab": f"{_NOWHERE}#"}
#: Names of properties in all three contexts. Others PyLD may drop without a word.
_TERM = re.compile(r"[A-Za-z0-9]+")
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>\"{}|\\^`\x7f]+")
#: Values in a document. A badge with all that there is has 150; this many take a quarter of a second.
MAX_VALUES = 1_500
_MAX_DEPTH = 24
#: Equal nodes without an id are compared in every order of them. Ours never hang together, so they need no order.
_MAX_ALIKE = 4
_MAX_COMPARISONS = 500
_lock = threading.Lock()


class NotCanonical(ValueError):
    """The document has no canonical form that every verifier agrees on; the message says why."""


def to_nquads(document: Document) -> bytes:
    """Return the canonical N-Quads of ``document``; raise NotCanonical.

    Its ``@context`` is a list of the shipped contexts' addresses; nothing else can be loaded.
    """
    urls = document.get("@context")
    if not isinstance(urls, list) or not urls or not all(isinstance(url, str) and url in _FILES for url in urls):
        raise NotCanonical("the document's @context names others than the shipped contexts")
    body = {name: value for name, value in document.items() if name != "@context"}
    _check_values(body)
    # As the last context it gives undefined terms an IRI, and changes nothing about defined ones.
    guarded = {"@context": [*urls, _VOCABULARY], **body}
    try:
        # The caches of processed contexts are not made for threads.
        with _lock:
            dataset = _Processor().to_rdf(guarded, {"base": _NOWHERE, "contextResolver": _resolver()})
        nquads: str = _Canonicalization().main(dataset, {"format": "application/n-quads"})
        return nquads.encode()
    except NotCanonical:
        raise
    except (JsonLdError, ValueError) as error:
        raise NotCanonical(str(error)) from error


@cache
def context(url: str) -> Document:
    """Return a shipped context. Callers leave it as it is."""
    text = files(__package__).joinpath("contexts", _FILES[url]).read_text(encoding="utf-8")
    document: Document = json.loads(text)
    return document


def _load(url: str, _options: object = None) -> Document:
    if url not in _FILES:
        raise NotCanonical(f"the context {url} is not shipped")
    # The tag lets PyLD keep what it made of the context.
    return {"contextUrl": None, "documentUrl": url, "document": context(url), "tag": "static"}


@cache
def _resolver() -> ContextResolver:
    # Of our own: the cache of the library belongs to everybody in the process.
    # What it keeps is bounded by what is in the shipped contexts.
    return ContextResolver({}, _load)


class _Processor(JsonLdProcessor):  # type: ignore[misc]  # without types
    def expand(self, input_: object, options: object) -> Any:
        expanded = super().expand(input_, options)
        _check_iris(expanded)
        return expanded


class _Canonicalization(URDNA2015):  # type: ignore[misc]  # without types
    """The algorithm, with bounds: its time grows with the factorial of nodes that look alike."""

    def __init__(self) -> None:
        super().__init__()
        self._comparisons = 0

    def create_hash_to_related(self, id_: str, issuer: object) -> dict[str, list[str]]:
        self._comparisons += 1
        related: dict[str, list[str]] = super().create_hash_to_related(id_, issuer)
        if self._comparisons > _MAX_COMPARISONS or any(len(alike) > _MAX_ALIKE for alike in related.values()):
            raise NotCanonical("too many nodes without an id look alike")
        return related


def _check_values(body: Document) -> None:
    waiting: list[tuple[Any, int]] = [(body, 1)]
    seen = 0
    while waiting:
        value, depth = waiting.pop()
        seen += 1
        if seen > MAX_VALUES or depth > _MAX_DEPTH:
            raise NotCanonical("the document is too large")
        # JSON-LD takes these for nothing: they would be added to a signed document without a trace.
        if value is None or value == []:
            raise NotCanonical("a null or an empty array stands in the document")
        if isinstance(value, list):
            if any(isinstance(element, list) for element in value):
                raise NotCanonical("an array stands in an array")
            waiting.extend((element, depth + 1) for element in value)
        elif isinstance(value, dict):
            for name, element in value.items():
                if not _TERM.fullmatch(name):
                    _refuse_term(name)
                waiting.append((element, depth + 1))


def _check_iris(expanded: Any) -> None:
    waiting = [expanded]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, dict) and "@value" not in value:
            for name, element in value.items():
                if name == "@type":
                    for kind in element:
                        _check_iri(kind)
                elif name == "@id":
                    _check_iri(element)
                else:
                    if not name.startswith("@"):
                        _check_iri(name)
                    waiting.append(element)


def _check_iri(iri: Any) -> None:
    if not isinstance(iri, str) or not _IRI.fullmatch(iri):
        raise NotCanonical(f"not an absolute, clean IRI: {iri!r}")
    if iri.startswith(_VOCABULARY["@vocab"]):
        _refuse_term(iri.removeprefix(_VOCABULARY["@vocab"]))
    if iri.startswith(_NOWHERE):
        raise NotCanonical(f"a relative IRI: {iri.removeprefix(_NOWHERE)!r}")


def _refuse_term(name: str) -> NoReturn:
    raise NotCanonical(f"no context defines {name!r}")
