"""Measure speed, memory and quota: ``python3 scripts/bench.py [NAME ...]``; the names are those of BENCHMARKS."""

import sys

from environment import ROOT, ensure, run_command

BENCHMARKS = (
    "notices",
    "block_list",
    "http",
    "pages",
    "commands",
    "passes",
    "gate",
    "host",
    "host_blocks",
    "host_mailboxes",
)

if __name__ == "__main__":
    chosen = sys.argv[1:] or list(BENCHMARKS)
    if unknown := set(chosen) - set(BENCHMARKS):
        sys.exit(f"There is no benchmark {', '.join(sorted(unknown))}; choose from {', '.join(BENCHMARKS)}.")
    python = ensure("dev")
    folder = ROOT / "scripts"
    codes = [run_command(python, "-m", f"benchmarks.{name}", folder=folder) for name in chosen]
    sys.exit(max(codes))
