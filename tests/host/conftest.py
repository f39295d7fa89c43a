"""The tests beside the built-in badges app need Credly: the world of the Credly tests."""

from tests.credly.conftest import credly, organization, template

__all__ = ["credly", "organization", "template"]
