/* Frames (ABI.md, section 6): JSON with binary buffers beside it. */

#include "spore.h"
#include <string.h>

static PyObject *scan;          /* C scanner: (str, index) -> (value, end) */
static PyObject *scan_bytes;    /* _spore_guest.scan_bytes(str, buffers) */
static PyObject *encode;        /* C encoder: (value, 0) -> tuple of str */
static PyObject *buffers;       /* list that the encoder's default hook fills */
static PyObject *markers;       /* dict of the encoder's circularity check */
static PyObject *explain;       /* _spore_guest.explain(exception, value) */
static PyObject *zero;

int
frame_init(PyObject *guest)
{
    const struct { PyObject **slot; const char *name; } names[] = {
        {&scan, "scan"},       {&scan_bytes, "scan_bytes"}, {&encode, "encode"},
        {&buffers, "buffers"}, {&markers, "markers"},       {&explain, "explain"},
    };
    for (size_t i = 0; i < Py_ARRAY_LENGTH(names); i++) {
        *names[i].slot = PyObject_GetAttrString(guest, names[i].name);
        if (*names[i].slot == NULL) {
            return -1;
        }
    }
    zero = PyLong_FromLong(0);
    return 0;
}

static int
is_space(Py_UCS4 c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Values that need no scanner: null, true, false, {}, short integers and strings
   without escapes. NULL for all others, without an exception but for lack of
   memory. */
static PyObject *
plain_value(const char *p, size_t n)
{
    if (p[0] == '"') {
        int plain = n >= 2 && p[n - 1] == '"' && memchr(p, '\\', n) == NULL &&
                    memchr(p + 1, '"', n - 2) == NULL;
        for (size_t i = 1; plain && i < n - 1; i++) {
            plain = (unsigned char)p[i] >= ' ';
        }
        return plain ? PyUnicode_DecodeUTF8(p + 1, (Py_ssize_t)n - 2, NULL) : NULL;
    }
    if (n == 4 && memcmp(p, "null", 4) == 0) {
        Py_RETURN_NONE;
    }
    if (n == 4 && memcmp(p, "true", 4) == 0) {
        Py_RETURN_TRUE;
    }
    if (n == 5 && memcmp(p, "false", 5) == 0) {
        Py_RETURN_FALSE;
    }
    if (n == 2 && memcmp(p, "{}", 2) == 0) {
        return PyDict_New();
    }
    if (n > 9 || (p[0] == '0' && n > 1)) {
        return NULL;
    }
    long value = 0;
    for (size_t i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9') {
            return NULL;
        }
        value = 10 * value + (p[i] - '0');
    }
    return PyLong_FromLong(value);
}

/* Value of a JSON text, by the scanner of the json module but without the five
   Python calls that json.loads makes. */
static PyObject *
json_value(PyObject *text)
{
    Py_ssize_t n = PyUnicode_GET_LENGTH(text), start = 0;
    while (start < n && is_space(PyUnicode_READ_CHAR(text, start))) {
        start++;
    }
    PyObject *index = start == 0 ? Py_NewRef(zero) : PyLong_FromSsize_t(start);
    if (index == NULL) {
        return NULL;
    }
    PyObject *pair = PyObject_CallFunctionObjArgs(scan, text, index, NULL);
    Py_DECREF(index);
    if (pair == NULL) {
        if (PyErr_ExceptionMatches(PyExc_StopIteration)) {
            PyErr_SetString(PyExc_ValueError, "the frame holds no JSON value");
        }
        return NULL;
    }
    Py_ssize_t end = PyLong_AsSsize_t(PyTuple_GET_ITEM(pair, 1));
    while (end < n && is_space(PyUnicode_READ_CHAR(text, end))) {
        end++;
    }
    PyObject *value = NULL;
    if (end == n) {
        value = Py_NewRef(PyTuple_GET_ITEM(pair, 0));
    }
    else {
        PyErr_SetString(PyExc_ValueError, "the frame's JSON is followed by more text");
    }
    Py_DECREF(pair);
    return value;
}

static PyObject *
malformed(void)
{
    PyErr_SetString(PyExc_ValueError, "malformed frame");
    return NULL;
}

static uint32_t
read32(const char *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
    return v;
}

PyObject *
frame_decode(const char *frame, size_t len, int *absent)
{
    *absent = 0;
    if (len < 8) {
        return malformed();
    }
    uint32_t json_len = read32(frame), count = read32(frame + 4);
    size_t at = 8;
    if (count > (len - at) / 4) {
        return malformed();
    }
    const char *lengths = frame + at;
    at += 4 * (size_t)count;
    if (json_len > len - at) {
        return malformed();
    }
    const char *json = frame + at;
    at += json_len;
    if (json_len == 0) {
        if (count != 0 || at != len) {
            return malformed();
        }
        *absent = 1;
        Py_RETURN_NONE;
    }
    PyObject *value = NULL;
    if (count == 0 && at == len) {
        value = plain_value(json, json_len);
        if (value || PyErr_Occurred()) {
            return value;
        }
    }
    PyObject *text = PyUnicode_DecodeUTF8(json, json_len, NULL);
    if (text == NULL) {
        return NULL;
    }
    if (count == 0) {
        if (at != len) {
            Py_DECREF(text);
            return malformed();
        }
        value = json_value(text);
    }
    else {
        PyObject *list = PyList_New(count);
        for (uint32_t i = 0; list && i < count; i++) {
            uint32_t n = read32(lengths + 4 * (size_t)i);
            PyObject *b = n > len - at ? malformed()
                                       : PyBytes_FromStringAndSize(frame + at, n);
            if (b == NULL) {
                Py_CLEAR(list);
                break;
            }
            PyList_SET_ITEM(list, i, b);
            at += n;
        }
        if (list && at != len) {
            Py_CLEAR(list);
            malformed();
        }
        if (list) {
            value = PyObject_CallFunctionObjArgs(scan_bytes, text, list, NULL);
            Py_DECREF(list);
        }
    }
    Py_DECREF(text);
    return value;
}

