/*
 * The engine's JSON to structs, but for containers (json_container.c), and the
 * bodies that are sent.  All of it is foreign: wrong types are absent values.
 * Pure; jansson.
 */
#include "json.h"
#include "engine.h"
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
 * a value it is let in, and json_str() then drops that one string; jansson
 * lets none into a key.
 */
json_t *
json_read(const char *text, size_t n)
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

const char *
json_str(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);
	const char *s = json_string_value(v);

	return s && strlen(s) == json_string_length(v) ? s : NULL;
}

char *
json_str_copy(const json_t *o, const char *key)
{
	const char *s = json_str(o, key);

	return xstrdup(s ? s : "");
}

char *
json_labels(const json_t *labels)
{
	json_t *clean = json_object();
	const char *key;
	json_t *v;
	char *text;

	if (json_is_object(labels))
		json_object_foreach((json_t *)labels, key, v) if (json_str(labels, key))
		    json_object_set(clean, key, v);
	text = json_dumps(clean, JSON_COMPACT);
	json_decref(clean);
	return text ? text : xstrdup("{}");
}

bool
json_id_copy(char id[static 65], const char *s)
{
	size_t n = s ? strlen(s) : 0;

	if (n < 12 || n > 64 || strspn(s, "0123456789abcdef") != n)
		return false;
	memcpy(id, s, n + 1);
	return true;
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
	json_t *root = json_read(text, n), *c;
	const char *version = json_str(root, "Version"), *name, *arch;
	unsigned api = api_number(json_str(root, "ApiVersion"));
	size_t i;

	if (!version || api == 0) {
		json_decref(root);
		return JB_UNAVAILABLE;
	}
	snprintf(info->version, sizeof(info->version), "%s", version);
	for (char *p = info->version; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr(".+-~_", *p))
			*p = '?';
	arch = json_str(root, "Arch");
	snprintf(info->arch, sizeof(info->arch), "%s", arch != NULL ? arch : "");
	info->api = api;
	info->podman = false;
	json_array_foreach(json_object_get(root, "Components"), i, c)
	{
		name = json_str(c, "Name");
		if (name && strstr(name, "Podman"))
			info->podman = true;
	}
	json_decref(root);
	return 0;
}

/* ---- GET /images/ID/json, labels ------------------------------------------- */

int
json_image_labels(const char *text, size_t n, char **labels)
{
	json_t *root = json_read(text, n);

	if (!json_is_object(root)) {
		json_decref(root);
		return JB_UNAVAILABLE;
	}
	*labels = json_labels(json_object_get(json_object_get(root, "Config"), "Labels"));
	json_decref(root);
	return 0;
}

char *
engine_label(const char *labels, const char *key)
{
	json_t *root = labels ? json_read(labels, strlen(labels)) : NULL;
	const char *s = json_str(root, key);
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
	json_t *root = json_read(text, n);
	bool ok = json_id_copy(exec_id, json_str(root, "Id"));

	json_decref(root);
	return ok ? 0 : JB_UNAVAILABLE;
}

int
json_exec_status(const char *text, size_t n, struct exec_status *s)
{
	json_t *root = json_read(text, n);
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
	json_t *root = json_read(text, n);
	const char *s = json_str(root, "message");
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
