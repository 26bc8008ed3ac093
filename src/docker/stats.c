/*
 * What a container uses: an engine's counters turned into the figures of
 * `docker stats`.  The counting is pure.  Broker children.
 *
 * Docker sends a sample each second for as long as it is listened to.  Podman
 * does so every five, and answers a single question at once: it is asked each
 * second, and what it said before is kept here.  Its time of the system is the
 * part of it that was used, so the clock is asked instead.
 */
#include "engine.h"
#include "json.h"
#include "jumpbox/util.h"
#include "link.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MOST = 1 << 20, LINE_READ = 64 << 10, EVERY_MS = 1000 };

/* ---- the answer (pure) ---------------------------------------------------------- */

/*
 * Numbers are read as reals: of what has no limit an engine may say that it is
 * 2^64 - 1, which jansson takes for no integer, and the whole sample with it.
 */
static json_t *
read_sample(const char *text, size_t n)
{
	return json_loadb(
	    text, n, JSON_ALLOW_NUL | JSON_DISABLE_EOF_CHECK | JSON_DECODE_INT_AS_REAL, NULL);
}

static uint64_t
count(const json_t *o, const char *key)
{
	double v = json_real_value(json_object_get(o, key)); /* 0: it is none */

	return v >= 0x1p64 ? UINT64_MAX : v > 0 ? (uint64_t)v : 0;
}

/* What can be given back at once does not count: total_inactive_file is cgroup v1's name for it. */
static uint64_t
memory(const json_t *m)
{
	const json_t *stats = json_object_get(m, "stats");
	bool v1 = json_object_get(stats, "total_inactive_file") != NULL;
	uint64_t usage = count(m, "usage");
	uint64_t idle = count(stats, v1 ? "total_inactive_file" : "inactive_file");

	return idle < usage ? usage - idle : usage;
}

static void
add_networks(struct engine_stats *s, const json_t *networks)
{
	const char *name;
	json_t *net;

	json_object_foreach((json_t *)networks, name, net)
	{
		s->net_rx += count(net, "rx_bytes");
		s->net_tx += count(net, "tx_bytes");
	}
}

static void
add_blocks(struct engine_stats *s, const json_t *list)
{
	const json_t *row;
	const char *op;
	size_t i;

	json_array_foreach(list, i, row)
	{
		op = json_str(row, "op");
		if (op != NULL && (op[0] == 'r' || op[0] == 'R'))
			s->blk_read += count(row, "value");
		else if (op != NULL && (op[0] == 'w' || op[0] == 'W'))
			s->blk_write += count(row, "value");
	}
}

static void
take_cpu(struct stats_sample *s, const json_t *cpu)
{
	const json_t *usage = json_object_get(cpu, "cpu_usage");

	s->cpu = count(usage, "total_usage");
	s->system = count(cpu, "system_cpu_usage");
	s->cpus = (unsigned)count(cpu, "online_cpus");
	if (s->cpus == 0)
		s->cpus = (unsigned)json_array_size(json_object_get(usage, "percpu_usage"));
}

int
json_stats(const char *text, size_t n, struct stats_sample *s, struct stats_sample *before)
{
	json_t *root = read_sample(text, n);
	const json_t *mem = json_object_get(root, "memory_stats");

	memset(s, 0, sizeof(*s));
	memset(before, 0, sizeof(*before));
	take_cpu(s, json_object_get(root, "cpu_stats"));
	take_cpu(before, json_object_get(root, "precpu_stats"));
	s->now.mem = memory(mem);
	s->now.mem_limit = count(mem, "limit");
	s->now.pids = (uint32_t)count(json_object_get(root, "pids_stats"), "current");
	add_networks(&s->now, json_object_get(root, "networks"));
	add_blocks(&s->now,
	    json_object_get(json_object_get(root, "blkio_stats"), "io_service_bytes_recursive"));
	json_decref(root);
	return s->system > 0 ? 0 : JB_UNAVAILABLE;
}

uint64_t
stats_cpu(const struct stats_sample *before, const struct stats_sample *now)
{
	if (now->cpu <= before->cpu || now->system <= before->system)
		return 0;
	return (uint64_t)((double)(now->cpu - before->cpu) /
		(double)(now->system - before->system) * now->cpus * 10000 +
	    0.5);
}

/* ---- asking ------------------------------------------------------------------------ */

