/* Module _spore: what the Python side of the guest needs from C. */

#include "spore.h"
#include "wipe.h"
#include <stdlib.h>
#include <string.h>

IMPORT(call) int32_t host_call(uint32_t id, uint32_t flags, const char *name,
                               uint32_t name_len, const char *frame, uint32_t frame_len);
IMPORT(take) void host_take(char *p);
IMPORT(log) void host_log(int32_t level, const char *p, uint32_t len);

extern uint32_t _PyRandom_Start;

static PyObject *host_error;    /* class spore.HostError */

int
host_init(PyObject *guest)
{
    host_error = PyObject_GetAttrString(guest, "HostError");
    return host_error ? 0 : -1;
}

/* Exception made of an error frame's value {"code", "message"}. */
PyObject *
host_error_from(PyObject *value, uint32_t id)
{
    PyObject *code = NULL, *message = NULL;
    if (PyDict_Check(value)) {
        code = PyDict_GetItemString(value, "code");
        message = PyDict_GetItemString(value, "message");
    }
    return PyObject_CallFunction(host_error, "OOk", code ? code : Py_None,
                                 message ? message : Py_None, (unsigned long)id);
}

/* Makes host call `*id`. 0: it is pending; 1: *value is its result (new
   reference); -1: an exception is set, a HostError if the host says so. */
