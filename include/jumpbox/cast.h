/*
 * Recordings of terminals: asciicast v2, one JSON text a line, in gzip
 * members that are each complete.  A file of which the end is missing can be
 * read up to its last member, by any tool that reads gzip.
 *
 *	{"version":2,"width":80,"height":24,...}     the first line
 *	[1.250,"o","hello\r\n"]                      output at 1.25 s
 *	[2.000,"r","132x50"]                         the size from then on
 *
 * Reader and writer do no I/O.  What is read was written by others: all of
 * it is bounded.
 */
#ifndef JUMPBOX_CAST_H
#define JUMPBOX_CAST_H

#include "jumpbox/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of an event; others that a file may hold are skipped by who plays it. */
enum { CAST_OUTPUT = 'o', CAST_INPUT = 'i', CAST_RESIZE = 'r' };

/* ---- cast_write.c ------------------------------------------------------- */

struct cast_head {
	unsigned cols, rows;
	int64_t started;	  /* unix seconds */
	const char *term, *title; /* NULL: not said */
};

/* All of these: 0, or JB_INTERNAL when there is no room in out. */
int cast_put_head(struct buf *out, const struct cast_head *h);
int cast_put_size(struct buf *out, int64_t at_ms, unsigned cols, unsigned rows);

/* What of a stream ends in the middle of a character waits here for the rest. */
struct cast_text {
	char kind;
	uint8_t part[4];
	size_t npart;
};

enum {
	CAST_TAKES = 16384,			/* bytes of a stream in one event */
	CAST_EVENT_ROOM = 6 * CAST_TAKES + 128, /* which take no more than this in out */
};
/* n: at most CAST_TAKES.  Bytes that are no UTF-8 become U+FFFD. */
int cast_put_text(struct buf *out, int64_t at_ms, struct cast_text *t, const void *p, size_t n);

/* ---- cast_gzip.c -------------------------------------------------------- */

/* Appends a member that holds these bytes. */
int cast_member(struct buf *out, const void *p, size_t n);

/* ---- cast_read.c -------------------------------------------------------- */

struct cast_event {
	int64_t at_ms;
	char kind;	  /* 0: the first line, which has a size */
	const char *text; /* valid until the next call */
	size_t len;
	unsigned cols, rows; /* of the first line and of CAST_RESIZE */
};

enum cast_got {
	CAST_EVENT,
	CAST_MORE, /* cast_feed() is to give more bytes of the file; at its end that was all */
	CAST_BAD,  /* this is no recording, or damaged from here on */
};

struct cast_reader;

struct cast_reader *cast_reader_new(void);
void cast_reader_free(struct cast_reader *r); /* NULL is fine */

enum { CAST_FEED = 32768 };
/* At most CAST_FEED bytes, and only after CAST_MORE. */
void cast_feed(struct cast_reader *r, const void *p, size_t n);
enum cast_got cast_next(struct cast_reader *r, struct cast_event *e);
/* The line that cast_next() has taken apart, as it was written, without its end. */
const char *cast_line(const struct cast_reader *r, size_t *n);

/* ---- cast_player.c ------------------------------------------------------ */

enum player_state {
	PLAYER_WAITS, /* until *next */
	PLAYER_ENDED,
	PLAYER_BAD,
};

struct player {
	struct cast_reader *reader;
	int fd;		 /* the recording; the player's */
	bool follow;	 /* at once up to its end, and then as it grows */
	unsigned speed;	 /* hundredths */
	int64_t idle_ms; /* no pause is longer; 0: as it was */
	bool paused;
	unsigned cols, rows;		   /* of what is played */
	unsigned screen_cols, screen_rows; /* of where it is shown; 0: not known */
	bool cut;			   /* it was larger than that, once */
	struct cast_event event;
	bool waiting;  /* event is to come */
	int64_t at_ms; /* where in the recording */
	int64_t since; /* when it came there, monotonic ms; 0: not begun */
	bool at_end, clipped;
	char escape; /* what of an escape sequence was typed: its kind; 0: nothing */
};

/* Takes fd, and reads the first line, so that cols and rows are known; false: it is no recording. */
bool player_init(struct player *p, int fd, bool follow);
void player_release(struct player *p);
/* Where it is shown has this size. */
void player_screen(struct player *p, unsigned cols, unsigned rows);
/* A byte that was typed: q, Ctrl-C, Ctrl-D leave, a blank pauses. True: it is enough. */
bool player_key(struct player *p, uint8_t byte, int64_t now);
/*
 * Appends to out what is due now; a large part of it at once: the caller comes
 * back when that is written.  out has a maximum of PLAYER_OUT at least.
 */
enum { PLAYER_OUT = 4 * CAST_EVENT_ROOM };
enum player_state player_turn(struct player *p, int64_t now, struct buf *out, int64_t *next);
/* What puts a terminal back into its usual state, whatever was played. */
extern const char player_reset[];

#endif
