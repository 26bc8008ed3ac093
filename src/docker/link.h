/* A connection of its own for one request, and the head of the answer.  Broker children. */
#ifndef DOCKER_LINK_H
#define DOCKER_LINK_H

#include "engine.h"

struct link {
	struct engine *en;
	CURL *c;
	int fd;
	int64_t deadline; /* now_mono_ms() */
};

/* Connects, within the engine's time-out, which counts from here on. To be closed, also on failure. */
int link_open(struct link *l, struct engine *en, struct errtext *e);
/* 0: ready, or the other side is gone, which the next read or write tells. JB_UNAVAILABLE: too late. */
int link_wait(struct link *l, short events);
int link_send(struct link *l, const char *p, size_t n, struct errtext *e);
/* At most size bytes; *n 0 is the end of the stream. */
int link_recv(struct link *l, char *p, size_t size, size_t *n, struct errtext *e);
/* The head of the answer, and not a byte more. */
int link_head(struct link *l, struct http_head *h, struct errtext *e);
/* An answer that is not the one that was wanted: its body says why. */
int link_refused(
    struct link *l, enum situation about, const struct http_head *h, struct errtext *e);
/* Some more of an exec's stream that link_take() gave; 0 at its end and after the deadline. stream.c */
size_t exec_stream_some(struct link *l, bool tls, char *p, size_t size);
/* Ends it; returns rc. */
int link_close(struct link *l, int rc);
/* Its stream, to be passed on or relayed, and its end; whole: it must not be half-closed. */
int link_take(struct link *l, bool whole, struct exec_stream *s, struct errtext *e);

#endif
