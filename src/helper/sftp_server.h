/*
 * What the files of the SFTP server share and nobody else sees: one server, its
 * handles, its packets.  Version 3 and its extensions, as OpenSSH's sftp-server
 * speaks them.
 */
#ifndef JUMPBOX_HELPER_SFTP_SERVER_H
#define JUMPBOX_HELPER_SFTP_SERVER_H

#include "note.h"

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

/* To the end of the input; false if it ended in any other way. */
bool sftp_serve(int in, int out, int notes, bool readonly);

enum {
	SFTP_VERSION = 3,
	PACKET_MAX = 256 * 1024, /* of a packet, its length field not counted */
	DATA_MAX = PACKET_MAX - 1024,
	FLUSH_AT = 64 * 1024, /* up to here replies wait for company */
	HANDLES_MAX = 1000,   /* below the usual limit of open files */
	HANDLE_LEN = 8,
	FIELDS_MAX = 3,
};

/* Packet types, status codes and flags (draft-ietf-secsh-filexfer-02). */
enum {
	FXP_INIT = 1,
	FXP_VERSION = 2,
	FXP_OPEN = 3,
	FXP_CLOSE = 4,
	FXP_READ = 5,
	FXP_WRITE = 6,
	FXP_LSTAT = 7,
	FXP_FSTAT = 8,
	FXP_SETSTAT = 9,
	FXP_FSETSTAT = 10,
	FXP_OPENDIR = 11,
	FXP_READDIR = 12,
	FXP_REMOVE = 13,
	FXP_MKDIR = 14,
	FXP_RMDIR = 15,
	FXP_REALPATH = 16,
	FXP_STAT = 17,
	FXP_RENAME = 18,
	FXP_READLINK = 19,
	FXP_SYMLINK = 20,
	FXP_STATUS = 101,
	FXP_HANDLE = 102,
	FXP_DATA = 103,
	FXP_NAME = 104,
	FXP_ATTRS = 105,
	FXP_EXTENDED = 200,
	FXP_EXTENDED_REPLY = 201,
};

enum {
	FX_OK = 0,
	FX_EOF = 1,
	FX_NO_SUCH_FILE = 2,
	FX_PERMISSION_DENIED = 3,
	FX_FAILURE = 4,
	FX_BAD_MESSAGE = 5,
	FX_OP_UNSUPPORTED = 8,
};

enum {
	FXF_READ = 0x01,
	FXF_WRITE = 0x02,
	FXF_APPEND = 0x04,
	FXF_CREAT = 0x08,
	FXF_TRUNC = 0x10,
	FXF_EXCL = 0x20,
};

enum {
	ATTR_SIZE = 0x01,
	ATTR_UIDGID = 0x02,
	ATTR_PERMISSIONS = 0x04,
	ATTR_ACMODTIME = 0x08,
};
#define ATTR_EXTENDED 0x80000000u

struct sftp_attrs {
	uint32_t flags; /* which of the others are there */
	uint64_t size;
	uint32_t uid, gid, perm, atime, mtime;
};

/* An open file, or a directory if dir is set. */
struct sftp_handle {
	uint32_t serial; /* 0: free */
	int fd;
	DIR *dir;
	bool readable, writable;
	char *path; /* as the client said it */
	uint64_t in, out;
};

/* Bytes of a request, in the input buffer. */
struct sftp_bytes {
	uint8_t *p;
	size_t n;
};

/* The fields of a request, as the row of its table says, each kind in the order of the packet. */
struct sftp_args {
	char *path[FIELDS_MAX];			/* p */
	struct sftp_handle *handle[FIELDS_MAX]; /* f an open file, d a directory, h either */
	struct sftp_bytes bytes[FIELDS_MAX];	/* s */
	uint64_t quad[FIELDS_MAX];		/* q */
	uint32_t word[FIELDS_MAX];		/* w */
	struct sftp_attrs attrs;		/* a */
};

/* One server; sftp_wire.c has its buffers. */
struct sftp {
	int in, out, notes;
	bool readonly;
	bool dead; /* the client or what it sends is of no more use */
	bool greeted;
	uint32_t id; /* of the request being answered */
	uint32_t serial;
	size_t reply; /* where the reply being made begins */
	size_t in_off, in_end, out_len;
	struct sftp_handle handles[HANDLES_MAX];
	uint8_t in_buf[2 * (PACKET_MAX + 4)];
	uint8_t out_buf[FLUSH_AT + PACKET_MAX + 4];
};

/*
 * Answers one request: 0 for a status of OK, a negative errno for one that says so, or REPLIED
 * after a reply of its own.
 */
