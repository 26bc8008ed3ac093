/* Every way in which a session may break the protocol: one function a way.  Tests only. */
#include "hostile_lab.h"

#include "jumpbox/policy.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CASE(name) static bool name(struct peer *p, uint32_t arg)

CASE(before_kex)
{
	well_formed(p, arg);
	return true;
}

CASE(before_login)
{
	bool good = kex(p);

	well_formed(p, arg);
	return good;
}

CASE(while_checking)
{
	bool good = kex(p);

	ask_strings(p, REQ_PASSWORD, "alice", "wrong");
	well_formed(p, arg);
	return good;
}

CASE(must_change_first)
{
	bool good = login(p, "fresh", AUTH_MUST_CHANGE);

	well_formed(p, arg);
	return good;
}

/* One factor is given, and no other. */
CASE(half_logged_in)
{
	bool good = login(p, "second", AUTH_SECOND);

	well_formed(p, arg);
	return good;
}

CASE(half_logged_in_by_key)
{
	bool good = kex(p);

	verify(p, "keyed2", p->hash, true);
	good = good && answer(p, REP_VERIFY) == 1;
	ask_strings(p, REQ_KEY_LOGIN, "keyed2", NULL);
	good = good && answer(p, REP_AUTH) == AUTH_SECOND;
	well_formed(p, arg);
	return good;
}

CASE(while_a_code_is_refused)
{
	bool good = login(p, "second", AUTH_SECOND);

	well_formed(p, REQ_CODE);
	well_formed(p, arg);
	return good;
}

CASE(must_enrol_first)
{
	bool good = login(p, "unenrolled", AUTH_MUST_ENROL);

	well_formed(p, arg);
	return good;
}

CASE(long_code)
{
	char *s = xcalloc(arg + 1, 1);
	bool good = login(p, "second", AUTH_SECOND);

	memset(s, '1', arg);
	ask_strings(p, REQ_CODE, s, NULL);
	free(s);
	return good;
}

CASE(after_login)
{
	bool good = login(p, "alice", AUTH_OK);

	well_formed(p, arg);
	return good;
}

CASE(unknown)
{
	bool good = kex(p);

	numbers(p, arg, 0, 0);
	return good;
}

CASE(datagram) /* of that many bytes */
{
	char *bytes = xcalloc(arg, 1);

	bytes[3] = REQ_SIGN;
	bytes[7 < arg ? 7 : 0] = 1;
	must(send(p->pair, bytes, arg, MSG_NOSIGNAL) == (ssize_t)arg, "send");
	free(bytes);
	return true;
}

CASE(trailing)
{
	struct msg m;
	bool good = kex(p);

	msg_init(&m, REQ_LOG, 0);
	msg_put_u32(&m, LOG_LEVEL_INFO);
	msg_put_str(&m, "event");
	msg_put_str(&m, "text");
	msg_put_u32(&m, arg);
	put_msg(p, &m);
	return good;
}

CASE(short_of_fields)
{
	bool good = kex(p);

	ask_strings(p, arg, "alice", NULL);
	return good;
}

CASE(length_beyond_the_end)
{
	bool good = kex(p);

	numbers(p, REQ_PASSWORD, 1, arg);
	return good;
}

CASE(nul_in_a_string)
{
	struct msg m;
	bool good = kex(p);

	msg_init(&m, arg, 0);
	msg_put_bytes(&m, "alice\0root1", 11);
	msg_put_str(&m, "correct horse");
	put_msg(p, &m);
	return good;
}

CASE(descriptor)
{
	struct msg m;

	msg_init(&m, arg, 0);
	msg_put_u32(&m, LOG_LEVEL_INFO);
	msg_put_str(&m, "event");
	msg_put_str(&m, "text");
	msg_put_fd(&m, dup(2));
	put_msg(p, &m);
	return true;
}

CASE(long_string)
{
	char *s = xcalloc(arg + 1, 1);
	bool good = kex(p);

	memset(s, 'a', arg);
	ask_strings(p, REQ_PASSWORD, arg > MAX_PASSWORD ? "alice" : s, s);
	free(s);
	return good;
}

