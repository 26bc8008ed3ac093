/*
 * A copy between containers: two processes of jumpbox-helper, one in each, and
 * what goes from the one that reads the files to the one that writes them.
 *
 *	+------+--------+---------+
 *	| type | length | payload |	big-endian
 *	| u8   | u24    |         |
 *	+------+--------+---------+
 *
 *	copy	[entry] END
 *	entry	FILE, any number of DATA and HOLE, CLOSE
 *		LINK
 *		DIR, any number of entries, UP
 *
 * and SAID anywhere.  The first entry has no name: what it becomes follows from
 * what the user typed, and is not for the other container to say.  All others
 * have one that is a name and nothing else.
 *
 *	             descriptor 0     1                    2
 *	copy_out     -                the records          notes (note.h)
 *	copy_in      the records      lines for the user   notes
 *
 * A line for the user begins with an s if the container that is read says it,
 * or a d.
 */
#ifndef JUMPBOX_HELPER_COPY_H
#define JUMPBOX_HELPER_COPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum {
	COPY_HEAD = 4,
	COPY_RECORD_MAX = 64 * 1024,
	COPY_DATA_MAX = COPY_RECORD_MAX - COPY_HEAD,
	COPY_NAME_MAX = 255,
	COPY_TARGET_MAX = 4095,
	COPY_SAID_MAX = 1023,
	COPY_DEPTH = 500, /* directories in each other: each is an open descriptor */
};

enum copy_type {
	COPY_DIR = 1, /* mode, mtime, name */
	COPY_FILE,    /* the same */
	COPY_LINK,    /* the same, target */
	COPY_DATA,    /* bytes, 1 to COPY_DATA_MAX of them */
	COPY_HOLE,    /* length */
	COPY_CLOSE,   /* flag: it could not be read to its end */
	COPY_UP,      /* - */
	COPY_SAID,    /* text */
	COPY_END,     /* flag: something failed */
	COPY_TYPES,
};

/* Read or to be written; what was read points into the bytes it was read from. */
struct copy_record {
	enum copy_type type;
	uint32_t mode; /* 07777 at most */
	struct timespec mtime;
	const char *text; /* name or text; "": the first entry */
	const char *target;
	const uint8_t *bytes;
	size_t nbytes;
	uint64_t length; /* 1 to INT64_MAX */
	bool flag;
};

/* ---- copy_wire.c; pure --------------------------------------------------- */

/* The record at the front of p[0..n): its length, 0 when there is not all of it yet, -1 when it can never be one. */
long copy_get(const uint8_t *p, size_t n, struct copy_record *r);
/* Writes one of any type but DATA, into COPY_RECORD_MAX bytes; its length. */
size_t copy_put(uint8_t *p, const struct copy_record *r);
/* The head alone, of a record whose payload is in its place. */
void copy_put_head(uint8_t head[static COPY_HEAD], enum copy_type type, size_t n);

/* ---- copy_path.c: where a copy is, for messages and notes ------------------- */

struct copy_path {
	char s[4096 + COPY_DEPTH * (COPY_NAME_MAX + 1)];
	size_t n;
};
void copy_path_set(struct copy_path *p, const char *s);
/* Goes down; the length that it had. */
size_t copy_path_push(struct copy_path *p, const char *name);
void copy_path_pop(struct copy_path *p, size_t n);
/* "PATH: reason", safe to show; of a long path the end. */
void copy_path_says(
    const struct copy_path *p, const char *reason, char text[static COPY_SAID_MAX + 1]);

/* ---- copy_place.c: what the first entry becomes -------------------------------- */

struct copy_place {
	int dir;
	char name[COPY_NAME_MAX + 1]; /* "": the directory itself */
	char path[4096];	      /* of that directory */
};
/*
 * As cp and `docker cp` have it: into a directory that is there, otherwise by
 * the name that the destination ends in.  from: what is read; here: it is of
 * this container, and must not be what is written into.  NULL, or why not.
 */
const char *copy_place(
    struct copy_place *p, const char *dest, const char *from, bool here, bool directory);

/* ---- copy_file.c: one entry, by another name until it is whole -------------------- */

struct copy_file {
	int dir, fd; /* fd -1: none */
	char name[COPY_NAME_MAX + 1], temp[32];
	uint64_t at;
	bool hole; /* at the end of what there is */
};
/* Each: NULL, or why not, after which there is nothing left of it.  `at` is the caller's to begin with. */
const char *copy_file_begin(struct copy_file *f, int dir, const char *name);
const char *copy_file_data(struct copy_file *f, const uint8_t *p, size_t n);
const char *copy_file_end(struct copy_file *f, uint32_t mode, const struct timespec *mtime);
const char *copy_link(int dir, const char *name, const char *target, const struct timespec *mtime);
void copy_file_drop(struct copy_file *f);
/* The two times that futimens() wants. */
#define COPY_TIMES(mtime)                          \
	{                                          \
		{ .tv_nsec = UTIME_OMIT }, (mtime) \
	}

/* ---- the two processes: exit codes 0, or 1 when something failed ------------------------ */

int copy_out(const char *path);
int copy_in(const char *path, const char *from, bool here);

#endif
