/*
 * What there is to know of one container, as rows of a key and a text: its
 * engine's inspect, read for a person.  An environment variable is its name:
 * its value is not even copied.  Pure but for the call; jansson.  Broker
 * children.
 */
#include "engine.h"
#include "json.h"
#include "jumpbox/proto.h"
#include "jumpbox/text.h"
#include "jumpbox/util.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
add(struct engine_details *d, enum detail_key key, const char *value)
{
	size_t n;

	if (value == NULL || value[0] == '\0')
		return;
	n = text_cut(value, DETAIL_MAX);
	d->cut |= d->n == DETAIL_ROWS || value[n] != '\0';
	if (d->n == DETAIL_ROWS)
		return;
	d->row[d->n].key = key;
	d->row[d->n].value = xasprintf("%.*s", (int)n, value);
	d->n++;
}

static void
add_free(struct engine_details *d, enum detail_key key, char *value)
{
	add(d, key, value);
	free(value);
}

static void
add_text(struct engine_details *d, enum detail_key key, const json_t *o, const char *name)
{
	add(d, key, json_str(o, name));
}

/* "2026-11-26T04:10:38.117441291Z" as Unix seconds; what never was is left out. */
static void
add_time(struct engine_details *d, enum detail_key key, const json_t *o, const char *name)
{
	int64_t at = json_time(json_str(o, name));

	if (at > 0)
		add_free(d, key, xasprintf("%lld", (long long)at));
}

/* ---- command ------------------------------------------------------------------ */

/* Words as a shell would take them. */
static void
add_word(struct buf *line, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "_./:=@%+,-";
	bool quote = word[0] == '\0' || word[strspn(word, plain)] != '\0';

	if (buf_len(line) > 0)
		buf_add(line, " ", 1);
	if (quote)
		buf_add(line, "'", 1);
	for (; *word != '\0'; word++)
		buf_add(line, *word == '\'' ? "'\\''" : word, *word == '\'' ? 4 : 1);
	if (quote)
		buf_add(line, "'", 1);
}

static void
add_command(struct engine_details *d, const json_t *root)
{
	const char *path = json_str(root, "Path"), *s;
	struct buf line;
	const json_t *v;
	size_t i;

	buf_init(&line, 64 << 10);
	if (path != NULL)
		add_word(&line, path);
	json_array_foreach(json_object_get(root, "Args"), i, v)
	{
		s = json_string_value(v);
		if (s != NULL && buf_room(&line) > 5 * strlen(s) + 8)
			add_word(&line, s);
	}
	buf_add(&line, "", 1);
	if (buf_len(&line) > 0)
		add(d, DETAIL_COMMAND, (const char *)buf_ptr(&line));
	buf_release(&line);
}

/* ---- lists ---------------------------------------------------------------------- */

static void
add_ports(struct engine_details *d, const json_t *ports)
{
	const char *port, *ip, *host;
	json_t *bindings, *b;
	size_t i;

	json_object_foreach((json_t *)ports, port, bindings)
	{
		if (json_array_size(bindings) == 0)
			add(d, DETAIL_PORT, port);
		json_array_foreach(bindings, i, b)
		{
			ip = json_str(b, "HostIp");
			host = json_str(b, "HostPort");
			add_free(d, DETAIL_PORT,
			    xasprintf("%s%s%s->%s", ip != NULL ? ip : "",
				ip != NULL && ip[0] != '\0' ? ":" : "", host != NULL ? host : "",
				port));
		}
	}
}

static void
add_mounts(struct engine_details *d, const json_t *mounts)
{
	const char *type, *source, *name, *to;
	const json_t *m;
	size_t i;

	json_array_foreach(mounts, i, m)
	{
		type = json_str(m, "Type");
		name = json_str(m, "Name");
		source = json_str(m, "Source");
		to = json_str(m, "Destination");
		if (name != NULL && name[0] != '\0') /* where a volume lies is the node's matter */
			source = name;
		add_free(d, DETAIL_MOUNT,
		    xasprintf("%s %s -> %s%s", type != NULL ? type : "",
			source != NULL ? source : "", to != NULL ? to : "",
			json_is_false(json_object_get(m, "RW")) ? " (ro)" : ""));
	}
}

static void
add_networks(struct engine_details *d, const json_t *networks)
{
	const char *name, *ip, *ip6;
	json_t *net;

	json_object_foreach((json_t *)networks, name, net)
	{
		ip = json_str(net, "IPAddress");
		ip6 = json_str(net, "GlobalIPv6Address");
		add_free(d, DETAIL_NETWORK,
		    xasprintf("%s%s%s%s%s", name, ip != NULL && ip[0] != '\0' ? " " : "",
			ip != NULL ? ip : "", ip6 != NULL && ip6[0] != '\0' ? " " : "",
			ip6 != NULL ? ip6 : ""));
	}
}

