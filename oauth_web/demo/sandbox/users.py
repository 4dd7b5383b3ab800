"""Actions of a person in Gmail's web interface and in the Google account, for tests."""

from collections.abc import Mapping

from oauth_web.demo.sandbox.mailbox import Mailbox
from oauth_web.demo.sandbox.world import World


class User:
    """The person behind a mailbox. Labels are identified by name, like on the screen."""

    def __init__(self, world: World, email: str) -> None:
        self._world = world
        self._mailbox: Mailbox = world.mailboxes[email]

    def create_label(self, name: str) -> str:
        """Create a label and return its id."""
        with self._mailbox.lock:
            return self._mailbox.create_label({"name": name}).id

    def rename_label(self, name: str, new: str) -> None:
        self._change_label(name, {"name": new})

    def recolour_label(self, name: str, text: str, background: str) -> None:
        self._change_label(name, {"color": {"textColor": text, "backgroundColor": background}})

    def show_label(self, name: str, *, in_label_list: str, in_message_list: str) -> None:
        self._change_label(
            name, {"labelListVisibility": in_label_list, "messageListVisibility": in_message_list}
        )

    def delete_label(self, name: str) -> None:
        with self._mailbox.lock:
            self._mailbox.delete_label(self.label_id(name))

    def label_id(self, name: str) -> str:
        """Return the id of a label. Raises KeyError."""
        with self._mailbox.lock:
            found = [label.id for label in self._mailbox.labels.values() if label.name == name]
        if not found:
            raise KeyError(name)
        return found[0]

    def delete_filter(self, filter_id: str) -> None:
        with self._mailbox.lock:
            self._mailbox.delete_filter(filter_id)

    def filters(self) -> list[Mapping[str, object]]:
        """Return the filters as API resources."""
        with self._mailbox.lock:
            return [one.resource() for one in self._mailbox.filters.values()]

    def create_filter(self, criteria: Mapping[str, object], action: Mapping[str, object]) -> str:
        """Create a filter and return its id."""
        with self._mailbox.lock:
            return self._mailbox.create_filter({"criteria": criteria, "action": action}).id

    def trash(self, message_id: str) -> None:
        with self._mailbox.lock:
            self._mailbox.trash(self._mailbox.message(message_id))

    def delete_message(self, message_id: str) -> None:
        """Delete a message permanently."""
        with self._mailbox.lock:
            self._mailbox.delete(message_id)

    def mark_read(self, message_id: str) -> None:
        self.relabel(message_id, remove=["UNREAD"])

    def archive(self, message_id: str) -> None:
        self.relabel(message_id, remove=["INBOX"])

    def relabel(self, message_id: str, add: list[str] | None = None, remove: list[str] | None = None) -> None:
        """Add and remove labels of a message, by id."""
        with self._mailbox.lock:
            self._mailbox.modify(self._mailbox.message(message_id), set(add or ()), set(remove or ()))

    def set_forwarding(self, address: str, status: str = "accepted") -> None:
        """Add a forwarding address ("pending") or verify it ("accepted")."""
        with self._mailbox.lock:
            self._mailbox.forwarding[address.lower()] = status

    def forget_history(self) -> None:
        with self._mailbox.lock:
            self._mailbox.history.forget()

    def change_address(self, email: str) -> None:
        """Change the account's address, as users and administrators can; grants stay valid."""
        former, email = self._mailbox.email, email.lower()
        self._world.mailboxes[email] = self._world.mailboxes.pop(former)
        self._mailbox.email = email
        self._mailbox.send_as = (email, *self._mailbox.send_as)
        self._world.grants.change_address(former, email)

    def revoke(self) -> None:
        """Revoke the access of all apps, as on myaccount.google.com."""
        self._world.grants.revoke(self._mailbox.email)

    def expire_access_tokens(self) -> None:
        self._world.grants.expire(self._mailbox.email)

    def _change_label(self, name: str, changes: Mapping[str, object]) -> None:
        label_id = self.label_id(name)
        with self._mailbox.lock:
            old = self._mailbox.label(label_id).resource()
            self._mailbox.change_label(label_id, {**old, **changes})
