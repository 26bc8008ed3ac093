/* Small things every role needs and libc lacks. */
#ifndef JUMPBOX_UTIL_H
#define JUMPBOX_UTIL_H

#include "jumpbox/errors.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

/* Allocation that does not come back empty: out of memory is fatal. */
void *xcalloc(size_t n, size_t size);
void *xreallocarray(void *p, size_t n, size_t size);
char *xstrdup(const char *s);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

void wipe(void *p, size_t n); /* not optimised away */
void free_secret(char *s);    /* wipes the string, then frees it; NULL is fine */

/* Copies; 0, or JB_BAD_INPUT when it does not fit (dst is then empty). */
int str_copy(char *dst, size_t size, const char *src);

/* Big-endian, as everything is that goes over a wire. */
uint32_t load_u32(const uint8_t *p);
void store_u32(uint8_t *p, uint32_t v);

int64_t now_unix(void); /* seconds */
int64_t now_unix_ms(void);
int64_t now_mono_ms(void); /* CLOCK_MONOTONIC */
/* Times on that clock; 0 is never. */
int64_t sooner(int64_t a, int64_t b);
bool due(int64_t at, int64_t now);
int poll_timeout(int64_t at); /* from now until then, as poll() wants it */

int set_nonblock(int fd, bool on);
int set_cloexec(int fd, bool on);
/*
 * Whole write to a blocking or non-blocking fd, waiting at most timeout_ms in total (-1: no limit).
 * JB_TRY_AGAIN: time is up; JB_UNAVAILABLE: the other end is gone (SIGPIPE is the caller's matter).
 */
int write_all(int fd, const void *p, size_t n, int timeout_ms);
/*
 * From an offset to the end, whoever else moves in that file, or FROM_HERE; NUL-terminated, at most
 * max bytes; the caller frees it.  JB_BAD_INPUT when there is more, JB_UNAVAILABLE when it cannot be
 * read; the sentence begins with the name.
 */
enum { FROM_HERE = -1 };
int read_fd(
    int fd, off_t from, const char *name, size_t max, char **data, size_t *len, struct errtext *e);
/* The same of a whole file; JB_NOT_FOUND when there is none. */
int read_file(const char *path, size_t max, char **data, size_t *len, struct errtext *e);

/* Start time of a process in clock ticks since boot (/proc/PID/stat field 22); 0 if there is none,
 * or if it has ended and nobody has reaped it. */
uint64_t proc_start_time(int64_t pid);
/* This boot's id and this host's name; static storage. */
const char *boot_id(void);
const char *host_name(void);

/*
 * `2027-01-31` (its first second), `2027-01-31T18:00` (local time; what when_format writes, with its
 * Z, is UTC), `+8h`, `+30d`, `+15m`; "never" or "" is 0.
 */
int when_parse(const char *s, int64_t now, int64_t *at, struct errtext *e);
/* `2027-01-31T18:00:00Z` into dst[32]. */
void when_format(int64_t at, char dst[static 32]);

#endif
