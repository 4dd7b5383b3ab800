"""The owners: people who may use the page, each with one or more Google accounts and a role."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from worker.database import Database


class Role(StrEnum):
    """``full`` may change everything; ``read`` sees all pages and changes nothing."""

    FULL = "full"
    READ = "read"


@dataclass(frozen=True, slots=True)
class Owner:
    """A Google account that may enter. person: the address of the same person's first account.

    invited_by: the address of the inviter, None if it is unknown; "" after the account accepted the invitation. On a
    host an account must accept before it enters.
    """

    email: str
    role: Role
    person: str
    invited_by: str | None


class Owners:
    """The owners, by lower-case address. A document without a role is a full owner."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._documents = database.documents("owners")
        # A damaged record is still an owner.
        self._documents.expect(dict, instead=lambda _: {})

    def emails(self) -> frozenset[str]:
        """Return the addresses of all owners; empty before the first sign-in."""
        return frozenset(str(document.doc_id) for document in self._documents.walk())

    def by_person(self) -> list[Owner]:
        """Return all owners, sorted by person; a person's first account comes first."""
        found = [_owner(str(it.doc_id), it) for it in self._documents.walk()]
        return sorted(found, key=lambda it: (it.person, it.email != it.person, it.email))

    def get(self, email: str) -> Owner | None:
        document = self._documents.find(email)
        return None if document is None else _owner(email, document)

    def change_email(self, email: str, former_emails: Iterable[str]) -> None:
        """Replace a former address of an owner by the new one, if the owner is listed by a former address."""
        with self._database.together():
            if former := self._documents.find_many(former_emails):
                self._documents.put({email: next(iter(former.values()))})
                self._documents.delete(former)
                same_person = [it for it in self.by_person() if it.person in former]
                self._put(*(replace(it, person=email) for it in same_person))

    def claim(self, email: str) -> bool:
        """Make this account the first owner if there is none; return whether it is an owner now."""
        with self._database.together():
            if not len(self._documents):
                self._put(Owner(email, Role.FULL, email, invited_by=""))
        return email in self.emails()

    def add(self, email: str, role: Role, *, by: str | None = None) -> bool:
        """Add an owner; return False if the account is one already. by: the address of the inviter."""
        with self._database.together():
            new = self.get(email) is None
            if new:
                self._put(Owner(email, role, email, invited_by=by))
        return new

    def accept_invitation(self, email: str) -> None:
        """Record that an account has entered, so it accepts its invitation."""
        with self._database.together():
            if (known := self.get(email)) is not None and known.invited_by != "":
                self._put(replace(known, invited_by=""))

    def add_account(self, email: str, *, of: str) -> None:
        """Add another account of an owner. of: an account of the same person."""
        with self._database.together():
            if (known := self.get(of)) is not None and self.get(email) is None:
                self._put(Owner(email, known.role, known.person, invited_by=""))

    def remove(self, email: str) -> frozenset[str]:
        """Remove an account, and with a person's first account all others of the person; return the removed ones.

        Removes nothing, and returns nothing, if no full owner would be left.
        """
        with self._database.together():
            owners = self.by_person()
            removed = frozenset(it.email for it in owners if email in {it.email, it.person})
            if not any(it.role is Role.FULL for it in owners if it.email not in removed):
                return frozenset()
            self._documents.delete(removed)
        return removed

    def _put(self, *owners: Owner) -> None:
        self._documents.put(
            {
                it.email: {"role": it.role.value, "person": it.person, "invited_by": it.invited_by}
                for it in owners
            }
        )


def _owner(email: str, document: Mapping[str, Any]) -> Owner:
    # An unknown role, for example of a newer version, only allows reading.
    role = Role.FULL if document.get("role", Role.FULL) == Role.FULL else Role.READ
    person, by = document.get("person"), document.get("invited_by")
    return Owner(
        email, role, person if isinstance(person, str) else email, by if isinstance(by, str) else None
    )
