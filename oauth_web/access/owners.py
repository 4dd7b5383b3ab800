"""Whose page this is: the people who may enter, each by one or several Google accounts, and how far they may go."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from worker.database import Database


class Role(StrEnum):
    """How far somebody may go: ``full`` is an owner, ``read`` sees all pages and changes nothing."""

    FULL = "full"
    READ = "read"


@dataclass(frozen=True, slots=True)
class Owner:
    """A Google account that may enter. person: the first account of the one whose it is, often the same.

    invited_by: who let it in, while it has not entered yet, None if that is not known; "" once it has. On a host
    somebody is asked before they enter among people who let them in.
    """

    email: str
    role: Role
    person: str
    invited_by: str | None


class Owners:
    """The owners, by their addresses in lower case. A document without a role is that of a full owner."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._documents = database.documents("owners")
        # Whoever is listed is an owner, whatever else the record says.
        self._documents.expect(dict, instead=lambda _: {})

    def all(self) -> frozenset[str]:
        """Return the addresses of all who may enter; none before the first sign-in."""
        return frozenset(str(document.doc_id) for document in self._documents.walk())

    def everybody(self) -> list[Owner]:
        """Return all who may enter: by person, each one's first account first."""
        found = [_owner(str(it.doc_id), it) for it in self._documents.walk()]
        return sorted(found, key=lambda it: (it.person, it.email != it.person, it.email))

    def get(self, email: str) -> Owner | None:
        """Return who this is; None if they may not enter."""
        document = self._documents.find(email)
        return None if document is None else _owner(email, document)

    def follow(self, email: str, formerly: Iterable[str]) -> None:
        """Let an account whose address has changed own the page under the new one, if it did under a former one."""
        with self._database.together():
            if former := self._documents.find_many(formerly):
                self._documents.put({email: next(iter(former.values()))})
                self._documents.delete(former)
                theirs = [it for it in self.everybody() if it.person in former]
                self._put(*(replace(it, person=email) for it in theirs))

    def claim(self, email: str) -> bool:
        """Make this account the owner if there is none; return whether it is one who may enter now."""
        with self._database.together():
            if not len(self._documents):
                self._put(Owner(email, Role.FULL, email, invited_by=""))
        return email in self.all()

    def add(self, email: str, role: Role, *, by: str | None = None) -> bool:
        """Let somebody in from now on; False if the account may enter already. by: who does it."""
        with self._database.together():
            new = self.get(email) is None
            if new:
                self._put(Owner(email, role, email, invited_by=by))
        return new

    def entered(self, email: str) -> None:
        """Remember that an account has entered, so it wants to be here."""
        with self._database.together():
            if (known := self.get(email)) is not None and known.invited_by != "":
                self._put(replace(known, invited_by=""))

    def add_account(self, email: str, *, of: str) -> None:
        """Let a person who may enter do so by another account. of: one that they have."""
        with self._database.together():
            if (known := self.get(of)) is not None and self.get(email) is None:
                self._put(Owner(email, known.role, known.person, invited_by=""))

    def remove(self, email: str) -> frozenset[str]:
        """Let an account in no longer, with all others of a person whose first one it is; return which these were.

        None are removed, and none returned, if nobody would be left who may change anything.
        """
        with self._database.together():
            everybody = self.everybody()
            gone = frozenset(it.email for it in everybody if email in {it.email, it.person})
            if not any(it.role is Role.FULL for it in everybody if it.email not in gone):
                return frozenset()
            self._documents.delete(gone)
        return gone

    def _put(self, *owners: Owner) -> None:
        self._documents.put(
            {
                it.email: {"role": it.role.value, "person": it.person, "invited_by": it.invited_by}
                for it in owners
            }
        )


def _owner(email: str, document: Mapping[str, Any]) -> Owner:
    # A role that is not known, as of a newer version, is no reason to let somebody change things.
    role = Role.FULL if document.get("role", Role.FULL) == Role.FULL else Role.READ
    person, by = document.get("person"), document.get("invited_by")
    return Owner(
        email, role, person if isinstance(person, str) else email, by if isinstance(by, str) else None
    )
