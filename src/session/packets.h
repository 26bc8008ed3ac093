/* CHANNEL_OPEN beyond what libssh's interface has. */
#ifndef SESSION_PACKETS_H
#define SESSION_PACKETS_H

#define SSH_SUPPRESS_DEPRECATED
#include <libssh/libssh.h>
#include <stdbool.h>
#include <stdint.h>

/* The client reads no more of that channel: comes as a signal of that name. */
#define PACKETS_UNREAD "eow@openssh.com"

/* RFC 4254, 5.1 */
enum { OPEN_PROHIBITED = 1, OPEN_CONNECT_FAILED, OPEN_UNKNOWN_TYPE, OPEN_RESOURCES };

/* Of a fresh session: each CHANNEL_OPEN is seen before libssh reads it. */
void packets_watch(ssh_session session);
/* Refuses a channel that the client opens, with one of those and a sentence. Keeps the message. */
void packets_refuse(ssh_message m, uint32_t reason, const char *text);
/* What libssh takes for a host is the path of a unix socket. */
bool packets_is_path(const char *host);
/* To the client, for a connection that came to a path. As ssh_channel_open_reverse_forward(). */
int packets_open_path(ssh_channel channel, const char *path);

#endif
