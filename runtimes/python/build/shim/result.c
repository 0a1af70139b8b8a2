/* What an export leaves for the host to read. */

#include "spore.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static PyObject *report;        /* _spore_guest.report(kind, exception) -> str */

/* Freed to have some memory for the report of its exhaustion. */
static void *reserve;
enum { RESERVE = 256 * 1024 };

int
result_init(PyObject *guest)
{
    report = PyObject_GetAttrString(guest, "report");
    reserve = malloc(RESERVE);
    return report ? 0 : -1;
}

static void
show(PyObject *owner, const char *p, Py_ssize_t n)
{
    Py_XSETREF(hot.result, owner);
    hot.control.result = (uint32_t)(uintptr_t)p;
    hot.control.result_len = (uint32_t)n;
}

void
result_clear(void)
{
    show(NULL, NULL, 0);
}

int
result_text(PyObject *str)
{
    Py_ssize_t n;
    const char *p = PyUnicode_AsUTF8AndSize(str, &n);
    if (p == NULL) {
        Py_DECREF(str);
        return result_error("result");
    }
    show(str, p, n);
    return STATUS_TEXT;
}

int
result_frame(PyObject *value)
{
    PyObject *frame = frame_encode(value);
    if (frame == NULL) {
        int status = frame_report_error(value);
        Py_XDECREF(value);
        return status;
    }
    Py_XDECREF(value);
    show(frame, PyBytes_AS_STRING(frame), PyBytes_GET_SIZE(frame));
    return STATUS_JSON;
}

int
result_report(PyObject *json)
{
    Py_ssize_t n;
    const char *p = PyUnicode_AsUTF8AndSize(json, &n);
    if (p == NULL) {
        Py_DECREF(json);
        return result_message("error", "the error cannot be shown");
    }
    show(json, p, n);
    return STATUS_ERROR;
}

/* An error that needs no interpreter. message must not need escapes. */
int
result_message(const char *kind, const char *message)
{
    static char text[512];
    PyErr_Clear();
    int n = snprintf(text, sizeof text,
                     "{\"kind\":\"%s\",\"name\":\"\",\"message\":\"%s\",\"stack\":[],\"trace\":\"\"}",
                     kind, message);
    show(NULL, text, n);
    return STATUS_ERROR;
}

/* An allocation that fails raises a MemoryError, mostly without arguments. One
   with a message, when no allocation has failed, is the parser's, which says so
   that source is nested too deeply, or the component's own. */
static int
is_exhaustion(PyObject *exc)
{
    if (!Py_IS_TYPE(exc, (PyTypeObject *)PyExc_MemoryError)) {
        return 0;
    }
    PyObject *args = ((PyBaseExceptionObject *)exc)->args;
    return hot.heap.refused || args == NULL || PyTuple_GET_SIZE(args) == 0;
}

static const char *
kind_of(PyObject *exc, const char *kind)
{
    if (is_exhaustion(exc)) {
        return "memory";
    }
    if (PyErr_GivenExceptionMatches(exc, PyExc_SystemExit)) {
        return "exit";
    }
    /* CPython loses the MemoryError when there is no memory for another frame.
       Memory never shrinks, so it can still be seen that there is none. */
    if (PyErr_GivenExceptionMatches(exc, PyExc_SystemError) &&
        __builtin_wasm_memory_grow(0, 1) == (size_t)-1)
    {
        return "memory";
    }
    return kind;
}

int
result_error(const char *kind)
{
    PyObject *exc = PyErr_GetRaisedException();
    if (exc == NULL) {
        return result_message(kind, "failed without an exception");
    }
    kind = kind_of(exc, kind);
    int memory = strcmp(kind, "memory") == 0;
    if (memory) {
        free(reserve);
        reserve = NULL;
    }
    PyObject *json = report ? PyObject_CallFunction(report, "sO", kind, exc) : NULL;
    int status;
    if (json && PyUnicode_Check(json)) {
        status = result_report(json);
    }
    else {
        char message[200];
        snprintf(message, sizeof message, "%.150s (no report could be made)",
                 Py_TYPE(exc)->tp_name);
        Py_XDECREF(json);
        status = result_message(kind, message);
    }
    Py_DECREF(exc);
    if (memory && reserve == NULL) {
        reserve = malloc(RESERVE);
    }
    return status;
}

int
result_missing(const char *name, uint32_t len)
{
    PyObject *s = PyUnicode_DecodeUTF8(name, len, "replace");
    if (s) {
        PyErr_Format(PyExc_LookupError, "the component defines no function %.200R", s);
        Py_DECREF(s);
    }
    return result_error("missing");
}
