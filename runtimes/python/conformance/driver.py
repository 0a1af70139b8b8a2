"""Runs one module of CPython's own test suite; see main.go."""

import base64
import builtins
import contextlib
import importlib.abc
import importlib.machinery
import io
import linecache
import os
import re
import sys
import types
import unittest

# How a test ends that wants what does not exist here.
ABSENT = re.compile(
    r"FileNotFoundError: \[Errno 44\]|OSError: \[Errno (52|58|63|76)\]|"
    r"can't start new thread|wasi does not support processes|There is no such process|"
    r"No usable temporary directory|unable to open database file|UnsupportedOperation: fileno|"
    r"unknown encoding: [Bb]ig5|PermissionError: \[Errno 63\]|"
    r"No module named '(_testcapi|_testinternalcapi|_testlimitedcapi|_testsinglephase|_xxtestfuzz)")


class Sources(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports modules from a dict: name -> [source, is a package]."""

    def __init__(self, files):
        self.files = files

    def find_spec(self, name, path=None, target=None):
        if name in self.files:
            return importlib.machinery.ModuleSpec(
                name, self, origin=self.path(name), is_package=self.files[name][1])
        return None

    def path(self, name):
        end = "/__init__.py" if self.files[name][1] else ".py"
        return "/lib/" + name.replace(".", "/") + end

    def exec_module(self, module):
        name = module.__name__
        path = module.__file__ = self.path(name)
        source = self.files[name][0]
        linecache.cache[path] = (len(source), None, source.splitlines(True), path)
        exec(compile(source, path, "exec", dont_inherit=True), module.__dict__)

    def get_source(self, name):
        return self.files[name][0]


def tests_of(suite):
    for t in suite:
        if isinstance(t, unittest.TestSuite):
            yield from tests_of(t)
        elif t is not None:
            yield t


def first_line(text):
    lines = [l for l in text.strip().splitlines() if l.strip()]
    return lines[-1][:300] if lines else ""


def stub(name):
    """A module that has nothing: tests that use it are skipped."""
    def attribute(attr):
        raise unittest.SkipTest(f"needs {name}")
    module = sys.modules[name] = types.ModuleType(name)
    module.__getattr__ = attribute


def serve(data):
    """Lets tests read their data files, which are named relative to test/."""
    def name(path):
        return os.fsdecode(path).rpartition("/lib/test/")[2].rstrip("/") \
            if isinstance(path, (str, bytes, os.PathLike)) else ""

    def fake_open(path, mode="r", *args, **kwargs):
        if name(path) not in data or "r" not in mode:
            return real_open(path, mode, *args, **kwargs)
        f = io.BytesIO(data[name(path)])
        f.name = path
        if "b" in mode:
            return f
        args = args[1:]     # without the size of a buffer
        return io.TextIOWrapper(f, *args, **kwargs)

    real_open = io.open
    builtins.open = io.open = fake_open
    os.listdir = lambda path=".": [
        n.rpartition("/")[2] for n in data if n.rpartition("/")[0] == name(path)]
    os.path.isdir = lambda path: any(n.startswith(name(path) + "/") for n in data)
    os.path.exists = lambda path: name(path) in data
    # asyncio's helpers must find certificates, though nobody reads them.
    os.path.isfile = lambda path: name(path) in data or "certdata" in str(path)


def load(module, files):
    """The tests of a module, or of all modules in a package."""
    loader = unittest.TestLoader()
    suite = unittest.TestSuite()
    names = [module]
    if files[module][1]:
        names = sorted(n for n in files if n.startswith(module + ".test_")) or names
    for name in names:
        try:
            suite.addTests(loader.loadTestsFromModule(importlib.import_module(name)))
        except unittest.SkipTest:
            if len(names) == 1:
                raise
    for e in loader.errors:
        raise ImportError(first_line(e))
    return suite


def render(props):
    sys.meta_path.insert(0, Sources(props["files"]))
    import test.support
    # Said of the platform as a whole; asyncio's tests need not have sockets.
    test.support.has_socket_support = True
    for name in props["stubs"]:
        stub(name)
    serve({name: base64.b64decode(data) for name, data in props["data"].items()})
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        try:
            suite = load(props["module"], props["files"])
        except unittest.SkipTest as e:
            return {"skip": str(e)}
        except ImportError as e:
            return {"skip": f"cannot be imported: {e}"}
        # Doctests look at docstrings, which the frozen library does not have.
        chosen = unittest.TestSuite(
            t for t in tests_of(suite)
            if type(t).__name__ != "DocTestCase"
            and not any(p in t.id() for p in props["without"]))
        result = unittest.TestResult()
        chosen.run(result)
    bad, absent = {}, set()
    for t, text in result.failures + result.errors:
        # A subtest counts for its test.
        name = getattr(t, "test_case", t).id()
        if ABSENT.search(text):
            absent.add(name)
        else:
            bad.setdefault(name, first_line(text))
    skipped = {t.id() for t, _ in result.skipped}
    return {"run": result.testsRun, "skipped": len(skipped - absent - bad.keys()),
            "absent": len(absent - bad.keys()), "bad": sorted(bad.items())}
