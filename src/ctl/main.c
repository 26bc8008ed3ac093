/*
 * jumpboxctl: one administrative command a run.  The operator runs it; it
 * reads what the command needs with the operator's rights, becomes the owner
 * of the database, opens it, does the one thing and says how it went.
 */
#include "ctl.h"

#include "jumpbox/log.h"
#include "jumpbox/util.h"

#include <stdio.h>
#include <unistd.h>

static int
database_open(struct ctl *c)
{
	if (c->cmd->db == DB_NONE)
		return 0;
	return store_open(
	    c->conf.database, c->cmd->db == DB_CREATE ? STORE_CREATE : STORE_OPEN, &c->st, &c->e);
}

static int
run(struct ctl *c)
{
	int r;

	if ((r = config_load(c->conf_path, &c->conf, &c->e)) < 0)
		return r;
	operator_note(c);
	if (c->cmd->prepare != NULL && (r = c->cmd->prepare(c)) < 0)
		return r;
	if ((r = operator_step_down(c)) < 0 || (r = database_open(c)) < 0)
		return r;
	return c->cmd->exec(c);
}

static void
release(struct ctl *c)
{
	int i;

	store_close(c->st);
	config_release(&c->conf);
	for (i = 0; i < CTL_INPUTS_MAX; i++)
		free_secret(c->input[i]);
	if (c->fd >= 0)
		close(c->fd);
	if (c->lock >= 0)
		close(c->lock);
}

int
main(int argc, char **argv)
{
	struct ctl c = { .conf_path = CONFIG_DEFAULT_PATH, .fd = -1, .lock = -1 };
	int r;

	log_init("ctl", LOG_LEVEL_WARN, LOG_FORMAT_TEXT);
	r = args_parse(&c, argc, argv);
	if (r == 0 && c.help)
		args_help(&c);
	else if (r == 0)
		r = run(&c);
	/* Lost output is a failure too: a full disk below a redirected export, for one. */
	if (r == 0 && (fflush(stdout) != 0 || ferror(stdout)))
		r = ctl_fail(&c, JB_UNAVAILABLE, "cannot write all of the output");
	r = r < 0 ? ctl_report(&c, r) : 0;
	release(&c);
	return r;
}
