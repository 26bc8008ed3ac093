/*
 * The recording of one terminal, as the session writes it.  It knows nothing
 * of channels: relay.c tells it what passes.
 */
#ifndef SESSION_RECORD_H
#define SESSION_RECORD_H

#include "jumpbox/config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct record;

enum record_state {
	RECORD_WELL,
	RECORD_FULL,   /* at recording-max-size, and a note in the file says so */
	RECORD_FAILED, /* the file takes no more */
};

/* fd, which is the recording's from here on, takes bytes at its end only. */
struct record *record_new(int fd, const struct config *cfg, int64_t now);
void record_output(struct record *r, int64_t now, const void *p, size_t n);
void record_input(struct record *r, int64_t now, const void *p, size_t n);
void record_size(struct record *r, int64_t now, unsigned cols, unsigned rows);
/* Writes what has waited long enough. Once it is not RECORD_WELL it stays so, and nothing is written. */
enum record_state record_work(struct record *r, int64_t now);
/* When record_work() wants to be called for time alone (monotonic ms), 0: not. */
int64_t record_deadline(const struct record *r);
/* Writes what waits, and closes. NULL is fine. */
void record_end(struct record *r);

#endif
