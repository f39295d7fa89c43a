"""Print figures of the code beside their limits: ``make figures``.

The exit code is 1 if a figure exceeds its limit. The shipped code is the code in the distribution, without migrations.
"""

from __future__ import annotations

import ast
import io
import re
import statistics
import subprocess
import sys
import tokenize
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = ("badges_plugin", "tutor_badges")
PROVIDERS = ("badges_plugin/distribution/credly", "badges_plugin/distribution/accredible")
MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 40
MAX_PATCHES_PER_HUNDRED_TESTS = 3.0
MAX_SIMILAR_FILES = 3
SMALL_MODULE_LINES = 30
MAX_SMALL_MODULES = 19
BLOCK_LINES = 6


@dataclass(frozen=True)
class Figure:
    """A measured value; ``limit`` is empty if there is none. ``where`` lists the places that count."""

    name: str
    value: str
    limit: str = ""
    is_met: bool = True
    where: Sequence[str] = ()

    def __str__(self) -> str:
        verdict = "" if not self.limit else "ok" if self.is_met else "EXCEEDED"
        line = f"{self.name:<52} {self.value:>7}   {self.limit:<12} {verdict}".rstrip()
        return line if self.is_met else "\n".join([line, *(f"    {place}" for place in self.where)])


@dataclass(frozen=True)
class Module:
    """A Python file of the repository."""

    path: str
    text: str
    tree: ast.Module = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tree", ast.parse(self.text, self.path))

    @property
    def lines(self) -> int:
        return self.text.count("\n")

    @property
    def functions(self) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
        return [node for node in ast.walk(self.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def main() -> int:
    """Print every figure; return 1 if one exceeds its limit."""
    figures = [*measure(read_modules(ROOT)), single_importers()]
    for figure in figures:
        print(figure)
    return int(not all(figure.is_met for figure in figures))


def read_modules(root: Path) -> list[Module]:
    """Return the Python files below ``root`` that git tracks, without migrations."""
    command = ["git", "ls-files", "-z", "*.py"]
    listed = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout.split("\0")
    paths = [path for path in listed if path and "/migrations/" not in path and (root / path).exists()]
    return [Module(path, (root / path).read_text(encoding="utf-8")) for path in paths]


def measure(modules: Sequence[Module]) -> Iterator[Figure]:
    """Yield the figures of these files."""
    shipped = [module for module in modules if module.path.startswith(tuple(f"{name}/" for name in PROGRAMS))]
    tests = [module for module in modules if module.path.startswith("tests/")]
    yield from sizes(shipped)
    yield from functions(shipped)
    yield from exemptions(shipped)
    yield from tested(shipped, tests)
    yield similar_files(shipped)


def sizes(shipped: Sequence[Module]) -> Iterator[Figure]:
    """Yield the figures of file sizes; empty files do not count."""
    lines = sorted(module.lines for module in shipped if module.lines)
    yield Figure("shipped files", str(len(shipped)))
    yield Figure("lines per file: median", f"{statistics.median(lines):.0f}")
    yield Figure("lines per file: 90th percentile", str(lines[int(len(lines) * 0.9)]))
    large = [f"{module.path} ({module.lines})" for module in shipped if module.lines > MAX_FILE_LINES]
    yield Figure("lines per file: maximum", str(lines[-1]), f"at most {MAX_FILE_LINES}", not large, large)
    small = [
        f"{module.path} ({module.lines})"
        for module in shipped
        if 0 < module.lines < SMALL_MODULE_LINES and not module.path.endswith("__init__.py")
    ]
    yield _count(f"modules under {SMALL_MODULE_LINES} lines, except __init__.py", small, MAX_SMALL_MODULES)


def functions(shipped: Sequence[Module]) -> Iterator[Figure]:
    """Yield the figures of functions."""
    found = [(module.path, function) for module in shipped for function in module.functions]
    long = [f"{path}: {each.name}" for path, each in found if length(each) > MAX_FUNCTION_LINES]
    yield _count(f"functions over {MAX_FUNCTION_LINES} lines", long, 0)
    bare = [f"{path}: {each.name}" for path, each in found if not is_annotated(each)]
    share = 100 * (len(found) - len(bare)) / max(len(found), 1)
    yield Figure("fully annotated functions", f"{share:.1f} %", "100 %", not bare, bare)


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the number of lines of a function, with its docstring but without decorators."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def is_annotated(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Return whether the result and every parameter except ``self`` and ``cls`` have annotations."""
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    collecting = [one for one in (arguments.vararg, arguments.kwarg) if one]
    bare = [one for one in [*named, *collecting] if one.annotation is None and one.arg not in {"self", "cls"}]
    return function.returns is not None and not bare


def exemptions(shipped: Sequence[Module]) -> Iterator[Figure]:
    """Yield how often the code overrules its checkers."""
    text = "\n".join(module.text for module in shipped)
    for name, pattern in (("type: ignore", r"# type: ignore\b"), ("noqa", r"# noqa\b"), ("cast()", r"\bcast\(")):
        yield Figure(f"{name} in shipped code", str(len(re.findall(pattern, text))))


def tested(shipped: Sequence[Module], tests: Sequence[Module]) -> Iterator[Figure]:
    """Yield the figures of tests."""
    share = sum(module.lines for module in tests) / max(sum(module.lines for module in shipped), 1)
    yield Figure("test lines per shipped line", f"{share:.2f}")
    count = sum(function.name.startswith("test_") for module in tests for function in module.functions)
    patched = [f"{module.path} ({patches(module)})" for module in tests if patches(module)]
    per_hundred = 100 * sum(map(patches, tests)) / max(count, 1)
    limit = MAX_PATCHES_PER_HUNDRED_TESTS
    yield Figure("patches per 100 tests", f"{per_hundred:.1f}", f"at most {limit:.0f}", per_hundred <= limit, patched)


_PATCH = re.compile(r"(?:(?:unittest\.)?mock\.)?patch(?:\.object)?|monkeypatch\.setattr")


def patches(module: Module) -> int:
    """Count the calls of ``patch``, ``patch.object`` and ``monkeypatch.setattr``.

    Settings, the environment and limits that are lowered (``tests.limits``) are free: they replace no code.
    """
    calls = [ast.unparse(node.func) for node in ast.walk(module.tree) if isinstance(node, ast.Call)]
    return sum(_PATCH.fullmatch(call) is not None for call in calls)


def similar_files(shipped: Sequence[Module]) -> Figure:
    """Count the pairs of files, one of each provider, that have a block of lines of the same shape in common."""
    ours, theirs = (
        {module.path: blocks(module) for module in shipped if module.path.startswith(f"{folder}/")}
        for folder in PROVIDERS
    )
    return _count(f"pairs of provider files with {BLOCK_LINES} similar lines", pairs(ours, theirs), MAX_SIMILAR_FILES)


def pairs(ours: Mapping[str, set[str]], theirs: Mapping[str, set[str]]) -> list[str]:
    """Return the pairs of files that have a block in common."""
    return [f"{one} ~ {other}" for one, left in ours.items() for other, right in theirs.items() if left & right]


def blocks(module: Module) -> set[str]:
    """Return each run of lines with all names and literals made equal, without imports, docstrings and comments."""
    skipped = {line for node in ast.walk(module.tree) for line in _skipped_lines(node)}
    lines: dict[int, list[str]] = defaultdict(list)
    for token in tokenize.generate_tokens(io.StringIO(module.text).readline):
        if token.start[0] not in skipped and token.type not in _LAYOUT:
            lines[token.start[0]].append(_shape(token))
    # A line of brackets alone is no evidence of copying.
    shapes = [" ".join(lines[number]) for number in sorted(lines) if any(part.isalnum() for part in lines[number])]
    return {"\n".join(shapes[start : start + BLOCK_LINES]) for start in range(len(shapes) - BLOCK_LINES + 1)}


_LAYOUT = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
_KEYWORDS = re.compile(r"class|def|return|if|else|elif|for|in|not|and|or|is|with|as|raise|try|except|yield|from")


def _shape(token: tokenize.TokenInfo) -> str:
    if token.type == tokenize.NAME:
        return token.string if _KEYWORDS.fullmatch(token.string) else "name"
    return "literal" if token.type in {tokenize.STRING, tokenize.NUMBER} else token.string


def _skipped_lines(node: ast.AST) -> range:
    is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    if is_docstring or isinstance(node, ast.Import | ast.ImportFrom):
        assert isinstance(node, ast.stmt)
        return range(node.lineno, (node.end_lineno or node.lineno) + 1)
    return range(0)


def single_importers() -> Figure:
    """Count the modules that only one other module imports."""
    graph = grimp.build_graph(*PROGRAMS, cache_dir=None)
    single = [name for name in graph.modules if len(graph.find_modules_that_directly_import(name)) == 1]
    return Figure("modules with a single importer", str(len(single)))


def _count(name: str, found: Sequence[str], limit: int) -> Figure:
    return Figure(name, str(len(found)), f"at most {limit}", len(found) <= limit, found)


if __name__ == "__main__":
    sys.exit(main())