static void
add_labels(struct engine_details *d, const json_t *labels)
{
	const char *key, *s;
	json_t *v;

	json_object_foreach((json_t *)labels, key, v) if ((s = json_str(labels, key)) != NULL)
	    add_free(d, DETAIL_LABEL, xasprintf("%s=%s", key, s));
}

/* Names only: what follows the first "=" is never looked at. */
static void
add_environment(struct engine_details *d, const json_t *env)
{
	const json_t *v;
	const char *s;
	size_t i;

	json_array_foreach(env, i, v) if ((s = json_string_value(v)) != NULL)
	    add_free(d, DETAIL_ENV, xasprintf("%.*s", (int)strcspn(s, "="), s));
}

/* ---- all of it ---------------------------------------------------------------------- */

static void
add_restart(struct engine_details *d, const json_t *policy)
{
	const char *name = json_str(policy, "Name");
	long long most = json_integer_value(json_object_get(policy, "MaximumRetryCount"));

	if (name == NULL || name[0] == '\0')
		name = "no";
	add_free(
	    d, DETAIL_RESTART, most > 0 ? xasprintf("%s:%lld", name, most) : xasprintf("%s", name));
}

static void
add_state(struct engine_details *d, const json_t *state)
{
	const json_t *health = json_object_get(state, "Health");
	const char *status = json_str(state, "Status"), *h = json_str(health, "Status");

	add(d, DETAIL_STATE, status);
	if (h != NULL && strcmp(h, "none") != 0)
		add(d, DETAIL_HEALTH, h);
	if (status != NULL && (strcmp(status, "exited") == 0 || strcmp(status, "dead") == 0))
		add_free(d, DETAIL_EXIT_CODE,
		    xasprintf(
			"%lld", (long long)json_integer_value(json_object_get(state, "ExitCode"))));
	if (json_is_true(json_object_get(state, "OOMKilled")))
		add(d, DETAIL_OOM, "yes");
}

int
json_details(const char *text, size_t n, struct engine_details *d)
{
	json_t *root = json_read(text, n);
	const json_t *config = json_object_get(root, "Config"), *state, *host, *net;
	const char *name = json_str(root, "Name");

	if (!json_is_object(config) || name == NULL) {
		json_decref(root);
		return JB_UNAVAILABLE;
	}
	state = json_object_get(root, "State");
	host = json_object_get(root, "HostConfig");
	net = json_object_get(root, "NetworkSettings");
	*d = (struct engine_details){ .n = 0 };
	add(d, DETAIL_NAME, name + (*name == '/'));
	add_text(d, DETAIL_ID, root, "Id");
	add_state(d, state);
	add_text(d, DETAIL_IMAGE, config, "Image");
	add_command(d, root);
	add_text(d, DETAIL_USER, config, "User");
	add_text(d, DETAIL_WORKDIR, config, "WorkingDir");
	add_time(d, DETAIL_CREATED, root, "Created");
	add_time(d, DETAIL_STARTED, state, "StartedAt");
	if (json_is_false(json_object_get(state, "Running")))
		add_time(d, DETAIL_FINISHED, state, "FinishedAt");
	add_restart(d, json_object_get(host, "RestartPolicy"));
	add_free(d, DETAIL_GPU, json_gpus(host, config));
	add_ports(d, json_object_get(net, "Ports"));
	add_networks(d, json_object_get(net, "Networks"));
	add_mounts(d, json_object_get(root, "Mounts"));
	add_labels(d, json_object_get(config, "Labels"));
	add_environment(d, json_object_get(config, "Env"));
	if (d->cut)
		d->row[d->n++] = (struct engine_detail){ DETAIL_CUT, xstrdup("yes") };
	json_decref(root);
	return 0;
}

void
engine_details_release(struct engine_details *d)
{
	for (size_t i = 0; i < d->n; i++)
		free(d->row[i].value);
	d->n = 0;
}

int
engine_details(struct engine *en, const char *id, struct engine_details *d, struct errtext *e)
{
	char path[192];
	struct reply r;
	int rc;

	d->n = 0;
	if (!engine_id_ok(id))
		return err_words(e, JB_NOT_FOUND, W_CONTAINER_UNKNOWN, NULL, NULL, NULL);
	snprintf(path, sizeof(path), "/containers/%s/json", id);
	rc = engine_ask(en, ABOUT_CONTAINER, path, NULL, ANSWER_MAX, &r, e);
	if (rc == 0 && json_details(reply_text(&r), buf_len(&r.body), d) < 0)
		rc = error_not_json(en, e);
	reply_release(&r);
	return rc;
}
