/* Every sentence that a user sees.  jumpbox-session; pure. */
#include "words.h"

#include <string.h>

static const char *const english[W_COUNT] = {
	[W_MENU_HEAD_ONE] = "{1} on {2}: 1 container\n\n",
	[W_MENU_HEAD] = "{1} on {2}: {3} containers\n\n",
	[W_MENU_NONE] = "{1} on {2}: there is no container that you may reach\n",
	[W_MENU_FILTERED] = "{1}; these match:\n\n",
	[W_MENU_PROMPT] = "\nContainer number or name (? help, r refresh, q quit): ",
	[W_PICK_PROMPT] = "\nContainer number or name: ",
	[W_MENU_HELP] =
	    "\n"
	    "  NUMBER or NAME   a shell in that container; a unique beginning is enough,\n"
	    "                   and NODE+NAME tells two of one name apart\n"
	    "  r                list again\n"
	    "  q, Ctrl-D        leave\n",
	[W_NO_SUCH] = "There is no container {1} that you may reach.\n",
	[W_AMBIGUOUS] = "{1} is ambiguous: {2} containers match.\n",
	[W_CONNECTING] = "Connecting to {1} (Ctrl-C gives up) ...\n",
	[W_ENDED] = "{1}: ended with exit code {2}\n\n",
	[W_ENDED_UNKNOWN] = "{1}: ended; its exit code is not known\n\n",
	[W_CANCELLED] = "cancelled",
	[W_NEW_PASSWORD_DUE] = "Your password must be changed now.\n",
	[W_NEW_PASSWORD_TERMINAL] =
	    "your password must be changed first: log in with a terminal (ssh -t)\n",
	[W_NEW_PASSWORD_ELSEWHERE] =
	    "your password must be changed first, which another of your terminals is asking for\n",
	[W_NEW_PASSWORD] = "New password: ",
	[W_NEW_PASSWORD_AGAIN] = "New password again: ",
	[W_PASSWORDS_DIFFER] = "The two are not the same.\n",
	[W_PASSWORD_TOO_LONG] = "That is too long.\n",
	[W_PASSWORD_CHANGED] = "Your password is changed.\n\n",
	[W_PASSWORD_GIVE_UP] = "The password was not changed.\n",
	[W_NO_LIST] = "jumpbox: the database does not answer; try again\n",
	[W_NO_COMMAND] = "jumpbox: {1}: no such command; try: help\n",
	[W_HELP] =
	    "jumpbox commands, without a container in the user name:\n"
	    "  help        this text\n"
	    "  ls          the containers that you may reach\n"
	    "  ls --json   the same as JSON\n"
	    "With one, as in USER+CONTAINER or USER+NODE+CONTAINER, the command runs there.\n",
	[W_HINT] = "From your machine, straight into one: ssh -p {1} {2}+CONTAINER@{3}\n",
	[W_IDLE_WARNING] = "\njumpbox: idle; this connection ends in a minute\n",
	[W_IDLE_END] = "the connection was idle for {1} seconds",
	[W_STREAM_BROKEN] = "jumpbox: the stream from the container broke off\n",
	[W_STATUS_UNKNOWN] = "jumpbox: it has ended, but how is not known\n",
	[W_LIST_TOO_LONG] = "jumpbox: the list is too long for this terminal\n",
	[W_TOO_MANY_TRIES] = "too many failed logins",
	[W_LOGIN_DEADLINE] = "no login in time",
	[W_NAME_CHANGED] = "the user name may not change on one connection",
	[W_UNUSABLE_KEY] = "the key or its signature cannot be used",
	[W_FLOODED] = "the client sends more than it was told to",
};

char *
words(char *dst, size_t size, enum word w, const char *a1, const char *a2, const char *a3)
{
	const char *const arg[] = { a1, a2, a3 };
	size_t n = 0, len;

	for (const char *p = english[w]; *p != '\0';) {
		const char *from = p;

		if (p[0] == '{' && p[1] >= '1' && p[1] <= '3' && p[2] == '}') {
			from = arg[p[1] - '1'] != NULL ? arg[p[1] - '1'] : "";
			len = strlen(from);
			p += 3;
		} else {
			len = 1;
			p++;
		}
		if (len > size - 1 - n)
			len = size - 1 - n;
		memcpy(dst + n, from, len);
		n += len;
	}
	dst[n] = '\0';
	return dst;
}
