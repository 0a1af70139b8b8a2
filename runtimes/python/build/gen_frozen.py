"""Compiles the modules that are frozen into the program.

    python -X no_debug_ranges gen_frozen.py OUT MODULES LIB OVERLAY SITE...

OUT gets frozen.bin (marshalled code, one module after another) and frozen.c (its
table). MODULES names what is taken of LIB, the standard library; everything in
OVERLAY (which goes before LIB) and in the SITE folders is taken. The interpreter
that runs this must be of the same version as the one that will load the code.
"""

import marshal
import os
import sys


def read_list(path):
    take, leave = [], set()
    with open(path, encoding="utf-8") as f:
        for line in f:
            for word in line.partition("#")[0].split():
                if word.startswith("-"):
                    leave.add(word[1:])
                else:
                    take.append(word)
    return sorted(set(take)), leave


def source_of(root, name):
    """(path, is_package) of a module below root."""
    base = os.path.join(root, *name.split("."))
    if os.path.exists(base + ".py"):
        return base + ".py", False
    init = os.path.join(base, "__init__.py")
    return (init, True) if os.path.exists(init) else (None, False)


def below(root, package):
    """Names of the modules in a package (or at the top), sorted."""
    folder = os.path.join(root, *package.split(".")) if package else root
    for entry in sorted(os.listdir(folder)):
        stem, dot, ext = entry.partition(".")
        name = f"{package}.{stem}" if package else stem
        if not stem.isidentifier() or stem in ("__init__", "__pycache__"):
            continue
        if ext == "py" or (not dot and source_of(root, name)[1]):
            yield name


def collect(root, name, leave, found):
    path, package = source_of(root, name)
    if name in leave or name in found or path is None:
        return
    found[name] = (path, package)
    if package:
        for inner in below(root, name):
            collect(root, inner, leave, found)


def main(out, modules, lib, overlay, *sites):
    take, leave = read_list(modules)
    found = {}
    for root in (overlay, *sites):
        for name in below(root, ""):
            collect(root, name, (), found)
    for name in take:
        if source_of(lib, name)[0] is None:
            sys.exit(f"{modules}: no module {name}")
        collect(lib, name, leave, found)
    missing = [n for n in leave if source_of(lib, n)[0] is None and not n.endswith("__main__")]
    if missing:
        sys.exit(f"{modules}: nothing to leave out: {' '.join(sorted(missing))}")

    blob = bytearray()
    rows = []

    def add(name, source, package):
        code = compile(source, f"<frozen {name}>", "exec", dont_inherit=True, optimize=2)
        # A flag of the format says that something else refers to an object; marshal
        # sets it by the reference count. In code that has just been loaded nothing
        # is left of the compiler and its caches to count.
        data = marshal.dumps(marshal.loads(marshal.dumps(code)))
        rows.append(f'    {{"{name}", blob + {len(blob)}, {len(data)}, {package:d}}},')
        blob.extend(data)
        blob.extend(bytes(-len(blob) % 16))

    for name in sorted(found):
        path, package = found[name]
        with open(path, "rb") as f:
            add(name, f.read(), package)
    # What sysconfig asks for: there was no installation to describe.
    add("_sysconfigdata__wasi_wasm32-wasi", b"build_time_vars = {}\n", False)

    with open(os.path.join(out, "frozen.bin"), "wb") as f:
        f.write(blob)
    with open(os.path.join(out, "frozen.c"), "w", encoding="utf-8") as f:
        f.write("#include <Python.h>\n"
                "static const unsigned char blob[] __attribute__((aligned(16))) = {\n"
                '#embed "frozen.bin"\n'
                "};\n"
                "const struct _frozen spore_frozen[] = {\n" + "\n".join(rows) +
                "\n    {0, 0, 0, 0},\n};\n")
    print(f"{len(rows)} modules, {len(blob)} bytes")


main(*sys.argv[1:])
