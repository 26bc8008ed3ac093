/*
 * The configuration: one table row per keyword (src/common/config.c) is the
 * master copy of its type, default, range and help.
 */
#ifndef JUMPBOX_CONFIG_H
#define JUMPBOX_CONFIG_H

#include "jumpbox/errors.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { CONFIG_LIST_MAX = 8 };

/* Who must give a one-time code, too. */
enum second_factor {
	SECOND_NEVER,	 /* nobody */
	SECOND_ENROLLED, /* who is enrolled, or required to be by `user set` */
	SECOND_ADMINS,	 /* and all administrators */
	SECOND_ALL,
};

struct strlist {
	char *item[CONFIG_LIST_MAX];
	unsigned n;
};

struct config {
	unsigned port;
	struct strlist listen_address;
	struct strlist host_key;
	char *banner; /* text, or a file if it starts with '/' */
	char *motd;   /* a file; empty: none */
	char *server_address;
	char *database;
	char *run_directory;
	char *jail_directory;
	char *owner_label; /* empty: disabled */
	unsigned login_grace_time;
	unsigned max_startups;
	unsigned max_startups_per_source;
	unsigned max_sessions;
	unsigned max_sessions_per_user;
	unsigned backoff_after; /* failed passwords before back-off; 0 is off */
	unsigned idle_timeout;
	unsigned client_alive_interval;
	unsigned client_alive_count_max;
	char *password_hash;
	unsigned audit_retention;	 /* days; 0 keeps everything */
	char *metrics_listen;		 /* loopback ADDRESS:PORT; empty: no endpoint */
	int recording, recording_input;	 /* 1: yes */
	unsigned recording_max_size;	 /* MiB of one file */
	unsigned recording_retention;	 /* days; 0 keeps everything */
	unsigned recording_max_total;	 /* MiB of all; 0 is no limit */
	int log_level;			 /* enum log_level */
	int log_format;			 /* enum log_format */
	int second_factor;		 /* enum second_factor */
	char *second_factor_exempt_from; /* networks; empty: none */
	int user_keys;			 /* users may change their own public keys: 1, or 0 */
	unsigned node_list_interval;	 /* seconds */
};

#define CONFIG_DEFAULT_PATH "/etc/jumpbox/jumpbox.conf"

/*
 * Reads FILE (or an open descriptor, which stays the caller's; name is what
 * messages call it) over the defaults.  JB_CONFIG and "name:line: reason" on
 * the first error.  The result is released with config_release.
 */
int config_load(const char *path, struct config *c, struct errtext *e);
int config_load_fd(int fd, const char *name, struct config *c, struct errtext *e);
void config_release(struct config *c);

/* The text to show before a login, malloc'd; NULL: none. A file is read now. */
int config_banner(const struct config *c, char **text, struct errtext *e);
/* The same of the text that the menu shows: the message of the day. */
int config_motd(const struct config *c, char **text, struct errtext *e);
/* Whether both can be had. */
int config_texts_check(const struct config *c, struct errtext *e);

/* The effective configuration as text that config_load_fd reads back to the same values. */
void config_print(const struct config *c, FILE *f);

#endif
