"""The commands, one file per group. They parse, call and print. Start reading at ``program.py``.

A command imports its modules when it runs, so that ``--help`` and ``check`` start fast.
"""
