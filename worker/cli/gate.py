"""The commands for the gate."""

from typing import TYPE_CHECKING, BinaryIO

import click

from worker.cli.database import open_for_command, sealer_for_command
from worker.cli.secret_file import first_line
from worker.errors import UsageError
from worker.settings import current_settings

if TYPE_CHECKING:
    from worker.gate.settings import TLS, StoredGate

CHECK_INTERVAL = 5.0  # seconds, for changed settings


@click.group(invoke_without_command=True)
@click.pass_context
def gate(context: click.Context) -> None:
    """Run the mail server that refuses blocked buyers.

    For tools that cannot ask: they send through it, and all other mail goes on to your own outgoing server unchanged.
    """
    if context.invoked_subcommand is None:
        _run()


@gate.command()
@click.option("--upstream", required=True, metavar="HOST[:PORT]", help="Your outgoing mail server.")
@click.option(
    "--tls",
    type=click.Choice(["implicit", "starttls", "none"]),
    default="implicit",
    show_default=True,
    help="How the gate encrypts towards it: port 465, port 587, or not at all to this machine.",
)
@click.option("--user", default="", help="How the gate signs in there; the password is asked for.")
@click.option(
    "--password-file",
    type=click.File("rb"),
    help="Its first line is that password.",
)
@click.option(
    "--listen", default="127.0.0.1:2525", show_default=True, metavar="HOST:PORT", help="For your tools."
)
@click.option("--certificate", default="", metavar="FILE", help="PEM, to listen beyond this machine.")
@click.option("--key", default="", metavar="FILE", help="Its private key.")
@click.option("--serve/--no-serve", "enabled", default=True, help="Run it as part of “buyerblock serve”.")
def setup(
    upstream: str, tls: "TLS", user: str, password_file: BinaryIO | None, listen: str, **others: object
) -> None:
    """Store where mail goes and where the gate listens.

    The password of your tools is printed when it is made.
    """
    from worker.gate.settings import DEFAULT_PORTS, USER, GateSettings

    host, port = _address(upstream, DEFAULT_PORTS[tls])
    listen_host, listen_port = _address(listen, 2525)
    password = _password(password_file) if user else ""
    secret = _stored().save(
        GateSettings(
            upstream=host,
            upstream_port=port,
            upstream_tls=tls,
            upstream_user=user,
            upstream_password=password,
            host=listen_host,
            port=listen_port,
            **others,  # type: ignore[arg-type]  # as the options are declared
        )
    )
    click.echo(f"The gate sends by {host}, port {port}.", err=True)
    if secret:
        click.echo(f"Your tools sign in as {USER} with this password, which is shown only now:", err=True)
        click.echo(secret)


@gate.command()
def password() -> None:
    """Print a new password for your tools.

    It is shown this once; the former one is refused from then on.
    """
    click.echo(_stored().new_password())


@gate.command()
def test() -> None:
    """Connect and sign in to your outgoing server; nothing is sent."""
    from worker.gate.upstream import check_connection

    if problem := check_connection(_stored().existing()):
        raise UsageError(problem)
    click.echo("The outgoing server lets the gate in.")


def _run() -> None:
    import signal

    from worker.clock import SystemClock
    from worker.gate.follower import Follower
    from worker.operation.logs import set_up

    program_settings, clock, database = current_settings(), SystemClock(), open_for_command()
    set_up(as_json=program_settings.log == "json", secrets=(program_settings.secret_key,))
    follower = Follower(database, sealer_for_command(), now=clock.now, folder=program_settings.data_dir)
    settings = follower.run()
    click.echo(f"The gate is at {settings.host}, port {settings.port} (Ctrl-C stops it)", err=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        while True:
            clock.pause(CHECK_INTERVAL)
            follower.run()
    except KeyboardInterrupt:
        follower.stop()


def _address(text: str, default_port: int) -> tuple[str, int]:
    """Return host and port. An IPv6 address with a port must be in brackets."""
    from worker.parsing import whole_number

    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]") or (":" in host and not host.endswith("]")):
        return text.strip("[]"), default_port
    if (number := whole_number(port, 1, 65535)) is None:
        raise UsageError("{text!r} is no address; write it like smtp.example.com:587.", text=text)
    return host.strip("[]"), number


def _password(file: BinaryIO | None) -> str:
    if file is not None:
        return first_line(file, what="password")
    return str(click.prompt("Password of the outgoing server", hide_input=True, err=True))


def _stored() -> "StoredGate":
    from worker.gate.settings import StoredGate

    return StoredGate(open_for_command(), sealer_for_command())
