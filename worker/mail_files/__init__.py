"""Read and judge mail files without Gmail: .eml, .msg, folders, Maildir, mbox, .zip and .gz.

Promise: every file that is not read is reported with the reason. Start reading at ``reading.py``.
"""
