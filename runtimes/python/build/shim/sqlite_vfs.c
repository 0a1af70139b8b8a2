/* The operating system that SQLite sees: a clock and random numbers, and no
   files. Databases live in memory (":memory:", or "" for a temporary one). */

#include <sqlite3.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* SQLite draws a seed once and keeps it in memory, so a second start of an
   image would repeat the first one's random(). See spore_sqlite_restart. */
static int seeded;

static int
vfs_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags,
         int *out)
{
    file->pMethods = NULL;
    return SQLITE_CANTOPEN;
}

static int
vfs_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    return SQLITE_IOERR_DELETE_NOENT;
}

static int
vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
    *out = 0;
    return SQLITE_OK;
}

static int
vfs_full_pathname(sqlite3_vfs *vfs, const char *name, int n, char *out)
{
    size_t len = strlen(name);
    if (len >= (size_t)n) {
        return SQLITE_CANTOPEN;
    }
    memcpy(out, name, len + 1);
    return SQLITE_OK;
}

static int
vfs_randomness(sqlite3_vfs *vfs, int n, char *out)
{
    seeded = 1;
    return getentropy(out, (size_t)n) == 0 ? n : 0;
}

static int
vfs_sleep(sqlite3_vfs *vfs, int micros)
{
    struct timespec t = {micros / 1000000, (long)(micros % 1000000) * 1000};
    nanosleep(&t, NULL);
    return micros;
}

/* Milliseconds since noon of 24 November 4714 BC, which is how SQLite counts. */
static int
vfs_time_ms(sqlite3_vfs *vfs, sqlite3_int64 *out)
{
    struct timespec t;
    if (clock_gettime(CLOCK_REALTIME, &t) != 0) {
        return SQLITE_ERROR;
    }
    *out = 210866760000000LL + (sqlite3_int64)t.tv_sec * 1000 + t.tv_nsec / 1000000;
    return SQLITE_OK;
}

static int
vfs_time(sqlite3_vfs *vfs, double *out)
{
    sqlite3_int64 ms;
    int rc = vfs_time_ms(vfs, &ms);
    *out = (double)ms / 86400000.0;
    return rc;
}

static int
vfs_last_error(sqlite3_vfs *vfs, int n, char *out)
{
    return 0;
}

static sqlite3_vfs vfs = {
    .iVersion = 2,
    .szOsFile = sizeof(sqlite3_file),
    .mxPathname = 512,
    .zName = "spore",
    .xOpen = vfs_open,
    .xDelete = vfs_delete,
    .xAccess = vfs_access,
    .xFullPathname = vfs_full_pathname,
    .xRandomness = vfs_randomness,
    .xSleep = vfs_sleep,
    .xCurrentTime = vfs_time,
    .xCurrentTimeInt64 = vfs_time_ms,
    .xGetLastError = vfs_last_error,
};

int
sqlite3_os_init(void)
{
    return sqlite3_vfs_register(&vfs, 1);
}

int
sqlite3_os_end(void)
{
    return SQLITE_OK;
}

/* To be called at every start of an image. Free of cost if nobody used SQL. */
void
spore_sqlite_restart(void)
{
    if (seeded) {
        seeded = 0;
        sqlite3_randomness(0, NULL);
    }
}
