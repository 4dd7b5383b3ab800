"""The ``buyerblock`` program: all commands of the engine, ``serve`` and ``demo``."""

import signal
import sys
from dataclasses import replace

import click

from oauth_web.__main__ import leave
from worker.cli.host import host, logging_settings
from worker.cli.program import commands, run
from worker.settings import current_settings


def run_commands() -> int:
    """Run the command line and return its exit code."""
    return run(commands)


@commands.command()
@click.option("--host", help="Address to listen on; 127.0.0.1 unless BUYERBLOCK_HOST says otherwise.")
@click.option(
    "--port", type=click.IntRange(1, 65535), help="Port; 8000 unless BUYERBLOCK_PORT says otherwise."
)
@click.option(
    "--open/--no-open", "open_page", default=None, help="Open the page in a browser; on a terminal it does."
)
@click.option("--insecure-http", is_flag=True, help="Listen beyond this machine although there is no https.")
@click.option(
    "--log-file", is_flag=True, help="Log to buyerblock.log in the data folder, not to the terminal."
)
@click.option("--verbose", is_flag=True, help="Log more.")
def serve(
    host: str | None,
    port: int | None,
    open_page: bool | None,
    insecure_http: bool,
    log_file: bool,
    verbose: bool,
) -> None:
    """Run the page and the worker until Ctrl-C."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # Until the server handles it: Python can lose an exception that Ctrl-C raises during an import.
        signal.signal(signal.SIGINT, leave)
    given = current_settings()  # fails before the imports below
    from oauth_web.server import serve_forever

    # An IPv6 address may be in brackets, as in a URL.
    chosen = replace(given, host=(host or given.host).strip("[]"), port=port or given.port)
    on_terminal = sys.stdout.isatty()
    wanted = on_terminal if open_page is None else open_page
    serve_forever(chosen, open_page=wanted, insecure_http=insecure_http, log_file=log_file, verbose=verbose)


@host.command("serve")
@click.option(
    "--host", "address", help="Address to listen on; 127.0.0.1 unless BUYERBLOCK_HOST says otherwise."
)
@click.option(
    "--port", type=click.IntRange(1, 65535), help="Port; 8000 unless BUYERBLOCK_PORT says otherwise."
)
@click.option("--insecure-http", is_flag=True, help="Listen beyond this machine although there is no https.")
@click.option(
    "--print",
    "only_print",
    is_flag=True,
    help="Only show a systemd unit that runs this, on the port in its name.",
)
def serve_many(address: str | None, port: int | None, insecure_http: bool, only_print: bool) -> None:
    """Run the page and the API until Ctrl-C.

    As many may run as you like, on any machine.
    """
    if only_print:
        from worker.host.units import web_unit

        options = [*(("--host", address) if address else ()), "--port", str(port or "%i")]
        click.echo(web_unit(current_settings().client_secrets, *options), nl=False)
        return
    from oauth_web.host import serve_host

    given = logging_settings()
    chosen = replace(given, host=(address or given.host).strip("[]"), port=port or given.port)
    serve_host(chosen, insecure_http=insecure_http)


@commands.command()
@click.option(
    "--once", is_flag=True, help="Sign in, judge old and new mail, print the block list as JSON, end."
)
@click.option("--host", "many", is_flag=True, help="With two sellers on a host; needs PostgreSQL's programs.")
def demo(once: bool, many: bool) -> int:
    """Try everything with invented mail, without Google."""
    from oauth_web.demo import demonstration, many_sellers

    shown = many_sellers if many else demonstration
    return demonstration.run_demo(shown.once if once else shown.watch)
