"""The tables in PostgreSQL: how they are made and brought up to date, and how a seller gets a place in them.

``migrations`` has the names of all that was done, ours and Procrastinate's. Every key begins with the seller's number.
"""

import secrets
from collections.abc import Iterator, Sequence
from importlib import resources
from typing import Any, cast

import psycopg
from psycopg.abc import QueryNoTemplate

from worker.database.postgres_pool import LOCKS, connected, translated
from worker.database.schema import NUMBERS, TABLES, VERSION, columns, there
from worker.errors import StorageError

_OURS = "buyerblock"
_MIGRATIONS = (
    "CREATE TABLE IF NOT EXISTS migrations (name text PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())"
)
_TEXT = 'text COLLATE "C"'  # sorted as SQLite and Python sort

_FIRST = f"""
CREATE TABLE tenants (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner {_TEXT} NOT NULL UNIQUE,
    lineage text NOT NULL,
    newest bigint NOT NULL DEFAULT 0,
    made_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE events (
    tenant_id integer NOT NULL, sequence bigint NOT NULL, at text NOT NULL, by text NOT NULL, what text NOT NULL,
    entries text NOT NULL, PRIMARY KEY (tenant_id, sequence)
);
-- What fields without a column are sorted by: numbers, then texts.
CREATE TYPE sortable AS (number numeric, text {_TEXT});
CREATE FUNCTION sortable(value json) RETURNS sortable LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE json_typeof(value)
        WHEN 'null' THEN NULL
        WHEN 'number' THEN ROW((value #>> '{{}}')::numeric, NULL)::sortable
        WHEN 'boolean' THEN ROW((value #>> '{{}}')::boolean::integer, NULL)::sortable
        ELSE ROW(NULL, value #>> '{{}}')::sortable
    END
$$;
-- Every question is about one seller among many: what PostgreSQL assumes of slow disks would have it read all of them.
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET random_page_cost = 1.1', current_database()); END $$;
"""

# Of ``worker/host/``. Rows of looks are changed all the time, so room is left beside them, and dead ones go soon.
_HOST = f"""
CREATE TABLE looks (
    account {_TEXT} PRIMARY KEY, tenant integer NOT NULL, every integer NOT NULL DEFAULT 60, next_look timestamptz,
    good_at timestamptz, rules_at timestamptz, label text, unexplained integer NOT NULL DEFAULT 0,
    token text, token_until timestamptz
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX looks_next_look ON looks (next_look);
CREATE INDEX looks_tenant ON looks (tenant);
CREATE INDEX owners_key ON owners (key);
CREATE INDEX tokens_key ON tokens (key);
-- Counts of requests are worth no log: after a crash they start at zero.
CREATE UNLOGGED TABLE limits (caller text PRIMARY KEY, empty_at timestamptz NOT NULL) WITH (fillfactor = 70);
ALTER TABLE tenants ADD COLUMN tend_at timestamptz NOT NULL DEFAULT now();
CREATE TABLE tallies (
    what {_TEXT}, which {_TEXT}, number bigint NOT NULL, PRIMARY KEY (what, which)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02);
"""


def migrate(url: str) -> list[str]:
    """Make the tables, or bring them up to date; return the names of what was done. Safe to repeat, and to interrupt.

    Raises StorageError.
    """
    with connected(url) as connection, connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s, 0)", (LOCKS,))
        _refuse_other_texts(connection)
        connection.execute(_MIGRATIONS)
        missing = list(_missing(_done(connection)))
        for name, sql in missing:
            if sql:
                connection.execute(_query(sql))
            connection.execute("INSERT INTO migrations (name) VALUES (%s)", (name,))
    return [name for name, _ in missing]


def check_migrations(connection: psycopg.Connection[Any]) -> None:
    """Raise StorageError where the tables are not those of this version."""
    try:
        done = _done(connection)
    except psycopg.errors.UndefinedTable:
        done = set()
    except psycopg.Error as error:
        raise translated(error) from error
    if any(name.startswith(f"{_OURS} ") and name not in _ours() for name in done):
        raise StorageError(
            "The PostgreSQL database was made by a newer version of buyerblock; use that version."
        )
    if list(_missing(done)):
        raise StorageError(
            "The PostgreSQL database lacks tables of this version; run once: buyerblock host migrate"
        )


