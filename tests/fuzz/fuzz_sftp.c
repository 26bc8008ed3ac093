/*
 * A client's whole conversation with the SFTP server: the first byte says
 * whether it is read-only, the rest is what is sent.  Replies are whole
 * packets, notes whole lines without control characters, and what is
 * read-only stays as it is.
 */
#include "fuzz.h"
#include "jail.h"

#include "../../src/helper/sftp_server.h"

#include <fcntl.h>
#include <pwd.h>
#include <unistd.h>

/* ---- the directory ---------------------------------------------------- */

static void
make_tree(void)
{
	int fd = open("/f", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

	check(fd >= 0 && write(fd, "content", 7) == 7 && close(fd) == 0);
	check(mkdir("/d", 0755) == 0 && symlink("../f", "/d/l") == 0 && link("/f", "/d/h") == 0);
}

static void
check_tree(void)
{
	struct stat st;

	check(stat("/f", &st) == 0 && st.st_size == 7 && st.st_nlink == 2 &&
	    st.st_mode == (S_IFREG | 0644));
	check(lstat("/d/l", &st) == 0 && S_ISLNK(st.st_mode));
	check(stat("/", &st) == 0 && st.st_nlink == 3);
	check(stat("/d", &st) == 0 && st.st_nlink == 2);
}

/* ---- one conversation ------------------------------------------------- */

static void
check_replies(const uint8_t *p, size_t n)
{
	size_t at = 0, len;

	while (n - at >= 9) {
		len = (size_t)p[at] << 24 | (size_t)p[at + 1] << 16 | (size_t)p[at + 2] << 8 |
		    p[at + 3];
		check(len >= 5 && len <= PACKET_MAX);
		check(p[at + 4] == FXP_VERSION || p[at + 4] == FXP_EXTENDED_REPLY ||
		    (p[at + 4] >= FXP_STATUS && p[at + 4] <= FXP_ATTRS));
		if (len > n - at - 4)
			break;
		at += 4 + len;
	}
	check(at == n || n == JAIL_LONGEST);
}

static void
converse(const uint8_t *data, size_t size)
{
	static int in, out, notes;
	bool readonly = (data[0] & 1) != 0;
	const uint8_t *p;
	size_t n;

	if (in == 0) {
		in = jail_file("in");
		out = jail_file("out");
		notes = jail_file("notes");
	}
	check(pwrite(in, data + 1, size - 1, 0) == (ssize_t)size - 1);
	make_tree();
	sftp_serve(in, out, notes, readonly);
	if (readonly)
		check_tree();
	jail_walk(AT_FDCWD, jail_remove);
	n = jail_take(out, &p);
	check_replies(p, n);
	jail_empty(out, p, n);
	n = jail_take(notes, &p);
	jail_check_notes(p, n);
	jail_empty(notes, p, n);
	jail_empty(in, NULL, 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static bool begun;

	if (n == 0)
		return 0;
	if (!begun)
		getpwuid(0); /* loads what is found from here only */
	begun = true;
	jail_run(converse, p, n);
	return 0;
}
