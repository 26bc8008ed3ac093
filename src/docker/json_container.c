/*
 * What an engine says of its containers, to structs: the list, and one looked
 * at alone.  A row that cannot be named is left out, so that one odd container
 * does not hide the others.  Pure; jansson.
 */
#include "engine.h"
#include "json.h"
#include "jumpbox/text.h"
#include "jumpbox/util.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PORTS_TEXT = 129 };

/* ---- GET /containers/json ------------------------------------------------ */

/* "/name"; links to it appear as "/other/name". */
static const char *
own_name(const json_t *names)
{
	const json_t *v;
	const char *s;
	size_t i;

	json_array_foreach(names, i, v)
	{
		s = json_string_value(v);
		if (!s || strlen(s) != json_string_length(v))
			continue;
		s += *s == '/';
		if (*s && !strchr(s, '/'))
			return s;
	}
	return NULL;
}

/*
 * What made it: "project/service" of Compose, "SERVICE.SLOT" of Swarm, whose
 * task names end in the task's id, or nothing.
 */
static char *
service_of(const json_t *labels)
{
	const char *project = json_str(labels, "com.docker.compose.project");
	const char *service = json_str(labels, "com.docker.compose.service");
	const char *task = json_str(labels, "com.docker.swarm.task.name");
	const char *id = json_str(labels, "com.docker.swarm.task.id");
	size_t n = task ? strlen(task) : 0, nid = id ? strlen(id) : 0;

	if (project && service)
		return xasprintf("%s/%s", project, service);
	if (nid > 0 && n > nid + 1 && task[n - nid - 1] == '.' && strcmp(task + n - nid, id) == 0)
		n -= nid + 1;
	return n > 0 ? strndup(task, n) : xstrdup("");
}

struct port {
	unsigned inner, outer; /* outer 0: not published */
	char kind[8];	       /* "tcp" */
};

static int
by_port(const void *a, const void *b)
{
	const struct port *x = a, *y = b;
	int kind = strcmp(x->kind, y->kind);

	if (x->inner != y->inner)
		return x->inner < y->inner ? -1 : 1;
	if (kind != 0)
		return kind;
	return (x->outer > y->outer) - (x->outer < y->outer);
}

static unsigned
port_number(const json_t *o, const char *key)
{
	json_int_t n = json_integer_value(json_object_get(o, key));

	return n > 0 && n <= 65535 ? (unsigned)n : 0;
}

static bool
port_read(const json_t *o, struct port *p)
{
	const char *kind = json_str(o, "Type");

	*p = (struct port){ port_number(o, "PrivatePort"), port_number(o, "PublicPort"), "tcp" };
	if (kind && strlen(kind) < sizeof(p->kind))
		strcpy(p->kind, kind);
	return p->inner != 0;
}

/*
 * "8080->80/tcp, 443/tcp": in an order of its own, as engines give them in
 * any; the same for IPv4 and IPv6 once; as many as fit.
 */
static char *
ports_of(const json_t *ports)
{
	struct port *p = xcalloc(json_array_size(ports) + 1, sizeof(*p));
	char text[PORTS_TEXT] = "", one[48];
	size_t i, n = 0, used = 0, len;
	json_t *o;

	json_array_foreach(ports, i, o)
	{
		n += port_read(o, &p[n]);
	}
	qsort(p, n, sizeof(*p), by_port);
	for (i = 0; i < n; i++) {
		if (i > 0 && by_port(&p[i - 1], &p[i]) == 0)
			continue;
		if (p[i].outer != 0)
			snprintf(one, sizeof(one), "%u->%u/%s", p[i].outer, p[i].inner, p[i].kind);
		else
			snprintf(one, sizeof(one), "%u/%s", p[i].inner, p[i].kind);
		len = strlen(one) + (used > 0 ? 2 : 0);
		if (used + len >= sizeof(text))
			break;
		used += (size_t)snprintf(
		    text + used, sizeof(text) - used, "%s%s", used > 0 ? ", " : "", one);
	}
	free(p);
	return xstrdup(text);
}

