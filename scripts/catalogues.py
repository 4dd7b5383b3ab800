"""Bring the catalogues of the page's languages up to date: ``python3 scripts/catalogues.py``.

Adds new sentences untranslated, removes old ones, and keeps all other translations. ``--missing`` only prints the
number of missing translations of each language.
"""

import ast
import io
import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from environment import ROOT, ensure, replace_process

# The languages of the page, and their plural rules for gettext.
PLURALS = {
    "de": "nplurals=2; plural=(n != 1);",
    "it": "nplurals=2; plural=(n != 1);",
    "fr": "nplurals=2; plural=(n > 1);",
    "es": "nplurals=2; plural=(n != 1);",
    "ja": "nplurals=1; plural=0;",
}
HEADER = """\
# buyerblock's page in another language: {language}.
#
# Translated by machine, and not yet proofread by native speakers.
# Made by scripts/catalogues.py; fill in msgstr only. What stands in braces stays as it is.
msgid ""
msgstr ""
"Language: {language}\\n"
"Plural-Forms: {plurals}\\n"
"Content-Type: text/plain; charset=utf-8\\n"

"""

# Files whose sentences the page never shows; they are only in English.
_ENGLISH_ONLY = re.compile(
    r"oauth_web/(demo/|api/|cli|server)|worker/(cli/|settings|operation/(service|logs|events)|mail_files/)"
)
# Functions, besides errors, whose first argument is a part of a sentence.
_SENTENCE_FUNCTIONS = {"Sentence", "at_work", "storage_error"}
_FIELD = re.compile(r"\{[^{}]*\}")

MsgId = str | tuple[str, str]


@cache
def sentences() -> dict[MsgId, list[str]]:
    """Return all sentences of the page, singular and plural as a pair, each with its keys or files."""
    found: dict[MsgId, list[str]] = {}
    for msgid, place in (*_page_sentences(), *_enum_sentences(), *_code_sentences()):
        if any(letter.isalpha() for letter in _FIELD.sub("", "".join(msgid))):
            found.setdefault(msgid, []).append(place)
    return {msgid: sorted(set(places)) for msgid, places in found.items()}


def _page_sentences() -> Iterator[tuple[MsgId, str]]:
    from oauth_web.texts.english import ENGLISH  # noqa: PLC0415 - its packages are not installed at the start

    for name, sentence in ENGLISH.items():
        if is_pair(f"{name}_one", name, ENGLISH):
            yield (ENGLISH[f"{name}_one"], sentence), name
        elif not is_pair(name, name.removesuffix("_one"), ENGLISH):
            yield sentence, name


def is_pair(one: str, many: str, table: dict[str, str]) -> bool:
    """Return whether two keys are singular and plural of one sentence: they have the same fields except the count."""
    if one == many or one not in table or many not in table:
        return False
    return set(_FIELD.findall(table[one])) ^ set(_FIELD.findall(table[many])) <= {"{count}"}


def _enum_sentences() -> Iterator[tuple[MsgId, str]]:
    from worker.notices.doubts import Doubt  # noqa: PLC0415 - as above
    from worker.problems import Cause  # noqa: PLC0415

    members: tuple[Cause | Doubt, ...] = (*Cause, *Doubt)
    for member in members:
        yield member.value, f"{type(member).__name__}.{member.name}"


def _code_sentences() -> Iterator[tuple[MsgId, str]]:
    for path in sorted([*ROOT.glob("worker/**/*.py"), *ROOT.glob("oauth_web/**/*.py")]):
        place = path.relative_to(ROOT).as_posix()
        if not _ENGLISH_ONLY.match(place):
            for call in sentence_calls(ast.parse(path.read_text(encoding="utf-8"))):
                match call.args:
                    case [ast.Constant(value=str(sentence)), *_]:
                        yield sentence, place


def sentence_calls(tree: ast.AST) -> Iterator[ast.Call]:
    """Yield the calls whose first argument is the sentence of an error or a Sentence."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if name in _SENTENCE_FUNCTIONS or name in _error_names():
                yield node


@cache
def _error_names() -> frozenset[str]:
    import oauth_web.application  # noqa: F401, PLC0415 - it imports all errors that the page can show
    from worker.errors import BuyerblockError  # noqa: PLC0415 - as above

    def with_subclasses(kind: type[BuyerblockError]) -> Iterable[str]:
        return (kind.__name__, *(name for it in kind.__subclasses__() for name in with_subclasses(it)))

    return frozenset(with_subclasses(BuyerblockError))


def path_of(language: str) -> Path:
    return ROOT / "oauth_web" / "locale" / language / "LC_MESSAGES" / "messages.po"


def updated_catalogue(language: str) -> str:
    """Return the content of a catalogue with the current sentences and the known translations."""
    from babel.messages import Catalog, pofile  # noqa: PLC0415 - as above

    path, known = path_of(language), sentences()
    former = pofile.read_po(io.BytesIO(path.read_bytes() if path.exists() else b""))
    catalog = Catalog(language)
    catalog.mime_headers = [("Plural-Forms", PLURALS[language])]
    for msgid, places in known.items():
        message = former.get(msgid)
        translation = message.string if message is not None and message.id == msgid else None
        catalog.add(msgid, translation, auto_comments=places)
    written = io.BytesIO()
    pofile.write_po(written, catalog, width=110, omit_header=True)
    return HEADER.format(language=language, plurals=PLURALS[language]) + written.getvalue().decode()


def untranslated(language: str) -> list[str]:
    """Return the sentences without a translation, or without one of its plural forms."""
    from babel.messages import pofile  # noqa: PLC0415 - as above

    path = path_of(language)
    catalog = pofile.read_po(io.BytesIO(path.read_bytes() if path.exists() else b""))
    missing = []
    for msgid in sentences():
        found = catalog.get(msgid)
        forms = () if found is None or found.id != msgid else found.string
        if not forms or not all([forms] if isinstance(forms, str) else forms):
            missing.append("".join(msgid[:1]) if isinstance(msgid, tuple) else msgid)
    return missing


def main(arguments: list[str]) -> int:
    for language in PLURALS:
        if arguments != ["--missing"]:
            path_of(language).parent.mkdir(parents=True, exist_ok=True)
            path_of(language).write_text(updated_catalogue(language), encoding="utf-8")
        print(f"{language}: {len(untranslated(language))} of {len(sentences())} are not translated")
    return 0


if __name__ == "__main__":
    python = ensure("dev")
    if sys.executable == python:
        sys.path.insert(0, str(ROOT))
        sys.exit(main(sys.argv[1:]))
    sys.exit(replace_process(python, __file__, *sys.argv[1:]))
