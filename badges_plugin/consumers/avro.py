"""Reading Avro to its end: the libraries stop where the event does, and what is behind it they do not see."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import fastavro

from badges_plugin.consumers.exceptions import Undecodable


def read_whole(content: bytes, schema: object) -> Mapping[str, Any]:
    """Return the record in ``content``, which must be all of it.

    Raises Undecodable when bytes are left over: it was written by another schema, and what was read may be anything.
    Whatever else it raises is about the content, too.
    """
    stream = io.BytesIO(content)
    record: Any = fastavro.schemaless_reader(stream, schema, None)  # type: ignore[arg-type]
    if left := len(content) - stream.tell():
        raise Undecodable(
            f"{left} bytes are left over after the event: it was written by another schema, perhaps by another release "
            "of openedx-events"
        )
    if not isinstance(record, Mapping):
        raise Undecodable("It is no record")
    return record
