/* Start of the interpreter, and the addresses that the host works with. */

#include "spore.h"
#include <string.h>

extern const struct _frozen spore_frozen[];     /* generated */

__attribute__((aligned(4096))) hot_state hot = {
    .control = {.abi = 1, .input_cap = sizeof hot.input, .kept = 1},
};

IMPORT(tick) int32_t host_tick(void);

EXPORT(spore_control)
control_block *
spore_control(void)
{
    if (hot.control.input == 0) {
        hot.control.input = (uint32_t)(uintptr_t)hot.input;
    }
    return &hot.control;
}

/* The import must survive the linker: the rewriter inserts calls of it. */
EXPORT(spore_yield)
int32_t
spore_yield(void)
{
    return host_tick();
}

EXPORT(spore_reserve)
int32_t
spore_reserve(uint32_t n)
{
    if (n <= hot.control.input_cap) {
        return 0;
    }
    char *p = malloc(n);
    if (p == NULL) {
        return -1;
    }
    input_release();
    hot.control.input = (uint32_t)(uintptr_t)p;
    hot.control.input_cap = n;
    return 0;
}

/* Gives a large input area back. */
void
input_release(void)
{
    if (hot.control.input_cap != sizeof hot.input) {
        free((void *)(uintptr_t)hot.control.input);
        hot.control.input = (uint32_t)(uintptr_t)hot.input;
        hot.control.input_cap = sizeof hot.input;
    }
}

static PyStatus
configure(PyConfig *c)
{
    PyConfig_InitIsolatedConfig(c);
    c->use_hash_seed = 1;           /* equal source must give equal images */
    c->hash_seed = 0;
    c->site_import = 0;
    c->write_bytecode = 0;
    c->install_signal_handlers = 0;
    c->pathconfig_warnings = 0;
    c->use_frozen_modules = 1;
    c->module_search_paths_set = 1;

    const struct { wchar_t **field; const wchar_t *value; } strings[] = {
        {&c->program_name, L"python"}, {&c->executable, L""},
        {&c->base_executable, L""},    {&c->home, L"/"},
        {&c->prefix, L"/"},            {&c->exec_prefix, L"/"},
        {&c->base_prefix, L"/"},       {&c->base_exec_prefix, L"/"},
        {&c->stdlib_dir, L""},
    };
    for (size_t i = 0; i < Py_ARRAY_LENGTH(strings); i++) {
        PyStatus status = PyConfig_SetString(c, strings[i].field, strings[i].value);
        if (PyStatus_Exception(status)) {
            return status;
        }
    }
    return PyStatus_Ok();
}

static PyStatus
start(void)
{
    PyImport_FrozenModules = spore_frozen;
    if (PyImport_AppendInittab("_spore", PyInit__spore) < 0) {
        return PyStatus_NoMemory();
    }
    PyPreConfig pre;
    PyPreConfig_InitIsolatedConfig(&pre);
    pre.utf8_mode = 1;
    PyStatus status = Py_PreInitialize(&pre);
    if (PyStatus_Exception(status)) {
        return status;
    }
    PyConfig config;
    status = configure(&config);
    if (!PyStatus_Exception(status)) {
        status = Py_InitializeFromConfig(&config);
    }
    PyConfig_Clear(&config);
    return status;
}

EXPORT(spore_boot)
int
spore_boot(void)
{
    PyStatus status = start();
    if (PyStatus_Exception(status)) {
        return result_message("error", status.err_msg ? status.err_msg : "no memory");
    }
    PyObject *guest = PyImport_ImportModule("_spore_guest");
    if (guest == NULL || result_init(guest) < 0 || frame_init(guest) < 0 ||
        host_init(guest) < 0 || call_init(guest) < 0)
    {
        Py_XDECREF(guest);
        return result_error("error");
    }
    PyObject *warm = PyObject_CallMethod(guest, "boot", NULL);
    Py_DECREF(guest);
    if (warm == NULL) {
        return result_error("error");
    }
    Py_DECREF(warm);
    console_flush();
    result_clear();
    return STATUS_JSON;
}
