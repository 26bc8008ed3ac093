/*
 * One event a line on standard error: a stable name, then key=value (or one
 * JSON object).  Control, escape and bidi bytes in values are escaped here.
 *
 *	log_info("login.ok", F_STR("user", user), F_NUM("session", id));
 *
 * The role and the connection id, once set, are in every line; the id as 16
 * hex digits.  A value is cut after 512 bytes, a line after 4096.
 */
#ifndef JUMPBOX_LOG_H
#define JUMPBOX_LOG_H

#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

struct log_field {
	const char *key; /* NULL ends the list */
	const char *str; /* a string value, or NULL for a number */
	int64_t num;
};

/* NULL is logged as "-". */
static inline const char *
log_str(const char *s)
{
	return s != 0 ? s : "-";
}

#define F_STR(k, v) ((struct log_field){ (k), log_str(v), 0 })
#define F_NUM(k, v) ((struct log_field){ (k), 0, (int64_t)(v) })
#define F_END	    ((struct log_field){ 0, 0, 0 })

void log_init(const char *role, int level, int format);
void log_conn(uint64_t conn); /* 0: none */
void log_write(int level, const char *event, const struct log_field *fields);

#define log_event(level, event, ...) \
	log_write(level, event, (const struct log_field[]){ __VA_ARGS__, F_END })
#define log_error(event, ...) log_event(LOG_LEVEL_ERROR, event, __VA_ARGS__)
#define log_warn(event, ...)  log_event(LOG_LEVEL_WARN, event, __VA_ARGS__)
#define log_info(event, ...)  log_event(LOG_LEVEL_INFO, event, __VA_ARGS__)
#define log_debug(event, ...) log_event(LOG_LEVEL_DEBUG, event, __VA_ARGS__)

/* Before serving, out of memory, or a broken privileged peer: logs "ROLE.fatal" and exits with
 * -code. */
_Noreturn void fatal(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
