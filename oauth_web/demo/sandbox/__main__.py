"""``python -m oauth_web.demo.sandbox``: run the sandbox by itself, until Ctrl-C."""

import argparse
import json
import threading
from pathlib import Path

from oauth_web.demo.sandbox import Sandbox

_LOOK_EVERY = 0.5  # seconds between two looks for new mail in the folder


def main() -> None:
    parser = argparse.ArgumentParser(prog="sandbox", description="A stand-in for Google on this computer.")
    parser.add_argument("--port", type=int, default=8099, help="port on 127.0.0.1; 0 picks a free one")
    parser.add_argument("--user", action="append", metavar="EMAIL", help="an account; may be repeated")
    parser.add_argument(
        "--mail", type=Path, metavar="DIR", help=".eml files to deliver, also those that come later"
    )
    parser.add_argument("--client-file", type=Path, default=Path("sandbox-client.json"), metavar="FILE")
    parser.add_argument("--latency", type=float, default=0.0, metavar="SECONDS")
    asked = parser.parse_args()
    if asked.mail is not None and not asked.mail.is_dir():
        parser.error(f"{asked.mail} is not a folder.")
    try:
        sandbox = Sandbox(port=asked.port, latency=asked.latency)
    except OSError as error:
        parser.error(f"Port {asked.port} cannot be used ({error.strerror}); name another with --port.")
    users = asked.user or ["seller@gmail.com"]
    with sandbox:
        for email in users:
            sandbox.add_user(email)
        asked.client_file.write_text(json.dumps(sandbox.client_secrets(), indent=2) + "\n", encoding="utf-8")
        print(f"Sandbox at {sandbox.url} for {', '.join(users)}")
        print(f"OAuth client file: {asked.client_file.resolve()}", flush=True)
        _deliver_until_stopped(sandbox, users[0], asked.mail)


def _deliver_until_stopped(sandbox: Sandbox, email: str, folder: Path | None) -> None:
    already: set[Path] = set()
    try:
        while True:
            if folder is not None and (count := sandbox.deliver_folder(email, folder, already=already)):
                print(f"Delivered {count} mails to {email}", flush=True)
            threading.Event().wait(_LOOK_EVERY)
    except KeyboardInterrupt:
        print("Stopped.")


if __name__ == "__main__":
    main()
