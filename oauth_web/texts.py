"""Every sentence of the page, by name, so that it can be said in another language."""

from oauth_web.english import ENGLISH


def text(name: str, /, **values: object) -> str:
    """Return a sentence with its values filled in. It is plain text: templates escape it as a whole."""
    sentence = ENGLISH[name]
    return sentence.format(**values) if values else sentence
