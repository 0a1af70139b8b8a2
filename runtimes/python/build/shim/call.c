/* Loading a component and calling its functions. */

#include "spore.h"
#include "wipe.h"
#include <string.h>

static PyObject *guest_load;    /* _spore_guest.load(name, source) -> error or None */
static PyObject *guest_begin;   /* _spore_guest.begin(awaitable) -> outcome */
static PyObject *guest_settle;  /* _spore_guest.settle(id, value, error) -> outcome */
static PyObject *guest_execute; /* _spore_cells.execute(namespace, source, name) */
static PyObject *component;     /* __dict__ of the component's module */
static PyObject *str_html;

static int busy;                /* a coroutine of the component waits */

int
call_init(PyObject *guest)
{
    guest_load = PyObject_GetAttrString(guest, "load");
    guest_begin = PyObject_GetAttrString(guest, "begin");
    guest_settle = PyObject_GetAttrString(guest, "settle");
    PyObject *cells = PyImport_ImportModule("_spore_cells");
    guest_execute = cells ? PyObject_GetAttrString(cells, "execute") : NULL;
    Py_XDECREF(cells);
    str_html = PyUnicode_InternFromString("__html__");
    return guest_load && guest_begin && guest_settle && guest_execute && str_html ? 0 : -1;
}

static const char *
input(void)
{
    return (const char *)(uintptr_t)hot.control.input;
}

static int
input_ok(uint32_t a, uint32_t b)
{
    return a <= hot.control.input_cap && b <= hot.control.input_cap - a;
}

/* End of every export that ran code of the component. It was given `len` bytes of
   input. A guest that waits may be captured; one that does not has spore_tidy
   called before. */
static int
leave(int status, uint32_t len)
{
    if (hot.console_len[0] | hot.console_len[1]) {
        console_flush();
    }
    if (hot.control.input_cap == sizeof hot.input) {
        wipe(hot.input, len);
    }
    input_release();
    if (status == STATUS_PENDING && wipe_wanted()) {
        wipe_stack(WIPE_GAP);
    }
    return status;
}

EXPORT(spore_tidy)
int
spore_tidy(void)
{
    result_clear();
    wipe_stack(WIPE_GAP);
    return STATUS_JSON;
}

EXPORT(spore_load)
int
spore_load(uint32_t name_len, uint32_t code_len)
{
    if (component || !input_ok(name_len, code_len)) {
        return result_message("abi", component ? "a component is loaded already"
                                               : "bad lengths");
    }
    uint32_t len = name_len + code_len;
    hot.control.kept = 1;       /* in the image */
    PyObject *name = PyUnicode_DecodeUTF8(input(), name_len, "replace");
    PyObject *code = PyBytes_FromStringAndSize(input() + name_len, code_len);
    PyObject *error = NULL;
    if (name && code) {
        error = PyObject_CallFunctionObjArgs(guest_load, name, code, NULL);
    }
    Py_XDECREF(name);
    Py_XDECREF(code);
    if (error == NULL) {
        return leave(result_error("error"), len);
    }
    if (error != Py_None) {
        return leave(result_report(error), len);
    }
    Py_DECREF(error);
    PyObject *module = PyImport_ImportModule("component");
    PyObject *dict = module ? PyModule_GetDict(module) : NULL;
    component = Py_XNewRef(dict);
    Py_XDECREF(module);
    if (component == NULL) {
        return leave(result_error("error"), len);
    }
    result_clear();
    return leave(STATUS_JSON, len);
}

static int
takes_no_argument(PyObject *f)
{
    if (!PyFunction_Check(f)) {
        return 0;
    }
    PyCodeObject *co = (PyCodeObject *)PyFunction_GET_CODE(f);
    return co->co_argcount == 0 && !(co->co_flags & CO_VARARGS);
}

/* What a call goes on with after its function has returned: awaitables, and
   generators of both kinds, whose values are parts of a stream. */
static int
goes_on(PyObject *o)
{
    if (PyCoro_CheckExact(o) || PyGen_CheckExact(o) || PyAsyncGen_CheckExact(o)) {
        return 1;
    }
    PyAsyncMethods *am = Py_TYPE(o)->tp_as_async;
    return am && am->am_await;
}

/* Result of a call; steals value. */
static int
finish(PyObject *value)
{
    if (PyUnicode_Check(value)) {
        return result_text(value);
    }
    if (value != Py_None && !PyDict_CheckExact(value) && !PyList_CheckExact(value) &&
        !PyLong_Check(value) && !PyFloat_CheckExact(value))
    {
        PyObject *method;
        int has = PyType_Check(value) ? 0
                                      : PyObject_GetOptionalAttr(value, str_html, &method);
        if (has < 0) {
            Py_DECREF(value);
            return result_error("error");
        }
        if (has) {
            PyObject *html = PyObject_CallNoArgs(method);
            Py_DECREF(method);
            Py_DECREF(value);
            if (html == NULL) {
                return result_error("error");
            }
            if (!PyUnicode_Check(html)) {
                PyErr_Format(PyExc_TypeError, "__html__() returned %T, not str", html);
                Py_DECREF(html);
                return result_error("result");
            }
            return result_text(html);
        }
    }
    return result_frame(value);
}

