"""The commands, as a person or a script calls them."""

import io
import json
import os
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest
from sellers import EMAIL, EXPECTED, SAMPLES, Seller, sample

from worker.block_list.formats import exports, imports
from worker.cli.block_list import IMPORTS
from worker.cli.filters import EXPORTS
from worker.cli.program import commands, run
from worker.database import open_database
from worker.problems import Cause, MailboxProblem

ALIAS = "k4q8z1x7c3v9b2n@marketplace.amazon.it"
ORDER = "406-1234508-7654301"
NOTICE = "opt_out/it_specimen_shape.eml"


@dataclass
class Said:
    code: int
    out: str
    err: str


Call = Callable[..., Said]


@pytest.fixture
def buyerblock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Call:
    monkeypatch.setenv("BUYERBLOCK_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("BUYERBLOCK_SECRET_KEY", "k" * 32)
    open_database(tmp_path).close()

    def call(*arguments: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["buyerblock", *arguments])
        code = run(commands)
        said = capfd.readouterr()
        return Said(code, said.out, said.err)

    return call


def test_check_tells_by_its_exit_code(buyerblock: Call) -> None:
    assert buyerblock("check", ALIAS).code == 0
    buyerblock("block", ALIAS)
    assert buyerblock("check", ALIAS).code == 1
    assert buyerblock("check", ORDER, ALIAS).code == 1
    assert buyerblock("check", "nobody").code == 2


def test_check_as_json_answers_in_the_order_asked(buyerblock: Call) -> None:
    buyerblock("block", ORDER)
    results = json.loads(buyerblock("check", "--json", ALIAS, ORDER).out)["results"]
    assert [(it["key"], it["blocked"], it["reason"]) for it in results] == [
        (ALIAS, False, None),
        (ORDER, True, "manual"),
    ]


def test_a_wrong_key_gets_one_sentence_on_standard_error(buyerblock: Call) -> None:
    said = buyerblock("check", "someone@example.com")
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "someone@example.com" in said.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("check",), "Missing argument"),
        (("check", "--nope", ALIAS), "No such option"),
        (("nope",), "No such command"),
        (("chekc",), "Did you mean 'check'? See “"),
        (("import", "nowhere.csv"), "nowhere.csv"),
        (("token", "create", "x", "--scope", "admin"), "admin"),
    ],
)
def test_a_wrong_command_line_gets_one_sentence_that_names_the_help(
    buyerblock: Call, arguments: tuple[str, ...], sentence: str
) -> None:
    said = buyerblock(*arguments)
    assert (said.code, said.out, said.err.count("\n")) == (2, "", 1)
    assert sentence in said.err
    assert "--help”" in said.err


def test_a_list_that_cannot_be_read_gets_a_sentence(buyerblock: Call) -> None:
    if not Path("/proc/self/mem").exists():
        pytest.skip("no file here that opens and cannot be read")
    said = buyerblock("import", "/proc/self/mem")
    assert said.code == 2
    assert said.err.startswith("buyerblock: Cannot read /proc/self/mem: ")


def test_block_takes_the_good_keys_and_names_the_bad_one(buyerblock: Call) -> None:
    said = buyerblock("block", ALIAS, "nonsense")
    assert said.code == 2
    assert ALIAS in said.out
    assert "nonsense" in said.err
    assert buyerblock("check", ALIAS).code == 1


def test_unblock_with_a_mistyped_key_unblocks_nobody(buyerblock: Call) -> None:
    buyerblock("block", ALIAS)
    assert buyerblock("unblock", ALIAS, "nonsense").code == 2
    assert buyerblock("check", ALIAS).code == 1
    assert buyerblock("unblock", ALIAS).code == 0
    assert buyerblock("check", ALIAS).code == 0


