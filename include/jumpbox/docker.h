/*
 * The Docker Engine API as this program uses it (API 1.24 and up; Podman's
 * compatible API).  Plain blocking calls with a deadline: whoever must not
 * block forks a child and kills it.  No call logs; errors come back as a
 * code and one sentence for a person, without URL, path or raw JSON.
 *
 * Links libcurl and jansson.  Never linked by the session.
 */
#ifndef JUMPBOX_DOCKER_H
#define JUMPBOX_DOCKER_H

#include "jumpbox/errors.h"
#include "jumpbox/proto.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- one engine ------------------------------------------------------- */

struct engine_addr {
	const char *name;	     /* the node's name, for sentences */
	const char *url;	     /* unix:///path, tcp://host:port */
	const char *ca, *cert, *key; /* PEM, NULL: none */
	bool insecure;
};

/* A node's; points into it. */
struct node;
struct engine_addr engine_addr_of(const struct node *n);
/* JB_BAD_INPUT and why: unknown scheme, no port, plain tcp without insecure, TLS material
 * incomplete. Pure. */
int engine_addr_check(const struct engine_addr *a, struct errtext *e);

struct engine; /* one keep-alive connection */

enum { ENGINE_CONNECT_MS = 3000, ENGINE_CALL_MS = 10000 };

/* Connects lazily. timeout_ms bounds each call as a whole (ENGINE_CALL_MS). Copies what it needs of
 * addr. */
struct engine *engine_new(const struct engine_addr *addr, long timeout_ms);
void engine_free(struct engine *en);

/* "20.10.24" / "4.3.1", the API version as 141 for 1.41, and whether it is Podman. */
struct engine_info {
	char version[32];
	unsigned api;
	bool podman;
	char arch[16]; /* its word for the processor: "amd64" "arm64" */
};
int engine_version(struct engine *en, struct engine_info *info, struct errtext *e);
/* The certificate that it shows, by a connection for that; malloc'd. JB_NOT_FOUND: none. */
int engine_certificate(struct engine *en, char **pem);

/* ---- containers ------------------------------------------------------- */

struct engine_container {
	char id[65];
	char *name, *image, *state;
	char *labels; /* JSON object text */
	char *image_id;
	char *service; /* as in store.h's struct container */
	char *ports;   /* the same */
	int64_t created;
};
struct engine_list {
	struct engine_container *c;
	size_t n;
};
/* Those of these ids that there are; ids NULL: all. */
int engine_list(struct engine *en, const char *const *ids, size_t n, struct engine_list *list,
    struct errtext *e);
void engine_list_release(struct engine_list *list);

/* What a policy decision and an attach need to know of one container, live. */
struct engine_inspect {
	char id[65];
	char *name, *image; /* image as given at create */
	char *state;	    /* "running" "paused" "restarting" "exited" ... */
	char *labels;	    /* JSON object text: the container's own and the image's */
	char *image_labels; /* JSON object text: the image's (what "own" is told from) */
	bool pid_host, tty;
	char health[16]; /* "starting" "healthy" "unhealthy"; "" */
	char *gpus;	 /* "all", "count=2", device ids; "" */
	int64_t started, finished;
	int exit_code;
	bool oom;
};
int engine_inspect(struct engine *en, const char *id, struct engine_inspect *in, struct errtext *e);
void engine_inspect_release(struct engine_inspect *in);
/* 0: it is running.  JB_UNAVAILABLE: why nothing can be run in a container of that state, and what
 * to do. Pure. */
int engine_running_check(const char *state, struct errtext *e);
/* value of label key, own labels only (present in the container and absent or different in the
 * image); malloc'd or NULL. Pure. */
char *engine_own_label(const char *labels, const char *image_labels, const char *key);
/* value of a label, inherited or not; malloc'd or NULL.  Pure. */
char *engine_label(const char *labels, const char *key);

/* ---- details, power ----------------------------------------------------- */

/* Rows of proto.h's enum detail_key and a text; a key may repeat. */
struct engine_details {
	struct engine_detail {
		uint32_t key;
		char *value;
	} row[DETAIL_ROWS + 1]; /* the last may be DETAIL_CUT */
	size_t n;
	bool cut;
};
int engine_details(struct engine *en, const char *id, struct engine_details *d, struct errtext *e);
void engine_details_release(struct engine_details *d);

/* what: proto.h's enum power. *already: there was nothing to do. Takes as long as the container does. */
int engine_power(
    struct engine *en, const char *id, unsigned what, bool *already, struct errtext *e);
/* ---- events ----------------------------------------------------------- */

/*
 * The engine's stream of events about containers, on a connection of its own,
 * which must begin within begin_ms.  fn is called with the id of each container
 * that something has happened to, from the first call on.
 */
struct engine_follow;
struct engine_follow *engine_follow_new(
    struct engine *en, int begin_ms, void (*fn)(const char *id, void *), void *arg);
void engine_follow_free(struct engine_follow *f);
/* Waits for it, for `also` to be readable or for timeout_ms.  JB_UNAVAILABLE and why when the stream
 * has ended. */
int engine_follow_wait(struct engine_follow *f, int also, int timeout_ms, struct errtext *e);
/* The engine has begun: from here on nothing happens unseen. */
bool engine_follow_begun(const struct engine_follow *f);
/* Is it there at all?  Within timeout_ms. */
int engine_ping(struct engine *en, long timeout_ms, struct errtext *e);

/* ---- logs, figures ------------------------------------------------------- */

