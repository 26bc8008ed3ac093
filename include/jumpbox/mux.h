/*
 * What session and helper say to each other over the one stream of an exec,
 * and the mask with which the broker begins it.
 *
 *	+---------+------+--------+---------+
 *	| channel | type | length | payload |	all big-endian
 *	| u32     | u8   | u24    |         |
 *	+---------+------+--------+---------+
 *
 * A payload is fields, u32 or str (u32 length and bytes, none of them 0), or,
 * of DATA and ERRDATA, the bytes themselves.  It must be used up to its last
 * byte.  Channel 0 is the stream's own.  An id is chosen by the side that
 * opens the channel: the session's have the top bit clear, the helper's set.
 *
 * Of a channel that it opens the session sends nothing more before OPENED or
 * FAILED.  DATA and ERRDATA count against one window each way, which begins
 * at MUX_WINDOW_START and is given more by WINDOW.  CLOSE is sent once by
 * each side and nothing after it; what the other side had under way still
 * arrives, and what came before it still goes to a socket, after which the
 * helper says its own.  After both, or after FAILED, the id is free.
 *
 * Whoever breaks any of this is hostile, and is answered by the end of the
 * stream.  Pure.
 */
#ifndef JUMPBOX_MUX_H
#define JUMPBOX_MUX_H

#include "jumpbox/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUX_TOP_BIT 0x80000000u

enum {
	MUX_VERSION = 1,
	MUX_HEAD = 8,
	MUX_PAYLOAD_MAX = 256 * 1024,
	MUX_FRAME_MAX = MUX_HEAD + MUX_PAYLOAD_MAX,
	MUX_DATA_MAX = 64 * 1024,
	MUX_WINDOW_START = 512 * 1024,
	MUX_WINDOW_MAX = 1 << 30, /* what WINDOW may add up to */
	MUX_ENV_MAX = 64,
	MUX_COMMAND_MAX = 160 * 1024,
	MUX_HOST_MAX = 255,
	MUX_PATH_MAX = 4096,
	MUX_NOTE_MAX = 16 * 1024,
	MUX_TEXT_MAX = 512,
};

enum mux_type {
	/*                     from     payload */
	MUX_HELLO = 1,	  /* session  hello; written by the broker, always the first frame */
	MUX_READY,	  /* helper   ready: the answer to it */
	MUX_OPEN_EXEC,	  /* session  exec: the login shell, or a command through it */
	MUX_OPEN_SFTP,	  /* session  sftp */
	MUX_OPEN_TCP,	  /* session  tcp: a name is resolved in the container */
	MUX_OPEN_UNIX,	  /* session  path */
	MUX_LISTEN_TCP,	  /* session  tcp: host "" is every address, "localhost" both loopbacks */
	MUX_LISTEN_UNIX,  /* session  path: mode 0600, removed at the end */
	MUX_LISTEN_AGENT, /* session  - : a socket in a directory of its own */
	MUX_OPENED,	  /* helper   opened: what was bound; of EXEC the process id as port */
	MUX_FAILED,	  /* helper   failed: the channel is gone */
	MUX_ACCEPT,	  /* helper   accept: of a new channel, which is open */
	MUX_DATA,	  /* both     data; 1 to MUX_DATA_MAX bytes */
	MUX_ERRDATA,	  /* helper   data */
	MUX_NOTE,	  /* helper   text: a line for the audit, the container's own word */
	MUX_EOF,	  /* both     - : no more data this way */
	MUX_WINDOW,	  /* both     window: so many more bytes may come */
	MUX_RESIZE,	  /* session  size */
	MUX_SIGNAL,	  /* session  text: "TERM" */
	MUX_EXIT,	  /* helper   exit: after all output and EOF */
	MUX_CLOSE,	  /* both     - : of a listener, stop */
	MUX_OPEN_COPY,	  /* session  copy: one end of a copy between containers */
	MUX_UNREAD,	  /* session  - : nobody reads what a process says any more */
	MUX_TYPES,	  /* how many there are, and 0 */
};

/* Who speaks. */
enum mux_side { MUX_SESSION = 1, MUX_HELPER = 2 };

enum mux_why {
	MUX_WHY_REFUSED = 1,
	MUX_WHY_UNREACHABLE,
	MUX_WHY_NO_NAME,
	MUX_WHY_TIMED_OUT,
	MUX_WHY_DENIED, /* by the container's system */
	MUX_WHY_NO_FILE,
	MUX_WHY_IN_USE,
	MUX_WHY_RESOURCES,
	MUX_WHY_FORBIDDEN, /* by the mask */
	MUX_WHY_NO_SHELL,
	MUX_WHYS,
};

/* A string of a frame: a view, not terminated. */
struct mux_str {
	const char *s;
	size_t n;
};

/*
 * One frame, read or to be written.  What was read points into the bytes it
 * was read from.  The members are named after what the types above carry.
 */
struct mux_frame {
	uint32_t channel;
	enum mux_type type;
	union {
		struct {
			uint32_t version, perms; /* enum perm of policy.h */
			struct mux_str items;	 /* host:port host:port: what else may be reached */
			struct mux_str marker;	 /* value of EXEC_MARKER for what is started */
		} hello;
		struct {
			uint32_t version, uid, gid;
			struct mux_str home, shell, user; /* shell "": there is none */
		} ready;
		struct {
			uint32_t pty, cols, rows;
			uint32_t login, has_command;
			struct mux_str command;
			uint32_t nenv;
			struct mux_env {
				struct mux_str name, value;
			} env[MUX_ENV_MAX];
		} exec;
		struct {
			uint32_t readonly;
		} sftp;
		struct {
			uint32_t in; /* it is written here, not read */
			struct mux_str path;
			/* in: what is read, on whose name it depends what is written; of this container? */
			struct mux_str from;
			uint32_t here;
		} copy;
		struct {
			struct mux_str host;
			uint32_t port;
		} tcp;
		struct {
			struct mux_str path;
		} path;
		struct {
			uint32_t port;
			struct mux_str path;
		} opened;
		struct {
			uint32_t why; /* enum mux_why */
			struct mux_str text;
		} failed;
		struct {
			uint32_t listener;
			struct mux_str peer;
			uint32_t port;
		} accept;
		struct {
			struct mux_str bytes;
		} data;
		struct {
			struct mux_str text;
		} text;
		struct {
			uint32_t more;
		} window;
		struct {
			uint32_t cols, rows;
		} size;
		struct {
			uint32_t signal, code, core; /* signal 0: none */
		} exit;
	} u;
};

struct mux_str mux_str(const char *s);
char *mux_strdup(struct mux_str s); /* terminated; the caller frees it */

/*
 * Appends the frame.  JB_INTERNAL, and nothing is added, when it does not fit
 * into the buffer or its fields break the bounds that mux_get() holds them to.
 */
int mux_put(struct buf *b, const struct mux_frame *f);
/* The head alone, for a payload that is in its place behind it already. */
void mux_put_head(uint8_t head[static MUX_HEAD], uint32_t channel, enum mux_type type, size_t n);

/*
 * One frame of side `from` at the front of p[0..n): its length on the wire, 0
 * when there is not all of it yet, JB_BAD_INPUT when it can never be one.
 */
long mux_get(const uint8_t *p, size_t n, enum mux_side from, struct mux_frame *f);

const char *mux_name(enum mux_type type); /* "OPEN_TCP", for a log */

#endif
