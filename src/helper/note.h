/* Lines for the audit: what was done to which file. */
#ifndef JUMPBOX_HELPER_NOTE_H
#define JUMPBOX_HELPER_NOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NOTE_LEN = 4096 };
struct note {
	char s[NOTE_LEN];
	size_t n;
};

void note_begin(struct note *n, const char *verb);
void note_path(struct note *n, const char *key, const char *path);
void note_quoted(struct note *n, const char *key, const char *value);
void note_text(struct note *n, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* A regular file's size, or -1; the arguments are fstatat()'s. */
int64_t note_size_of(int at, const char *path, int flags);
/* That, if there is one. */
void note_size(struct note *n, const char *key, int64_t size);
/* Ends it; false: nobody is there to be told. */
bool note_write(int fd, struct note *n);

#endif
