/*
 * Where targets run that do what they are told: a thread whose root is an
 * empty file system in memory, and whose network is a loopback of its own.
 * To be run as root.
 */
#ifndef JUMPBOX_FUZZ_JAIL_H
#define JUMPBOX_FUZZ_JAIL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

/* No file gets longer: what is sparse would be copied for hours. */
enum { JAIL_LONGEST = 1 << 20 };

/* Has the thread run it, and waits.  What it leaves there is there the next time. */
void jail_run(void (*run)(const uint8_t *p, size_t n), const uint8_t *p, size_t n);

/* In it: everything below a directory, what is in a directory before itself. */
void jail_walk(int dir, void (*each)(int dir, const char *name, const struct stat *st));
void jail_remove(int dir, const char *name, const struct stat *st);

/* A file in memory, what was written to it, mapped, and all of that undone. */
int jail_file(const char *name);
size_t jail_take(int fd, const uint8_t **p);
void jail_empty(int fd, const uint8_t *p, size_t n);

/* How many descriptors are open. */
size_t jail_descriptors(void);

/* Of notes: whole lines without control characters. */
void jail_check_notes(const uint8_t *p, size_t n);

#endif