CASE(reused_id)
{
	bool good = kex(p);
	struct msg m;

	p->id = arg == 0 ? UINT32_MAX : 0; /* 0, or 1 again */
	msg_init(&m, REQ_LOG, 0);
	msg_put_u32(&m, LOG_LEVEL_INFO);
	msg_put_str(&m, "event");
	msg_put_str(&m, "text");
	m.id = 1;
	if (arg == 0) {
		m.id = 0;
		must(msg_send(p->pair, &m) == 0, "send");
		msg_release(&m);
	} else {
		put_msg(p, &m);
	}
	return good;
}

CASE(sign_key)
{
	sign(p, arg, DIGEST_NONE, 32);
	return true;
}

CASE(sign_digest)
{
	sign(p, 0, arg, 32);
	return true;
}

CASE(sign_length)
{
	sign(p, 0, DIGEST_NONE, arg);
	return true;
}

CASE(sign_rsa_digest)
{
	sign(p, 1, arg, 32);
	return true;
}

CASE(verify_other_session)
{
	uint8_t other[32];
	bool good = kex(p);

	memset(other, (int)arg, sizeof(other));
	verify(p, "alice", other, true);
	return good;
}

CASE(key_login_unproven)
{
	bool good = kex(p);

	(void)arg;
	ask_strings(p, REQ_KEY_LOGIN, "alice", NULL);
	return good;
}

CASE(key_login_badly_proven)
{
	bool good = kex(p);

	verify(p, "alice", p->hash, false);
	good = good && answer(p, REP_VERIFY) == (int64_t)arg;
	ask_strings(p, REQ_KEY_LOGIN, "alice", NULL);
	return good;
}

CASE(key_login_as_another)
{
	bool good = kex(p);

	verify(p, "alice", p->hash, true);
	good = good && answer(p, REP_VERIFY) == (int64_t)arg;
	ask_strings(p, REQ_KEY_LOGIN, "root1", NULL);
	return good;
}

CASE(password_then_claim)
{
	bool good = login(p, "alice", AUTH_OK);

	ask_strings(p, arg, "root1", "correct horse");
	return good;
}

CASE(another_login)
{
	bool good = kex(p);

	well_formed(p, REQ_OFFER);
	good = good && answer(p, REP_OFFER) == 1;
	ask_strings(p, arg, "root1", "correct horse");
	return good;
}

CASE(attach_unlisted) /* 0: nothing was listed; else: not that one */
{
	bool good = login(p, "alice", AUTH_OK);

	if (arg != 0)
		good = good && list(p, 1);
	attach(p, arg != 0 ? lab.others : lab.mine, ATTACH_SHELL, 0, "");
	return good;
}

CASE(attach_invented)
{
	bool good = login(p, "alice", AUTH_OK) && list(p, 1);

	attach(p, UINT64_MAX - arg, ATTACH_SHELL, 0, "");
	return good;
}

CASE(attach_kind)
{
	bool good = login(p, "alice", AUTH_OK) && list(p, 1);

	attach(p, lab.mine, arg, 0, "");
	return good;
}

CASE(attach_carried) /* by that much later a request than its own */
{
	bool good = login(p, "alice", AUTH_OK) && list(p, 1);

	attach_by(p, lab.mine, ATTACH_SHELL, 0, "", p->id + 1 + arg);
	return good;
}

CASE(attach_carried_by_a_shell)
{
	bool good = login(p, "alice", AUTH_OK) && list(p, 1);

	attach(p, lab.mine, ATTACH_SHELL, 0, "");
	attach_by(p, lab.mine, ATTACH_SHELL, arg, "", p->id);
	return good;
}

CASE(attach_shell_with_command)
{
	bool good = login(p, "alice", AUTH_OK) && list(p, 1);

	attach(p, lab.mine, arg, 0, "reboot");
	return good;
}

