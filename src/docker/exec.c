/*
 * An exec's life but for its stream: create, ask, resize.  Broker children;
 * the cleaner for a broker that died.
 */
#include "engine.h"
#include "jumpbox/util.h"

#include <stdio.h>
#include <stdlib.h>

int
engine_exec_create(
    struct engine *en, const struct exec_spec *spec, char exec_id[static 65], struct errtext *e)
{
	char path[192], id[65], *body;
	struct reply r;
	int rc;

	if (!engine_id_ok(spec->container))
		return err_words(e, JB_NOT_FOUND, W_CONTAINER_UNKNOWN, NULL, NULL, NULL);
	body = json_create_body(spec);
	if (!body)
		return err_words(e, JB_BAD_INPUT, W_COMMAND_NOT_UTF8, NULL, NULL, NULL);
	snprintf(path, sizeof(path), "/containers/%s/exec", spec->container);
	rc = engine_ask(en, ABOUT_EXEC, path, body, ANSWER_MAX, &r, e);
	free_secret(body);
	if (rc == 0 && json_exec_id(reply_text(&r), buf_len(&r.body), id) < 0)
		rc = error_not_json(en, e);
	reply_release(&r);
	if (rc == 0)
		str_copy(exec_id, 65, id);
	return rc;
}

int
engine_exec_inspect(
    struct engine *en, const char *exec_id, struct exec_status *s, struct errtext *e)
{
	static const struct exec_status removed = { .running = false, .exit_code = 137 };
	char path[192];
	struct reply r;
	int rc;

	if (!engine_id_ok(exec_id))
		return err_set(e, JB_BAD_INPUT, "there is no such process");
	snprintf(path, sizeof(path), "/exec/%s/json", exec_id);
	rc = engine_ask(en, ABOUT_EXEC, path, NULL, ANSWER_MAX, &r, e);
	if (rc == 0 && json_exec_status(reply_text(&r), buf_len(&r.body), s) < 0)
		rc = error_not_json(en, e);
	if (r.status == 404) {
		*s = removed;
		rc = 0;
	}
	reply_release(&r);
	return rc;
}

int
exec_resize_once(struct engine *en, const char *exec_id, unsigned cols, unsigned rows, long *status,
    struct errtext *e)
{
	char path[256];
	struct reply r;
	int rc;

	if (!engine_id_ok(exec_id))
		return err_set(e, JB_BAD_INPUT, "there is no such process");
	snprintf(path, sizeof(path), "/exec/%s/resize?h=%u&w=%u", exec_id, rows, cols);
	rc = engine_call(en, path, "", ANSWER_MAX, &r, e);
	if (rc == 0)
		*status = r.status;
	reply_release(&r);
	return rc;
}

/* An engine answers a resize of what has ended with 404, 409 or 500: no error then. */
int
engine_exec_resize(
    struct engine *en, const char *exec_id, unsigned cols, unsigned rows, struct errtext *e)
{
	struct exec_status s;
	long status;
	int rc = exec_resize_once(en, exec_id, cols, rows, &status, e);

	if (rc < 0 || status == 200 || status == 201)
		return rc;
	rc = engine_exec_inspect(en, exec_id, &s, e);
	if (rc < 0 || !s.running)
		return rc;
	return err_set(e, JB_UNAVAILABLE, "the terminal's size could not be set");
}
