/*
 * jumpbox-helper's own header: the one process that serves a stream, its
 * channels, and which file does what of them.
 *
 *	main ──► loop ──► stream ──► dispatch ──► open: exec, connect, listen
 *	                    ▲                        │
 *	                    └──────── chan ◄─────────┘ ──► procs
 */
#ifndef JUMPBOX_HELPER_HELPER_H
#define JUMPBOX_HELPER_HELPER_H

#include "jumpbox/buf.h"
#include "jumpbox/mux.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

enum {
	CHANS_MAX = 1024,
	OUT_MAX = 4 * 1024 * 1024, /* of frames that the session has not taken */
	OUT_STOP = 1024 * 1024,	   /* no further frames are read while there are so many bytes */
	OUT_SOFT = 512 * 1024,	   /* no further data is read from the container */
	ADDRS_MAX = 16,
	LISTEN_BACKLOG = 128,
};

struct helper;
struct chan;

/* ---- account.c: as whom all of this runs, and with which shell ------------ */

struct account {
	uid_t uid;
	gid_t gid;
	char *user, *home, *shell; /* shell "": none */
};
void account_init(struct account *a);
void account_release(struct account *a);

/* ---- mask.c: what this connection may; pure ------------------------------- */

struct mask {
	uint32_t perms;
	char *items; /* "db:5432 [fd00::1]:*" */
};
bool mask_exec(const struct mask *m, bool command);
bool mask_files(const struct mask *m, bool readonly);
bool mask_forward(const struct mask *m); /* loopback, own addresses, sockets of all kinds */
bool mask_item(const struct mask *m, const char *host, uint32_t port);

/* ---- stream.c: frames in and out ------------------------------------------ */

struct stream {
	int in, out; /* -1: over */
	struct buf got, put;
};
void stream_init(struct stream *s, int in, int out);
void stream_release(struct stream *s);
/* Reads what there is.  False at its end. */
bool stream_read(struct stream *s);
/* Hands what has been read to dispatch(); false if it breaks the protocol. */
bool stream_parse(struct helper *h);
bool stream_write(struct stream *s);
void stream_put(struct helper *h, const struct mux_frame *f);

/* ---- dispatch.c: read this first: what each frame does and when it may come */

bool dispatch(struct helper *h, const struct mux_frame *f);

/* ---- chan.c: one channel: its descriptors, buffer and windows ------------- */

enum chan_kind {
	CHAN_EXEC,
	CHAN_FILES, /* SFTP, one end of a copy: what it has for descriptor 2 is notes */
	CHAN_SOCKET,
	CHAN_LISTENER
};
enum chan_state {
	CHAN_OPENING, /* the session waits for OPENED or FAILED */
	CHAN_OPEN,
	CHAN_CLOSED, /* our CLOSE is out, the session's has not come */
	/* The session's has come.  FILES: the last lines for the audit have not; SOCKET: it has not
	 * yet taken what came before. */
	CHAN_ENDING,
};

struct chan {
	struct chan *next;
	uint32_t id;
	enum chan_kind kind;
	enum chan_state state;
	int in_fd, out_fd,
	    err_fd;   /* -1: none, or ended; of a socket or terminal two, each closed by itself */
	int slots[3]; /* theirs, and of listeners, among what is polled; -1 */
	bool pty;
	struct buf in; /* from the session, not yet taken by in_fd */
	uint32_t in_window, in_taken, out_window;
	bool eof_in, eof_out, deaf; /* deaf: what in_fd was takes no more */
	struct proc *proc;	    /* EXEC, FILES */
	struct buf notes;	    /* FILES: an audit line that is not whole yet */
	struct connecting *connecting;
	struct listener *listener;
};

/* NULL, and refused, when there are too many. */
struct chan *chan_new(struct helper *h, uint32_t id, enum chan_kind kind);
void chan_refuse(struct helper *h, uint32_t id, enum mux_why why, const char *text);
struct chan *chan_find(struct helper *h, uint32_t id);
void chan_opened(struct helper *h, struct chan *c, uint32_t port, const char *path);
/* Frees it. */
void chan_failed(struct helper *h, struct chan *c, enum mux_why why, const char *text);
/* Says CLOSE; what belongs to the channel is given up, its main process hung up. */
void chan_close(struct helper *h, struct chan *c);
/* The session's CLOSE: the same, and frees it, in a moment if something is to be done before. */
void chan_end(struct helper *h, struct chan *c);
void chan_free(struct helper *h, struct chan *c); /* says nothing */
/* The session's; false: it breaks the protocol. */
bool chan_data(struct helper *h, struct chan *c, struct mux_str bytes);
bool chan_window(struct chan *c, uint32_t more);
void chan_eof(struct helper *h, struct chan *c);
void chan_unread(struct helper *h, struct chan *c);
/* Around poll(). */
void chan_watch(struct helper *h, struct chan *c);
void chan_ready(struct helper *h, struct chan *c); /* may free it */

/* ---- exec.c, spawn.c: shells, commands, SFTP, copies --------------------------- */

