"""The page: sign-in with Google, the accounts, the block list.

Promise: nobody but a signed-in owner sees the list or changes anything, and mail content, written by strangers,
is only ever shown as text. ``create_app`` makes the Flask application over the engine of
``worker``. Start reading at ``application.py``; ``admission.py`` says who may enter, ``sign_in.py`` how.
"""

from oauth_web.application import create_app

__all__ = ["create_app"]
