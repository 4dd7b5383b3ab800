"""What decides who may enter: Google's consent, sessions, owners, limits, and what every answer forbids browsers.

``oauth_web/guard.py`` asks it at every request: nobody but a signed-in owner sees the list or changes anything.
"""
