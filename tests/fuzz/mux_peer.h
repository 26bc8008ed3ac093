/*
 * The streams to helpers as broker and containers see them, for
 * fuzz_mux_client.c: asked for, spoken on, told of, over.
 */
#ifndef JUMPBOX_FUZZ_MUX_PEER_H
#define JUMPBOX_FUZZ_MUX_PEER_H

#include "jumpbox/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STREAMS = 48, IDS = 512 };

/* A channel.  The container may have reused it before the session has said a word about it. */
struct id {
	uint32_t id;
	unsigned lives; /* that the session has not closed */
	bool eof;
	uint64_t window; /* that the session was given */
};

struct stream {
	uint32_t request;
	int fd; /* the container's end; -1 */
	bool answered, detached;
	bool asleep;		 /* the container reads nothing */
	struct buf told, spoken; /* by the session, by the container: not taken apart yet */
	struct id ids[IDS];
	size_t nids;
};
extern struct stream streams[];
extern size_t nstreams;

void streams_begin(void);
void streams_end(void); /* the session has given up all of them */
/* What the session has said: well-formed, due, within its windows. */
void stream_hear(struct stream *x);
void stream_speak(struct stream *x, const uint8_t *p, size_t n);

#endif