def add_tenant(connection: psycopg.Connection[Any], owner: str) -> int:
    """Give a seller a place, by the address of the owner; return the number of the tenant, the same at every call."""
    sql = (
        "INSERT INTO tenants (owner, lineage) VALUES (%s, %s) "
        "ON CONFLICT (owner) DO UPDATE SET owner = excluded.owner RETURNING id"
    )
    rows = connection.execute(sql, (owner, secrets.token_hex(8))).fetchall()
    return int(rows[0][0])


def remove_tenant(connection: psycopg.Connection[Any], tenant: int) -> None:
    """Delete all that is kept of a seller."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", (LOCKS, tenant))
        for table in (*TABLES, "events"):
            connection.execute(_query(f'DELETE FROM "{table}" WHERE tenant_id = %s'), (tenant,))  # noqa: S608 - tables are ours
        connection.execute("DELETE FROM looks WHERE tenant = %s", (tenant,))
        connection.execute("DELETE FROM tenants WHERE id = %s", (tenant,))


def number_columns(table: str) -> Sequence[str]:
    """Return the columns of a table that hold numbers."""
    return NUMBERS.get(table, ())


def _refuse_other_texts(connection: psycopg.Connection[Any]) -> None:
    if connection.info.parameter_status("server_encoding") != "UTF8":
        raise StorageError(
            "The PostgreSQL database does not keep texts as UTF-8; make another one: "
            "createdb --encoding UTF8 --template template0 buyerblock"
        )


def _done(connection: psycopg.Connection[Any]) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM migrations")}


def _missing(done: set[str]) -> Iterator[tuple[str, str]]:
    """Yield the names of migrations that are to be done, in order, and their SQL, "" where others contain it.

    Empty databases get the tables as they are now; a later version adds steps for those that were made before.
    """
    for name, sql in _ours().items():
        if name not in done:
            yield name, sql
    theirs = _of_procrastinate()
    if done.isdisjoint(theirs):
        yield "procrastinate", _procrastinate("schema.sql")
        yield from ((name, "") for name in theirs)
    else:
        yield from ((name, _procrastinate(f"migrations/{name}")) for name in theirs if name not in done)


def _ours() -> dict[str, str]:
    return {
        f"{_OURS} {VERSION}": _FIRST + "".join(_table(table) for table in TABLES),
        f"{_OURS} host 1": _HOST,
    }


def _of_procrastinate() -> list[str]:
    folder = resources.files("procrastinate.sql") / "migrations"
    return sorted(it.name for it in folder.iterdir() if it.name.endswith(".sql"))


def _procrastinate(name: str) -> str:
    return (resources.files("procrastinate.sql") / name).read_text(encoding="utf-8")


def _table(table: str) -> str:
    """Return the SQL that makes a table and its indexes, with columns as in SQLite."""
    generated = "".join(_column(table, name) for name in columns(table))
    stored = f"tenant_id integer NOT NULL, key {_TEXT} NOT NULL, document json NOT NULL{generated}"
    made = [f'CREATE TABLE "{table}" ({stored}, PRIMARY KEY (tenant_id, key))']
    for fields in TABLES[table]:
        names = ", ".join(f'"{it}"' + (" NULLS FIRST" if it != "key" else "") for it in _with_key(fields))
        index = f'CREATE INDEX "{table}_{"_".join(fields)}" ON "{table}" (tenant_id, {names})'
        made.append(index + there(fields[0]))
    return "".join(f"{it};\n" for it in made)


def _column(table: str, name: str) -> str:
    kind, is_number = _TEXT, name in number_columns(table)
    value = f"document ->> '{name}'"
    if is_number:
        kind, typed = "double precision", f"json_typeof(document -> '{name}')"
        value = f"CASE {typed} WHEN 'number' THEN ({value})::float8 WHEN 'boolean' THEN ({value})::boolean::integer END"
    return f', "{name}" {kind} GENERATED ALWAYS AS ({value}) STORED'


def _with_key(fields: Sequence[str]) -> list[str]:
    return list(dict.fromkeys((*fields, "key")))


def _query(sql: str) -> QueryNoTemplate:
    return cast(QueryNoTemplate, sql.encode())
