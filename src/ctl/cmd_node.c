/*
 * node ...: the container engines.  jumpboxctl.
 */
#include "ctl.h"

#include "pem.h"

#include "jumpbox/docker.h"
#include "jumpbox/inventory.h"
#include "jumpbox/util.h"

#include <stdio.h>
#include <string.h>

/* Where prepare() leaves the TLS material: the order of the settings below. */
enum { IN_CA, IN_CERT, IN_KEY };
static const char *const material[] = { [IN_CA] = "ca", [IN_CERT] = "cert", [IN_KEY] = "key" };

/* ---- add --------------------------------------------------------------- */

static int
material_read(struct ctl *c, int which, const char *file)
{
	int r;

	if ((r = input_read(c, file, &c->input[which])) < 0)
		return r;
	return pem_check(material[which], c->input[which], &c->e);
}

static struct node
node_given(const struct ctl *c)
{
	return (struct node){
		.name = c->arg[0],
		.url = c->arg[1],
		.ca = c->input[IN_CA],
		.cert = c->input[IN_CERT],
		.key = c->input[IN_KEY],
		.insecure = args_opt(c, "--insecure") != NULL,
		.enabled = true,
		.region = args_opt(c, "--region"),
	};
}

static int
add_prepare(struct ctl *c)
{
	static const char *const options[] = { "--ca", "--cert", "--key" };
	struct engine_addr addr;
	struct node n;
	const char *file;
	int i, r;

	if ((r = input_name(c, "node", c->arg[0])) < 0)
		return r;
	for (i = 0; i < CTL_INPUTS_MAX; i++)
		if ((file = args_opt(c, options[i])) != NULL && (r = material_read(c, i, file)) < 0)
			return r;
	n = node_given(c);
	addr = engine_addr_of(&n);
	if ((r = engine_addr_check(&addr, &c->e)) < 0)
		return r;
	if (n.cert == NULL || n.key == NULL)
		return 0;
	return pem_check_pair(n.cert, n.key, &c->e);
}

static int
add_exec(struct ctl *c)
{
	const struct node n = node_given(c);
	int r = ctl_stored(c, node_add(c->st, &c->by, &n));

	if (r == 0)
		out_made(c, "name", n.name);
	return r;
}

/* ---- set --------------------------------------------------------------- */

static int
material_index(const char *key)
{
	int i;

	for (i = 0; i < CTL_INPUTS_MAX; i++)
		if (strcmp(material[i], key) == 0)
			return i;
	return -1;
}

/* ca, cert and key name a file; nothing removes the setting. */
static int
set_prepare(struct ctl *c)
{
	int which = material_index(c->arg[1]);

	if (which < 0 || c->arg[2][0] == '\0')
		return 0;
	return material_read(c, which, c->arg[2]);
}

/* The address as it will be must be one that can be used. */
static int
check_changed(const struct node *n, void *arg)
{
	struct ctl *c = arg;
	struct node changed = *n;
	struct engine_addr addr;

	if (strcmp(c->arg[1], "url") == 0)
		changed.url = c->arg[2];
	else
		changed.insecure = false;
	addr = engine_addr_of(&changed);
	return engine_addr_check(&addr, &c->e) < 0;
}

/* TLS material comes and goes in three steps, and without all of it a tcp node is not used. */
static int
set_check(struct ctl *c)
{
	const char *key = c->arg[1], *value = c->arg[2];
	int r;

	if (strcmp(key, "url") != 0 && !(strcmp(key, "insecure") == 0 && strcmp(value, "no") == 0))
		return 0;
	r = node_get(c->st, c->arg[0], check_changed, c);
	return r > 0 ? JB_BAD_INPUT : ctl_stored(c, r);
}

static int
set_exec(struct ctl *c)
{
	int which = material_index(c->arg[1]), r;
	const char *value = c->arg[2];

	if ((r = set_check(c)) < 0)
		return r;
	if (which >= 0 && c->input[which] != NULL)
		value = c->input[which];
	return ctl_done(c, node_set(c->st, &c->by, c->arg[0], c->arg[1], value));
}

/* ---- list -------------------------------------------------------------- */

static const struct column node_columns[] = {
	/* clang-format off */
	{ "name",        CELL_TEXT, false },
	{ "state",       CELL_TEXT, false },
	{ "enabled",     CELL_BOOL, false },
	{ "transport",   CELL_TEXT, false },
	{ "url",         CELL_TEXT, false },
	{ "region",      CELL_TEXT, false },
	{ "last_seen",   CELL_TIME, false },
	{ "last_error",  CELL_TEXT, false },
	{ "insecure",    CELL_BOOL, true },
	{ "id",          CELL_NUM,  true },
	{ "record",      CELL_TEXT, true },
	{ "helper",      CELL_TEXT, true },
	{ "state_since", CELL_TIME, true },
	/* clang-format on */
};
enum { NNODE = sizeof node_columns / sizeof node_columns[0] };

static const char *
transport(const struct node *n)
{
	if (strncmp(n->url, "unix:", 5) == 0)
		return "unix";
	return n->cert != NULL ? "tls" : "INSECURE";
}

