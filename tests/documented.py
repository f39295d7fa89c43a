"""The commands that README and documentation show, one by one, wherever they stand in the text."""

from __future__ import annotations

import re
import shlex
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import takewhile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHELLS = {"console", "bash", "shell", "sh"}

# What begins a literal block: a directive with its language, or a paragraph that ends in two colons.
_DIRECTIVE = re.compile(r"^ *\.\. code-block:: *(?P<language>\w*)$")
_PARAGRAPH = re.compile(r"^(?! *\.\. ).*::$")
# The first line of a block after two colons that is no command: a file in YAML, an address.
_NO_COMMAND = re.compile(r"^(?:[\w.-]+:(?: |$)|\w+://)")
_OPTION = re.compile(r" *:\w+:")
_INLINE = re.compile(r"``([^`]+)``")
_FENCE = re.compile(r"^ *```(?P<language>\w+)\n(?P<text>.*?)^ *```$", re.MULTILINE | re.DOTALL)
_SUBSTITUTION = re.compile(r"\$\(([^()]*)\)")
_SEPARATORS = {"|", "||", "&&", ";", "&", "(", ")"}
_REDIRECTIONS = {">", ">>", "<", "2>"}
# What the text writes in place of a value.
_PLACEHOLDERS = {
    "UUID": "00000000-0000-0000-0000-000000000000",
    "TIME": "2026-01-31T12:00:00Z",
    "DAYS": "90",
    "N": "1",
    "NUMBER": "1",
    "SECONDS": "1",
}


@dataclass(frozen=True)
class Shown:
    """A command as a reader would type it, without its environment and redirections."""

    page: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.page}: {shlex.join(self.words)}"


def pages() -> list[Path]:
    """Return every text for people: the files at the door and the documentation, without what a build left behind."""
    door = [path for ending in ("rst", "md") for path in ROOT.glob(f"*.{ending}")]
    built = ROOT / "docs" / "_build"
    return sorted([*door, *(path for path in (ROOT / "docs").rglob("*.rst") if built not in path.parents)])


@cache
def commands() -> tuple[Shown, ...]:
    """Return each command of each block of shell lines, in the order of the text."""
    shown = []
    for path in pages():
        name = path.relative_to(ROOT).as_posix()
        text = path.read_text(encoding="utf-8")
        blocks = _fenced(text) if path.suffix == ".md" else _blocks(text.splitlines())
        shown += [Shown(name, words) for block in blocks for line in _typed(block) for words in split(line)]
    return tuple(shown)


@cache
def inline_commands(programs: frozenset[str]) -> tuple[Shown, ...]:
    """Return commands with arguments in running text that begin with one of these programs.

    Those with an ellipsis are left out. What stands for a value (``UUID``) is replaced by one.
    """
    shown = []
    for path in pages():
        name = path.relative_to(ROOT).as_posix()
        for literal in _INLINE.findall(path.read_text(encoding="utf-8")):
            line = " ".join(literal.split())
            if line.partition(" ")[0] in programs and " " in line and "…" not in line and "..." not in line:
                shown += [Shown(name, tuple(_PLACEHOLDERS.get(word, word) for word in words)) for words in split(line)]
    return tuple(shown)


def split(line: str) -> Iterator[tuple[str, ...]]:
    """Yield the words of each program that a shell would start for the line."""
    for inner in _SUBSTITUTION.findall(line):
        yield from split(inner)
    line = _SUBSTITUTION.sub("0123456789abcdef" * 3, line)
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    tokens = [*lexer, ";"]
    for before, token in zip(["", *tokens], tokens, strict=False):
        if token in _SEPARATORS:
            while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
                words.pop(0)
            if words:
                yield tuple(words)
            words = []
        elif token not in _REDIRECTIONS and before not in _REDIRECTIONS:
            words.append(token)


def _blocks(lines: list[str]) -> Iterator[list[str]]:
    """Yield the lines of each block that a reader would type, or would see with a prompt before what to type."""
    for number, line in enumerate(lines):
        directive = _DIRECTIVE.match(line)
        if (directive and directive["language"] in SHELLS) or _PARAGRAPH.match(line):
            block = _indented(lines[number + 1 :])
            if block and not _NO_COMMAND.match(block[0]):
                yield block


def _indented(lines: list[str]) -> list[str]:
    """Return the lines up to one with less indent than the first, without their indent."""
    rest = iter("\n".join(lines).lstrip("\n").splitlines())
    first = next(rest, "")
    indent = len(first) - len(first.lstrip())
    block = [first, *takewhile(lambda line: not line.strip() or not line[:indent].strip(), rest)]
    return [line[indent:] for line in block if not _OPTION.match(line)]


def _fenced(text: str) -> Iterator[list[str]]:
    for found in _FENCE.finditer(text):
        if found["language"] in SHELLS:
            yield textwrap.dedent(found["text"]).splitlines()


def _typed(block: list[str]) -> Iterator[str]:
    """Yield the lines to type: with prompts only those behind one; a backslash joins a line to the next."""
    prompts = any(line.startswith("$ ") for line in block)
    text = "\n".join(block).replace("\\\n", " ")
    for line in text.splitlines():
        if line.startswith("$ ") or (not prompts and line.strip()):
            yield line.removeprefix("$ ")
