"""Mail in files, read one at a time and judged without Gmail: .eml, .msg, folders, Maildir, mbox, .zip and .gz.

Promise: what is not read is named, with the reason. Start reading at ``reading.py``.
"""