static int
list_node(const struct node *n, void *arg)
{
	list_row(arg,
	    (struct cell[NNODE]){
		C_TEXT(n->name),
		C_TEXT(n->state),
		C_NUM(n->enabled),
		C_TEXT(transport(n)),
		C_TEXT(n->url),
		C_TEXT(n->region),
		C_NUM(n->last_seen),
		C_TEXT(n->last_error),
		C_NUM(n->insecure),
		C_NUM(n->id),
		C_TEXT(n->record),
		C_TEXT(n->helper),
		C_NUM(n->state_since),
	    });
	return 0;
}

static int
list_exec(struct ctl *c)
{
	struct list l;

	list_begin(&l, c, node_columns, NNODE);
	return ctl_stored(c, list_end(&l, node_each(c->st, list_node, &l)));
}

/* ---- test -------------------------------------------------------------- */

static const struct column test_columns[] = {
	{ "name", CELL_TEXT, false },
	{ "engine", CELL_TEXT, false },
	{ "version", CELL_TEXT, false },
	{ "api", CELL_TEXT, false },
	{ "containers", CELL_NUM, false },
};
enum { NTEST = sizeof test_columns / sizeof test_columns[0] };

static void
test_print(const struct ctl *c, const char *name, const struct engine_info *info, size_t n)
{
	const char *engine = info->podman ? "Podman" : "Docker";
	char api[16];

	snprintf(api, sizeof api, "%u.%u", info->api / 100, info->api % 100);
	if (c->json)
		out_object(c, test_columns, NTEST,
		    (struct cell[NTEST]){ C_TEXT(name), C_TEXT(engine), C_TEXT(info->version),
			C_TEXT(api), C_NUM(n) });
	else
		printf("%s: %s %s (API %s), %zu container%s\n", name, engine, info->version, api, n,
		    n == 1 ? "" : "s");
}

static int
test_engine(struct ctl *c, const struct node *n)
{
	const struct engine_addr addr = engine_addr_of(n);
	struct engine *en = engine_new(&addr, ENGINE_CALL_MS);
	struct engine_list list = { NULL, 0 };
	struct engine_info info;
	int r;

	if ((r = engine_version(en, &info, &c->e)) == 0 &&
	    (r = engine_list(en, NULL, 0, &list, &c->e)) == 0)
		test_print(c, n->name, &info, list.n);
	engine_list_release(&list);
	engine_free(en);
	return r < 0 ? JB_UNAVAILABLE : 0;
}

static int
keep_node(const struct node *n, void *arg)
{
	*(struct node **)arg = node_dup(n);
	return 0;
}

static int
test_exec(struct ctl *c)
{
	struct node *n = NULL;
	struct errtext e;
	int r;

	if ((r = ctl_stored(c, node_get(c->st, c->arg[0], keep_node, &n))) < 0)
		return r;
	r = test_engine(c, n);
	/* What the menu shows follows at once, good news and bad. */
	if (r < 0)
		node_set_failed(c->st, n->id, c->e.s);
	else if (inventory_refresh(c->st, n, c->conf.owner_label, ENGINE_CALL_MS, &e) < 0)
		r = ctl_fail(c, JB_UNAVAILABLE, "%s", e.s);
	node_free(n);
	return r;
}

/* ---- enable, disable, del ---------------------------------------------- */

static int
enable_exec(struct ctl *c)
{
	return ctl_done(c, node_enable(c->st, &c->by, c->arg[0], true));
}

static int
disable_exec(struct ctl *c)
{
	return ctl_done(c, node_enable(c->st, &c->by, c->arg[0], false));
}

static int
del_exec(struct ctl *c)
{
	return ctl_done(c, node_del(c->st, &c->by, c->arg[0]));
}

/* ---- the table --------------------------------------------------------- */

static const struct ctl_opt add_opts[] = {
	{ "--ca", "FILE", "the authority that signed the engine's certificate (PEM)", false },
	{ "--cert", "FILE", "the client certificate to show (PEM)", false },
	{ "--key", "FILE", "its private key (PEM, no passphrase)", false },
	{ "--insecure", NULL, "allow tcp:// without TLS: whoever reaches the port is root there",
	    false },
	{ "--region", "REGION", "where it stands, a word for people", false },
	{ NULL, NULL, NULL, false },
};

const struct ctl_cmd node_cmds[] = {
	/* clang-format off */
	{ "node add", "NAME URL", "add an engine: unix:///PATH or tcp://HOST:PORT",
	  2, 2, DB_CREATE, add_opts, add_prepare, add_exec },
	{ "node set", "NAME KEY VALUE", "set url, region, insecure (yes, no), record or helper (on, off), or ca, cert, key to a FILE's content",
	  3, 3, DB_OPEN, NULL, set_prepare, set_exec },
	{ "node list", NULL, "list the engines",
	  0, 0, DB_OPEN, NULL, NULL, list_exec },
	{ "node test", "NAME", "ask an engine for its version and its containers",
	  1, 1, DB_OPEN, NULL, NULL, test_exec },
	{ "node enable", "NAME", "use an engine again",
	  1, 1, DB_OPEN, NULL, NULL, enable_exec },
	{ "node disable", "NAME", "keep an engine but do not use it",
	  1, 1, DB_OPEN, NULL, NULL, disable_exec },
	{ "node del", "NAME", "delete an engine and what was seen on it",
	  1, 1, DB_OPEN, NULL, NULL, del_exec },
	{ .name = NULL },
	/* clang-format on */
};