/* One more than the client may name is the agent's. */
CASE(attach_much_environment)
{
	bool good = login(p, "alice", AUTH_OK) && list(p, 1);

	attach(p, lab.mine, ATTACH_EXEC, arg, "true");
	return good;
}

CASE(attach_long_command)
{
	char *s = xcalloc(arg + 1, 1);
	bool good = login(p, "alice", AUTH_OK) && list(p, 1);

	memset(s, 'a', arg);
	attach(p, lab.mine, ATTACH_EXEC, 0, s);
	free(s);
	return good;
}

CASE(language)
{
	bool good = login(p, "alice", AUTH_OK);

	numbers(p, REQ_LANGUAGE, 1, arg);
	return good;
}

CASE(list_fields)
{
	struct msg m;
	bool good = login(p, "alice", AUTH_OK);

	msg_init(&m, REQ_LIST, 0);
	msg_put_u32(&m, 0);
	msg_put_u64(&m, (uint64_t)arg - 1);
	put_msg(p, &m);
	return good;
}

CASE(follow)
{
	bool good = login(p, "alice", AUTH_OK);

	numbers(p, REQ_FOLLOW, 1, arg);
	return good;
}

CASE(replay)
{
	struct msg m;
	bool good = login(p, "alice", AUTH_OK);

	msg_init(&m, REQ_REPLAY, 0);
	msg_put_u64(&m, arg == 0 ? UINT64_MAX : 1);
	msg_put_u32(&m, 1);
	msg_put_u32(&m, arg);
	put_msg(p, &m);
	return good;
}

CASE(log_level)
{
	struct msg m;

	msg_init(&m, REQ_LOG, 0);
	msg_put_u32(&m, arg);
	msg_put_str(&m, "event");
	msg_put_str(&m, "text");
	put_msg(p, &m);
	return true;
}

/* Numbers behind the ref. */
static unsigned
extra(uint32_t type)
{
	return type == REQ_LOGS ? 2 : type == REQ_POWER;
}

CASE(action_unlisted)
{
	bool good = login(p, "alice", AUTH_OK);

	on_container(p, arg, lab.mine, extra(arg), 1);
	return good;
}

CASE(action_on_anothers)
{
	bool good = login(p, "alice", AUTH_OK) && list(p, 1);

	on_container(p, arg, lab.others, extra(arg), 1);
	return good;
}

CASE(power_of_no_kind)
{
	bool good = login(p, "alice", AUTH_OK) && list(p, 1);

	on_container(p, REQ_POWER, lab.mine, 1, arg);
	return good;
}

CASE(logs_out_of_bounds) /* both numbers */
{
	bool good = login(p, "alice", AUTH_OK) && list(p, 1);

	on_container(p, REQ_LOGS, lab.mine, 2, arg);
	return good;
}

CASE(query_of_no_kind)
{
	bool good = login(p, "alice", AUTH_OK);

	query(p, arg, 0);
	return good;
}

CASE(change_of_no_kind)
{
	bool good = login(p, "alice", AUTH_OK);

	change(p, arg, "1", "");
	return good;
}

CASE(change_too_long)
{
	char *s = xcalloc(arg + 1, 1);
	bool good = login(p, "alice", AUTH_OK);

	memset(s, 'a', arg);
	change(p, CHANGE_KEY_ADD, s, "");
	free(s);
	return good;
}

CASE(two_passwords)
{
	bool good = login(p, "alice", AUTH_OK);

	for (uint32_t i = 0; i < arg; i++)
		well_formed(p, REQ_PASSWD);
	return good;
}

CASE(cancel_of_the_future)
{
	bool good = login(p, "alice", AUTH_OK) && list(p, 1);

	on_container(p, REQ_DETAILS, lab.mine, 0, 0);
	numbers(p, REQ_CANCEL, 1, p->id + arg);
	return good;
}

CASE(helper_for) /* that permission */
{
	bool good = login(p, "alice", AUTH_OK) && list(p, 1);

	on_container(p, REQ_HELPER, lab.mine, 1, arg);
	return good;
}

