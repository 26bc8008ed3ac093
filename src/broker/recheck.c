/*
 * What was allowed may have been taken back: the account, a wish to end the
 * session, the grant behind each attach.  Broker, whenever the supervisor
 * says that the policy changed, when time alone changes it, and every two
 * seconds while there is no supervisor.
 */
#include "action.h"
#include "attached.h"

#include "jumpbox/log.h"
#include "jumpbox/util.h"

#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>

enum { RETRY_MS = 1000, BEGUN_NS = 200 * 1000 * 1000 };

/* 0: never. */
static bool
set_clock(struct broker *b, int64_t at)
{
	struct itimerspec when = { .it_value = { at, at == 0 ? 0 : BEGUN_NS } };

	b->clock_at = at;
	if (b->clock < 0 && at != 0)
		b->clock = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC);
	return b->clock >= 0 && timerfd_settime(b->clock, TFD_TIMER_ABSTIME, &when, NULL) == 0;
}

/*
 * By the clock on the wall, and not as a time to wait: whoever sets that one
 * forward brings the end nearer.
 */
void
recheck_until(struct broker *b, int64_t until)
{
	int64_t now;

	if (until == 0 || (b->clock_at != 0 && b->clock_at <= until))
		return;
	now = now_unix();
	if (!set_clock(b, until > now ? until : now + 1))
		b->recheck_at = now_mono_ms() + RETRY_MS;
}

static int
take_kill(const struct session *s, void *arg)
{
	char **reason = arg;

	if (s->kill_reason != NULL)
		*reason = xstrdup(s->kill_reason);
	return 0;
}

/* 0: nobody wants that; JB_DENIED: it was done; else why that cannot be known. */
static int
obey_kill(struct broker *b)
{
	char *wish = NULL;
	struct errtext why;
	int r = session_get(b->st, b->session_row, take_kill, &wish);

	if (wish == NULL)
		return r == JB_NOT_FOUND ? 0 : r;
	err_words(&why, JB_DENIED, wish[0] != '\0' ? W_KILLED_WHY : W_KILLED, wish, NULL, NULL);
	free(wish);
	broker_end(b, JB_DENIED, "killed", &why);
	return JB_DENIED;
}

/* Withdraws one attach: said on its stream by the session, ended in the container by us. */
static void
withdraw(struct broker *b, struct attached *a)
{
	struct errtext why;
	char name[121];
	struct msg m;

	snprintf(name, sizeof(name), "%.120s", a->name);
	err_words(&why, JB_DENIED, W_WITHDRAWN, name, NULL, NULL);
	log_info("attach.withdrawn", F_NUM("attach", a->row), F_STR("container", a->name));
	if (a->phase < AT_OPEN) {
		snprintf(a->how, sizeof(a->how), "withdrawn");
		attach_fail(b, a, JB_DENIED, &why);
		return;
	}
	msg_init(&m, EVT_DETACH, 0);
	msg_put_u32(&m, a->id);
	broker_put_why(&m, JB_DENIED, &why);
	broker_send(b, &m);
	a->detach_by = now_mono_ms() + END_LIMIT_MS;
	attached_leave(b, a, "withdrawn");
}

static bool
same_user(const char *a, const char *b)
{
	return strcmp(a != NULL ? a : "", b != NULL ? b : "") == 0;
}

bool
attach_allowed(const struct attached *a, const struct subject *s, int64_t now, struct verdict *v)
{
	struct errtext e;

	return attach_decide(a, s, now, v, &e) == 0 && same_user(v->run_as, a->exec.run_as) &&
	    (a->items == NULL || helper_allowed(a, s, now));
}

static bool
still_allowed(struct broker *b, struct attached *a, const struct subject *s)
{
	struct verdict v;

	if (!attach_allowed(a, s, now_unix(), &v))
		return false;
	recheck_until(b, v.until);
	notice_learn(a, s);
	if (a->phase == AT_OPEN)
		notice_attach(b, a);
	return true;
}

static void
recheck_attaches(struct broker *b, const struct subject *s)
{
	struct attached *a, *next;

	for (a = b->attached; a != NULL; a = next) {
		next = a->next;
		if ((a->phase == AT_DECIDED || a->phase == AT_OPEN) && !still_allowed(b, a, s))
			withdraw(b, a);
	}
}

static void
end_account(struct broker *b, const struct flaw *flaw)
{
	struct errtext why;

	err_words(&why, JB_DENIED, flaw->told, NULL, NULL, NULL);
	broker_end(b, JB_DENIED, flaw->name, &why);
}

void
recheck(struct broker *b)
{
	static const struct flaw deleted = { "deleted", W_ACCOUNT_DELETED };
	static const struct flaw demoted = { "demoted", W_ACCOUNT_DEMOTED };
	struct subject s = { 0 };
	const struct flaw *flaw;
	struct errtext e;
	int r;

	b->recheck_at = 0;
	if (b->clock_at != 0)
		set_clock(b, 0);
	if (b->session_row == 0 || b->state == STATE_ENDING)
		return;
	r = broker_store(b) != NULL ? obey_kill(b) : JB_UNAVAILABLE;
	if (r == JB_DENIED)
		return;
	if (r == 0)
		r = broker_subject(b, &s, &e);
	if (r == JB_DENIED)
		end_account(b, &deleted);
	else if (r != 0)
		b->recheck_at = now_mono_ms() + RETRY_MS;
	else if ((flaw = standing_flaw(&s.standing, now_unix())) != NULL)
		end_account(b, flaw);
	else if (b->shown && s.standing.role != ROLE_ADMIN) /* it may be playing still */
		end_account(b, &demoted);
	else {
		recheck_until(b, s.standing.expires);
		notice_account(b, s.standing.expires);
		recheck_attaches(b, &s);
		action_recheck(b, &s);
		list_changed(b, true);
	}
	subject_release(&s);
}

void
recheck_epoch(struct broker *b)
{
	int64_t epoch, mark;

	if (broker_store(b) == NULL || store_policy_epoch(b->st, &epoch) != 0)
		return;
	if (b->following && inventory_mark(b->st, &mark) == 0 && mark != b->mark) {
		b->mark = mark;
		list_changed(b, false);
	}
	if (epoch == b->epoch)
		return;
	b->epoch = epoch;
	recheck(b);
}
