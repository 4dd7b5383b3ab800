"""The page: sign-in with Google, the accounts, the block list.

Promise: nobody but a signed-in owner sees the list or changes anything, and mail content, written by strangers,
is only ever shown as text. Start reading at ``application.py``, where ``create_app`` makes the Flask application over
the engine of ``worker``; ``guard.py`` says who may enter, ``sign_in.py`` how.

This file imports nothing: every command of the program passes through it, and most need no page.
"""