static int
request(uint32_t flags, PyObject *name_obj, PyObject *arg, uint32_t *id, PyObject **value)
{
    if (!PyUnicode_Check(name_obj)) {
        PyErr_Format(PyExc_TypeError, "name of a host call must be str, not %T", name_obj);
        return -1;
    }
    Py_ssize_t name_len;
    const char *name = PyUnicode_AsUTF8AndSize(name_obj, &name_len);
    PyObject *owner = NULL;
    Py_ssize_t len;
    const char *frame = name ? frame_plain(arg, &len) : NULL;
    if (name && frame == NULL) {
        owner = frame_encode(arg);
        if (owner) {
            frame = PyBytes_AS_STRING(owner);
            len = PyBytes_GET_SIZE(owner);
        }
    }
    if (frame == NULL) {
        return -1;
    }
    *id = ++hot.call_id;
    int32_t size = host_call(*id, flags, name, (uint32_t)name_len, frame, (uint32_t)len);
    Py_XDECREF(owner);
    if (size < 0) {
        hot.control.pending++;
        return 0;
    }
    char small[256];
    char *reply = (size_t)size <= sizeof small ? small : malloc((size_t)size);
    if (reply == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    host_take(reply);
    int absent;
    *value = frame_decode(reply + 1, (size_t)size - 1, &absent);
    int ok = reply[0] == 1;
    if (reply != small) {
        free(reply);
    }
    if (*value == NULL || ok) {
        return *value ? 1 : -1;
    }
    PyObject *error = host_error_from(*value, *id);
    Py_CLEAR(*value);
    if (error) {
        PyErr_SetObject((PyObject *)Py_TYPE(error), error);
        Py_DECREF(error);
    }
    return -1;
}

/* (value,), whose reference is stolen. */
static PyObject *
boxed(PyObject *value)
{
    PyObject *box = PyTuple_Pack(1, value);
    Py_DECREF(value);
    return box;
}

/* request(flags, name[, argument]): the call's number if it is pending, or
   (value,). Raises HostError. */
static PyObject *
spore_request(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    if (n < 2 || n > 3) {
        PyErr_SetString(PyExc_TypeError, "request() takes 2 or 3 arguments");
        return NULL;
    }
    unsigned long flags = PyLong_AsUnsignedLong(args[0]);
    if (flags == (unsigned long)-1 && PyErr_Occurred()) {
        return NULL;
    }
    uint32_t id;
    PyObject *value;
    switch (request((uint32_t)flags, args[1], n == 3 ? args[2] : NULL, &id, &value)) {
    case 0:
        return PyLong_FromUnsignedLong(id);
    case 1:
        return boxed(value);
    }
    return NULL;
}

enum { BLOCKING = 1 };

/* call_sync(name[, argument]): the result. */
static PyObject *
spore_call_sync(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    if (n < 1 || n > 2) {
        PyErr_SetString(PyExc_TypeError, "call_sync() takes a name and an argument");
        return NULL;
    }
    uint32_t id;
    PyObject *value;
    switch (request(BLOCKING, args[0], n == 2 ? args[1] : NULL, &id, &value)) {
    case 0:
        PyErr_SetString(PyExc_RuntimeError, "the host did not answer a blocking call");
        return NULL;
    case 1:
        return value;
    }
    return NULL;
}

/* call(name[, argument]): (value,), or what the running event loop makes of a
   pending call, to be awaited. Without such a loop the call blocks. */
static PyObject *
spore_call_async(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    PyObject *value;
    if (hot.awaiter == NULL) {
        value = spore_call_sync(self, args, n);
        return value ? boxed(value) : NULL;
    }
    if (n < 1 || n > 2) {
        PyErr_SetString(PyExc_TypeError, "call() takes a name and an argument");
        return NULL;
    }
    uint32_t id;
    PyObject *awaiter = Py_NewRef(hot.awaiter), *result = NULL;
    switch (request(0, args[0], n == 2 ? args[1] : NULL, &id, &value)) {
    case 0: {
        PyObject *number = PyLong_FromUnsignedLong(id);
        result = number ? PyObject_CallOneArg(awaiter, number) : NULL;
        Py_XDECREF(number);
        break;
    }
    case 1:
        result = boxed(value);
    }
    Py_DECREF(awaiter);
    return result;
}

/* drive(awaiter): from now on awaiter(number) makes what call() returns for a
   pending call; None: calls block. Returns what it was before. */
static PyObject *
spore_drive(PyObject *self, PyObject *awaiter)
{
    PyObject *before = hot.awaiter ? hot.awaiter : Py_NewRef(Py_None);
    hot.awaiter = awaiter == Py_None ? NULL : Py_NewRef(awaiter);
    return before;
}

/* settled(): one host call fewer is pending. */
static PyObject *
spore_settled(PyObject *self, PyObject *unused)
{
    if (hot.control.pending > 0) {
        hot.control.pending--;
    }
    return PyLong_FromUnsignedLong(hot.control.pending);
}

/* ---- console ---- */

enum { LINE_MAX_BYTES = 16384 };
static char line[2][LINE_MAX_BYTES];
static const int32_t level[2] = {0, 4};     /* stdout info, stderr warn */

static void
send_line(int stream)
{
    host_log(level[stream], line[stream], hot.console_len[stream]);
    wipe(line[stream], hot.console_len[stream]);
    hot.console_len[stream] = 0;
}

/* A line that does not fit goes out in pieces, cut between characters. */
static void
append(int stream, const char *p, size_t n)
{
    while (n > 0) {
        uint32_t *len = &hot.console_len[stream];
        size_t room = LINE_MAX_BYTES - *len, k = n < room ? n : room;
        if (k < n) {
            size_t cut = k;
            while (cut > 0 && k - cut < 4 && (p[cut] & 0xC0) == 0x80) {
                cut--;
            }
            k = cut > 0 ? cut : k;
        }
        memcpy(line[stream] + *len, p, k);
        *len += (uint32_t)k;
        p += k;
        n -= k;
        if (n > 0) {
            send_line(stream);
        }
    }
}

static void
emit(int stream, const char *p, size_t n)
{
    while (n > 0) {
        const char *nl = memchr(p, '\n', n);
        size_t k = nl ? (size_t)(nl - p) : n;
        if (nl && hot.console_len[stream] == 0 && k <= LINE_MAX_BYTES) {
            host_log(level[stream], p, (uint32_t)k);
        }
        else {
            append(stream, p, k);
            if (nl) {
                send_line(stream);
            }
        }
        p += k;
        n -= k;
        if (nl) {
            p++;
            n--;
        }
    }
}

void
console_flush(void)
{
    for (int stream = 0; stream < 2; stream++) {
        if (hot.console_len[stream]) {
            send_line(stream);
        }
    }
}

/* emit(stream, bytes): stream 0 is stdout, 1 stderr. */
static PyObject *
spore_emit(PyObject *self, PyObject *args)
{
    int stream;
    Py_buffer b;
    if (!PyArg_ParseTuple(args, "iy*", &stream, &b)) {
        return NULL;
    }
    emit(stream == 1, b.buf, (size_t)b.len);
    Py_ssize_t n = b.len;
    PyBuffer_Release(&b);
    return PyLong_FromSsize_t(n);
}

/* flush(): an unfinished line goes out. */
static PyObject *
spore_flush(PyObject *self, PyObject *unused)
{
    console_flush();
    Py_RETURN_NONE;
}

/* ---- tracebacks ---- */

/* walk(traceback, first, last): number of entries, a list of the first ones and
   one of the last ones. In C because a traceback may have a million entries. */
static PyObject *
spore_walk(PyObject *self, PyObject *args)
{
    PyObject *tb;
    int first, last;
    if (!PyArg_ParseTuple(args, "Oii", &tb, &first, &last)) {
        return NULL;
    }
    int total = 0;
    for (PyObject *t = tb; PyTraceBack_Check(t);) {
        total++;
        t = (PyObject *)((PyTracebackObject *)t)->tb_next;
        if (t == NULL) {
            break;
        }
    }
    PyObject *head = PyList_New(0), *tail = PyList_New(0);
    int i = 0;
    for (PyObject *t = tb; head && tail && i < total; i++) {
        if ((i < first && PyList_Append(head, t) < 0) ||
            (i >= total - last && i >= first && PyList_Append(tail, t) < 0))
        {
            Py_CLEAR(head);
            break;
        }
        t = (PyObject *)((PyTracebackObject *)t)->tb_next;
    }
    PyObject *result = head && tail ? Py_BuildValue("iOO", total, head, tail) : NULL;
    Py_XDECREF(head);
    Py_XDECREF(tail);
    return result;
}

/* ---- time zones ---- */

typedef struct {
    const char *name;
    uint32_t offset, len;
} zone;
extern const zone spore_zones[];            /* generated, sorted by name */
extern const unsigned spore_zone_count;
extern const unsigned char spore_zone_data[];

static int
compare_zone(const void *key, const void *z)
{
    return strcmp(key, ((const zone *)z)->name);
}

/* tzdata(name): the TZif data of a zone or None. tzdata(): all names. */
static PyObject *
spore_tzdata(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    if (n == 0) {
        PyObject *names = PyList_New(spore_zone_count);
        for (unsigned i = 0; names && i < spore_zone_count; i++) {
            PyObject *s = PyUnicode_FromString(spore_zones[i].name);
            if (s == NULL) {
                Py_CLEAR(names);
                break;
            }
            PyList_SET_ITEM(names, i, s);
        }
        return names;
    }
    const char *name = PyUnicode_Check(args[0]) ? PyUnicode_AsUTF8(args[0]) : NULL;
    if (name == NULL) {
        PyErr_Clear();
        Py_RETURN_NONE;
    }
    const zone *z = bsearch(name, spore_zones, spore_zone_count, sizeof *z, compare_zone);
    if (z == NULL) {
        Py_RETURN_NONE;
    }
    return PyBytes_FromStringAndSize((const char *)spore_zone_data + z->offset, z->len);
}

/* start(): number of this start of the image. */
static PyObject *
spore_start(PyObject *self, PyObject *unused)
{
    return PyLong_FromUnsignedLong(_PyRandom_Start);
}

static PyMethodDef methods[] = {
    {"request", (PyCFunction)(void (*)(void))spore_request, METH_FASTCALL, NULL},
    {"call", (PyCFunction)(void (*)(void))spore_call_async, METH_FASTCALL, NULL},
    {"call_sync", (PyCFunction)(void (*)(void))spore_call_sync, METH_FASTCALL, NULL},
    {"drive", spore_drive, METH_O, NULL},
    {"settled", spore_settled, METH_NOARGS, NULL},
    {"emit", spore_emit, METH_VARARGS, NULL},
    {"flush", spore_flush, METH_NOARGS, NULL},
    {"walk", spore_walk, METH_VARARGS, NULL},
    {"tzdata", (PyCFunction)(void (*)(void))spore_tzdata, METH_FASTCALL, NULL},
    {"start", spore_start, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, .m_name = "_spore", .m_size = -1, .m_methods = methods,
};

PyMODINIT_FUNC
PyInit__spore(void)
{
    return PyModule_Create(&definition);
}
