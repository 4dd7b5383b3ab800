"""Answers of commands as JSON, for programs."""

from typing import Any

import click


def print_json(value: Any) -> None:
    """Print a value as one line; times become RFC 3339, in UTC and whole seconds."""
    import orjson

    # As bytes: JSON is UTF-8, whatever the terminal takes.
    click.echo(orjson.dumps(value, option=orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS))