void exec_open(struct helper *h, const struct mux_frame *f);
void exec_open_sftp(struct helper *h, const struct mux_frame *f);
void exec_open_copy(struct helper *h, const struct mux_frame *f);
void exec_resize(struct chan *c, uint32_t cols, uint32_t rows);
/* Its process has ended: so does the channel when that is over with its output.  When to look again. */
int64_t exec_finish(struct helper *h, struct chan *c, int64_t now);

/* What spawn() starts, and the ends of it that it leaves here. */
struct spawn {
	const struct account *account;
	const char *marker;
	const struct mux_frame *what; /* OPEN_EXEC, OPEN_SFTP or OPEN_COPY */
	pid_t pid;
	int in, out, err; /* -1: none */
};
/* 0 or -errno. */
int spawn(struct spawn *s);
/* In a child that becomes no other program: signals as one expects them, no descriptor from `first` on. */
void spawn_signals(void);
void spawn_close_from(int first);

/* ---- procs.c: processes that we started ----------------------------------- */

struct proc {
	struct proc *next;
	pid_t pid;
	struct chan *chan; /* NULL: closed */
	bool ended;
	int status;
	int64_t ended_at;
	int64_t next_at; /* of the next signal; 0: none */
	int step;
};

struct proc *procs_add(struct helper *h, pid_t pid, struct chan *c);
/* The channel is gone: HUP now (or not), TERM, KILL. */
void procs_hang_up(struct helper *h, struct proc *p, bool hup);
void procs_signal(struct proc *p, struct mux_str name); /* "TERM"; unknown ones are dropped */
void procs_reap(struct helper *h);
int64_t procs_timers(struct helper *h, int64_t now); /* when to come again */

/* ---- connect.c, resolve.c: TCP and unix sockets --------------------------- */

struct address {
	socklen_t len;
	struct sockaddr_storage sa;
};
/* What a child that waits for it says, once. */
struct answer {
	enum mux_why why; /* of a name; 0: it was found */
	int error;	  /* of a connect; 0: it is connected */
	uint32_t n;
	struct address addr[ADDRS_MAX];
};

void connect_tcp(struct helper *h, const struct mux_frame *f);
void connect_unix(struct helper *h, const struct mux_frame *f);
void connect_watch(struct helper *h, struct chan *c);
void connect_ready(struct helper *h, struct chan *c); /* may free it */
int64_t connect_timer(struct helper *h, struct chan *c, int64_t now);
void connect_free(struct chan *c);
enum mux_why connect_why(int error);
/* A new descriptor of the container's system as this program wants it. */
int socket_setup(int fd);

/* Numbers and "localhost", at once; false: a name. */
bool resolve_at_once(const char *host, uint32_t port, struct answer *a);
/* What a child is asked: for the addresses of a name or, host NULL, to connect the socket. */
struct question {
	const char *host;
	uint32_t port;
	int socket;
	const struct address *to;
};
/* A child that writes a struct answer to *fd and ends; 0 or -errno. */
int resolve_start(const struct question *q, pid_t *pid, int *fd);
/* Is it of this container itself? */
bool address_own(const struct address *a);
void address_text(const struct address *a, char text[static 64], uint32_t *port);

/* ---- listen.c ------------------------------------------------------------- */

void listen_tcp(struct helper *h, const struct mux_frame *f);
void listen_unix(struct helper *h, const struct mux_frame *f);
void listen_agent(struct helper *h, const struct mux_frame *f);
void listen_watch(struct helper *h, struct chan *c);
void listen_ready(struct helper *h, struct chan *c); /* may free it */
int64_t listen_timer(struct helper *h, struct chan *c, int64_t now);
void listen_free(struct chan *c);

/* ---- keeper.c: the paths of listening sockets ------------------------------ */

struct keeper {
	pid_t pid;
	int fd; /* its words come here */
};
/* What it says first; at its end it says a byte. */
struct keeper_word {
	int error; /* 0: the socket listens */
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
};
/* It has the socket listen at the path, NULL: at a new one for an agent; 0 or -errno. */
int keeper_start(struct keeper *k, int sock, const char *path);
/* The path is removed: waits for a moment, and leaves it. */
void keeper_end(struct keeper *k);
/* The same, and nobody waits. */
void keeper_leave(struct keeper *k);

/* ---- loop.c: the one process ---------------------------------------------- */

struct pollfd;
struct helper {
	struct stream stream;
	struct account account;
	struct mask mask;
	char *marker;
	bool greeted; /* HELLO has come */
	struct chan *chans;
	size_t nchans;
	struct proc *procs;
	uint32_t last_id;  /* of those that this side opens */
	int64_t accept_at; /* out of descriptors: not before */
	struct pollfd *polled;
	size_t npolled, polled_max;
	const volatile bool *stop; /* a signal came */
};
void helper_init(struct helper *h, int in, int out);
void helper_release(struct helper *h);
/* Serves the stream to its end, then hangs up what was started.  False: it broke the protocol. */
bool helper_serve(struct helper *h);
/* One round of it; false when the stream is over, and why. */
bool helper_round(struct helper *h, bool *broken);
/* Waits for `events` of fd in the next poll; its slot. */
int helper_watch(struct helper *h, int fd, short events);
short helper_events(const struct helper *h, int slot);

#endif
