/*
 * The stream of an engine's events: bytes to the ids of containers about
 * which something changed that is shown.  An event says no more than where to
 * look again, so that it may come twice, late or in any order.  Pure; jansson.
 */
#include "engine.h"
#include "json.h"

#include <string.h>

/*
 * What can change a row.  The engine is asked for these alone: health checks
 * make three events each that say nothing.  Podman has words of its own for
 * two, which its interface for Docker's clients translates on the way out only.
 */
/* clang-format off */
#define ACTIONS(X) \
	X("create") X("start") X("restart") X("stop") X("die") X("died") X("kill") X("oom") \
	X("pause") X("unpause") X("rename") X("update") X("health_status") X("destroy") X("remove")
/* clang-format on */

#define AS_ROW(word) word,
static const char *const actions[] = { ACTIONS(AS_ROW) };

#define AS_JSON(word) ",\"" word "\""
/* "init" is Podman's, and before the first comma there must be something. */
const char events_filters[] = "{\"type\":[\"container\"],\"event\":[\"init\"" ACTIONS(AS_JSON) "]}";

/* "health_status: healthy" */
static bool
matters(const char *action)
{
	size_t n = action ? strcspn(action, ": ") : 0;

	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (strlen(actions[i]) == n && strncmp(action, actions[i], n) == 0)
			return true;
	return false;
}

/* Old engines have no "Type", "Action" and "Actor", new ones no "status" and "id". */
int
json_event(const char *text, size_t n, char id[static 65])
{
	json_t *root = json_read(text, n);
	const char *type = json_str(root, "Type"), *action = json_str(root, "Action");
	const char *who = json_str(json_object_get(root, "Actor"), "ID");
	int rc = JB_NOT_FOUND;

	if (!action)
		action = json_str(root, "status");
	if (!who)
		who = json_str(root, "id");
	if ((!type || strcmp(type, "container") == 0) && matters(action) && json_id_copy(id, who))
		rc = 0;
	json_decref(root);
	return rc;
}

void
events_init(struct events *ev)
{
	buf_init(&ev->line, EVENT_MAX);
	ev->skipping = false;
}

void
events_release(struct events *ev)
{
	buf_release(&ev->line);
}

/* Each event is one line: JSON has no newline within a string, and engines write none elsewhere. */
void
events_feed(
    struct events *ev, const char *p, size_t n, void (*fn)(const char *id, void *), void *arg)
{
	const char *end;
	char id[65];
	size_t part;

	while (n > 0) {
		end = memchr(p, '\n', n);
		part = end != NULL ? (size_t)(end - p) : n;
		if (!ev->skipping && buf_add(&ev->line, p, part) < 0)
			ev->skipping = true;
		p += part;
		n -= part;
		if (end == NULL)
			return;
		if (!ev->skipping &&
		    json_event((const char *)buf_ptr(&ev->line), buf_len(&ev->line), id) == 0)
			fn(id, arg);
		buf_reset(&ev->line);
		ev->skipping = false;
		p++;
		n--;
	}
}
