"""How a value looks to people: as text, and in richer forms by MIME type.

The methods that an object may have for this are IPython's; see "Integrating your
objects with IPython" in its documentation. A bundle is what spore.exec returns
and spore.display emits: {"text": ..., "data": {MIME type: value}}.
"""

import binascii
import re

import _spore
from _spore_text import as_text, cut, message_of, type_name

_TEXT = 64 * 1024           # bytes of the text of a value
_SIZE = 2 * 1024 * 1024     # bytes of all its forms, about
_VALUE = 256 * 1024         # of them, JSON of a value that did not ask to be shown so
_FORMS = 32
_DEPTH = 32

_METHODS = (
    ("text/html", "_repr_html_"), ("text/markdown", "_repr_markdown_"),
    ("image/svg+xml", "_repr_svg_"), ("image/png", "_repr_png_"),
    ("image/jpeg", "_repr_jpeg_"), ("text/latex", "_repr_latex_"),
    ("application/json", "_repr_json_"),
)
_BASE64 = ("image/png", "image/jpeg")       # where text stands for bytes
_MIME = re.compile(r"[A-Za-z0-9][\w!#$&^.+-]{0,63}/[A-Za-z0-9][\w!#$&^.+-]{0,126}", re.ASCII)


class _Unfit(Exception):
    """A value that JSON cannot carry, or not within bounds."""


def bundle(value):
    """The forms of a value. Whatever its methods do, there is one."""
    forms = _Forms(value)
    made = _call(value, "_repr_mimebundle_", include=None, exclude=None)
    if made is not None:
        if issubclass(type(made), dict):
            forms.add_all(made)
        else:
            _note(value, "_repr_mimebundle_", f"returned {type_name(made)}, not dict")
    for mime, name in _METHODS:
        if mime not in forms.data and (form := _call(value, name)) is not None:
            forms.add(mime, form)
    if "text/html" not in forms.data:
        try:
            html = as_text(value)
            if html is not value or isinstance(value, str) and hasattr(value, "__html__"):
                forms.add("text/html", html)
        except Exception as e:
            _note(value, "__html__", _reason(e))
    if "application/json" not in forms.data:
        try:
            forms.data["application/json"] = _plain(value, [min(_VALUE, forms.left)], 0)
        except _Unfit:
            pass
    text = forms.data.pop("text/plain", None)
    if type(text) is not str:
        try:
            text = repr(value)
        except Exception as e:
            text = f"<repr() of {type_name(value)} failed: {_reason(e)}>"
    return {"text": cut(text, _TEXT), "data": forms.data}


def raw_bundle(made):
    """The bundle of a dict by MIME type."""
    if not issubclass(type(made), dict):
        raise TypeError(f"a raw bundle is a dict, not {type_name(made)}")
    forms = _Forms(made)
    forms.add_all(made)
    text = forms.data.pop("text/plain", None)
    return {"text": cut(text, _TEXT) if type(text) is str else "", "data": forms.data}


class _Forms:
    """The forms of a value by MIME type, within bounds. What does not fit is noted."""

    def __init__(self, value):
        self.value = value
        self.data = {}
        self.left = _SIZE

    def add_all(self, made):
        for mime, form in dict.items(made):
            if form is None:
                continue
            if type(mime) is not str or not _MIME.fullmatch(mime):
                _note(self.value, "its bundle", "has a key that is no MIME type")
            elif len(self.data) == _FORMS:
                _note(self.value, "its bundle", f"has more than {_FORMS} forms")
                return
            else:
                self.add(mime, form)

    def add(self, mime, form):
        budget = [self.left]
        try:
            self.data[mime] = _form(mime, form, budget)
        except Exception as e:
            _note(self.value, mime, str(e) if type(e) is _Unfit else _reason(e))
        else:
            self.left = budget[0]


def _form(mime, form, budget):
    """What stands for a form in a bundle; takes its size from the budget."""
    cls = type(form)
    if issubclass(cls, (bytes, bytearray, memoryview)):
        return _bytes(form, budget)
    if mime in _BASE64 and issubclass(cls, str):
        return _bytes(binascii.a2b_base64(form), budget)
    is_text = mime.startswith("text/") or mime.endswith("+xml")
    if mime in _BASE64 or is_text and not issubclass(cls, str):
        raise _Unfit(f"is of type {type_name(form)}")
    return _plain(form, budget, 0)


def _bytes(form, budget):
    with memoryview(form) as view:
        _spend(budget, view.nbytes)
        return view.tobytes()


def _spend(budget, cost):
    budget[0] -= cost
    if budget[0] < 0:
        raise _Unfit("is too large")


def _call(value, name, **arguments):
    """What a method returns, without its metadata; None if there is none or it fails."""
    try:
        # Objects that have every attribute have none that counts.
        if getattr(value, "_ipython_canary_method_should_not_exist_", None) is not None:
            return None
        method = getattr(value, name, None)
    except Exception:
        return None
    if not callable(method) or issubclass(type(value), type) and getattr(method, "__self__", None) is None:
        return None
    try:
        made = method(**arguments)
    except NotImplementedError:
        return None
    except Exception as e:
        _note(value, name, _reason(e))
        return None
    if type(made) is tuple and len(made) == 2:
        return made[0]
    return made


def _plain(v, budget, depth):
    """A copy of v that is made of what JSON knows, and of nothing else. It runs no
    code of v's classes."""
    _spend(budget, 2)
    cls = type(v)
    if v is None or cls is bool:
        return v
    if issubclass(cls, str):
        _spend(budget, str.__len__(v))
        copy, more = _utf8(v)
        _spend(budget, more)
        return copy
    if issubclass(cls, int):
        copy = int.__pos__(v)
        if copy.bit_length() > 4096:
            raise _Unfit("has a number of too many digits")
        _spend(budget, copy.bit_length() // 3)
        return copy
    if issubclass(cls, float):
        _spend(budget, 8)
        copy = float.__pos__(v)
        if copy != copy or copy in (float("inf"), float("-inf")):
            raise _Unfit("has a number that JSON does not know")
        return copy
    if not issubclass(cls, (dict, list, tuple)):
        raise _Unfit(f"has a value of type {type_name(v)}")
    if depth == _DEPTH:
        raise _Unfit("is nested too deeply")
    if not issubclass(cls, dict):
        each = list if issubclass(cls, list) else tuple
        return [_plain(item, budget, depth + 1) for item in each.__iter__(v)]
    copy = {}
    for key, item in dict.items(v):
        if not issubclass(type(key), str) or str.__eq__(key, "$bytes"):
            raise _Unfit("has a key that JSON does not allow")
        copy[_plain(key, budget, depth)] = _plain(item, budget, depth + 1)
    return copy


def _utf8(s):
    """s as text that UTF-8 can express, and how many bytes more than characters of s."""
    s = str.__str__(s)
    b = s.encode("utf-8", "backslashreplace")
    more = len(b) - len(s)
    return (b.decode() if more else s), more


def _reason(exc):
    return f"{type(exc).__name__}: {message_of(exc)}"


def _note(value, what, why):
    """Tells the author on the console why a form is missing."""
    line = f"{type_name(value)}: {what}: {why}".replace("\n", " ")
    _spore.emit(1, cut(line, 1000).encode() + b"\n")
