"""Import a seller from a backup of a single-seller program, and export one into such a backup."""

import tempfile
from contextlib import closing
from pathlib import Path

from cryptography.fernet import Fernet

from worker.database import DATABASE, open_copy
from worker.database.postgres import Postgres
from worker.errors import UsageError
from worker.files import write_atomically
from worker.host.operation import reseal_database
from worker.host.tenants import Tenants
from worker.operation import backup_file
from worker.operation.backup import KEY, backup
from worker.operation.unpacking import unpack
from worker.sealing import Sealer


def import_seller(
    tenants: Tenants, owner: str, source: Path, passphrase: str | None
) -> tuple[int, tuple[str, ...]]:
    """Create a seller from a backup; return the number of blocks, and the accounts, whose passes start now.

    If the backup contains its key, the accounts need no new sign-in. Raises UsageError if the owner or a mailbox exists
    on this host already, and the errors of reading a backup; then nothing is stored.
    """
    if tenants.of_owner(owner) is not None:
        raise UsageError("{owner} is a seller here already; remove them first.", owner=owner)
    opened = backup_file.read(source, passphrase=passphrase)
    with tempfile.TemporaryDirectory() as name:
        files = Path(name)
        blocks, accounts = unpack(source, opened, files)
        if (key := files / KEY).exists():
            _reseal(files, *_keys(tenants), key.read_text("ascii").strip())
        tenant = tenants.add(owner)
        try:
            _import_database(tenants, tenant, files / DATABASE, accounts)
        except BaseException:
            tenants.remove(tenant)
            raise
    return blocks, accounts


def _import_database(tenants: Tenants, tenant: int, path: Path, accounts: tuple[str, ...]) -> None:
    for email in accounts:
        tenants.claim_mailbox(email, tenant)
    Postgres(tenants.pool, tenant).take_over(path)
    app, owner = tenants.app(tenant), tenants.all()[tenant]
    owners = app.database.documents("owners")
    # All other owners must accept first: a backup may name anybody.
    invited = {str(it.doc_id): {**it, "invited_by": owner} for it in owners.walk()}
    owners.put(invited | {owner: {"role": "full", "person": owner, "invited_by": ""}})
    for account in app.accounts.all():
        if not account.waits_for_sign_in:
            app.jobs.add(account.email)


def export_seller(tenants: Tenants, tenant: int, target: Path, passphrase: str | None) -> None:
    """Write a seller's backup, encrypted with a new key. With a passphrase the backup contains the key.

    Raises UsageError for a passphrase too short, StorageError.
    """
    with tempfile.TemporaryDirectory() as name:
        files, key = Path(name), Fernet.generate_key()
        Postgres(tenants.pool, tenant).backup(files / DATABASE)
        _reseal(files, key.decode(), *_keys(tenants))
        write_atomically(files / KEY, key)
        backup(files, target, passphrase, now=tenants.clock.now())


def _reseal(files: Path, *keys: str) -> None:
    with closing(open_copy(files / DATABASE)) as copy:
        reseal_database(copy, Sealer(*keys))


def _keys(tenants: Tenants) -> list[str]:
    return (tenants.settings.secret_key or "").split()
