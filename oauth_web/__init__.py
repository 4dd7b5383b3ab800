"""The page: sign-in with Google, the accounts, the block list.

Promise: only a signed-in owner sees the list or changes anything; untrusted text of mails is always escaped. Start
reading at ``application.py``, where ``create_app`` makes the Flask application for the engine in ``worker``;
``guard.py`` decides who has access, ``sign_in.py`` signs in.

This file imports nothing: every command imports it, and most commands need no page.
"""
