/*
 * What the files of streams to helpers share: mux_client.c has the streams,
 * mux_stream.c the bytes on them, mux_chan.c their channels.
 */
#ifndef SESSION_MUX_PARTS_H
#define SESSION_MUX_PARTS_H

#include "mux_client.h"

#include "jumpbox/policy.h"

enum {
	READ_SIZE = 128 * 1024,
	CHANS_MAX = MAX_ATTACHES,
	PROCESS = PERM_SHELL | PERM_EXEC,
	FILES = PERM_FILES | PERM_FILES_RO,
};

struct mux_chan {
	struct mux_chan *next;
	struct mux *mux;
	uint32_t id;
	uint32_t need;
	const struct mux_events *ev;
	void *owner;	  /* NULL: nobody's any more */
	struct buf first; /* its first frame, until the stream is there */
	int64_t answer_by;
	bool listens;
	bool open;		   /* OPENED has come, or it was accepted */
	bool closed_us, closed_it; /* a CLOSE of either side */
	bool eof_us, eof_it, exited;
	uint32_t out_window, in_window;
	size_t taken; /* by the owner, of which the helper was not told */
};

struct mux {
	struct mux *next;
	struct conn *conn;
	uint64_t ref;
	uint32_t want, perms;
	uint32_t request; /* names it to the broker */
	int fd;		  /* -1: waited for, or over */
	bool over, ready, stuck;
	bool refused; /* it is not allowed */
	bool ended;   /* the other side of it: nothing comes any more */
	unsigned slot;
	bool readable;
	int64_t ready_by;
	int64_t answer_by; /* of the channels' the first; 0: none */
	int64_t again_at;  /* over, and kept until then: none can be had there; 0 */
	bool no_processes; /* there is no shell */
	struct buf put, got;
	struct demux demux;
	struct mux_chan *chans;
	unsigned nchans;
	uint32_t last_id;
	uint64_t bytes_in, bytes_out;
};

struct mux_chan *mux_chan_add(struct mux *x, uint32_t id, const struct mux_events *ev, void *owner);
struct mux_chan *mux_chan_find(const struct mux *x, uint32_t id);
void mux_chan_drop(struct mux_chan *mc);
/* A frame of the helper's; false: it is hostile. */
bool mux_take(struct mux *x, const struct mux_frame *f);
/* The stream is over: whoever has a channel on it is told. code 0: no more than that. */
void mux_fail(struct mux *x, uint32_t code, const char *text, const char *how);
void mux_broken(struct mux *x, const char *how);
/* What was said until then, of a stream that is about to end: of files, it is for the audit. */
void mux_hear_rest(struct mux *x);

#endif
