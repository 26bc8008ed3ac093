/*
 * Which containers a grant speaks of: "[NODE/]NAME", "label:KEY=VALUE" and
 * "image:GLOB".  Pure.  Broker (matching) and jumpboxctl (checking).
 */
#include "access.h"
#include "jumpbox/text.h"

#include <string.h>

enum { SELECTOR_MAX = 255 };

static int
check_name(const char *arg, struct errtext *e)
{
	const char *slash = strchr(arg, '/');
	const char *bad = arg +
	    strspn(arg,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789._-*?/");

	if (*bad)
		return err_set(e, JB_BAD_INPUT,
		    "selector \"%s\": names and nodes have letters, digits, . _ - and the globs * "
		    "?; also known are label:KEY=VALUE and image:GLOB",
		    arg);
	if (slash && (slash == arg || !slash[1] || strchr(slash + 1, '/')))
		return err_set(e, JB_BAD_INPUT, "selector \"%s\": expected NODE/NAME", arg);
	return 0;
}

static bool
match_name(const char *arg, const struct facts *f, struct labels *l)
{
	const char *slash = strchr(arg, '/');
	char node[SELECTOR_MAX + 1];

	(void)l;
	if (!slash)
		return f->name && text_glob(arg, f->name);
	if (!f->name || !f->node)
		return false;
	memcpy(node, arg, (size_t)(slash - arg));
	node[slash - arg] = '\0';
	return text_glob(node, f->node) && text_glob(slash + 1, f->name);
}

/* The key ends at the first '=', as Docker's own --label has it; the value may contain more. */
static int
check_label(const char *arg, struct errtext *e)
{
	const char *eq = strchr(arg, '=');

	if (!eq || eq == arg)
		return err_set(
		    e, JB_BAD_INPUT, "selector \"label:%s\": expected label:KEY=VALUE", arg);
	return 0;
}

static bool
match_label(const char *arg, const struct facts *f, struct labels *l)
{
	const char *eq = strchr(arg, '=');
	char key[SELECTOR_MAX + 1];
	const char *value;

	if (!l->parsed) {
		l->object = f->labels ? json_loads(f->labels, 0, NULL) : NULL;
		l->parsed = true;
	}
	memcpy(key, arg, (size_t)(eq - arg));
	key[eq - arg] = '\0';
	value = json_string_value(json_object_get(l->object, key));
	return value && text_glob(eq + 1, value);
}

void
labels_release(struct labels *l)
{
	json_decref(l->object);
	*l = (struct labels){ 0 };
}

static int
check_image(const char *arg, struct errtext *e)
{
	if (!*arg)
		return err_set(e, JB_BAD_INPUT, "selector \"image:\": expected image:GLOB");
	return 0;
}

static bool
match_image(const char *arg, const struct facts *f, struct labels *l)
{
	(void)l;
	return f->image && text_glob(arg, f->image);
}

static const struct kind {
	const char *prefix;
	int (*check)(const char *arg, struct errtext *e);
	bool (*match)(const char *arg, const struct facts *f, struct labels *l);
} kinds[] = {
	{ "label:", check_label, match_label }, { "image:", check_image, match_image },
	{ "", check_name, match_name }, /* last: it takes what is left */
};

static const struct kind *
kind_of(const char *s)
{
	const struct kind *k = kinds;

	while (strncmp(s, k->prefix, strlen(k->prefix)) != 0)
		k++;
	return k;
}

int
selector_check(const char *s, struct errtext *e)
{
	const struct kind *k = kind_of(s);
	char safe[64];

	if (!*s)
		return err_set(e, JB_BAD_INPUT, "the selector is empty: * is every container");
	if (strlen(s) > SELECTOR_MAX)
		return err_set(
		    e, JB_BAD_INPUT, "the selector is longer than %d bytes", SELECTOR_MAX);
	for (const char *p = s; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return err_set(e, JB_BAD_INPUT, "selector \"%s\": control characters",
			    text_safe(safe, sizeof(safe), s));
	return k->check(s + strlen(k->prefix), e);
}

bool
selector_match(const char *selector, const struct facts *f, struct labels *l)
{
	const struct kind *k = kind_of(selector);

	if (selector_check(selector, NULL) != 0)
		return false;
	return k->match(selector + strlen(k->prefix), f, l);
}
