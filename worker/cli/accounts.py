"""The commands for connected mailboxes: run a pass, list them, show their status, disconnect one."""

from typing import TYPE_CHECKING, Any

import click

from worker.cli.as_json import print_json
from worker.cli.database import require_database
from worker.errors import BuyerblockError, StoppedError, UsageError

if TYPE_CHECKING:
    from worker.app import App
    from worker.owner.accounts import Account

_NO_ACCOUNT = "No account is connected yet; run “buyerblock serve” and sign in with Google."


@click.command()
@click.option("--account", help="Only this account.")
@click.option(
    "--existing", is_flag=True, help="Apply to existing mail: search the whole mailbox for old notices."
)
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
def sync(account: str | None, existing: bool, dry_run: bool) -> int:
    """Run one pass over every connected account now."""
    from worker.cli.output import progress_bar, show_preview

    app = _app()
    chosen = [app.accounts.get(account)] if account else app.accounts.all()
    if not chosen:
        raise UsageError(_NO_ACCOUNT)
    failed = False
    for it in chosen:
        try:
            with progress_bar(it.email) as watch:
                if dry_run:
                    show_preview(it.email, app.passes.preview(it.email, watch, existing=existing))
                else:
                    click.echo(f"{it.email}: {app.passes.run(it.email, watch, existing=existing)}")
        except StoppedError:
            return 130
        except BuyerblockError as error:
            click.echo(f"{it.email}: {error}", err=True)
            failed = True
    return 2 if failed else 0


@click.command()
def accounts() -> None:
    """List the connected accounts and their addresses for notices."""
    known = _app().accounts.all()
    if not known:
        click.echo(_NO_ACCOUNT, err=True)
    for account in known:
        click.echo(f"{account.email}  {account.state}  notices and forwards to: {account.personal_address}")


@click.command()
@click.argument("account")
@click.option("--undo", is_flag=True, help="Also remove our filters and labels from the mailbox.")
@click.option(
    "--days-back",
    type=click.IntRange(0),
    default=0,
    help="With --undo: put the notices of so many days back.",
)
def disconnect(account: str, undo: bool, days_back: int) -> None:
    """Take the permission back at Google and forget the account.

    Its blocks stay. ACCOUNT is its Gmail address.
    """
    if days_back and not undo:
        raise UsageError("--days-back goes with --undo.")
    _app().disconnect(account, undo=undo, days_back=days_back)
    click.echo(f"{account} is disconnected.")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def status(as_json: bool) -> int:
    """Show accounts, passes, queue and the size of the list.

    Exit code 0: all is well, 1: something needs you.
    """
    from worker.operation.health import health

    app = _app()
    rows = [_row(app, account) for account in app.accounts.all()]
    problems = health(app, app.clock.now()).problems
    if as_json:
        shown = [
            {"kind": it.kind, "account": it.account or None, "sentence": it.sentence, "stopping": it.stopping}
            for it in problems
        ]
        counts = {"blocks": len(app.block_list), "review": len(app.review)}
        print_json(counts | {"accounts": rows, "problems": shown})
    else:
        click.echo(f"{len(app.block_list):,} buyers on the block list, {len(app.review):,} mails to review")
        for row in rows:
            when = f"{row['last_pass']:%Y-%m-%d %H:%M} UTC" if row["last_pass"] else "never"
            click.echo(f"{row['email']}  {row['state']}  last pass {when}  {row['queued']:,} queued")
            if row["problem"] and not any(it.account == row["email"] for it in problems):
                click.echo(f"  {row['problem']}")
        for problem in problems:
            click.echo(problem)
        if not rows:
            click.echo(_NO_ACCOUNT)
    return int(bool(problems) or any(row["state"] != "ok" for row in rows))


def _row(app: "App", account: "Account") -> dict[str, Any]:
    from worker.operation.health import status_of

    state, problem = status_of(app, account, app.clock.now())
    times = {"last_pass": account.last_pass, "next_pass": account.next_pass}
    return {
        "email": account.email,
        "state": state,
        "problem": str(problem or ""),
        **times,
        "queued": account.queued,
    }


def _app() -> "App":
    from worker.app import build_app

    app = build_app(require_database())
    click.get_current_context().call_on_close(app.close)
    return app