/* The reserved key can only be told from the text: in JSON the characters
   "$bytes": without a backslash before them are the end of a key. */
static Py_ssize_t
count_reserved(const char *p, Py_ssize_t n)
{
    static const char key[] = "\"$bytes\":";
    enum { KEY = sizeof key - 1 };
    Py_ssize_t found = 0;
    const char *end = p + n, *q = p;
    while (end - q >= KEY && (q = memchr(q, '$', (size_t)(end - q))) != NULL) {
        if (q - p >= 2 && q[-2] != '\\' && end - q >= KEY - 1 &&
            memcmp(q - 1, key, KEY) == 0)
        {
            found++;
        }
        q++;
    }
    return found;
}

static PyObject *
pack(const char *json, Py_ssize_t json_len)
{
    Py_ssize_t count = PyList_GET_SIZE(buffers), total = 8 + 4 * count + json_len;
    if (count_reserved(json, json_len) != count) {
        PyErr_SetString(PyExc_ValueError, "the key '$bytes' is reserved");
        return NULL;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        total += PyBytes_GET_SIZE(PyList_GET_ITEM(buffers, i));
    }
    PyObject *frame = PyBytes_FromStringAndSize(NULL, total);
    if (frame == NULL) {
        return NULL;
    }
    char *p = PyBytes_AS_STRING(frame);
    uint32_t head[2] = {(uint32_t)json_len, (uint32_t)count};
    memcpy(p, head, 8);
    p += 8;
    for (Py_ssize_t i = 0; i < count; i++, p += 4) {
        uint32_t n = (uint32_t)PyBytes_GET_SIZE(PyList_GET_ITEM(buffers, i));
        memcpy(p, &n, 4);
    }
    memcpy(p, json, (size_t)json_len);
    p += json_len;
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *b = PyList_GET_ITEM(buffers, i);
        memcpy(p, PyBytes_AS_STRING(b), (size_t)PyBytes_GET_SIZE(b));
        p += PyBytes_GET_SIZE(b);
    }
    return frame;
}

const char *
frame_plain(PyObject *value, Py_ssize_t *len)
{
    static const char none[] = "\0\0\0\0\0\0\0\0", null[] = "\4\0\0\0\0\0\0\0null",
                      empty[] = "\2\0\0\0\0\0\0\0{}";
    if (value == NULL) {
        *len = sizeof none - 1;
        return none;
    }
    if (value == Py_None) {
        *len = sizeof null - 1;
        return null;
    }
    if (PyDict_CheckExact(value) && PyDict_GET_SIZE(value) == 0) {
        *len = sizeof empty - 1;
        return empty;
    }
    return NULL;
}

PyObject *
frame_encode(PyObject *value)
{
    Py_ssize_t len;
    const char *plain = frame_plain(value, &len);
    if (plain) {
        return PyBytes_FromStringAndSize(plain, len);
    }
    PyObject *frame = NULL, *text = NULL;
    PyObject *parts = PyObject_CallFunctionObjArgs(encode, value, zero, NULL);
    if (parts && PyTuple_GET_SIZE(parts) == 1) {
        text = Py_NewRef(PyTuple_GET_ITEM(parts, 0));
    }
    else if (parts) {
        PyObject *empty = PyUnicode_FromString("");
        text = empty ? PyUnicode_Join(empty, parts) : NULL;
        Py_XDECREF(empty);
    }
    Py_XDECREF(parts);
    if (text) {
        Py_ssize_t n;
        const char *p = PyUnicode_AsUTF8AndSize(text, &n);
        frame = p ? pack(p, n) : NULL;
        Py_DECREF(text);
    }
    if (frame == NULL || PyList_GET_SIZE(buffers) != 0) {
        PyObject *exc = PyErr_GetRaisedException();
        PyList_SetSlice(buffers, 0, PyList_GET_SIZE(buffers), NULL);
        PyDict_Clear(markers);
        PyErr_SetRaisedException(exc);
    }
    return frame;
}

/* After frame_encode failed: an error of kind result, with the place in the
   value if it can be found. An exception of the component's own code that ran
   while its value was read is passed on as it is. */
int
frame_report_error(PyObject *value)
{
    PyObject *exc = PyErr_GetRaisedException();
    PyObject *better = PyObject_CallFunctionObjArgs(explain, exc, value, NULL);
    if (better && PyExceptionInstance_Check(better)) {
        Py_SETREF(exc, better);
    }
    else {
        Py_XDECREF(better);
        PyErr_Clear();
    }
    PyErr_SetRaisedException(exc);
    return result_error("result");
}
