"""Whose page this is: the Google accounts that may sign in."""

from collections.abc import Iterable

from worker.database import Database


class Owners:
    """The owners, by their addresses."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._documents = database.documents("owners")
        # An owner is who stands there, whatever stands beside it.
        self._documents.expect(dict, instead=lambda _: {})

    def all(self) -> frozenset[str]:
        """Return the addresses of the owners, lower case; none before the first sign-in."""
        return frozenset(str(document.doc_id) for document in self._documents.walk())

    def follow(self, email: str, formerly: Iterable[str]) -> None:
        """Let an account whose address has changed own the page under the new one, if it did under a former one."""
        with self._database.together():
            if former := self._documents.find_many(formerly):
                self._documents.put({email: {}})
                self._documents.delete(former)

    def claim(self, email: str) -> bool:
        """Make this account the owner if there is none; return whether it is an owner now."""
        with self._database.together():
            if not len(self._documents):
                self._documents.put({email: {}})
        return email in self.all()
