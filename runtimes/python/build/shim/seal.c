/* Before and after a capture. */

#define Py_BUILD_CORE 1
#include "spore.h"
#include "wipe.h"
#include "internal/pycore_typeobject.h"
#include <stdlib.h>
#include <string.h>

extern uint32_t _PyRandom_Start;
void spore_sqlite_restart(void);

/* ---- immortal objects ----

   Once the shared runtime is loaded, nothing of it ever goes away. Immortal
   objects (PEP 683) are not counted, so using them writes nothing. This is done
   once, for what spore_boot made; a component's own objects stay mortal, because
   their finalisers and weak references must work in long-lived instances. */

typedef struct {
    PyObject **stack;
    size_t n, cap;
    PyObject **seen;        /* open addressing, a power of two in size */
    size_t seen_n, seen_cap;
    int failed;
} walk;

static size_t
slot_of(PyObject **table, size_t cap, PyObject *o)
{
    size_t i = ((uintptr_t)o >> 3) * 2654435761u & (cap - 1);
    while (table[i] && table[i] != o) {
        i = (i + 1) & (cap - 1);
    }
    return i;
}

static int
grow_seen(walk *w)
{
    size_t cap = w->seen_cap * 2;
    PyObject **table = calloc(cap, sizeof *table);
    if (table == NULL) {
        return -1;
    }
    for (size_t i = 0; i < w->seen_cap; i++) {
        if (w->seen[i]) {
            table[slot_of(table, cap, w->seen[i])] = w->seen[i];
        }
    }
    free(w->seen);
    w->seen = table;
    w->seen_cap = cap;
    return 0;
}

static int
visit(PyObject *o, void *arg)
{
    walk *w = arg;
    if (o == NULL || w->failed) {
        return 0;
    }
    size_t i = slot_of(w->seen, w->seen_cap, o);
    if (w->seen[i]) {
        return 0;
    }
    w->seen[i] = o;
    if (++w->seen_n * 2 > w->seen_cap && grow_seen(w) < 0) {
        w->failed = 1;
        return 0;
    }
    if (w->n == w->cap) {
        PyObject **stack = realloc(w->stack, 2 * w->cap * sizeof *stack);
        if (stack == NULL) {
            w->failed = 1;
            return 0;
        }
        w->stack = stack;
        w->cap *= 2;
    }
    w->stack[w->n++] = o;
    if (!_Py_IsImmortal(o)) {
        Py_SET_REFCNT(o, _Py_IMMORTAL_REFCNT);
    }
    return 0;
}

static void
visit_parts(PyObject *o, walk *w)
{
    visit((PyObject *)Py_TYPE(o), w);
    if (PyCode_Check(o)) {      /* has no traverse function of its own */
        PyCodeObject *c = (PyCodeObject *)o;
        PyObject *parts[] = {
            c->co_consts, c->co_names, c->co_localsplusnames, c->co_localspluskinds,
            c->co_filename, c->co_name, c->co_qualname, c->co_linetable,
            c->co_exceptiontable,
        };
        for (size_t i = 0; i < Py_ARRAY_LENGTH(parts); i++) {
            visit(parts[i], w);
        }
        return;
    }
    if (PyDict_CheckExact(o)) { /* traverses values only if all keys are str */
        Py_ssize_t at = 0;
        PyObject *key, *value;
        while (PyDict_Next(o, &at, &key, &value)) {
            visit(key, w);
        }
    }
    if (PyType_Check(o)) {      /* static types do not traverse theirs */
        PyTypeObject *t = (PyTypeObject *)o;
        visit(_PyType_GetDict(t), w);
        visit(_PyType_GetMRO(t), w);
        visit(_PyType_GetBases(t), w);
    }
    if (PyObject_IS_GC(o) && Py_TYPE(o)->tp_traverse) {
        Py_TYPE(o)->tp_traverse(o, visit, w);
    }
}

static int
immortalise(PyObject *gc)
{
    walk w = {.cap = 4096, .seen_cap = 1 << 17};
    w.stack = malloc(w.cap * sizeof *w.stack);
    w.seen = calloc(w.seen_cap, sizeof *w.seen);
    PyObject *all = PyObject_CallMethod(gc, "get_objects", NULL);
    if (w.stack && w.seen && all) {
        for (Py_ssize_t i = 0; i < PyList_GET_SIZE(all); i++) {
            visit(PyList_GET_ITEM(all, i), &w);
        }
        visit(PyImport_GetModuleDict(), &w);
        while (w.n > 0) {
            visit_parts(w.stack[--w.n], &w);
        }
    }
    int ok = w.stack && w.seen && all && !w.failed;
    free(w.stack);
    free(w.seen);
    Py_XDECREF(all);
    if (!ok && !PyErr_Occurred()) {
        PyErr_NoMemory();
    }
    return ok ? 0 : -1;
}

EXPORT(spore_seal)
int
spore_seal(void)
{
    static int sealed;
    PyObject *gc = PyImport_ImportModule("gc");
    PyObject *frozen = NULL;
    int ok = 0;
    if (gc) {
        /* A full collection also empties the free lists of floats, tuples and
           the like, whose memory lies all over the image. */
        PyGC_Collect();
        ok = sealed || immortalise(gc) == 0;
        frozen = ok ? PyObject_CallMethod(gc, "freeze", NULL) : NULL;
    }
    Py_XDECREF(gc);
    if (frozen == NULL) {
        return result_error("error");
    }
    Py_DECREF(frozen);
    sealed = 1;
    result_clear();
    memset(hot.input, 0, sizeof hot.input);
    heap_begin();
    wipe_stack(UINTPTR_MAX);
    hot.control.kept = 0;
    hot.control.fresh = 1;
    return STATUS_JSON;
}

/* A new start: whatever drew from the system's entropy before draws again. */
void
spore_refresh(void)
{
    hot.control.fresh = 0;
    if (++_PyRandom_Start == 0) {
        _PyRandom_Start = 1;    /* 0 stands for "seeded by hand" */
    }
    spore_sqlite_restart();
}
