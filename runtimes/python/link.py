# Brings modules of the embedder along with a component or a cell; see link.go. It runs in a namespace of its own, where
# it finds `modules` (by name: a source, or code that was marshalled and compressed, as bytes), `what` ("load" or "execute"), the `namespace` of the code that runs it, `name` and
# `source`.
#
# Its functions belong to files that the guest leaves out of stack traces.
import importlib._bootstrap
import importlib.machinery
import marshal
import sys
import zlib

import _spore_cells
import _spore_guest


class Finder:
    """Compiles a module when it is first imported. Afterwards the code is kept, most of which the functions of the module
    have anyway."""

    def __init__(self, modules):
        self.modules = modules

    def find_spec(self, name, path=None, target=None):
        if path is None and name in self.modules:
            return importlib.machinery.ModuleSpec(name, self, origin="<" + name + ">")
        return None

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        module.__file__ = file = "<" + module.__name__ + ">"
        call = importlib._bootstrap._call_with_frames_removed
        program = self.modules[module.__name__]
        if type(program) is str:
            program = call(compile, program, file, "exec", 0, True)
        elif type(program) is bytes:
            program = marshal.loads(zlib.decompress(program))
        self.modules[module.__name__] = program
        call(exec, program, module.__dict__)

    # The import system leaves its own frames out of stack traces, where they come before those of that function.
    exec_module.__code__ = exec_module.__code__.replace(co_filename="<frozen importlib._bootstrap>")


def stand_for(module, last, f, *args):
    """Calls f, and makes its outcome that of the function of the guest which has begun to run this: that one ends by
    returning what module.last(...) returns, whatever this code was."""
    value = error = None
    try:
        value = f(*args)
    except BaseException as e:
        error = e
    original = getattr(module, last)

    def outcome(*_):
        nonlocal error
        setattr(module, last, original)
        if error is None:
            return value
        try:
            raise error
        finally:
            error = None    # or it would refer to itself
    setattr(module, last, outcome)


sys.meta_path.append(Finder(modules))
if what == "load":
    # The namespace of the code that runs this has no function, and so load ends by saying that.
    stand_for(_spore_guest, "_syntax", _spore_guest.load, name, source)
else:
    stand_for(_spore_cells, "_conclude", _spore_cells.execute, namespace, source.decode(), name)
del modules, source, name, namespace, what, stand_for
