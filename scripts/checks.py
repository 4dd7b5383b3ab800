"""Run every check with the Python that has the development packages; ``test.py`` starts this."""

import sys

from environment import ROOT, run_command

CHECKS = (
    ("packages", ["pip", "check"]),
    ("lint", ["ruff", "check", "."]),
    ("format", ["ruff", "format", "--check", "."]),
    ("types", ["mypy"]),
    # Many tests wait for other processes: on two cores two more workers have something to do meanwhile. Who has run all
    # of its tests takes over some of another's, whose neighbours share what was made for their module.
    ("tests", ["pytest", "--numprocesses", "4", "--dist", "worksteal"]),
)


def main(arguments: list[str]) -> int:
    """Run all checks, even after a failure; return 0 if all pass."""
    failed = []
    for name, command in CHECKS:
        print(f"== {name}: {' '.join(command)}", flush=True)
        extra = arguments if name == "tests" else []
        if run_command(sys.executable, "-m", *command, *extra, folder=ROOT) != 0:
            failed.append(name)
    print(f"failed: {', '.join(failed)}" if failed else "all checks passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
