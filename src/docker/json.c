/*
 * The engine's JSON to structs, and the bodies that are sent.  All of it is
 * foreign: wrong types are absent values, a row that cannot be named is left
 * out, so that one odd container does not hide the others.  Pure; jansson.
 */
#include "json.h"
#include "jumpbox/util.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Each escaped NUL becomes U+FFFD. */
static void
replace_nuls(char *text, size_t n)
{
	size_t i;

	for (i = 0; i + 6 <= n; i++) {
		if (text[i] != '\\')
			continue;
		if (memcmp(text + i, "\\u0000", 6) == 0)
			memcpy(text + i, "\\ufffd", 6);
		i++; /* what is escaped may be a backslash */
	}
}

/*
 * A stray NUL in some label must not make a node's whole list unreadable.  In
 * a value it is let in, and text_of() then drops that one string; jansson
 * lets none into a key.
 */
static json_t *
parse(const char *text, size_t n)
{
	const size_t flags = JSON_ALLOW_NUL | JSON_DISABLE_EOF_CHECK;
	json_t *root = json_loadb(text, n, flags, NULL);
	char *copy;

	if (root != NULL || memmem(text, n, "\\u0000", 6) == NULL)
		return root;
	copy = xreallocarray(NULL, n, 1);
	memcpy(copy, text, n);
	replace_nuls(copy, n);
	root = json_loadb(copy, n, flags, NULL);
	free(copy);
	return root;
}

/* The string under key, or NULL when it is missing, no string, or holds a NUL. */
static const char *
text_of(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);
	const char *s = json_string_value(v);

	return s && strlen(s) == json_string_length(v) ? s : NULL;
}

static char *
copy_of(const json_t *o, const char *key)
{
	const char *s = text_of(o, key);

	return xstrdup(s ? s : "");
}

/* String values only, as compact JSON text: "{}" for anything else. */
static char *
labels_of(const json_t *labels)
{
	json_t *clean = json_object();
	const char *key;
	json_t *v;
	char *text;

	if (json_is_object(labels))
		json_object_foreach((json_t *)labels, key, v) if (text_of(labels, key))
		    json_object_set(clean, key, v);
	text = json_dumps(clean, JSON_COMPACT);
	json_decref(clean);
	return text ? text : xstrdup("{}");
}

static bool
id_copy(char id[static 65], const char *s)
{
	size_t n = s ? strlen(s) : 0;

	if (n < 12 || n > 64 || strspn(s, "0123456789abcdef") != n)
		return false;
	memcpy(id, s, n + 1);
	return true;
}

/* ---- GET /version ------------------------------------------------------- */

/* "1.41" is 141. */
static unsigned
api_number(const char *s)
{
	unsigned major, minor;
	char end;

	if (!s || sscanf(s, "%3u.%3u%c", &major, &minor, &end) != 2 || minor > 99)
		return 0;
	return major * 100 + minor;
}

int
json_version(const char *text, size_t n, struct engine_info *info)
{
	json_t *root = parse(text, n), *c;
	const char *version = text_of(root, "Version"), *name;
	unsigned api = api_number(text_of(root, "ApiVersion"));
	size_t i;

	if (!version || api == 0) {
		json_decref(root);
		return JB_UNAVAILABLE;
	}
	snprintf(info->version, sizeof(info->version), "%s", version);
	for (char *p = info->version; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr(".+-~_", *p))
			*p = '?';
	info->api = api;
	info->podman = false;
	json_array_foreach(json_object_get(root, "Components"), i, c)
	{
		name = text_of(c, "Name");
		if (name && strstr(name, "Podman"))
			info->podman = true;
	}
	json_decref(root);
	return 0;
}

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

static bool
list_row(const json_t *o, struct engine_container *c)
{
	const char *name = own_name(json_object_get(o, "Names"));

	if (!id_copy(c->id, text_of(o, "Id")) || !name)
		return false;
	c->name = xstrdup(name);
	c->image = copy_of(o, "Image");
	c->image_id = copy_of(o, "ImageID");
	c->state = copy_of(o, "State");
	c->status = copy_of(o, "Status");
	c->labels = labels_of(json_object_get(o, "Labels"));
	c->created = json_integer_value(json_object_get(o, "Created"));
	return true;
}

int
json_list(const char *text, size_t n, struct engine_list *list)
{
	json_t *root = parse(text, n), *o;
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
		free(c->status);
		free(c->labels);
	}
	free(list->c);
	memset(list, 0, sizeof(*list));
}

/* ---- GET /containers/ID/json, /images/ID/json ----------------------------- */

int
json_inspect(const char *text, size_t n, struct engine_inspect *in, char **image_id)
{
	json_t *root = parse(text, n);
	const json_t *config = json_object_get(root, "Config");
	const char *name = text_of(root, "Name"), *pid_mode;

	if (!json_is_object(config) || !name || !id_copy(in->id, text_of(root, "Id"))) {
		json_decref(root);
		return JB_UNAVAILABLE;
	}
	in->name = xstrdup(name + (*name == '/'));
	in->image = copy_of(config, "Image");
	in->state = copy_of(json_object_get(root, "State"), "Status");
	in->labels = labels_of(json_object_get(config, "Labels"));
	pid_mode = text_of(json_object_get(root, "HostConfig"), "PidMode");
	in->pid_host = pid_mode && strcmp(pid_mode, "host") == 0;
	in->tty = json_is_true(json_object_get(config, "Tty"));
	*image_id = copy_of(root, "Image");
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
	memset(in, 0, sizeof(*in));
}

