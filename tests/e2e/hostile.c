/*
 * A session that was taken over, against the real broker.
 *
 *	hostile PATH/jumpbox-broker
 *
 * Starts `jumpbox-broker prepare` and `zygote` as the supervisor would, on a
 * database of its own, and plays sessions that break the protocol in every
 * way.  Each must lose its pair and leave one line in the log, and the next
 * connection must still be served.  One line a case: ok or FAIL.
 */
#include "hostile_lab.h"

#include "jumpbox/errors.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static void
report(const char *name, const char *problem)
{
	printf("%-5s %s%s%s\n", problem == NULL ? "ok" : "FAIL", name, problem == NULL ? "" : ": ",
	    problem == NULL ? "" : problem);
	fflush(stdout);
	lab.failed += problem != NULL;
}

/* No answer to the attack, then the end. What was asked before may still be answered. */
static const char *
ends(struct peer *p)
{
	struct msg m;
	int r;

	while ((r = get_msg(p, &m)) == 0) {
		if (m.type != REP_ATTACH && m.id == p->id) {
			msg_release(&m);
			return "it was answered";
		}
		msg_release(&m);
	}
	msg_release(&m);
	return r == JB_UNAVAILABLE ? NULL : "the pair lives";
}

static void
play(const struct hostile *h)
{
	struct peer p = peer_open(), bystander = peer_open();
	const char *problem = NULL;
	unsigned n;

	logged(" "); /* from here on */
	if (!kex(&bystander))
		problem = "a bystander was not served before";
	else if (!h->play(&p, h->arg))
		problem = "the case could not be prepared";
	else if ((problem = ends(&p)) == NULL && (n = logged(" broker.protocol ")) != 1)
		problem = n == 0 ? "the log does not say so" : "the log says so more than once";
	else if (problem == NULL && !kex(&bystander))
		problem = "a bystander was disturbed";
	peer_close(&p);
	peer_close(&bystander);
	report(h->name, problem);
}

/* ---- and what must work ------------------------------------------------------------------- */

static void
good_key_login(void)
{
	struct peer p = peer_open();
	bool good = kex(&p);
	char byte = 0;

	verify(&p, "alice", p.hash, true);
	good = good && answer(&p, REP_VERIFY) == 1;
	ask_strings(&p, REQ_KEY_LOGIN, "alice", NULL);
	good = good && answer(&p, REP_AUTH) == AUTH_OK && read(p.status, &byte, 1) == 1 &&
	    byte == STATUS_LOGIN && list(&p, 1) && kex(&p);
	peer_close(&p);
	report("a key login, a list and a rekey work", good ? NULL : "refused");
}

/* While a password is checked and its refusal waits, host-key signatures go on. */
static void
sign_while_checking(void)
{
	struct peer p = peer_open();
	bool good = kex(&p);
	int64_t start = now_mono_ms(), took;

	ask_strings(&p, REQ_PASSWORD, "alice", "wrong");
	good = good && kex(&p);
	took = now_mono_ms() - start;
	good = good && took < 400 && answer(&p, REP_AUTH) == AUTH_DENIED;
	took = now_mono_ms() - start;
	peer_close(&p);
	report("a signature does not wait for a password", good ? NULL : "it did");
	report("a refusal leaves at its instant",
	    took >= 500 && took % 500 < 60 ? NULL : "too early or late");
}

/* An engine that never answers delays nothing else on the same connection. */
static void
slow_engine(void)
{
	struct peer p = peer_open();
	bool good = login(&p, "alice", AUTH_OK) && list(&p, 1);
	uint32_t id;
	int64_t start;

	attach(&p, lab.mine, ATTACH_SHELL, 0, "");
	id = p.id;
	start = now_mono_ms();
	good = good && kex(&p) && list(&p, 1) && now_mono_ms() - start < 300;
	numbers(&p, REQ_CANCEL, 1, id);
	good = good && answer(&p, REP_ATTACH) == -JB_TRY_AGAIN;
	peer_close(&p);
	report("a hung engine delays neither rekey nor list, and is cancelled",
	    good ? NULL : "it did");
}

/* What the broker still has to end counts: an honest session may meet the limit, too. */
static void
too_many_attaches(void)
{
	struct peer p = peer_open();
	bool good = login(&p, "alice", AUTH_OK) && list(&p, 1);
	uint32_t i;

	for (i = 0; i <= MAX_ATTACHES; i++)
		attach(&p, lab.mine, ATTACH_SHELL, 0, "");
	good = good && answer(&p, REP_ATTACH) == -JB_TRY_AGAIN && kex(&p);
	peer_close(&p);
	report("the 1025th attach at once is to be tried again", good ? NULL : "it is not");
}

/* The supervisor drops a connection in the instant in which it logs in. */
static void
drop_after_login(void)
{
	static const char drop = STATUS_DROP;
	struct peer p = peer_open();
	bool good = login(&p, "alice", AUTH_OK);

	good = good && write(p.status, &drop, 1) == 1 && list(&p, 1) && kex(&p);
	peer_close(&p);
	report("a drop that crossed the login ends nothing", good ? NULL : "it does");
}

/* A menu that is open hears of changes, and the supervisor of the menu. */
static void
follower(void)
{
	static const char inventory = STATUS_INVENTORY, policy = STATUS_POLICY;
	struct peer p = peer_open();
	bool good = login(&p, "alice", AUTH_OK);
	char byte = 0;

	good = good && read(p.status, &byte, 1) == 1 && byte == STATUS_LOGIN;
	good = good && write(p.status, &inventory, 1) == 1 && list(&p, 1); /* nobody asked */
	numbers(&p, REQ_FOLLOW, 1, 1);
	good = good && read(p.status, &byte, 1) == 1 && byte == STATUS_MENU;
	good = good && write(p.status, &inventory, 1) == 1 && answer(&p, EVT_CHANGED) == 0;
	good = good && write(p.status, &policy, 1) == 1 && answer(&p, EVT_CHANGED) == 1;
	numbers(&p, REQ_FOLLOW, 1, 0);
	good = good && read(p.status, &byte, 1) == 1 && byte == STATUS_NO_MENU;
	good = good && write(p.status, &inventory, 1) == 1 && list(&p, 1);
	peer_close(&p);
	report("an open menu hears of changes, and no other", good ? NULL : "it does not");
}

static void
stop(void)
{
	char command[128];

	report("the zygote ends with its supervisor", stop_broker() ? NULL : "it does not");
	if (lab.failed > 0) {
		printf("hostile: log and database are in %s\n", lab.dir);
		return;
	}
	snprintf(command, sizeof(command), "rm -rf %s", lab.dir);
	must(system(command) == 0, command);
}

int
main(int argc, char **argv)
{
	const struct hostile *h;

	if (argc != 2) {
		fprintf(stderr, "usage: hostile PATH/jumpbox-broker\n");
		return 64;
	}
	signal(SIGPIPE, SIG_IGN);
	lab.broker = argv[1];
	start_broker();
	good_key_login();
	sign_while_checking();
	slow_engine();
	too_many_attaches();
	drop_after_login();
	follower();
	for (h = hostile_cases; h->name != NULL; h++)
		play(h);
	good_key_login();
	stop();
	EVP_PKEY_free(lab.key);
	printf("hostile: %u failed\n", lab.failed);
	return lab.failed > 0;
}
