"""Cells of a notebook: more source for a component that lives (spore.exec in
runtimes/ABI.md)."""

import __future__
import ast
import inspect
import linecache

import _spore_guest as guest
from _spore_display import bundle

_AWAIT = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
_FUTURE = __future__.annotations.compiler_flag

# What tracebacks can show of earlier cells.
_CELLS = 100
_CHARACTERS = 1 << 20

_shown = {}     # name of a cell in linecache -> length of its source, oldest first
_flags = _AWAIT


def execute(namespace, source, name):
    """Runs a cell in a namespace. Returns its error as JSON if it does not parse, a
    coroutine if it awaits, and otherwise the bundle of its value or None."""
    lines, error = guest.read_source(name, source)
    if error:
        return error
    _show(name, source, lines)
    try:
        parts = _compile(source, name, lines)
    except guest.COMPILE_ERRORS as e:
        return guest.compile_error(name, e, lines)
    if any(part.co_flags & inspect.CO_COROUTINE for part in parts):
        return _await(namespace, parts)
    value = None
    for part in parts:
        value = eval(part, namespace)
    return _conclude(namespace, value)


async def _await(namespace, parts):
    value = None
    for part in parts:
        value = eval(part, namespace)
        if part.co_flags & inspect.CO_COROUTINE:
            value = await value
    return _conclude(namespace, value)


def _conclude(namespace, value):
    if value is None:
        return None
    namespace["_"] = value
    return bundle(value)


def _compile(source, name, lines):
    """The code of all statements but a last expression, and of that."""
    global _flags
    tree = compile(source, name, "exec", _flags | ast.PyCF_ONLY_AST, dont_inherit=True)
    last = []
    if tree.body and type(tree.body[-1]) is ast.Expr and not _silent(tree.body[-1], lines):
        last = [compile(ast.Expression(tree.body.pop().value), name, "eval", _flags,
                        dont_inherit=True)]
    if not tree.body:
        return last
    code = compile(tree, name, "exec", _flags, dont_inherit=True)
    # As if the cells were one file, but that later ones see it only.
    _flags |= code.co_flags & _FUTURE
    return [code] + last


def _silent(statement, lines):
    """A semicolon behind the last expression hides its value, as in IPython."""
    end = statement.end_lineno - 1
    rest = lines[end].encode()[statement.end_col_offset:].decode()
    for line in (rest, *lines[end + 1:]):
        if line := line.strip(" \t\f\n\\"):
            return line.startswith(";")
    return False


def _show(name, source, lines):
    """Gives linecache the source, and takes the oldest from it."""
    _shown.pop(name, None)
    _shown[name] = len(source)
    linecache.cache[name] = (len(source), None, lines, name)
    while len(_shown) > 1 and (len(_shown) > _CELLS or sum(_shown.values()) > _CHARACTERS):
        oldest = next(iter(_shown))
        del _shown[oldest]
        linecache.cache.pop(oldest, None)


def forget():
    """Takes all cells from linecache."""
    for name in _shown:
        linecache.cache.pop(name, None)
    _shown.clear()