def test_the_json_export_has_the_promised_shape(buyerblock: Call) -> None:
    buyerblock("block", ALIAS, "--note", "asked by phone")
    export = json.loads(buyerblock("export").out)
    assert export["format"] == "buyerblock/1"
    assert export["count"] == 1
    (block,) = export["blocks"]
    assert list(block) == [
        "address",
        "orders",
        "marketplace",
        "reason",
        "accounts",
        "first_seen",
        "last_seen",
        "notices",
        "note",
    ]
    assert (block["address"], block["reason"], block["note"]) == (ALIAS, "manual", "asked by phone")
    assert block["first_seen"].endswith("Z")


def test_an_export_to_a_file_is_the_same(buyerblock: Call, tmp_path: Path) -> None:
    buyerblock("block", ALIAS)
    assert buyerblock("export", "--format", "txt", "--output", str(tmp_path / "list.txt")).out == ""
    assert (tmp_path / "list.txt").read_text(encoding="utf-8") == buyerblock("export", "--format", "txt").out


@pytest.mark.skipif(sys.platform == "win32", reason="links and pipes are made otherwise there")
@pytest.mark.parametrize("target", ["link", "pipe"])
def test_an_export_replaces_neither_a_link_nor_a_pipe(buyerblock: Call, tmp_path: Path, target: str) -> None:
    """Run by root, ``--output /dev/stdout`` replaced the device by a file."""
    buyerblock("block", ALIAS)
    path, file = tmp_path / "output", tmp_path / "file"
    if target == "link":
        path.symlink_to(file)
    else:
        os.mkfifo(path)
    kind = stat.S_IFMT(path.lstat().st_mode)
    reader = Thread(target=lambda: file.write_bytes(path.read_bytes()))
    if target == "pipe":
        reader.start()

    assert buyerblock("export", "--format", "txt", "--output", str(path)).code == 0
    if target == "pipe":
        reader.join(10)
    assert file.read_text(encoding="utf-8") == f"{ALIAS}\n"
    assert stat.S_IFMT(path.lstat().st_mode) == kind


def test_an_export_to_a_dash_goes_to_standard_output(
    buyerblock: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert buyerblock("export", "--output", "-").out.startswith('{"format"')
    assert not (tmp_path / "-").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("--format", "xml"),
        ("--since", "yesterday"),
        ("--since", "9999-12-31T23:59:59.5Z"),
        ("--since", "0001-01-01T00:00:00+14:00"),
    ],
)
def test_an_export_that_cannot_be_made_gets_a_sentence(buyerblock: Call, arguments: tuple[str, str]) -> None:
    said = buyerblock("export", *arguments)
    assert (said.code, said.out) == (2, "")
    assert arguments[1] in said.err


def test_scan_judges_files_as_the_table_says(buyerblock: Call) -> None:
    lines = [json.loads(line) for line in buyerblock("scan", "--json", str(SAMPLES)).out.splitlines()]
    unread = {Path(line["source"]).name for line in lines if line["verdict"] == "not_read"}
    assert unread == {"not_mail.eml", "expected.json", "forward_layouts.txt"}
    lines = [line for line in lines if Path(line["source"]).name not in unread]
    assert len(lines) == len(EXPECTED) - 1
    for line in lines:
        name = Path(line["source"]).relative_to(SAMPLES).as_posix()
        if "trusted" not in EXPECTED[name]:
            assert line["verdict"] == EXPECTED[name]["verdict"], name
        assert set(line) == {"source", "verdict", "reason", "address", "order_id", "marketplace", "language"}
        assert (line["reason"] is None) == (line["verdict"] == "opt_out")


def test_scan_accepts_forwards_from_whom_one_names(buyerblock: Call) -> None:
    path = str(SAMPLES / "opt_out" / "forward_gmail_it.eml")
    assert json.loads(buyerblock("scan", "--json", path).out)["verdict"] == "suspect"
    assert (
        json.loads(buyerblock("scan", "--json", "--trust", "Seller@gmail.com", path).out)["verdict"]
        == "opt_out"
    )


