"""Refusals of the service.

https://www.credly.com/docs/web_service_api shows no error body; clients in production read ``data.message``.
"""

from sandbox.credly.records import Json

DUPLICATE = "duplicate"
UNKNOWN_BADGE = "unknown badge"
ALREADY_REVOKED = "already revoked"


class Refused(Exception):
    """Refuse the request with ``status``. Nothing is changed."""

    def __init__(self, status: int, message: str, errors: dict[str, str] | None = None, *, kind: str = "") -> None:
        super().__init__(message)
        #: A word for the journal where the reason is counted; never sent.
        self.kind = kind
        self.status = status
        self.message = message
        self.errors = errors or {}

    @property
    def body(self) -> Json:
        data: Json = {"message": self.message}
        if self.errors:
            data["errors"] = [{"attribute": name, "message": text} for name, text in self.errors.items()]
        return {"data": data, "metadata": {}}


def invalid(errors: dict[str, str]) -> Refused:
    """Return a 422 whose sentence names every invalid attribute."""
    sentence = ", ".join(f"{name} {text}" for name, text in errors.items())
    return Refused(422, f"Validation failed: {sentence}", errors)