int
json_image_labels(const char *text, size_t n, char **labels)
{
	json_t *root = parse(text, n);

	if (!json_is_object(root)) {
		json_decref(root);
		return JB_UNAVAILABLE;
	}
	*labels = labels_of(json_object_get(json_object_get(root, "Config"), "Labels"));
	json_decref(root);
	return 0;
}

char *
engine_label(const char *labels, const char *key)
{
	json_t *root = labels ? parse(labels, strlen(labels)) : NULL;
	const char *s = text_of(root, key);
	char *value = s ? xstrdup(s) : NULL;

	json_decref(root);
	return value;
}

char *
engine_own_label(const char *labels, const char *image_labels, const char *key)
{
	char *own = engine_label(labels, key);
	char *inherited = engine_label(image_labels, key);

	if (own && inherited && strcmp(own, inherited) == 0) {
		free(own);
		own = NULL;
	}
	free(inherited);
	return own;
}

/* ---- exec ------------------------------------------------------------------ */

int
json_exec_id(const char *text, size_t n, char exec_id[static 65])
{
	json_t *root = parse(text, n);
	bool ok = id_copy(exec_id, text_of(root, "Id"));

	json_decref(root);
	return ok ? 0 : JB_UNAVAILABLE;
}

int
json_exec_status(const char *text, size_t n, struct exec_status *s)
{
	json_t *root = parse(text, n);
	const json_t *code = json_object_get(root, "ExitCode");

	if (!json_is_boolean(json_object_get(root, "Running"))) {
		json_decref(root);
		return JB_UNAVAILABLE;
	}
	s->running = json_is_true(json_object_get(root, "Running"));
	s->pid = json_integer_value(json_object_get(root, "Pid"));
	s->exit_code = -1;
	if (json_is_integer(code) && json_integer_value(code) >= 0 &&
	    json_integer_value(code) <= INT_MAX)
		s->exit_code = (int)json_integer_value(code);
	json_decref(root);
	return 0;
}

void
json_message(const char *text, size_t n, char *out, size_t size)
{
	json_t *root = parse(text, n);
	const char *s = text_of(root, "message");
	size_t i = 0;

	for (; s && s[i] && i + 1 < size; i++)
		out[i] = (char)tolower((unsigned char)s[i]);
	out[i] = '\0';
	json_decref(root);
}

/* ---- bodies to send ---------------------------------------------------------- */

/*
 * Whoever types this sequence on a terminal leaves the session, and its first
 * key is held back until the next one: the default would hold Ctrl-P.  An
 * empty string means the default.  Ctrl-^ is the rarest key there is, and
 * the sequence is nothing that anybody types.
 */
static const char detach_keys[] =
    "ctrl-^,ctrl-],ctrl-^,ctrl-_,ctrl-^,ctrl-],ctrl-^,ctrl-_,ctrl-^,ctrl-]";

/* Entries that are not UTF-8 cannot be sent. strict: then there is no array. */
static json_t *
strings(const char *const *list, bool strict)
{
	json_t *array = json_array(), *s;

	for (; list && *list; list++) {
		s = json_string(*list);
		if (s)
			json_array_append_new(array, s);
		else if (strict) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static void
add_size(json_t *o, const struct exec_spec *spec)
{
	if (spec->tty)
		json_object_set_new(o, "ConsoleSize", json_pack("[i, i]", spec->rows, spec->cols));
}

static char *
dump(json_t *o)
{
	char *text = json_dumps(o, JSON_COMPACT);

	json_decref(o);
	return text;
}

char *
json_create_body(const struct exec_spec *spec)
{
	json_t *argv = strings(spec->argv, true), *o;

	if (!argv)
		return NULL;
	o = json_object();
	json_object_set_new(o, "Cmd", argv);
	json_object_set_new(o, "Env", strings(spec->env, false));
	json_object_set_new(o, "Tty", json_boolean(spec->tty));
	json_object_set_new(o, "AttachStdin", json_true());
	json_object_set_new(o, "AttachStdout", json_true());
	json_object_set_new(o, "AttachStderr", json_true());
	json_object_set_new(o, "DetachKeys", json_string(detach_keys));
	if (spec->user)
		json_object_set_new(o, "User", json_string(spec->user));
	add_size(o, spec);
	return dump(o);
}

/* Every engine takes the size it knows and ignores the other: ConsoleSize, or Podman's h and w. */
char *
json_start_body(const struct exec_spec *spec)
{
	json_t *o = json_object();

	json_object_set_new(o, "Detach", json_false());
	json_object_set_new(o, "Tty", json_boolean(spec->tty));
	add_size(o, spec);
	if (spec->tty) {
		json_object_set_new(o, "h", json_integer(spec->rows));
		json_object_set_new(o, "w", json_integer(spec->cols));
	}
	return dump(o);
}

/* ---- for the other files that read JSON ---------------------------------------- */

json_t *
json_foreign(const char *text, size_t n)
{
	return parse(text, n);
}

const char *
json_text_of(const json_t *o, const char *key)
{
	return text_of(o, key);
}

int64_t
json_time(const char *s)
{
	struct tm tm = { 0 };
	const char *rest = s != NULL ? strptime(s, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
	int sign, hours, minutes, shift = 0;

	if (rest == NULL || tm.tm_year < 70)
		return 0;
	if (*rest == '.')
		rest += 1 + strspn(rest + 1, "0123456789");
	if ((*rest == '+' || *rest == '-') && sscanf(rest + 1, "%2d:%2d", &hours, &minutes) == 2) {
		sign = *rest == '+' ? 1 : -1;
		shift = sign * (hours * 3600 + minutes * 60);
	}
	return timegm(&tm) - shift;
}