def test_scan_believes_the_redirectors_whom_one_names(buyerblock: Call) -> None:
    path = str(SAMPLES / "suspect" / "redirected_by_group.eml")
    assert (
        "redirected by sellers@company.example"
        in json.loads(buyerblock("scan", "--json", path).out)["reason"]
    )
    said = buyerblock("scan", "--json", "--trust-redirector", "Sellers@company.example", path)
    assert json.loads(said.out)["verdict"] == "opt_out"


def test_scan_blocks_when_asked_to_and_only_then(buyerblock: Call) -> None:
    path, buyer = str(SAMPLES / NOTICE), EXPECTED[NOTICE]["address"]
    assert buyerblock("scan", path).code == 0
    assert buyerblock("check", buyer).code == 0
    assert "1 opt-outs" in buyerblock("scan", "--block", path).out
    assert buyerblock("check", buyer).code == 1


def test_scan_of_a_path_that_is_not_there_gets_a_sentence(buyerblock: Call) -> None:
    said = buyerblock("scan", "nowhere.mbox")
    assert said.code == 2
    assert "nowhere.mbox" in said.err


@pytest.mark.skipif(sys.platform == "win32", reason="there no name of a file holds control characters")
def test_control_characters_of_a_stranger_do_not_reach_the_terminal(buyerblock: Call, tmp_path: Path) -> None:
    path = tmp_path / "evil\x1b[2J.eml"
    path.write_bytes(sample(NOTICE))
    assert "\x1b" not in buyerblock("scan", str(path)).out


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names of files are always text")
def test_scan_tells_of_a_file_whose_name_is_no_utf_8(buyerblock: Call, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.eml")
    path.write_bytes(sample(NOTICE))
    assert json.loads(buyerblock("scan", "--json", "--block", str(path)).out)["source"].endswith("caf?.eml")
    assert buyerblock("check", EXPECTED[NOTICE]["address"]).code == 1


def test_scan_names_files_in_letters_that_the_terminal_does_not_have(
    buyerblock: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "通知.eml"
    path.write_bytes(sample(NOTICE))
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="cp1252"))
    assert buyerblock("scan", str(path)).code == 0


def test_nor_do_those_of_a_file_that_cannot_be_read(buyerblock: Call) -> None:
    said = buyerblock("scan", "bell\x07\x9b31m.eml")
    assert said.code == 2
    assert said.err.rstrip("\n").isprintable()


def test_a_damaged_database_is_refused_and_never_overwritten(buyerblock: Call, tmp_path: Path) -> None:
    buyerblock("block", ALIAS)
    path = tmp_path / "buyerblock.db"
    path.write_bytes(b"\0" * 8192)
    said = buyerblock("check", ALIAS)
    assert (said.code, said.out, said.err.count("\n")) == (2, "", 1)
    assert "buyerblock restore --latest" in said.err
    assert path.read_bytes() == b"\0" * 8192


