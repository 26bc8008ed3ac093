/*
 * What a broker's engine children do: straight-line blocking calls, one job a
 * process.  They decide nothing and know no database.  Also run by the
 * cleaner.
 */
#include "attached.h"
#include "job.h"

#include "jumpbox/log.h"
#include "jumpbox/util.h"

#include <malloc.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* An engine that is removing or restarting a container may fail to answer for a moment: waits between tries. */
enum { STATUS_AGAIN_MS = 50, STATUS_LAST_MS = 800, END_AGAIN_MS = 500, END_AGAIN_MOST_MS = 4000 };
enum { HELPER_GOES_MS = 6000 };

static void
tell_status(int fd, const struct exec_status *s)
{
	struct msg m;

	msg_init(&m, CHILD_STATUS, 0);
	msg_put_u32(&m, s->running);
	msg_put_u32(&m, (uint32_t)s->exit_code);
	job_tell(fd, &m);
}

/* ---- attach ------------------------------------------------------------- */

void
job_forget_words(const struct broker *b)
{
	for (struct attached *a = b->attached; a != NULL; a = a->next)
		attached_slim(a);
}

void
run_attach(int fd, const struct broker *b, const void *owner)
{
	const struct attached *a = owner;
	struct engine *en = job_engine(a->exec.node, ENGINE_CALL_MS);
	struct exec_spec spec = { .container = a->exec.container,
		.tty = a->tty,
		.cols = a->cols,
		.rows = a->rows,
		.env = (const char *const *)a->env };
	struct shell_argv argv = { 0 };
	struct engine_info info;
	struct exec_stream stream;
	struct errtext e = { 0 };
	char exec_id[65], *run_as = NULL;
	bool no_program;
	int r;

	mallopt(M_PERTURB, 1); /* whatever is freed from here on is wiped */
	if ((r = job_facts(fd, b, en, a->exec.container, &info, NULL, &e)) < 0)
		goto out;
	job_go(fd, &run_as);
	spec.shell = a->shell;
	if (a->command == NULL)
		shell_argv_login(&argv, &spec);
	else if ((r = shell_argv_command(&argv, &spec, a->command, &e)) < 0)
		goto out;
	spec.user = run_as;
	spec.argv = argv.argv;
	if ((r = engine_exec_create(en, &spec, exec_id, &e)) < 0)
		goto out;
	job_exec(fd, exec_id);
	r = engine_exec_start(en, &info, &spec, exec_id, &stream, &no_program, &e);
	shell_argv_release(&argv);
	job_forget_words(b);
	if (r == 0)
		job_pass(fd, en, &stream);
out:
	if (r < 0)
		job_failed(fd, r, &e);
	free(run_as);
	engine_free(en);
}

/* ---- while it runs ------------------------------------------------------- */

void
run_resize(int fd, const struct broker *b, const void *owner)
{
	const struct attached *a = owner;
	struct engine *en = job_engine(a->exec.node, ENGINE_CALL_MS);
	struct msg m;

	(void)b;
	msg_init(&m, CHILD_DONE, 0);
	if (engine_exec_resize(en, a->exec.exec_id, a->cols, a->rows, NULL) == 0)
		job_tell(fd, &m);
	engine_free(en);
}

void
run_status(int fd, const struct broker *b, const void *owner)
{
	const struct attached *a = owner;
	struct engine *en = job_engine(a->exec.node, ENGINE_CALL_MS);
	struct exec_status s;

	(void)b;
	for (int delay = STATUS_AGAIN_MS; delay <= STATUS_LAST_MS; delay *= 2) {
		if (engine_exec_inspect(en, a->exec.exec_id, &s, NULL) == 0 &&
		    (s.running || s.exit_code >= 0)) {
			tell_status(fd, &s);
			break;
		}
		poll(NULL, 0, delay);
	}
	engine_free(en);
}

