"""Scopes, with their descriptions on the consent page."""

_ROOT = "https://www.googleapis.com/auth/"

# Granted to every app with a sign-in; the consent page has no checkbox for them.
IDENTITY = {
    "openid": "Know who you are on Google",
    "email": "See your primary Google Account email address",
    "profile": "See your personal info, including any you have made public",
    f"{_ROOT}userinfo.email": "See your primary Google Account email address",
    f"{_ROOT}userinfo.profile": "See your personal info, including any you have made public",
}

MAIL = {
    "https://mail.google.com/": "Read, compose, send, and permanently delete all your email from Gmail",
    f"{_ROOT}gmail.modify": "Read, compose, and send emails from your Gmail account",
    f"{_ROOT}gmail.readonly": "View your email messages and settings",
    f"{_ROOT}gmail.metadata": "View your email message metadata when the add-on is running",
    f"{_ROOT}gmail.labels": "See and edit your email labels",
    f"{_ROOT}gmail.send": "Send email on your behalf",
    f"{_ROOT}gmail.compose": "Manage drafts and send emails",
    f"{_ROOT}gmail.insert": "Add emails into your Gmail mailbox",
    f"{_ROOT}gmail.settings.basic": "See, edit, create, or change your email settings and filters in Gmail",
    f"{_ROOT}gmail.settings.sharing": "Manage your sensitive mail settings, including who can manage your mail",
}

KNOWN = IDENTITY | MAIL
