"""Judge answers and serializers by the schemas of an OpenAPI document: as much of JSON Schema as ours uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from rest_framework import serializers

Schema = Mapping[str, Any]

_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": type(None),
}
_KNOWN = {"$ref", "oneOf", "type", "format", "enum", "items", "properties", "required", "description"}
_KNOWN |= {"additionalProperties", "minimum"}
_FIELDS: dict[type[serializers.Field[Any, Any, Any, Any]], tuple[str, str]] = {
    serializers.UUIDField: ("string", "uuid"),
    serializers.URLField: ("string", "uri"),
    serializers.DateTimeField: ("string", "date-time"),
    serializers.CharField: ("string", ""),
    serializers.BooleanField: ("boolean", ""),
    serializers.IntegerField: ("integer", ""),
    serializers.FloatField: ("number", ""),
}


class Document:
    def __init__(self, content: Mapping[str, Any]) -> None:
        self.content = content

    def resolve(self, node: Schema) -> Schema:
        """Follow a reference."""
        while "$ref" in node:
            target: Any = self.content
            for step in node["$ref"].removeprefix("#/").split("/"):
                target = target[step]
            node = target
        return node

    def answer_to(self, operation: Schema, status: str = "200") -> Schema:
        response = self.resolve(operation["responses"][status])
        schema: Schema = response["content"]["application/json"]["schema"]
        return self.resolve(schema)

    def faults(self, value: Any, schema: Schema, place: str = "$") -> Iterator[str]:
        """Yield where a value is not as the schema says. A property that the schema does not know is a fault, too."""
        schema = self.resolve(schema)
        if unknown := schema.keys() - _KNOWN:
            yield f"{place}: the test does not know {sorted(unknown)}"
        if "oneOf" in schema:
            tried = [list(self.faults(value, each, place)) for each in schema["oneOf"]]
            if sum(not found for found in tried) != 1:
                yield from min(tried, key=len) or [f"{place}: fits several"]
            return
        names = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        if not any(_is_a(value, name) for name in names):
            yield f"{place}: {value!r} is no {names}"
        elif "enum" in schema and value not in schema["enum"]:
            yield f"{place}: {value!r} is none of {schema['enum']}"
        elif isinstance(value, str) and not _is_formatted(value, schema.get("format", "")):
            yield f"{place}: {value!r} is no {schema['format']}"
        elif isinstance(value, list):
            for number, each in enumerate(value):
                yield from self.faults(each, schema["items"], f"{place}[{number}]")
        elif isinstance(value, dict):
            yield from self._faults_within(value, schema, place)

    def _faults_within(self, value: Mapping[str, Any], schema: Schema, place: str) -> Iterator[str]:
        if "properties" not in schema:
            return
        yield from (f"{place}.{name} is missing" for name in schema["required"] if name not in value)
        yield from (f"{place}.{name} is not described" for name in value if name not in schema["properties"])
        for name in value.keys() & schema["properties"].keys():
            yield from self.faults(value[name], schema["properties"][name], f"{place}.{name}")

    def differences(self, field: Any, schema: Schema, place: str = "$") -> Iterator[str]:
        """Yield where a serializer, or one of its fields, is not as the schema says."""
        full, schema = schema, self.resolve(schema)
        kinds: list[str] = []
        if "oneOf" in schema:
            [schema] = [self.resolve(each) for each in full["oneOf"] if each != {"type": "null"}]
            kinds = ["null"]
        kinds += schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        if bool(field.allow_null) != ("null" in kinds):
            yield f"{place}: allow_null={field.allow_null}, described as {kinds}"
        [kind] = [each for each in kinds if each != "null"]
        if isinstance(field, serializers.ListSerializer | serializers.ListField):
            if kind != "array":
                yield f"{place}: a list, described as {kind}"
            else:
                yield from self.differences(field.child, schema["items"], f"{place}[]")
        elif isinstance(field, serializers.Serializer):
            fields, described = field.fields, schema.get("properties", {})
            if list(fields) != list(described) or list(fields) != schema.get("required"):
                yield f"{place}: {list(fields)}, described as {list(described)}"
            for name in fields.keys() & described.keys():
                yield from self.differences(fields[name], described[name], f"{place}.{name}")
        else:
            expected = next(each for field_type, each in _FIELDS.items() if isinstance(field, field_type))
            if (kind, schema.get("format", "")) != expected:
                yield f"{place}: {expected}, described as {kind} {schema.get('format', '')}"


def _is_a(value: Any, name: str) -> bool:
    return isinstance(value, _TYPES[name]) and isinstance(value, bool) == (name == "boolean")


def _is_formatted(value: str, form: str) -> bool:
    try:
        match form:
            case "uuid":
                return str(UUID(value)) == value
            case "date-time":
                return value.endswith("Z") and datetime.fromisoformat(value).tzinfo is not None
            case "uri":
                parts = urlsplit(value)
                return bool(parts.scheme and parts.netloc)
    except ValueError:
        return False
    return True