void
run_signal(int fd, const struct broker *b, const void *owner)
{
	const struct attached *a = owner;
	const struct exec_ref *x = &a->exec;
	struct engine *en = job_engine(x->node, ENGINE_CALL_MS);
	struct errtext e = { 0 };
	int r;

	(void)fd;
	(void)b;
	r = engine_exec_signal(en, &x->info, x->container, x->run_as, x->pid_host, x->exec_id,
	    x->marker, a->signal, false, &e);
	if (r < 0 && r != JB_NOT_FOUND)
		log_warn("attach.no_signal", F_NUM("attach", a->row), F_STR("reason", e.s));
	engine_free(en);
}

/* ---- its end --------------------------------------------------------------- */

/*
 * Where only the marker is known, the exec may be a moment from existing: its
 * broker died between asking for it and hearing of it.  And one that runs may
 * be a moment from carrying its marker.  JB_DENIED: it runs, and will not be
 * found later either.
 */
static int
end_it(struct engine *en, const struct exec_ref *x, const struct engine_info *info, bool pid_host,
    struct exec_status *s, struct errtext *e)
{
	const char *exec_id = x->exec_id[0] != '\0' ? x->exec_id : NULL;
	int r = 0, known, tries;

	for (tries = 0; tries < 4; tries++) {
		r = engine_exec_signal(en, info, x->container, x->run_as, pid_host, exec_id,
		    x->marker, "HUP", true, e);
		if (r < 0 && r != JB_NOT_FOUND)
			return r;
		if (exec_id != NULL && (known = engine_exec_inspect(en, exec_id, s, e)) < 0)
			return known;
		if (r == 0 || (exec_id != NULL && !s->running))
			return 0;
		poll(NULL, 0, 250);
	}
	if (exec_id == NULL)
		return 0;
	return err_set(
	    e, JB_DENIED, "it has become another user's process, or has dropped its variable");
}

static int
find_out(struct engine *en, const struct exec_ref *x, struct engine_info *info, bool *pid_host,
    struct errtext *e)
{
	struct engine_inspect in;
	int r;

	*info = x->info;
	*pid_host = x->pid_host;
	if (info->api == 0 && (r = engine_version(en, info, e)) < 0)
		return r;
	if (x->inspected)
		return 0;
	if ((r = engine_inspect(en, x->container, &in, e)) < 0)
		return r;
	*pid_host = in.pid_host;
	engine_inspect_release(&in);
	return 0;
}

int
exec_end(const struct exec_ref *x, struct exec_status *s, struct errtext *e)
{
	struct engine *en = job_engine(x->node, ENGINE_CALL_MS);
	struct engine_info info;
	bool pid_host;
	int r;

	*s = (struct exec_status){ .running = true, .exit_code = -1 };
	r = find_out(en, x, &info, &pid_host, e);
	if (r == 0)
		r = end_it(en, x, &info, pid_host, s, e);
	engine_free(en);
	return r;
}

/* Its input has ended, upon which it hangs up what it started and exits. */
static bool
helper_went(const struct attached *a, struct exec_status *s)
{
	struct engine *en = job_engine(a->exec.node, ENGINE_CALL_MS);
	int64_t until = now_mono_ms() + HELPER_GOES_MS;
	bool went = false;

	while (a->exec.exec_id[0] != '\0' && !went && now_mono_ms() < until) {
		went = engine_exec_inspect(en, a->exec.exec_id, s, NULL) == 0 && !s->running;
		if (!went)
			poll(NULL, 0, STATUS_AGAIN_MS);
	}
	engine_free(en);
	return went;
}

void
run_end(int fd, const struct broker *b, const void *owner)
{
	const struct attached *a = owner;
	struct exec_status s;
	struct errtext e = { 0 };
	bool said = false;
	int r, delay = END_AGAIN_MS;

	(void)b;
	if (a->kind == ATTACH_HELPER && helper_went(a, &s)) {
		tell_status(fd, &s);
		return;
	}
	while ((r = exec_end(&a->exec, &s, &e)) < 0 && r != JB_NOT_FOUND) {
		if (!said)
			log_warn("attach.not_ended", F_NUM("attach", a->row), F_STR("reason", e.s));
		said = true;
		if (r == JB_DENIED)
			return;
		poll(NULL, 0, delay); /* until it is killed for being late */
		delay = delay < END_AGAIN_MOST_MS ? delay * 2 : delay;
	}
	if (r == 0)
		tell_status(fd, &s);
}
