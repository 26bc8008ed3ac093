/*
 * An engine's stream of events on a connection of its own, waited for together
 * with another descriptor.  The watcher of a node.
 */
#include "engine.h"
#include "jumpbox/util.h"

#include <limits.h>
#include <stdlib.h>

struct engine_follow {
	struct engine *en;
	CURLM *multi;
	CURL *easy;
	struct events events;
	int64_t begin_by;
	bool begun, over;
	CURLcode how; /* it is over */
	size_t head_left;
	void (*fn)(const char *id, void *);
	void *arg;
};

static size_t
take_events(char *p, size_t size, size_t n, void *arg)
{
	struct engine_follow *f = arg;

	events_feed(&f->events, p, size * n, f->fn, f->arg);
	return size * n;
}

/* An empty line is the head's end. */
static size_t
take_head(char *p, size_t size, size_t n, void *arg)
{
	struct engine_follow *f = arg;
	long status = 0;

	if (size * n > f->head_left)
		return 0;
	f->head_left -= size * n;
	curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
	if (size * n == 2 && p[0] == '\r' && status == 200)
		f->begun = true;
	return size * n;
}

struct engine_follow *
engine_follow_new(struct engine *en, int begin_ms, void (*fn)(const char *id, void *), void *arg)
{
	struct engine_follow *f = xcalloc(1, sizeof(*f));
	char *filters = NULL, *path = NULL;
	int running;

	f->en = en;
	f->fn = fn;
	f->arg = arg;
	f->head_left = HEAD_MAX;
	f->begin_by = now_mono_ms() + begin_ms;
	events_init(&f->events);
	f->multi = curl_multi_init();
	f->easy = en->bad ? NULL : engine_handle(en);
	if (f->easy != NULL)
		filters = curl_easy_escape(f->easy, events_filters, 0);
	if (filters != NULL)
		path = xasprintf("/events?filters=%s", filters);
	if (path != NULL && engine_set_url(f->easy, en, path) == 0) {
		curl_easy_setopt(f->easy, CURLOPT_TIMEOUT_MS, 0L);
		curl_easy_setopt(f->easy, CURLOPT_WRITEFUNCTION, take_events);
		curl_easy_setopt(f->easy, CURLOPT_WRITEDATA, f);
		curl_easy_setopt(f->easy, CURLOPT_HEADERFUNCTION, take_head);
		curl_easy_setopt(f->easy, CURLOPT_HEADERDATA, f);
		curl_multi_add_handle(f->multi, f->easy);
		curl_multi_perform(f->multi, &running);
	}
	curl_free(filters);
	free(path);
	return f;
}

void
engine_follow_free(struct engine_follow *f)
{
	if (f == NULL)
		return;
	curl_multi_remove_handle(f->multi, f->easy);
	curl_easy_cleanup(f->easy);
	curl_multi_cleanup(f->multi);
	events_release(&f->events);
	free(f);
}

bool
engine_follow_begun(const struct engine_follow *f)
{
	return f->begun;
}

/* A stream has no good end. */
static int
ended(struct engine_follow *f, struct errtext *e)
{
	long status = 0;

	if (f->how != CURLE_OK)
		return engine_failure(f->en, f->easy, f->how, e);
	curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status / 100 != 2)
		return error_http(f->en, ABOUT_NODE, status, "", 0, e);
	return error_cut(f->en, e);
}

/* It may be over as soon as it was begun. */
static bool
is_over(struct engine_follow *f)
{
	CURLMsg *m;
	int more;

	while ((m = curl_multi_info_read(f->multi, &more)) != NULL) {
		if (m->msg != CURLMSG_DONE)
			continue;
		f->over = true;
		f->how = m->data.result;
	}
	return f->over;
}

int
engine_follow_wait(struct engine_follow *f, int also, int timeout_ms, struct errtext *e)
{
	struct curl_waitfd extra = { .fd = also, .events = CURL_WAIT_POLLIN };
	int64_t left = f->begin_by - now_mono_ms();
	int running;

	if (f->en->bad)
		return err_words(e, f->en->bad, W_NODE_ADDRESS, f->en->name, NULL, NULL);
	if (is_over(f))
		return ended(f, e);
	if (!f->begun && left <= 0)
		return error_timeout(f->en, e);
	if (!f->begun && (timeout_ms < 0 || timeout_ms > left))
		timeout_ms = (int)left;
	curl_multi_poll(f->multi, &extra, 1, timeout_ms < 0 ? INT_MAX : timeout_ms, NULL);
	curl_multi_perform(f->multi, &running);
	return is_over(f) ? ended(f, e) : 0;
}