@pytest.mark.parametrize("name", ["accounts.json", "blocks.json"])
def test_the_files_of_version_0_1_are_refused_untouched(
    buyerblock: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    folder = tmp_path / "former"
    folder.mkdir()
    (folder / name).write_text("{}")
    monkeypatch.setenv("BUYERBLOCK_DATA_DIR", str(folder))
    for command in ("check", "block"):
        said = buyerblock(command, ALIAS)
        assert said.code == 2
        assert "buyerblock import blocks.json" in said.err
    assert [it.name for it in folder.iterdir()] == [name]


def test_status_as_json_has_the_promised_shape(buyerblock: Call, seller: Seller) -> None:
    seller.receive(NOTICE)
    seller.run_pass()
    seller.accounts.update(EMAIL, last_good_pass=datetime.now(UTC))
    status = json.loads(buyerblock("status", "--json").out)
    assert status["blocks"] == 1
    (account,) = status["accounts"]
    assert set(account) == {"email", "state", "problem", "last_pass", "next_pass", "queued"}
    assert (account["email"], account["state"], account["queued"]) == (EMAIL, "ok", 0)
    assert account["last_pass"].endswith("Z")


def test_accounts_shows_the_address_for_notices(buyerblock: Call, seller: Seller) -> None:
    assert seller.account.personal_address in buyerblock("accounts").out


@pytest.fixture
def at_google(seller: Seller, monkeypatch: pytest.MonkeyPatch) -> Seller:
    monkeypatch.setenv("BUYERBLOCK_GMAIL_URL", seller.google.url)
    monkeypatch.setenv("BUYERBLOCK_REVOKE_URL", seller.google.revoke_url)
    return seller


def test_sync_runs_a_pass_now(buyerblock: Call, at_google: Seller) -> None:
    at_google.receive(NOTICE)
    said = buyerblock("sync")
    assert said.code == 0
    assert "1 opt-outs" in said.out
    assert at_google.blocked() == {EXPECTED[NOTICE]["address"]}


def test_sync_without_an_account_says_what_to_do(buyerblock: Call) -> None:
    said = buyerblock("sync")
    assert said.code == 2
    assert "sign in" in said.err


def test_a_dry_run_names_what_would_be_done_and_does_nothing(buyerblock: Call, at_google: Seller) -> None:
    notice = at_google.receive(NOTICE)
    said = buyerblock("sync", "--dry-run")
    assert f"would block {EXPECTED[NOTICE]['address']}" in said.out
    assert "would create the label “Amazon opt-outs”" in said.out
    assert at_google.labels(notice) == {"INBOX", "UNREAD"}
    assert at_google.google.labels(EMAIL) == set()
    assert at_google.blocked() == set()


def test_sync_existing_judges_old_mail_again(buyerblock: Call, at_google: Seller) -> None:
    at_google.receive(NOTICE)
    assert "1 opt-outs" in buyerblock("sync").out
    assert "0 judged" in buyerblock("sync").out
    assert "1 opt-outs" in buyerblock("sync", "--existing").out


def test_disconnect_gives_the_permission_back_and_keeps_the_blocks(
    buyerblock: Call, at_google: Seller
) -> None:
    at_google.receive(NOTICE)
    at_google.run_pass()
    assert buyerblock("disconnect", EMAIL).code == 0
    assert at_google.accounts.all() == []
    assert len(at_google.block_list) == 1
    at_google.accounts.connect(EMAIL, at_google.grant, now=at_google.clock.now())
    assert "sign in again" in buyerblock("sync").err


def test_disconnect_with_undo_leaves_no_label_and_no_filter(buyerblock: Call, at_google: Seller) -> None:
    own = at_google.google.user(EMAIL).create_filter(
        {"from": "boss@example.com"}, {"addLabelIds": ["STARRED"]}
    )
    at_google.google.user(EMAIL).create_label("Amazon")
    at_google.receive(NOTICE)
    at_google.run_pass()
    assert buyerblock("disconnect", EMAIL, "--undo").code == 0
    assert at_google.google.labels(EMAIL) == {"Amazon"}
    assert [it["id"] for it in at_google.google.user(EMAIL).filters()] == [own]


def test_an_unknown_account_gets_a_sentence(buyerblock: Call) -> None:
    assert "not a connected account" in buyerblock("disconnect", "nobody@gmail.com").err


def test_disconnect_puts_the_notices_of_the_last_days_back_into_the_inbox(
    buyerblock: Call, at_google: Seller
) -> None:
    at_google.run_pass()
    now = datetime.now(UTC)
    old, new = (
        at_google.google.deliver(EMAIL, sample(name), received_at=now - timedelta(days=days))
        for name, days in ((NOTICE, 40), ("opt_out/en_com.eml", 3))
    )
    at_google.run_pass()
    assert buyerblock("disconnect", EMAIL, "--undo", "--days-back", "30").code == 0
    assert at_google.labels(old) == {"UNREAD"}
    assert at_google.labels(new) == {"UNREAD", "INBOX"}


def test_the_audit_trail_tells_who_changed_what(buyerblock: Call) -> None:
    buyerblock("block", ALIAS)
    buyerblock("unblock", ALIAS)
    lines = [json.loads(line) for line in buyerblock("audit").out.splitlines()]
    assert [line["what"] for line in lines] == ["block", "unblock"]
    assert all(line["by"] == "command line" and ALIAS in json.dumps(line) for line in lines)


def test_an_import_adds_all_keys_and_can_be_undone(buyerblock: Call, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(f"order-id;note\n{ORDER};x\n406-1111111-1111111;y\n", encoding="utf-8-sig")
    assert "2 new" in buyerblock("import", str(path), "--dry-run").out
    assert buyerblock("check", ORDER).code == 0
    said = buyerblock("import", str(path))
    assert "added 2" in said.out
    assert buyerblock("check", ORDER).code == 1
    import_id = said.out.rsplit(" ", 1)[1].rstrip(")\n")
    assert "removed 2" in buyerblock("undo-import", import_id).out
    assert buyerblock("check", ORDER).code == 0


def test_an_import_takes_the_good_lines_and_names_the_bad_one(buyerblock: Call, tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text(f"{ORDER}\nnonsense\n{ALIAS}\n", encoding="utf-8")
    said = buyerblock("import", str(path), "--dry-run")
    assert (said.code, buyerblock("check", ORDER).code) == (1, 0)
    said = buyerblock("import", str(path))
    assert said.code == 1
    assert "added 2" in said.out
    assert "line 2: " in said.err
    assert "line 1: " not in said.err
    results = json.loads(buyerblock("check", "--json", ORDER, ALIAS).out)["results"]
    assert [it["blocked"] for it in results] == [True, True]
    assert buyerblock("import", str(path)).code == 1  # everything is known by now, but for the bad line


def test_an_import_names_a_hundred_bad_lines_and_counts_the_others(buyerblock: Call, tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text(f"{ORDER}\n" + "nonsense\n" * 250, encoding="utf-8")
    said = buyerblock("import", str(path))
    assert said.code == 1
    assert said.err.count("line ") == 100
    assert "And 150 more." in said.err


def test_an_import_without_a_good_line_adds_nothing(buyerblock: Call, tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("nonsense\nmore\n", encoding="utf-8")
    said = buyerblock("import", str(path))
    assert said.code == 2
    assert "nothing was added" in said.err
    assert json.loads(buyerblock("export").out)["count"] == 0


def test_help_names_every_format(buyerblock: Call) -> None:
    assert set(EXPORTS) == set(exports.FORMATS)
    assert set(IMPORTS) == set(imports.FORMATS)
    assert "|".join(EXPORTS) in buyerblock("export", "--help").out
    assert ", ".join(IMPORTS) in " ".join(buyerblock("import", "--help").out.split())


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (("--search", "by phone"), True),
        (("--search", "by mail"), False),
        (("--marketplace", "amazon.it"), True),
        (("--marketplace", "amazon.de"), False),
        (("--reason", "manual"), True),
        (("--reason", "opted_out"), False),
        (("--account", "shop@gmail.example"), False),
        (("--since", "2999-01-01"), False),
    ],
)
def test_an_export_can_be_narrowed(buyerblock: Call, arguments: tuple[str, ...], found: bool) -> None:
    buyerblock("block", ALIAS, "--note", "by phone")
    assert (ALIAS in buyerblock("export", "--format", "txt", *arguments).out) is found


def test_csv_gets_a_byte_order_mark_when_asked_and_nothing_else_does(
    buyerblock: Call, tmp_path: Path
) -> None:
    path = tmp_path / "list.csv"
    assert buyerblock("export", "--format", "csv", "--bom", "--output", str(path)).code == 0
    assert path.read_bytes().startswith(b"\xef\xbb\xbfaddress,")
    said = buyerblock("export", "--format", "json", "--bom")
    assert (said.code, said.err.strip()) == (
        2,
        "buyerblock: Only csv can have a byte-order mark, and not json.",
    )


def test_an_export_imports_back_without_loss(
    buyerblock: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    buyerblock("block", ALIAS, ORDER, "--note", "asked, by phone")
    first = buyerblock("export").out
    path = tmp_path / "export.json"
    path.write_text(first, encoding="utf-8")
    monkeypatch.setenv("BUYERBLOCK_DATA_DIR", str(tmp_path / "elsewhere"))
    assert buyerblock("import", str(path)).code == 0
    assert json.loads(buyerblock("export").out)["blocks"] == json.loads(first)["blocks"]


def test_status_tells_monitors_by_its_exit_code_that_somebody_is_needed(
    buyerblock: Call, seller: Seller
) -> None:
    seller.accounts.update(EMAIL, last_good_pass=datetime.now(UTC))
    assert buyerblock("status").code == 0
    seller.accounts.update(EMAIL, state="sign_in_again", problem=MailboxProblem(Cause.SIGN_IN_NOT_ACCEPTED))
    said = buyerblock("status")
    assert said.code == 1
    assert "please sign in again." in said.out


def test_status_as_json_says_why_it_exits_with_1(buyerblock: Call, seller: Seller) -> None:
    seller.receive("suspect/redirected_by_group.eml")
    seller.run_pass()
    ended = MailboxProblem(Cause.SIGN_IN_NOT_ACCEPTED)
    seller.accounts.update(EMAIL, state="sign_in_again", problem=ended)
    said = buyerblock("status", "--json")
    status = json.loads(said.out)
    assert (said.code, status["review"]) == (1, 1)
    assert status["problems"] == [
        {"kind": "sign_in_again", "account": EMAIL, "sentence": str(ended), "stopping": True}
    ]
    assert f"{EMAIL}: {ended}" in buyerblock("status").out


def test_status_calls_an_account_whose_passes_stopped_no_longer_ok(buyerblock: Call, seller: Seller) -> None:
    seller.accounts.update(EMAIL, last_good_pass=datetime.now(UTC) - timedelta(hours=1))
    (account,) = json.loads(buyerblock("status", "--json").out)["accounts"]
    assert account["state"] == "problem"
    assert account["problem"].startswith("The last good pass began on")
    assert buyerblock("status").out.count("The last good pass") == 1


def test_status_and_lists_that_are_empty_say_what_comes_next(buyerblock: Call) -> None:
    assert "sign in with Google" in buyerblock("status").out
    assert "buyerblock token create" in buyerblock("token", "list").err


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", ALIAS),
        ("export",),
        ("audit",),
        ("unblock", ALIAS),
        ("undo-import", "1"),
        ("status",),
        ("accounts",),
        ("sync",),
        ("disconnect", EMAIL),
        ("token", "list"),
        ("webhook", "show"),
        ("backup", "saved"),
    ],
)
def test_a_folder_that_is_not_there_is_no_empty_list(
    buyerblock: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setenv("BUYERBLOCK_DATA_DIR", str(tmp_path / "mistyped"))
    said = buyerblock(*arguments)
    assert said.code == 2
    assert "mistyped" in said.err
    assert not (tmp_path / "mistyped").exists()


def test_nor_is_a_folder_without_a_database(
    buyerblock: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "another").mkdir()
    monkeypatch.setenv("BUYERBLOCK_DATA_DIR", str(tmp_path / "another"))
    said = buyerblock("check", ALIAS)
    assert (said.code, said.out) == (2, "")
    assert "There is no block list in" in said.err
    assert list((tmp_path / "another").iterdir()) == []


def test_days_back_without_undo_is_refused_before_anything_is_done(
    buyerblock: Call, at_google: Seller
) -> None:
    assert buyerblock("disconnect", EMAIL, "--days-back", "3").code == 2
    assert at_google.account.email == EMAIL


@pytest.mark.parametrize("group", [(), ("token",), ("webhook",), ("service",), ("gate",), ("publish",)])
def test_the_list_of_commands_cuts_no_sentence_on_a_narrow_terminal(
    buyerblock: Call, monkeypatch: pytest.MonkeyPatch, group: tuple[str, ...]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert "..." not in buyerblock(*group, "--help").out.partition("Commands:")[2]
