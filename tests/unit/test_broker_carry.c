/*
 * Which attaches a helper carries: its own container, its own user, what its
 * mask holds; and how long one is waited for.  Only lists are looked at.
 */
#include "../../src/broker/attached.h"

#include "store_fixture.h"

static struct broker b;
static struct held_node one, two;

static struct attached *
add(uint32_t id, enum attach_kind kind)
{
	struct attached *a = attached_new(&b, id);

	a->kind = kind;
	a->exec.node = &one;
	snprintf(a->exec.container, sizeof(a->exec.container), "c1");
	return a;
}

static struct attached *helper, *shell;

static int
setup(void **state)
{
	(void)state;
	memset(&b, 0, sizeof(b));
	b.attached_tail = &b.attached;
	helper = add(1, ATTACH_HELPER);
	helper->want = PERM_SHELL;
	helper->perms = PERM_SHELL | PERM_FILES;
	helper->phase = AT_OPEN;
	shell = add(2, ATTACH_SHELL);
	shell->carrier = 1;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(helper);
	free(shell);
	return 0;
}

static void
test_it_carries_its_own(void **state)
{
	(void)state;
	assert_ptr_equal(helper_for(&b, shell, PERM_SHELL), helper);
	helper->exec.run_as = shell->exec.run_as = (char[]){ "app" };
	assert_ptr_equal(helper_for(&b, shell, PERM_SHELL), helper);
}

static void
test_it_carries_nothing_else(void **state)
{
	(void)state;
	assert_null(helper_for(&b, shell, PERM_EXEC)); /* not in its mask */
	shell->carrier = 0;
	assert_null(helper_for(&b, shell, PERM_SHELL));
	shell->carrier = 7; /* it has gone */
	assert_null(helper_for(&b, shell, PERM_SHELL));
	shell->carrier = 1;
	shell->shell = (char[]){ "zsh" };
	assert_null(helper_for(&b, shell, PERM_SHELL));
	shell->shell = NULL;
	shell->exec.run_as = (char[]){ "app" };
	assert_null(helper_for(&b, shell, PERM_SHELL));
	shell->exec.run_as = NULL;
	shell->exec.node = &two;
	assert_null(helper_for(&b, shell, PERM_SHELL));
	shell->exec.node = &one;
	shell->exec.container[1] = '2';
	assert_null(helper_for(&b, shell, PERM_SHELL));
	shell->exec.container[1] = '1';
	helper->detached = true;
	assert_null(helper_for(&b, shell, PERM_SHELL));
	helper->detached = false;
	helper->phase = AT_LEAVING;
	assert_null(helper_for(&b, shell, PERM_SHELL));
	helper->phase = AT_OPEN;
	assert_ptr_equal(helper_for(&b, shell, PERM_SHELL), helper);
}

static void
test_it_is_waited_for_until_it_is_there_or_gone(void **state)
{
	static const struct {
		enum attached_phase phase;
		bool awaited;
	} phases[] = {
		{ AT_QUEUED, true },
		{ AT_OPENING, true },
		{ AT_DECIDED, true },
		{ AT_OPEN, false },
		{ AT_LEAVING, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++) {
		helper->phase = phases[i].phase;
		assert_int_equal(helper_awaited(&b, shell), phases[i].awaited);
	}
	helper->phase = AT_OPENING;
	shell->carrier = 7;
	assert_false(helper_awaited(&b, shell));
}

static void
test_what_can_be_done_without(void **state)
{
	(void)state;
	assert_true(helper_optional(helper));
	helper->want = PERM_EXEC;
	assert_true(helper_optional(helper));
	helper->want = PERM_FORWARD;
	assert_false(helper_optional(helper));
	shell->want = PERM_SHELL;
	assert_false(helper_optional(shell));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_it_carries_its_own, setup, teardown),
		cmocka_unit_test_setup_teardown(test_it_carries_nothing_else, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_it_is_waited_for_until_it_is_there_or_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_can_be_done_without, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