struct exec_stream;
/*
 * The last `tail` lines of what it has written, and with follow what it writes
 * from now on: a stream as an exec's, framed unless the container has a
 * terminal.  Its reader must not end its half before the end.
 */
int engine_logs(struct engine *en, const char *id, unsigned tail, bool follow,
    struct exec_stream *s, struct errtext *e);

/* What `docker stats` shows; bytes, and cpu in hundredths of a percent of one processor. */
struct engine_stats {
	uint64_t cpu, mem, mem_limit, net_rx, net_tx, blk_read, blk_write;
	uint32_t pids;
};
/*
 * Once a second, until fn returns other than 0, which is then returned, or
 * there is nothing more: JB_UNAVAILABLE, the container runs no longer.
 */
int engine_stats(struct engine *en, const struct engine_info *info, const char *id,
    int (*fn)(const struct engine_stats *, void *), void *arg, struct errtext *e);

/* ---- exec ------------------------------------------------------------- */

struct exec_spec {
	const char *container; /* id */
	bool tty;
	unsigned cols, rows;	 /* of the terminal, within the bounds of client.h */
	const char *user;	 /* "USER[:GROUP]", NULL: the image's */
	const char *shell;	 /* instead of the user's own; NULL */
	const char *const *env;	 /* NAME=VALUE, NULL-terminated; NULL: none */
	const char *const *argv; /* NULL-terminated */
};

/* exec_id: at least 65 bytes. Pure HTTP; the process does not exist yet. */
int engine_exec_create(
    struct engine *en, const struct exec_spec *spec, char exec_id[static 65], struct errtext *e);

/* The upgraded stream.  fd is the socket itself, unless tls: then bytes go through
 * engine_stream_relay. */
struct exec_stream {
	int fd;	  /* the caller's to close; non-blocking, CLOEXEC; -1 when tls */
	bool tls; /* keep the engine, run engine_stream_relay */
};
/*
 * Starts it, with the right first size for a TTY whatever the engine's
 * version, and returns once the process runs.  JB_UNAVAILABLE with a clear
 * sentence when there is no such program in the image (*no_program is set) or
 * the engine refuses.  Reads exactly the reply head.  After a failure or a
 * kill in the middle the process may still come to run: engine_exec_signal
 * with its marker ends it.
 */
int engine_exec_start(struct engine *en, const struct engine_info *info,
    const struct exec_spec *spec, const char *exec_id, struct exec_stream *s, bool *no_program,
    struct errtext *e);
/*
 * Copies between the TLS stream and a socket until both directions have
 * ended; a half-close is kept (never towards a terminal).  In the process that
 * started the exec, which must hold no copy of the socket's other end.
 */
int engine_stream_relay(struct engine *en, int sock);

struct exec_status {
	bool running;
	int exit_code; /* when not running; -1: never started */
	int64_t pid;   /* the host's; 0: never started (Podman: or ended) */
};
/* 404 after a removal is running=false, exit_code=137. */
int engine_exec_inspect(
    struct engine *en, const char *exec_id, struct exec_status *s, struct errtext *e);
int engine_exec_resize(
    struct engine *en, const char *exec_id, unsigned cols, unsigned rows, struct errtext *e);

/*
 * Signals the main process of an exec, found inside the container by its
 * marker (environment variable EXEC_MARKER=value) and PPid 0, through a second
 * exec as the same user.  "HUP" "TERM" "INT" ...; with escalate: HUP, then TERM
 * after 2 s, then KILL after 2 more, as long as it lives.  Returns when the
 * signal is sent; with escalate when the process is gone, which the engine may
 * report a few seconds later.  exec_id NULL: not known (then not with
 * pid_host).  0 too when it had ended before; JB_NOT_FOUND: no such process.
 */
#define EXEC_MARKER "JUMPBOX_EXEC"
int engine_exec_signal(struct engine *en, const struct engine_info *info, const char *container,
    const char *user, bool pid_host, const char *exec_id, const char *marker, const char *signal,
    bool escalate, struct errtext *e);

/* ---- a program of ours ------------------------------------------------- */

struct engine_program {
	const uint8_t *data; /* static, for the node's processor */
	size_t size;
	char sha256[65];
};
struct engine_placing {
	const struct engine_program *program;
	const char *marker; /* names it in the container: letters, digits and dots */
	void (*made)(const char *exec_id, void *arg); /* of each exec that may become it */
	void *arg;
};
/*
 * Runs it without arguments as spec's user, whatever the image has: its
 * stream, on which nothing has passed.  JB_UNAVAILABLE and why it cannot be.
 */
int engine_place(struct engine *en, const struct engine_info *info, const struct exec_spec *spec,
    const struct engine_placing *pl, struct exec_stream *s, struct errtext *e);

/* ---- the command lines put into a container (pure) --------------------- */

/*
 * The argv (NULL-terminated, within the struct or *storage) that runs the
 * user's login shell, or command through that shell's -c.  With spec's
 * terminal it waits inside for a size, sets spec's if none comes, and names
 * the terminal in SSH_TTY.
 */
struct shell_argv {
	const char *argv[16];
	char rows[12], cols[12];
	char *storage;
	size_t size;
};
void shell_argv_login(struct shell_argv *a, const struct exec_spec *spec);
/* JB_BAD_INPUT: longer than any command that the protocol admits. */
int shell_argv_command(
    struct shell_argv *a, const struct exec_spec *spec, const char *command, struct errtext *e);
void shell_argv_release(struct shell_argv *a); /* wipes the command */

#endif