/* An outcome is None (nothing can go on), (value,), or (None, exception) with the
   kind of error if it is not the usual one: (None, exception, kind). */
static int
conclude(PyObject *outcome)
{
    if (outcome == NULL) {
        busy = 0;
        return result_error("error");
    }
    if (outcome == Py_None) {
        Py_DECREF(outcome);
        result_clear();
        return STATUS_PENDING;
    }
    if (outcome == Py_False) {      /* settled, and no call waits for anything */
        Py_DECREF(outcome);
        return result_frame(NULL);
    }
    busy = 0;
    PyObject *value = Py_NewRef(PyTuple_GET_ITEM(outcome, 0));
    if (PyTuple_GET_SIZE(outcome) == 1) {
        Py_DECREF(outcome);
        return finish(value);
    }
    Py_DECREF(value);
    PyErr_SetRaisedException(Py_NewRef(PyTuple_GET_ITEM(outcome, 1)));
    const char *kind = "error";
    if (PyTuple_GET_SIZE(outcome) == 3) {
        kind = PyUnicode_AsUTF8(PyTuple_GET_ITEM(outcome, 2));
    }
    int status = result_error(kind);
    Py_DECREF(outcome);
    return status;
}

/* Public functions only: a leading underscore makes a name private. */
static PyObject *
find(const char *p, uint32_t n)
{
    if (component == NULL || n == 0 || p[0] == '_') {
        return NULL;
    }
    PyObject *name = PyUnicode_DecodeUTF8(p, n, NULL);
    PyObject *f = name ? PyDict_GetItemWithError(component, name) : NULL;
    Py_XDECREF(name);
    PyErr_Clear();
    return f && PyCallable_Check(f) ? f : NULL;
}

/* Takes up what goes on; steals value. */
static int
begin(PyObject *value)
{
    busy = 1;
    PyObject *outcome = PyObject_CallOneArg(guest_begin, value);
    Py_DECREF(value);
    return conclude(outcome);
}

/* Runs a cell: {"code", "name"}. */
static int
execute(PyObject *arg)
{
    PyObject *code = NULL, *name = NULL;
    if (PyDict_Check(arg)) {
        code = PyDict_GetItemString(arg, "code");
        name = PyDict_GetItemString(arg, "name");
    }
    if (component == NULL || !code || !PyUnicode_Check(code) || !name || !PyUnicode_Check(name)) {
        return result_message("abi", "spore.exec takes {code, name}, in a component");
    }
    PyObject *made = PyObject_CallFunctionObjArgs(guest_execute, component, code, name, NULL);
    if (made == NULL) {
        return result_error("error");
    }
    if (PyUnicode_Check(made)) {        /* it does not parse */
        return result_report(made);
    }
    return goes_on(made) ? begin(made) : result_frame(made);
}

EXPORT(spore_call)
int
spore_call(uint32_t name_len, uint32_t frame_len)
{
    if (hot.control.fresh) {
        spore_refresh();
    }
    if (!input_ok(name_len, frame_len)) {
        return result_message("abi", "bad lengths");
    }
    if (busy) {
        return result_message("abi", "a call waits for host calls");
    }
    uint32_t len = name_len + frame_len;
    static const char exec_name[] = "spore.exec";
    int is_exec = name_len == sizeof exec_name - 1 && memcmp(input(), exec_name, name_len) == 0;
    PyObject *f = is_exec ? NULL : find(input(), name_len);
    if (f == NULL && !is_exec) {
        return leave(result_missing(input(), name_len), len);
    }
    int absent;
    PyObject *arg = frame_decode(input() + name_len, frame_len, &absent);
    if (arg == NULL) {
        return leave(result_error("abi"), len);
    }
    if (is_exec) {
        int status = execute(arg);
        Py_DECREF(arg);
        return leave(status, len);
    }
    Py_INCREF(f);
    PyObject *value = absent || takes_no_argument(f) ? PyObject_CallNoArgs(f)
                                                     : PyObject_CallOneArg(f, arg);
    Py_DECREF(f);
    Py_DECREF(arg);
    if (value == NULL) {
        return leave(result_error("error"), len);
    }
    return leave(goes_on(value) ? begin(value) : finish(value), len);
}

EXPORT(spore_settle)
int
spore_settle(uint32_t id, uint32_t ok, uint32_t frame_len)
{
    if (hot.control.fresh) {
        spore_refresh();
    }
    if (!input_ok(0, frame_len)) {
        return result_message("abi", "bad lengths");
    }
    uint32_t len = frame_len;
    int absent;
    PyObject *value = frame_decode(input(), frame_len, &absent);
    PyObject *error = NULL, *outcome = NULL, *number = NULL;
    if (value == NULL) {
        return leave(result_error("abi"), len);
    }
    number = PyLong_FromUnsignedLong(id);
    error = ok ? Py_NewRef(Py_None) : host_error_from(value, id);
    if (number && error) {
        outcome = PyObject_CallFunctionObjArgs(guest_settle, number, value, error, NULL);
    }
    Py_XDECREF(number);
    Py_XDECREF(error);
    Py_DECREF(value);
    if (outcome == Py_NotImplemented) {
        Py_DECREF(outcome);
        return leave(result_message("abi", "no such host call is pending"), len);
    }
    return leave(conclude(outcome), len);
}