static bool
list_row(const json_t *o, struct engine_container *c)
{
	const char *name = own_name(json_object_get(o, "Names"));

	if (!json_id_copy(c->id, json_str(o, "Id")) || !name)
		return false;
	c->name = xstrdup(name);
	c->image = json_str_copy(o, "Image");
	c->image_id = json_str_copy(o, "ImageID");
	c->state = json_str_copy(o, "State");
	c->labels = json_labels(json_object_get(o, "Labels"));
	c->service = service_of(json_object_get(o, "Labels"));
	c->ports = ports_of(json_object_get(o, "Ports"));
	c->created = json_integer_value(json_object_get(o, "Created"));
	return true;
}

int
json_list(const char *text, size_t n, struct engine_list *list)
{
	json_t *root = json_read(text, n), *o;
	bool known = json_array_size(root) == 0;
	size_t i;

	if (!json_is_array(root)) {
		json_decref(root);
		return JB_UNAVAILABLE;
	}
	list->n = 0;
	list->c = xcalloc(json_array_size(root) + 1, sizeof(*list->c));
	json_array_foreach(root, i, o)
	{
		struct engine_container *c = &list->c[list->n];

		list->n += list_row(o, c);
		known |= c->id[0] != '\0';
	}
	json_decref(root);
	if (known)
		return 0;
	engine_list_release(list); /* rows, and not one container: no engine's */
	return JB_UNAVAILABLE;
}

void
engine_list_release(struct engine_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		struct engine_container *c = &list->c[i];

		free(c->name);
		free(c->image);
		free(c->image_id);
		free(c->state);
		free(c->labels);
		free(c->service);
		free(c->ports);
	}
	free(list->c);
	memset(list, 0, sizeof(*list));
}

/* ---- GET /containers/ID/json ----------------------------------------------- */

static void
state_read(const json_t *state, struct engine_inspect *in)
{
	const char *health = json_str(json_object_get(state, "Health"), "Status");
	json_int_t code = json_integer_value(json_object_get(state, "ExitCode"));

	in->state = json_str_copy(state, "Status");
	in->started = json_time(json_str(state, "StartedAt"));
	in->finished = json_time(json_str(state, "FinishedAt"));
	in->exit_code = code >= INT_MIN && code <= INT_MAX ? (int)code : 0;
	in->oom = json_is_true(json_object_get(state, "OOMKilled"));
	if (health && strcmp(health, "none") != 0)
		str_copy(in->health, sizeof(in->health), health);
}

int
json_inspect(const char *text, size_t n, struct engine_inspect *in, char **image_id)
{
	json_t *root = json_read(text, n);
	const json_t *config = json_object_get(root, "Config");
	const json_t *host = json_object_get(root, "HostConfig");
	const char *name = json_str(root, "Name"), *pid_mode;

	if (!json_is_object(config) || !name || !json_id_copy(in->id, json_str(root, "Id"))) {
		json_decref(root);
		return JB_UNAVAILABLE;
	}
	in->name = xstrdup(name + (*name == '/'));
	in->image = json_str_copy(config, "Image");
	in->labels = json_labels(json_object_get(config, "Labels"));
	in->gpus = json_gpus(host, config);
	state_read(json_object_get(root, "State"), in);
	pid_mode = json_str(host, "PidMode");
	in->pid_host = pid_mode && strcmp(pid_mode, "host") == 0;
	in->tty = json_is_true(json_object_get(config, "Tty"));
	*image_id = json_str_copy(root, "Image");
	json_decref(root);
	return 0;
}

void
engine_inspect_release(struct engine_inspect *in)
{
	free(in->name);
	free(in->image);
	free(in->state);
	free(in->labels);
	free(in->image_labels);
	free(in->gpus);
	memset(in, 0, sizeof(*in));
}
