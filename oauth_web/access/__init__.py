"""Who may enter: the sign-in with Google, sessions, owners, and the rules that hold for every request.

Start reading at ``guard.py``. Nobody but a signed-in owner sees the list or changes anything.
"""
