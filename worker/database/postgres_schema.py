"""The tables in PostgreSQL: create and migrate them, add and remove sellers.

The table ``migrations`` has the names of the migrations that were run, ours and Procrastinate's. Every primary key
starts with the tenant's number.
"""

import secrets
from collections.abc import Iterator, Sequence
from importlib import resources
from typing import Any, cast

import psycopg
from psycopg.abc import QueryNoTemplate

from worker.database.postgres_pool import LOCKS, connected, translate_error
from worker.database.schema import NUMBERS, TABLES, VERSION, columns, partial_index_clause
from worker.errors import StorageError

_OURS = "buyerblock"
_MIGRATIONS = (
    "CREATE TABLE IF NOT EXISTS migrations (name text PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())"
)
_TEXT = 'text COLLATE "C"'  # the sort order of SQLite and Python

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
-- The sort key of fields without a column: numbers before texts.
CREATE TYPE sortable AS (number numeric, text {_TEXT});
CREATE FUNCTION sortable(value json) RETURNS sortable LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE json_typeof(value)
        WHEN 'null' THEN NULL
        WHEN 'number' THEN ROW((value #>> '{{}}')::numeric, NULL)::sortable
        WHEN 'boolean' THEN ROW((value #>> '{{}}')::boolean::integer, NULL)::sortable
        ELSE ROW(NULL, value #>> '{{}}')::sortable
    END
$$;
-- Every query is about one seller of many. With the default for slow disks PostgreSQL would scan whole tables.
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET random_page_cost = 1.1', current_database()); END $$;
"""

# Tables of ``worker/host/``. Rows of looks change often, so pages have free space, and vacuum runs early.
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
-- Without a write-ahead log: after a crash the request counts start at zero.
CREATE UNLOGGED TABLE limits (caller text PRIMARY KEY, empty_at timestamptz NOT NULL) WITH (fillfactor = 70);
ALTER TABLE tenants ADD COLUMN tend_at timestamptz NOT NULL DEFAULT now();
CREATE TABLE tallies (
    what {_TEXT}, which {_TEXT}, number bigint NOT NULL, PRIMARY KEY (what, which)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02);
"""


def migrate(url: str) -> list[str]:
    """Create or migrate the tables in one transaction; return the names of the migrations that ran.

    Raises StorageError.
    """
    with connected(url) as connection, connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s, 0)", (LOCKS,))
        _require_utf8(connection)
        connection.execute(_MIGRATIONS)
        missing = list(_missing(_done(connection)))
        for name, sql in missing:
            if sql:
                connection.execute(_query(sql))
            connection.execute("INSERT INTO migrations (name) VALUES (%s)", (name,))
    return [name for name, _ in missing]


def check_migrations(connection: psycopg.Connection[Any]) -> None:
    """Raise StorageError unless the tables are those of this version."""
    try:
        done = _done(connection)
    except psycopg.errors.UndefinedTable:
        done = set()
    except psycopg.Error as error:
        raise translate_error(error) from error
    if any(name.startswith(f"{_OURS} ") and name not in _ours() for name in done):
        raise StorageError(
            "The PostgreSQL database was made by a newer version of buyerblock; use that version."
        )
    if list(_missing(done)):
        raise StorageError(
            "The PostgreSQL database lacks tables of this version; run once: buyerblock host migrate"
        )


def add_tenant(connection: psycopg.Connection[Any], owner: str) -> int:
    """Add a tenant by the owner's address; return its number. Idempotent."""
    sql = (
        "INSERT INTO tenants (owner, lineage) VALUES (%s, %s) "
        "ON CONFLICT (owner) DO UPDATE SET owner = excluded.owner RETURNING id"
    )
    rows = connection.execute(sql, (owner, secrets.token_hex(8))).fetchall()
    return int(rows[0][0])


def remove_tenant(connection: psycopg.Connection[Any], tenant: int) -> None:
    """Delete all data of a tenant."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", (LOCKS, tenant))
        for table in (*TABLES, "events"):
            connection.execute(_query(f'DELETE FROM "{table}" WHERE tenant_id = %s'), (tenant,))  # noqa: S608 - tables are ours
        connection.execute("DELETE FROM looks WHERE tenant = %s", (tenant,))
        connection.execute("DELETE FROM tenants WHERE id = %s", (tenant,))


def number_columns(table: str) -> Sequence[str]:
    return NUMBERS.get(table, ())


def _require_utf8(connection: psycopg.Connection[Any]) -> None:
    if connection.info.parameter_status("server_encoding") != "UTF8":
        raise StorageError(
            "The PostgreSQL database does not keep texts as UTF-8; make another one: "
            "createdb --encoding UTF8 --template template0 buyerblock"
        )


def _done(connection: psycopg.Connection[Any]) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM migrations")}


def _missing(done: set[str]) -> Iterator[tuple[str, str]]:
    """Yield name and SQL of each migration to run, in order; the SQL is "" if another one contains it.

    An empty database gets the current tables directly. A later version adds steps for existing databases.
    """
    for name, sql in _ours().items():
        if name not in done:
            yield name, sql
    theirs = _procrastinate_names()
    if done.isdisjoint(theirs):
        yield "procrastinate", _procrastinate_sql("schema.sql")
        yield from ((name, "") for name in theirs)
    else:
        yield from ((name, _procrastinate_sql(f"migrations/{name}")) for name in theirs if name not in done)


def _ours() -> dict[str, str]:
    return {
        f"{_OURS} {VERSION}": _FIRST + "".join(_table(table) for table in TABLES),
        f"{_OURS} host 1": _HOST,
    }


def _procrastinate_names() -> list[str]:
    folder = resources.files("procrastinate.sql") / "migrations"
    return sorted(it.name for it in folder.iterdir() if it.name.endswith(".sql"))


def _procrastinate_sql(name: str) -> str:
    return (resources.files("procrastinate.sql") / name).read_text(encoding="utf-8")


def _table(table: str) -> str:
    """Return the SQL that creates a table and its indexes, with the same columns as in SQLite."""
    generated = "".join(_column(table, name) for name in columns(table))
    stored = f"tenant_id integer NOT NULL, key {_TEXT} NOT NULL, document json NOT NULL{generated}"
    statements = [f'CREATE TABLE "{table}" ({stored}, PRIMARY KEY (tenant_id, key))']
    for fields in TABLES[table]:
        with_key = dict.fromkeys((*fields, "key"))
        names = ", ".join(f'"{it}"' + (" NULLS FIRST" if it != "key" else "") for it in with_key)
        index = f'CREATE INDEX "{table}_{"_".join(fields)}" ON "{table}" (tenant_id, {names})'
        statements.append(index + partial_index_clause(fields[0]))
    return "".join(f"{it};\n" for it in statements)


def _column(table: str, name: str) -> str:
    kind, is_number = _TEXT, name in number_columns(table)
    value = f"document ->> '{name}'"
    if is_number:
        kind, typed = "double precision", f"json_typeof(document -> '{name}')"
        value = f"CASE {typed} WHEN 'number' THEN ({value})::float8 WHEN 'boolean' THEN ({value})::boolean::integer END"
    return f', "{name}" {kind} GENERATED ALWAYS AS ({value}) STORED'


def _query(sql: str) -> QueryNoTemplate:
    return cast(QueryNoTemplate, sql.encode())
