/*
 * What the files of this directory share and nobody else sees: one engine,
 * one HTTP call, the parsers and the sentences.  Runs wherever
 * jumpbox/docker.h does: broker children, jumpboxctl.
 */
#ifndef DOCKER_ENGINE_H
#define DOCKER_ENGINE_H

#include "jumpbox/buf.h"
#include "jumpbox/docker.h"

#include <curl/curl.h>

enum {
	LIST_MAX = 32 << 20,   /* body of a container list */
	ANSWER_MAX = 1 << 20,  /* body of any other answer */
	EVENT_MAX = 256 << 10, /* one event */
	HEAD_MAX = 16 << 10,   /* reply head */
	ERROR_TEXT_MAX = 4096, /* what an engine says on a stream instead of starting a process */
	API_MIN = 124,	       /* oldest API with all that is used here */
	RELAY_BUFFER = 128 << 10,
};

/* An address taken apart; storage is the caller's struct. */
struct engine_url {
	char path[108]; /* of a unix socket; empty: tcp */
	char host[256]; /* an IPv6 address keeps its brackets */
	unsigned port;
	bool tls;
};
int engine_url_parse(const struct engine_addr *a, struct engine_url *u, struct errtext *e);

struct engine {
	char *name;
	char *ca, *cert, *key;
	struct engine_url url;
	int bad; /* what engine_url_parse said, and why */
	struct errtext why;
	long timeout_ms;
	int64_t until;	  /* now_mono_ms() at which all calls together must be done; 0: no such */
	bool answered;	  /* at least once */
	CURL *easy;	  /* keep-alive, for calls */
	CURL *stream;	  /* the upgraded connection of a TLS engine */
	bool stream_tty;  /* it must not be half-closed */
	struct buf early; /* read from it before the relay began */
	char curl_error[CURL_ERROR_SIZE];
};

/* A handle with address, TLS and time-outs set; NULL when out of memory. */
CURL *engine_handle(struct engine *en);
/* Connects (and shakes hands) for curl_easy_send and _recv. */
int engine_connect(struct engine *en, CURL *c, struct errtext *e);
/* What curl reported on c, as a sentence. */
int engine_failure(struct engine *en, CURL *c, CURLcode code, struct errtext *e);
/* JB_NOT_FOUND when the image is gone, or the engine cannot say. */
int engine_image_labels(struct engine *en, const char *image_id, char **labels, struct errtext *e);
/* engine_inspect() without the image's labels; its id, malloc'd. */
int engine_look(struct engine *en, const char *id, struct engine_inspect *in, char **image_id,
    struct errtext *e);
/* The address of a call. */
int engine_set_url(CURL *c, const struct engine *en, const char *path);

/* ---- one call --------------------------------------------------------- */

/* What was asked about. */
enum situation { ABOUT_NODE, ABOUT_CONTAINER, ABOUT_EXEC };

struct reply {
	long status;
	struct buf body;
};
/* 0 when an HTTP answer came, whatever its status.  body NULL: GET, else POST.  Release r always. */
int engine_call(struct engine *en, const char *path, const char *body, size_t max, struct reply *r,
    struct errtext *e);
/* The same, but any status that is no success is an error, in a sentence about that. */
int engine_ask(struct engine *en, enum situation about, const char *path, const char *body,
    size_t max, struct reply *r, struct errtext *e);
/* PUT of bytes; as engine_call(). */
int engine_put(struct engine *en, const char *path, const uint8_t *p, size_t n, struct reply *r,
    struct errtext *e);
const char *reply_text(const struct reply *r); /* buf_len(&r->body) bytes */
void reply_release(struct reply *r);

/* Letters, digits and _ . - : only, so that it is one segment of a path. */
bool engine_id_ok(const char *id);

/* One resize call; an answer of any status will do, since one comes when the process has started
 * or failed to. */
int exec_resize_once(struct engine *en, const char *exec_id, unsigned cols, unsigned rows,
    long *status, struct errtext *e);