enum { REPLIED = 1 };
typedef int sftp_handler(struct sftp *s, struct sftp_args *a);

struct sftp_request {
	const char *name;    /* of an extended request */
	const char *version; /* of that */
	const char *fields;
	bool writes; /* never when read-only */
	sftp_handler *run;
};

/* ---- sftp_wire.c: packets in and out ---- */

/* The next whole packet's content, type included; false if more must be read first. */
bool sftp_next(struct sftp *s, struct sftp_bytes *packet);
bool sftp_fill(struct sftp *s);	 /* waits for more; false at the end */
void sftp_flush(struct sftp *s); /* writes the replies that are waiting */

/* Take from the front of p; false if it is not there. */
bool sftp_get_u32(struct sftp_bytes *p, uint32_t *v);
bool sftp_get_u64(struct sftp_bytes *p, uint64_t *v);
bool sftp_get_bytes(struct sftp_bytes *p, struct sftp_bytes *v);
bool sftp_get_str(struct sftp_bytes *p, char **v); /* a string in the place of its bytes */

void sftp_reply(struct sftp *s, uint8_t type); /* begins one, with the request's id */
void sftp_put_u32(struct sftp *s, uint32_t v);
void sftp_put_u64(struct sftp *s, uint64_t v);
void sftp_put_bytes(struct sftp *s, const void *p, size_t n);
void sftp_put_str(struct sftp *s, const char *str);
size_t sftp_reply_len(const struct sftp *s);
/* Where the reply goes on: DATA_MAX bytes to be filled in place, and then to be said how many. */
uint8_t *sftp_room(struct sftp *s);
void sftp_filled(struct sftp *s, size_t n);
void sftp_patch_u32(struct sftp *s, size_t at, uint32_t v); /* at that place of the reply */
void sftp_reply_end(struct sftp *s);
void sftp_reply_drop(struct sftp *s); /* takes back what was begun */
void sftp_status(struct sftp *s, uint32_t status, const char *text);
/* A reply of one name, without attributes. */
int sftp_name(struct sftp *s, const char *name);

/* ---- sftp_handle.c ---- */

bool sftp_handle_left(struct sftp *s); /* there is one for one more */
/* Takes over fd or dir; NULL, and they are closed, when there are too many. */
struct sftp_handle *sftp_handle_new(struct sftp *s, int fd, DIR *dir, const char *path);
struct sftp_handle *sftp_handle_find(struct sftp *s, const struct sftp_bytes *name);
int sftp_handle_reply(struct sftp *s, const struct sftp_handle *h);
int sftp_handle_close(struct sftp *s, struct sftp_handle *h);
void sftp_handle_close_all(struct sftp *s);

/* ---- sftp_attrs.c ---- */

bool sftp_get_attrs(struct sftp_bytes *p, struct sftp_attrs *a);
void sftp_put_attrs(struct sftp *s, const struct stat *st);
int sftp_reply_attrs(struct sftp *s, const struct stat *st);
sftp_handler sftp_setstat, sftp_lsetstat, sftp_fsetstat;

/* ---- sftp_names.c: users and groups ---- */

const char *sftp_home(void);		    /* of this process's user */
const char *sftp_home_of(const char *user); /* NULL if there is none */
const char *sftp_user_name(uint32_t uid);   /* "" if there is none; valid until the next call */
const char *sftp_group_name(uint32_t gid);
sftp_handler sftp_home_directory, sftp_users_groups;

/* ---- sftp_note.c: what was done, for the audit ---- */

void sftp_note_send(struct sftp *s, struct note *n);
/* A note of one path, or of two; with the sizes that there are. */
void sftp_note_paths(struct sftp *s, const char *verb, const char *path, const char *to);
void sftp_note_sizes(
    struct sftp *s, const char *verb, const char *path, const char *to, int64_t size, int64_t was);

/* ---- the requests, by file ---- */

/* sftp_file.c */
sftp_handler sftp_open, sftp_close, sftp_read, sftp_write, sftp_fstat, sftp_fsync, sftp_copy_data;
/* sftp_dir.c */
sftp_handler sftp_opendir, sftp_readdir, sftp_mkdir, sftp_rmdir;
/* sftp_path.c */
sftp_handler sftp_stat, sftp_lstat, sftp_remove, sftp_rename, sftp_posix_rename, sftp_hardlink,
    sftp_symlink, sftp_readlink, sftp_realpath, sftp_expand_path;
/* sftp_limits.c */
sftp_handler sftp_limits, sftp_statvfs, sftp_fstatvfs;

#endif
