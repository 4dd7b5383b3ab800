"""Access control: Google's consent, sessions, owners, rate limits and security headers.

``oauth_web/guard.py`` uses it for every request: only a signed-in owner sees the list or changes anything.
"""
