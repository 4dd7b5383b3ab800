"""The commands, one file a group. They parse, call and print. Start reading at ``program.py``.

Each imports what it runs when it runs, so that ``--help`` and ``check`` start at once.
"""
