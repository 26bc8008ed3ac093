/*
 * The session's side of the streams to helpers in containers: one for a
 * container and a kind of permission, opened when first needed, and the
 * channels on it (mux.h).
 *
 *	WAITING ──REP_HELPER──► OPEN ──READY──► ... ──► OVER (freed in the next turn)
 *
 * What comes is the container's and is believed nothing: a frame that is not
 * due ends the stream.  The stream is always read, whatever a channel's owner
 * takes: what may be held for a channel is the window that it was given.
 */
#ifndef SESSION_MUX_CLIENT_H
#define SESSION_MUX_CLIENT_H

#include "conn.h"

#include "jumpbox/demux.h"
#include "jumpbox/mux.h"

enum { MUX_STREAMS = 32 }; /* of a connection; beyond that an idle one goes */

struct pollfd;
struct mux;
struct mux_chan;

/* What the owner of a channel is told. The channel is gone after failed and closed. */
struct mux_events {
	void (*opened)(void *owner, uint32_t port, const char *path);
	/* why: enum mux_why, 0: there is no helper; code and text say why. */
	void (*failed)(void *owner, uint32_t why, uint32_t code, const char *text);
	void (*data)(void *owner, const void *p, size_t n);
	void (*eof)(void *owner);
	/* signal 0: it ended by itself, with that code. */
	void (*exited)(void *owner, uint32_t signal, uint32_t code, bool core);
	/* By the helper, or (code, and why) the stream is over. */
	void (*closed)(void *owner, uint32_t code, const char *text);
	/* Of a listener: a connection, which the callee gives an owner or closes. */
	void (*accepted)(void *owner, struct mux_chan *mc, const char *peer, uint32_t port);
	void (*errdata)(void *owner, const void *p, size_t n); /* NULL: there is none */
};

/*
 * A channel in that container, by a first frame whose id is filled in here.
 * need: one bit of enum perm, what it is good for.  NULL: there are too many.
 */
struct mux_chan *mux_open(struct conn *c, uint64_t ref, uint32_t need, struct mux_frame *first,
    const struct mux_events *ev, void *owner);
/* The broker has refused that a little while ago, so that it need not be asked again. */
bool mux_refused(const struct conn *c, uint64_t ref, uint32_t need);
/* There is none for that, nor was one to be had a little while ago: for who can do without. */
bool mux_none(const struct conn *c, uint64_t ref, uint32_t need);
/*
 * The stream, by its request to the broker, that may carry shells (or commands)
 * of that container, asked for if there is none; 0: there is none to be had.
 */
uint32_t mux_for_process(struct conn *c, uint64_t ref, uint32_t need);
/* A process on that very stream; NULL: it is over, or has too many. */
struct mux_chan *mux_open_process(struct conn *c, uint32_t stream, uint32_t need,
    struct mux_frame *first, const struct mux_events *ev, void *owner);
void mux_own(struct mux_chan *mc, const struct mux_events *ev, void *owner);
/* Takes as many bytes as may go now: how many. */
size_t mux_send(struct mux_chan *mc, const void *p, size_t n);
/* These can be said of a channel that is open; false: not now. */
bool mux_eof(struct mux_chan *mc);
bool mux_resize(struct mux_chan *mc, unsigned cols, unsigned rows);
bool mux_signal(struct mux_chan *mc, const char *name);
bool mux_unread(struct mux_chan *mc);	       /* of a process */
void mux_grant(struct mux_chan *mc, size_t n); /* the owner has got rid of so many bytes */
void mux_close(struct mux_chan *mc);	       /* the owner hears nothing any more */
/* For the loop. */
bool mux_answer(struct conn *c, struct msg *m); /* REP_HELPER; false: not ours */
bool mux_detached(struct conn *c, uint32_t request, uint32_t code, const char *reason);
unsigned mux_poll(struct conn *c, struct pollfd *set, unsigned n); /* how many it added */
void mux_polled(struct conn *c, const struct pollfd *set);
bool mux_work(struct conn *c, int64_t now);
int64_t mux_deadline(const struct conn *c);
void mux_rest(struct conn *c); /* gives back storage that nothing is in */
void mux_release_all(struct conn *c, const char *how);

#endif
