"""Bring the catalogues of the page's languages up to date: ``python3 scripts/catalogues.py``.

New sentences come in untranslated, those that are gone go, and all others stay as they are. ``--missing`` says how
many translations each language lacks.
"""

import ast
import io
import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from environment import ROOT, become, ensure

# The languages of the page, and how gettext numbers the forms of one and many.
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

# What the page never shows speaks English alone.
_NOT_ON_THE_PAGE = re.compile(
    r"oauth_web/(demo/|api/|cli|server)|worker/(cli/|settings|operation/(service|logs|events)|mail_files/)"
)
# Beside errors: functions that make a part of a sentence of their first argument.
_TELLERS = {"Sentence", "at_work", "storage_error"}
_FIELD = re.compile(r"\{[^{}]*\}")

MsgId = str | tuple[str, str]


@cache
def sentences() -> dict[MsgId, list[str]]:
    """Return every sentence that the page may show, with its keys or the files it is in; one and many as a pair."""
    found: dict[MsgId, list[str]] = {}
    for msgid, place in (*_of_the_page(), *_of_enums(), *_in_code()):
        if any(letter.isalpha() for letter in _FIELD.sub("", "".join(msgid))):
            found.setdefault(msgid, []).append(place)
    return {msgid: sorted(set(places)) for msgid, places in found.items()}


def _of_the_page() -> Iterator[tuple[MsgId, str]]:
    from oauth_web.texts.english import ENGLISH  # noqa: PLC0415 - of the packages that are installed first

    for name, sentence in ENGLISH.items():
        if is_pair(f"{name}_one", name, ENGLISH):
            yield (ENGLISH[f"{name}_one"], sentence), name
        elif not is_pair(name, name.removesuffix("_one"), ENGLISH):
            yield sentence, name


def is_pair(one: str, many: str, table: dict[str, str]) -> bool:
    """Return whether two names are one sentence, for one and for many: they have the same fields beside the number."""
    if one == many or one not in table or many not in table:
        return False
    return set(_FIELD.findall(table[one])) ^ set(_FIELD.findall(table[many])) <= {"{count}"}


def _of_enums() -> Iterator[tuple[MsgId, str]]:
    from worker.notices.doubts import Doubt  # noqa: PLC0415 - as above
    from worker.problems import Cause  # noqa: PLC0415

    members: tuple[Cause | Doubt, ...] = (*Cause, *Doubt)
    for member in members:
        yield member.value, f"{type(member).__name__}.{member.name}"


def _in_code() -> Iterator[tuple[MsgId, str]]:
    for path in sorted([*ROOT.glob("worker/**/*.py"), *ROOT.glob("oauth_web/**/*.py")]):
        place = path.relative_to(ROOT).as_posix()
        if not _NOT_ON_THE_PAGE.match(place):
            for call in told_in(ast.parse(path.read_text(encoding="utf-8"))):
                match call.args:
                    case [ast.Constant(value=str(sentence)), *_]:
                        yield sentence, place


def told_in(tree: ast.AST) -> Iterator[ast.Call]:
    """Yield the calls that make an error or a sentence of their first argument."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if name in _TELLERS or name in _errors():
                yield node


@cache
def _errors() -> frozenset[str]:
    import oauth_web.application  # noqa: F401, PLC0415 - it has all that the page can meet
    from worker.errors import BuyerblockError  # noqa: PLC0415 - as above

    def below(kind: type[BuyerblockError]) -> Iterable[str]:
        return (kind.__name__, *(name for it in kind.__subclasses__() for name in below(it)))

    return frozenset(below(BuyerblockError))


def path_of(language: str) -> Path:
    """Return where a language's catalogue is."""
    return ROOT / "oauth_web" / "locale" / language / "LC_MESSAGES" / "messages.po"


def updated(language: str) -> str:
    """Return a language's catalogue with the sentences of now and the translations there are."""
    from babel.messages import Catalog, pofile  # noqa: PLC0415 - as above

    path, known = path_of(language), sentences()
    before = pofile.read_po(io.BytesIO(path.read_bytes() if path.exists() else b""))
    catalog = Catalog(language)
    catalog.mime_headers = [("Plural-Forms", PLURALS[language])]
    for msgid, places in known.items():
        former = before.get(msgid)
        kept = former.string if former is not None and former.id == msgid else None
        catalog.add(msgid, kept, auto_comments=places)
    written = io.BytesIO()
    pofile.write_po(written, catalog, width=110, omit_header=True)
    return HEADER.format(language=language, plurals=PLURALS[language]) + written.getvalue().decode()


def untranslated(language: str) -> list[str]:
    """Return the sentences that a language's catalogue lacks a translation of, or a form of one."""
    from babel.messages import pofile  # noqa: PLC0415 - as above

    path = path_of(language)
    catalog = pofile.read_po(io.BytesIO(path.read_bytes() if path.exists() else b""))
    lacking = []
    for msgid in sentences():
        found = catalog.get(msgid)
        forms = () if found is None or found.id != msgid else found.string
        if not forms or not all([forms] if isinstance(forms, str) else forms):
            lacking.append("".join(msgid[:1]) if isinstance(msgid, tuple) else msgid)
    return lacking


def main(arguments: list[str]) -> int:
    """Do what was asked; return 0."""
    for language in PLURALS:
        if arguments != ["--missing"]:
            path_of(language).parent.mkdir(parents=True, exist_ok=True)
            path_of(language).write_text(updated(language), encoding="utf-8")
        print(f"{language}: {len(untranslated(language))} of {len(sentences())} are not translated")
    return 0


if __name__ == "__main__":
    wanted = ensure("dev")
    if sys.executable == wanted:
        sys.path.insert(0, str(ROOT))
        sys.exit(main(sys.argv[1:]))
    sys.exit(become(wanted, __file__, *sys.argv[1:]))