struct following {
	int (*fn)(const struct engine_stats *, void *);
	void *arg;
	bool podman;
	struct stats_sample last; /* system 0: none yet */
};

/* A sample is shown once there is one before it. */
static int
take(struct following *f, const char *text, size_t n, struct errtext *e)
{
	struct stats_sample s, before;

	if (json_stats(text, n, &s, &before) < 0)
		return err_words(e, JB_UNAVAILABLE, W_NOT_RUNNING, NULL, NULL, NULL);
	if (f->podman)
		s.system = (uint64_t)now_mono_ms() * 1000000 * s.cpus;
	if (f->podman || before.system == 0)
		before = f->last;
	f->last = s;
	if (before.system == 0)
		return 0;
	s.now.cpu = stats_cpu(&before, &s);
	return f->fn(&s.now, f->arg);
}

static int
take_lines(struct following *f, struct buf *in, struct errtext *e)
{
	const char *p = (const char *)buf_ptr(in);
	size_t n = buf_len(in);
	const char *nl = n > 0 ? memchr(p, '\n', n) : NULL;
	int rc = 0;

	for (; nl != NULL && rc == 0; nl = n > 0 ? memchr(p, '\n', n) : NULL) {
		rc = take(f, p, (size_t)(nl - p), e);
		buf_consume(in, (size_t)(nl - p) + 1);
		p = (const char *)buf_ptr(in);
		n = buf_len(in);
	}
	return rc;
}

static int
hear(struct link *l, struct following *f, struct errtext *e)
{
	struct buf in;
	uint8_t *room;
	size_t n = 1;
	int rc = 0;

	buf_init(&in, LINE_MOST);
	while (rc == 0 && n > 0) {
		l->deadline = now_mono_ms() + l->en->timeout_ms;
		if ((room = buf_reserve(&in, LINE_READ)) == NULL)
			rc = error_not_json(l->en, e);
		else if ((rc = link_recv(l, (char *)room, LINE_READ, &n, e)) == 0)
			buf_commit(&in, n);
		if (rc == 0)
			rc = take_lines(f, &in, e);
	}
	buf_release(&in);
	return rc != 0 ? rc : err_words(e, JB_UNAVAILABLE, W_NOT_RUNNING, NULL, NULL, NULL);
}

static int
follow(struct engine *en, const char *path, struct following *f, struct errtext *e)
{
	struct link l = { .fd = -1 };
	char *request = xasprintf("GET %s?stream=1 HTTP/1.0\r\nHost: %s\r\n\r\n", path,
	    en->url.path[0] ? "localhost" : en->url.host);
	struct http_head head;
	int rc = link_open(&l, en, e);

	if (rc == 0)
		rc = link_send(&l, request, strlen(request), e);
	free(request);
	if (rc == 0)
		rc = link_head(&l, &head, e);
	if (rc == 0 && head.status != 200)
		rc = link_refused(&l, ABOUT_CONTAINER, &head, e);
	if (rc == 0)
		rc = hear(&l, f, e);
	return link_close(&l, rc);
}

static int
ask_again(struct engine *en, const char *path, struct following *f, struct errtext *e)
{
	char *once = xasprintf("%s?stream=0", path);
	int64_t next = now_mono_ms();
	struct reply r;
	int rc = 0;

	while (rc == 0) {
		rc = engine_ask(en, ABOUT_CONTAINER, once, NULL, ANSWER_MAX, &r, e);
		if (rc == 0)
			rc = take(f, reply_text(&r), buf_len(&r.body), e);
		reply_release(&r);
		next += EVERY_MS;
		if (rc == 0)
			poll(NULL, 0, poll_timeout(next));
	}
	free(once);
	return rc;
}

int
engine_stats(struct engine *en, const struct engine_info *info, const char *id,
    int (*fn)(const struct engine_stats *, void *), void *arg, struct errtext *e)
{
	struct following f = { .fn = fn, .arg = arg, .podman = info->podman };
	char path[192];

	if (!engine_id_ok(id))
		return err_words(e, JB_NOT_FOUND, W_CONTAINER_UNKNOWN, NULL, NULL, NULL);
	if (en->bad)
		return err_words(e, en->bad, W_NODE_ADDRESS, en->name, NULL, NULL);
	snprintf(path, sizeof(path), "/containers/%s/stats", id);
	return f.podman ? ask_again(en, path, &f, e) : follow(en, path, &f, e);
}