CASE(helper_elsewhere) /* 0: nothing was listed; else: not that one */
{
	bool good = login(p, "alice", AUTH_OK);

	if (arg != 0)
		good = good && list(p, 1);
	on_container(p, REQ_HELPER, arg != 0 ? lab.others : lab.mine, 1, PERM_FILES);
	return good;
}

CASE(long_note)
{
	char *s = xcalloc(arg + 1, 1);
	bool good = login(p, "alice", AUTH_OK) && list(p, 1);
	struct msg m;

	memset(s, 'a', arg);
	on_container(p, REQ_HELPER, lab.mine, 1, PERM_FILES);
	msg_init(&m, REQ_NOTE, 0);
	msg_put_u32(&m, p->id);
	msg_put_str(&m, s);
	put_msg(p, &m);
	free(s);
	return good;
}

/* clang-format off */
const struct hostile hostile_cases[] = {
	{ "VERIFY before the key exchange",       before_kex, REQ_VERIFY },
	{ "PASSWORD before the key exchange",     before_kex, REQ_PASSWORD },
	{ "OFFER before the key exchange",        before_kex, REQ_OFFER },
	{ "KEY_LOGIN before the key exchange",    before_kex, REQ_KEY_LOGIN },
	{ "NEW_PASSWORD before the key exchange", before_kex, REQ_NEW_PASSWORD },
	{ "ATTACH before the key exchange",       before_kex, REQ_ATTACH },
	{ "NEW_PASSWORD before login",            before_login, REQ_NEW_PASSWORD },
	{ "TARGET before login",                  before_login, REQ_TARGET },
	{ "DETAILS before login",                 before_login, REQ_DETAILS },
	{ "STATS before login",                   before_login, REQ_STATS },
	{ "LOGS before login",                    before_login, REQ_LOGS },
	{ "POWER before login",                   before_login, REQ_POWER },
	{ "QUERY before login",                   before_login, REQ_QUERY },
	{ "CHANGE before login",                  before_login, REQ_CHANGE },
	{ "PASSWD before login",                  before_login, REQ_PASSWD },
	{ "LIST before login",                    before_login, REQ_LIST },
	{ "FOLLOW before login",                  before_login, REQ_FOLLOW },
	{ "HELPER before login",                  before_login, REQ_HELPER },
	{ "NOTE before login",                    before_login, REQ_NOTE },
	{ "REPLAY before login",                  before_login, REQ_REPLAY },
	{ "ATTACH before login",                  before_login, REQ_ATTACH },
	{ "CANCEL before login",                  before_login, REQ_CANCEL },
	{ "RESIZE before login",                  before_login, REQ_RESIZE },
	{ "SIGNAL before login",                  before_login, REQ_SIGNAL },
	{ "STATUS before login",                  before_login, REQ_STATUS },
	{ "DETACH before login",                  before_login, REQ_DETACH },
	{ "PASSWORD while one is checked",        while_checking, REQ_PASSWORD },
	{ "OFFER while a password is checked",    while_checking, REQ_OFFER },
	{ "LIST while a password is checked",     while_checking, REQ_LIST },
	{ "LIST before the new password",         must_change_first, REQ_LIST },
	{ "TARGET before the new password",       must_change_first, REQ_TARGET },
	{ "ATTACH before the new password",       must_change_first, REQ_ATTACH },
	{ "PASSWD before the new password",       must_change_first, REQ_PASSWD },
	{ "CHANGE before the new password",       must_change_first, REQ_CHANGE },
	{ "PASSWORD before the new password",     must_change_first, REQ_PASSWORD },
	{ "CODE before login",                    before_login, REQ_CODE },
	{ "CODE while a password is checked",     while_checking, REQ_CODE },
	{ "CODE while one is refused",            while_a_code_is_refused, REQ_CODE },
	{ "LIST while a code is refused",         while_a_code_is_refused, REQ_LIST },
	{ "TARGET without the code",              half_logged_in, REQ_TARGET },
	{ "LIST without the code",                half_logged_in, REQ_LIST },
	{ "ATTACH without the code",              half_logged_in, REQ_ATTACH },
	{ "HELPER without the code",              half_logged_in, REQ_HELPER },
	{ "NEW_PASSWORD without the code",        half_logged_in, REQ_NEW_PASSWORD },
	{ "ENROL without the code",               half_logged_in, REQ_ENROL },
	{ "CONFIRM without the code",             half_logged_in, REQ_CONFIRM },
	{ "PASSWORD instead of the code",         half_logged_in, REQ_PASSWORD },
	{ "KEY_LOGIN instead of the code",        half_logged_in, REQ_KEY_LOGIN },
	{ "KEY_LOGIN again instead of the code",  half_logged_in_by_key, REQ_KEY_LOGIN },
	{ "LIST by key without the code",         half_logged_in_by_key, REQ_LIST },
	{ "a code of 64 bytes",                   long_code, MAX_CODE + 1 },
	{ "LIST before enrolling",                must_enrol_first, REQ_LIST },
	{ "TARGET before enrolling",              must_enrol_first, REQ_TARGET },
	{ "ATTACH before enrolling",              must_enrol_first, REQ_ATTACH },
	{ "CODE before enrolling",                must_enrol_first, REQ_CODE },
	{ "CONFIRM of nothing",                   must_enrol_first, REQ_CONFIRM },
	{ "CODE after login",                     after_login, REQ_CODE },
	{ "CONFIRM of nothing after login",       after_login, REQ_CONFIRM },
	{ "PASSWORD after login",                 after_login, REQ_PASSWORD },
	{ "VERIFY after login",                   after_login, REQ_VERIFY },
	{ "OFFER after login",                    after_login, REQ_OFFER },
	{ "NEW_PASSWORD unasked",                 after_login, REQ_NEW_PASSWORD },
	{ "RESIZE of no attach",                  after_login, REQ_RESIZE },
	{ "SIGNAL to no attach",                  after_login, REQ_SIGNAL },
	{ "DETACH of no attach",                  after_login, REQ_DETACH },
	{ "STATUS of no attach",                  after_login, REQ_STATUS },
	{ "CANCEL of no attach",                  after_login, REQ_CANCEL },
	{ "HELPER in nothing",                    after_login, REQ_HELPER },
	{ "NOTE of no attach",                    after_login, REQ_NOTE },
	{ "HELPER before any list",               helper_elsewhere, 0 },
	{ "HELPER in another's container",        helper_elsewhere, 1 },
	{ "HELPER for nothing",                   helper_for, 0 },
	{ "HELPER for logs",                      helper_for, PERM_LOGS },
	{ "HELPER for two things",                helper_for, PERM_FILES | PERM_FORWARD },
	{ "a NOTE of 4 KiB and one byte",         long_note, MAX_NOTE + 1 },
	{ "request 0",                            unknown, 0 },
	{ "request 100",                          unknown, REP_SIGN - 1 },
	{ "request of the broker's own",          unknown, REP_AUTH },
	{ "an event of the broker's own",         unknown, EVT_END },
	{ "request 0xffffffff",                   unknown, UINT32_MAX },
	{ "4 bytes",                              datagram, 4 },
	{ "half a header",                        datagram, 7 },
	{ "a header and nothing else",            datagram, MSG_HEADER },
	{ "one byte more than a message may be",  datagram, MSG_MAX + 1 },
	{ "trailing bytes",                       trailing, 1 },
	{ "a PASSWORD without password",          short_of_fields, REQ_PASSWORD },
	{ "an OFFER without key",                 short_of_fields, REQ_OFFER },
	{ "a VERIFY without data",                short_of_fields, REQ_VERIFY },
	{ "a length beyond the end",              length_beyond_the_end, 1000 },
	{ "a length of 4 GiB",                    length_beyond_the_end, UINT32_MAX },
	{ "a NUL in a login",                     nul_in_a_string, REQ_PASSWORD },
	{ "a descriptor with a request",          descriptor, REQ_LOG },
	{ "a login of 257 bytes",                 long_string, MAX_LOGIN + 1 },
	{ "a password of 1025 bytes",             long_string, MAX_PASSWORD + 1 },
	{ "request id 0",                         reused_id, 0 },
	{ "a request id again",                   reused_id, 1 },
	{ "a signature by key 2 of 2",            sign_key, 2 },
	{ "a signature by key 0xffffffff",        sign_key, UINT32_MAX },
	{ "an ed25519 signature with sha256",     sign_digest, DIGEST_SHA256 },
	{ "a digest of no name",                  sign_digest, 1 },
	{ "nothing to sign",                      sign_length, 0 },
	{ "31 bytes to sign",                     sign_length, 31 },
	{ "65 bytes to sign",                     sign_length, 65 },
	{ "an rsa signature without digest",      sign_rsa_digest, DIGEST_NONE },
	{ "an rsa signature with sha1",           sign_rsa_digest, 1 },
	{ "a signature for another session",      verify_other_session, 0xee },
	{ "KEY_LOGIN without a signature",        key_login_unproven, 0 },
	{ "KEY_LOGIN after a bad signature",      key_login_badly_proven, 0 },
	{ "KEY_LOGIN as another user",            key_login_as_another, 1 },
	{ "a password login, then another's key", password_then_claim, REQ_KEY_LOGIN },
	{ "a password login, then another's",     password_then_claim, REQ_PASSWORD },
	{ "an offer, then another's password",    another_login, REQ_PASSWORD },
	{ "a list since before time",             list_fields, 0 },
	{ "a follow that is neither on nor off",  follow, 2 },
	{ "a replay of a session beyond all",     replay, 0 },
	{ "a replay that is neither",             replay, 2 },
	{ "an attach before any list",            attach_unlisted, 0 },
	{ "an attach to another's container",     attach_unlisted, 1 },
	{ "an attach to an invented container",   attach_invented, 0 },
	{ "an attach of kind 0",                  attach_kind, 0 },
	{ "an attach of kind 3",                  attach_kind, 3 },
	{ "an attach carried by itself",          attach_carried, 0 },
	{ "an attach carried by what is to come", attach_carried, 1000 },
	{ "an attach carried by a shell",         attach_carried_by_a_shell, 0 },
	{ "a shell with a command",               attach_shell_with_command, ATTACH_SHELL },
	{ "34 environment variables",             attach_much_environment, MAX_ENV + 2 },
	{ "a command of 128 KiB and one byte",    attach_long_command, MAX_COMMAND + 1 },
	{ "details before any list",              action_unlisted, REQ_DETAILS },
	{ "power before any list",                action_unlisted, REQ_POWER },
	{ "details of another's container",       action_on_anothers, REQ_DETAILS },
	{ "figures of another's container",       action_on_anothers, REQ_STATS },
	{ "logs of another's container",          action_on_anothers, REQ_LOGS },
	{ "logs with follow 2",                   logs_out_of_bounds, 2 },
	{ "100,001 lines of logs",                logs_out_of_bounds, MAX_TAIL + 1 },
	{ "power over another's container",       action_on_anothers, REQ_POWER },
	{ "power of kind 0",                      power_of_no_kind, 0 },
	{ "power of kind 4",                      power_of_no_kind, 4 },
	{ "a query of kind 0",                    query_of_no_kind, 0 },
	{ "a query of kind 6",                    query_of_no_kind, 6 },
	{ "a change of kind 0",                   change_of_no_kind, 0 },
	{ "a change of kind 4",                   change_of_no_kind, 4 },
	{ "a key of 8 KiB and one byte",          change_too_long, MAX_KEY_LINE + 1 },
	{ "two passwords at once",                two_passwords, 2 },
	{ "a cancel of what is to come",          cancel_of_the_future, 2 },
	{ "a log level of no name",               log_level, 17 },
	{ "LANGUAGE before login",                before_login, REQ_LANGUAGE },
	{ "a language of no name",                language, LANGUAGE_COUNT },
	{ .name = NULL },
};
/* clang-format on */
