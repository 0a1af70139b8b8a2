/* What the files of the shim share. The contract with the host is
   runtimes/ABI.md; names of exports and imports are explained there. */

#ifndef SPORE_H
#define SPORE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>

#define EXPORT(name) __attribute__((export_name(#name), used))
#define IMPORT(name) \
    __attribute__((import_module("spore"), import_name(#name)))

enum { STATUS_JSON, STATUS_TEXT, STATUS_PENDING, STATUS_ERROR };

typedef struct {
    uint32_t abi;
    uint32_t input;
    uint32_t input_cap;
    uint32_t result;
    uint32_t result_len;
    uint32_t pending;
    uint32_t fresh;
    uint32_t kept;
} control_block;

/* Size classes of the request heap: multiples of 8 up to 512, then four steps
   to each doubling up to 32 KiB. */
enum { SMALL_MAX = 512, BLOCK_MAX = 32768, CLASS_COUNT = 64 + 24 };

typedef struct {
    char *cur;          /* first byte never handed out */
    char *end;
    char *base;         /* start of the region */
    uintptr_t old;      /* what lies below existed at the last seal */
    uint32_t full;      /* the region had no room for something */
    uint32_t refused;   /* an allocation has failed */
    void *free[CLASS_COUNT];
} request_heap;

/* Everything that the shim writes in an ordinary call, followed by the input,
   so that a small call dirties one page of it. */
typedef struct {
    control_block control;
    uint32_t call_id;           /* of the last host call */
    PyObject *result;           /* owner of the bytes that control.result shows */
    PyObject *awaiter;          /* see _spore.drive */
    uint32_t console_len[2];    /* what waits for the end of its line */
    request_heap heap;
    char input[65536];
} hot_state;

extern hot_state hot;

/* boot.c */
void input_release(void);

/* heap.c */
void heap_begin(void);

/* seal.c */
void spore_refresh(void);

/* host.c */
PyMODINIT_FUNC PyInit__spore(void);
int host_init(PyObject *guest);
PyObject *host_error_from(PyObject *value, uint32_t id);
void console_flush(void);

/* frame.c */
int frame_init(PyObject *guest);
/* Value of a frame (new reference). No value: Py_None and *absent = 1. */
PyObject *frame_decode(const char *frame, size_t len, int *absent);
/* Frame of a value (NULL: no value) as a bytes object. */
PyObject *frame_encode(PyObject *value);
/* The same for the commonest small values, which need none; NULL for others. */
const char *frame_plain(PyObject *value, Py_ssize_t *len);
int frame_report_error(PyObject *value);

/* call.c */
int call_init(PyObject *guest);

/* result.c: each sets the result and returns the status that goes with it. */
int result_init(PyObject *guest);
void result_clear(void);
int result_text(PyObject *str);                 /* steals str */
int result_frame(PyObject *value);              /* steals value, which may be NULL */
int result_report(PyObject *json);              /* steals json, a str */
int result_error(const char *kind);             /* of the raised exception */
int result_missing(const char *name, uint32_t len);
int result_message(const char *kind, const char *message);

#endif
