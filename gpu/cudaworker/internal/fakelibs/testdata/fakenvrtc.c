// A library that looks like libnvrtc and compiles for the processor, with cc. It is for tests.
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct { char *source, *cubin, *log; size_t size; } program;

int nvrtcVersion(int *a, int *b) { *a = 13; *b = 0; return 0; }
int nvrtcCreateProgram(program **p, const char *source, const char *name, int headers, const char **h, const char **n) {
  if (headers || h || n || !name) return 3;
  *p = calloc(1, sizeof **p);
  (*p)->source = strdup(source);
  return 0;
}
static char *slurp(const char *path, size_t *n) {
  FILE *f = fopen(path, "rb");
  if (!f) return 0;
  fseek(f, 0, SEEK_END);
  *n = ftell(f);
  rewind(f);
  char *b = malloc(*n + 1);
  *n = fread(b, 1, *n, f);
  b[*n] = 0;
  fclose(f);
  return b;
}
int nvrtcCompileProgram(program *p, int n, const char **options) {
  int arch = 0, fmad = 1;
  for (int i = 0; i < n; i++) {
    arch |= !strcmp(options[i], "--gpu-architecture=sm_90");
    fmad &= !!strcmp(options[i], "--fmad=false");
  }
  if (!arch) return 5;
  char dir[] = "/tmp/fakenvrtc-XXXXXX", path[64], command[1024];
  if (!mkdtemp(dir)) return 1;
  snprintf(path, sizeof path, "%s/k.c", dir);
  FILE *f = fopen(path, "w");
  const char *body = strstr(p->source, "KERNEL k(");
  const char *shared = strstr(p->source, "\nSHARED ");
  if (body && shared) fputs("#define FAKE_FIBERS\n", f);
  fprintf(f, "#include \"%s/fakeprelude.h\"\n%s\n#include \"%s/fakeend.h\"\n", TESTDATA, p->source, TESTDATA);
  fclose(f);
  snprintf(command, sizeof command, "cc -x c -std=gnu11 -O1 -w -ffp-contract=%s -fno-strict-aliasing -fPIC -shared -o %s/k.so %s/k.c -lm 2>%s/log", fmad ? "fast" : "off", dir, dir, dir);
  int failed = system(command);
  snprintf(path, sizeof path, "%s/log", dir);
  size_t size = 0;
  p->log = slurp(path, &size);
  if (!failed) {
    snprintf(path, sizeof path, "%s/k.so", dir);
    char *so = slurp(path, &size);
    p->size = size + 16;
    p->cubin = calloc(1, p->size);
    memcpy(p->cubin, "FAKE", 4);
    uint64_t w = size;
    memcpy(p->cubin + 8, &w, 8);
    memcpy(p->cubin + 16, so, size);
    free(so);
  }
  const char *files[] = {"k.c", "k.so", "log"};
  for (int i = 0; i < 3; i++) { snprintf(path, sizeof path, "%s/%s", dir, files[i]); unlink(path); }
  rmdir(dir);
  return failed ? 6 : 0;
}
int nvrtcGetProgramLogSize(program *p, size_t *n) { *n = p->log ? strlen(p->log) + 1 : 1; return 0; }
int nvrtcGetProgramLog(program *p, char *b) { strcpy(b, p->log ? p->log : ""); return 0; }
int nvrtcGetCUBINSize(program *p, size_t *n) { *n = p->size; return p->cubin ? 0 : 3; }
int nvrtcGetCUBIN(program *p, char *b) { memcpy(b, p->cubin, p->size); return 0; }
int nvrtcDestroyProgram(program **p) { free((*p)->source); free((*p)->cubin); free((*p)->log); free(*p); *p = 0; return 0; }
const char *nvrtcGetErrorString(int e) { return e == 6 ? "NVRTC_ERROR_COMPILATION" : e == 5 ? "NVRTC_ERROR_INVALID_OPTION" : "NVRTC_ERROR"; }
