/*
 * Typed messages: the only thing that crosses a process boundary.
 *
 *	+------+------+----------------------------+
 *	| type | id   | fields                     |
 *	| u32  | u32  | u32, u64, or u32 len+bytes |   all big-endian
 *	+------+------+----------------------------+
 *
 * One message is one SOCK_SEQPACKET datagram of at most MSG_MAX bytes and at
 * most MSG_MAX_FDS descriptors.  put and get errors are sticky: a writer
 * checks msg_send(), a reader checks msg_end(), which also insists that
 * every byte was used.
 */
#ifndef JUMPBOX_MSG_H
#define JUMPBOX_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MSG_MAX = 160 * 1024, MSG_MAX_FDS = 2, MSG_HEADER = 8 };

struct msg {
	uint32_t type;
	uint32_t id;
	uint8_t *data; /* header included; grows as needed, never past MSG_MAX */
	size_t cap;    /* bytes allocated */
	size_t len;    /* bytes in use */
	size_t pos;    /* next byte to get */
	bool bad;
	int fds[MSG_MAX_FDS]; /* owned by the message until taken or sent */
	unsigned nfds;
};

void msg_init(struct msg *m, uint32_t type, uint32_t id);
void msg_release(struct msg *m); /* wipes the bytes, closes descriptors not taken */

void msg_put_u32(struct msg *m, uint32_t v);
void msg_put_u64(struct msg *m, uint64_t v);
void msg_put_bytes(struct msg *m, const void *p, size_t n);
void msg_put_str(struct msg *m, const char *s);
void msg_put_fd(struct msg *m, int fd); /* the message owns fd from here on */

uint32_t msg_get_u32(struct msg *m);
uint64_t msg_get_u64(struct msg *m);
/* A view into the message, valid until msg_release. */
const uint8_t *msg_get_bytes(struct msg *m, size_t *n, size_t max);
/* Copies a string without NUL bytes into dst[size]; too long is an error, never a truncation. */
void msg_get_str(struct msg *m, char *dst, size_t size);
/* A fresh string of at most max bytes; the caller frees it (secrets: freezero-style with wipe()).
 * NULL on error. */
char *msg_dup_str(struct msg *m, size_t max);
int msg_take_fd(struct msg *m); /* the next descriptor, now the caller's; -1 and bad if none */
/* True if nothing went wrong and every byte and descriptor was used. */
bool msg_end(const struct msg *m);

/* 0; JB_TRY_AGAIN when the socket is full; JB_INTERNAL for a bad message; JB_UNAVAILABLE when the
 * peer is gone. */
int msg_send(int sock, struct msg *m);
/*
 * Receives into an initialised message, replacing its content.  0 and a
 * parsed header; JB_TRY_AGAIN when nothing is there; JB_UNAVAILABLE at end
 * of file; JB_BAD_INPUT for a truncated, oversized or headerless datagram or
 * too many descriptors.  Received descriptors are CLOEXEC.
 */
int msg_recv(int sock, struct msg *m);

/* For unit tests and fuzzing: loads a datagram's bytes as msg_recv would. */
int msg_load(struct msg *m, const void *p, size_t n);

#endif
