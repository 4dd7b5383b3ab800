"""Output of commands as JSON, for programs."""

from typing import Any

import click


def print_json(value: Any) -> None:
    """Print a value as one line. Times are written as RFC 3339, in UTC and whole seconds."""
    import orjson

    # Bytes, because JSON is UTF-8 whatever the encoding of the terminal is.
    click.echo(orjson.dumps(value, option=orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS))
