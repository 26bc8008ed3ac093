/*
 * Starting, stopping and restarting a container.  Broker children.
 *
 * An engine answers when it is done, and a container may be given its own
 * time to stop: the caller's time-out is what bounds it.
 */
#include "engine.h"
#include "jumpbox/proto.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const char *const verbs[] = {
	[POWER_START] = "start",
	[POWER_STOP] = "stop",
	[POWER_RESTART] = "restart",
};

/* Known words of an engine that could not do it; the last row has none. */
static const struct {
	const char *text;
	enum word word;
} reasons[] = {
	{ "paused", W_PAUSED },
	{ "improper", W_PAUSED }, /* Podman, of one that is */
	{ "removal", W_POWER_REMOVED },
	{ "already allocated", W_POWER_PORT },
	{ "address already in use", W_POWER_PORT },
	{ "no space left", W_NODE_DISK_FULL },
	{ "executable file", W_POWER_PROGRAM },
	{ "no such file", W_POWER_PROGRAM },
	{ "permission denied", W_POWER_PROGRAM },
	{ "device driver", W_POWER_GPU },
	{ "nvidia", W_POWER_GPU },
	{ "network", W_POWER_NETWORK },
	{ NULL, W_POWER_FAILED },
};

static int
refused(struct engine *en, const struct reply *r, struct errtext *e)
{
	char text[1024];
	size_t i;

	if (r->status == 404)
		return error_http(en, ABOUT_CONTAINER, 404, reply_text(r), buf_len(&r->body), e);
	json_message(reply_text(r), buf_len(&r->body), text, sizeof(text));
	for (i = 0; reasons[i].text != NULL && strstr(text, reasons[i].text) == NULL; i++)
		;
	return err_words(e, JB_UNAVAILABLE, reasons[i].word, NULL, NULL, NULL);
}

int
engine_power(struct engine *en, const char *id, unsigned what, bool *already, struct errtext *e)
{
	char path[192];
	struct reply r;
	int rc;

	if (!engine_id_ok(id) || what >= sizeof(verbs) / sizeof(verbs[0]) || verbs[what] == NULL)
		return err_words(e, JB_NOT_FOUND, W_CONTAINER_UNKNOWN, NULL, NULL, NULL);
	snprintf(path, sizeof(path), "/containers/%s/%s", id, verbs[what]);
	rc = engine_call(en, path, "", ANSWER_MAX, &r, e);
	if (rc == 0 && r.status != 204 && r.status != 304)
		rc = refused(en, &r, e);
	if (rc == 0)
		*already = r.status == 304;
	reply_release(&r);
	return rc;
}