/*
 * Reads a stream until it ends, word has come, text is full or the deadline
 * (now_mono_ms()) passes, and closes it.  NULs become blanks.
 */
void exec_stream_finish(struct engine *en, struct exec_stream *s, int64_t deadline,
    const char *word, char *text, size_t size);

/* ---- the reply head of an upgrade (pure) ------------------------------ */

struct http_head {
	char text[HEAD_MAX];
	size_t len;
	bool done;
	int status;
	long content_length; /* -1: not given */
};
void http_head_init(struct http_head *h);
/*
 * Takes bytes that arrived: returns how many of them belong to the head (all
 * of them until it is complete), or JB_UNAVAILABLE when it is too long or is no HTTP.
 */
long http_head_feed(struct http_head *h, const char *p, size_t n);

/* ---- JSON to structs (pure) ------------------------------------------- */

/* All return 0 or JB_UNAVAILABLE, for text that is not what it should be. */
int json_version(const char *text, size_t n, struct engine_info *info);
int json_list(const char *text, size_t n, struct engine_list *list);
/* image_id: malloc'd. Fills everything but image_labels. */
int json_inspect(const char *text, size_t n, struct engine_inspect *in, char **image_id);
int json_image_labels(const char *text, size_t n, char **labels);
/* An event about a container: its id.  JB_NOT_FOUND: one that changes nothing that is shown. */
int json_event(const char *text, size_t n, char id[static 65]);
int json_exec_id(const char *text, size_t n, char exec_id[static 65]);
int json_exec_status(const char *text, size_t n, struct exec_status *s);
/* The "message" of an error answer, lower case, cut to size; empty when there is none. */
void json_message(const char *text, size_t n, char *out, size_t size);
/* One answer of /stats: counters, and what is already a figure. */
struct stats_sample {
	uint64_t cpu, system; /* nanoseconds of the container, and of the whole machine */
	unsigned cpus;
	struct engine_stats now; /* without cpu */
};
/* JB_UNAVAILABLE: there is nothing to count; what has ended says so. before: what the sample itself says of the one before, system 0: nothing. */
int json_stats(const char *text, size_t n, struct stats_sample *s, struct stats_sample *before);
/* Hundredths of a percent, as `docker stats` computes it; 0 where nothing has passed. */
uint64_t stats_cpu(const struct stats_sample *before, const struct stats_sample *now);
int json_details(const char *text, size_t n, struct engine_details *d);
/* Bodies to send; malloc'd, NULL for an argv that is not UTF-8. */
char *json_create_body(const struct exec_spec *spec);
char *json_start_body(const struct exec_spec *spec);

/* ---- the stream of events (pure) ---------------------------------------- */

/* The filters of the request, as JSON. */
extern const char events_filters[];

struct events {
	struct buf line; /* one that is not complete */
	bool skipping;	 /* it is too long to be kept */
};
void events_init(struct events *ev);
void events_release(struct events *ev);
/* Takes bytes that arrived, in any portions; what is no event is passed over. */
void events_feed(
    struct events *ev, const char *p, size_t n, void (*fn)(const char *id, void *), void *arg);

/* ---- sentences (pure) -------------------------------------------------- */

struct curl_failure {
	CURLcode code;
	long os_errno, verify;
	const char *text;
};
int error_curl(const struct engine *en, const struct curl_failure *f, struct errtext *e);
/* body: the answer, foreign; only known words are looked for in it. */
int error_http(const struct engine *en, enum situation about, long status, const char *body,
    size_t n, struct errtext *e);
int error_not_json(const struct engine *en, struct errtext *e);
int error_timeout(const struct engine *en, struct errtext *e);
int error_cut(const struct engine *en, struct errtext *e);
/* Text at the beginning of a stream: is it Podman itself that says why nothing was started? */
bool error_is_podmans(const char *text, bool tty);
/* What the engine wrote on the stream of a process that it could not start. */
int error_not_started(
    const struct exec_spec *spec, const char *text, bool *no_program, struct errtext *e);

#endif
