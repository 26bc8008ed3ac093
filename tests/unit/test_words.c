/*
 * The catalogue: no hole in it, and sentences are put together within their bounds.
 */
#include "jumpbox/errors.h"
#include "jumpbox/text.h"
#include "jumpbox/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void
test_every_word_is_there(void **state)
{
	char text[2048];

	(void)state;
	for (unsigned l = 0; l < LANGUAGE_COUNT; l++) {
		words_speak((enum language)l);
		for (unsigned w = 0; w < W_COUNT; w++) {
			assert_true(
			    strlen(words(text, sizeof(text), (enum word)w, "1", "2", "3")) > 1);
			assert_null(strchr(text, '{'));
		}
	}
	words_speak(LANGUAGE_EN);
}

static unsigned
count(const char *text, char c)
{
	unsigned n = 0;

	for (; *text != '\0'; text++)
		n += *text == c;
	return n;
}

/* The mark that a sentence ends in, as a row of these; blanks after it are none. */
static size_t
last_mark(const char *text, enum language l)
{
	static const char *const marks[][LANGUAGE_COUNT] = { { "...", "……" }, { ".", "。" },
		{ ":", "：" }, { "?", "？" }, { ";", "；" }, { "!", "！" } };
	size_t i, n = strlen(text), m;

	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == ' '))
		n--;
	for (i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		m = strlen(marks[i][l]);
		if (n >= m && strncmp(text + n - m, marks[i][l], m) == 0)
			break;
	}
	return i;
}

/* The same in any language: names, and lines for another program. */
static bool
is_same(enum word w)
{
	static const char *const begin[] = { "CPU", "GPU", "ssh -p", "scp -P", "code --remote" };
	char text[2048];
	bool is = false;

	words_in(LANGUAGE_EN, text, sizeof(text), w, NULL, NULL, NULL);
	for (size_t i = 0; i < sizeof(begin) / sizeof(begin[0]); i++)
		is |= strncmp(text, begin[i], strlen(begin[i])) == 0;
	return is;
}

/* Each says the same of as many things, on as many lines, and ends alike. */
static void
test_the_languages_have_one_shape(void **state)
{
	char en[2048], zh[2048];

	(void)state;
	for (unsigned w = 0; w < W_COUNT; w++) {
		words_in(LANGUAGE_EN, en, sizeof(en), (enum word)w, "\1", "\2", "\3");
		words_in(LANGUAGE_ZH, zh, sizeof(zh), (enum word)w, "\1", "\2", "\3");
		for (char c = 1; c <= 3; c++)
			if (count(en, c) != count(zh, c))
				fail_msg("{%d} is not in both: \"%s\", \"%s\"", c, en, zh);
		if (count(en, '\n') != count(zh, '\n') || (en[0] == '\n') != (zh[0] == '\n') ||
		    (en[strlen(en) - 1] == '\n') != (zh[strlen(zh) - 1] == '\n'))
			fail_msg("other lines: \"%s\", \"%s\"", en, zh);
		if (!is_same((enum word)w) &&
		    last_mark(en, LANGUAGE_EN) != last_mark(zh, LANGUAGE_ZH))
			fail_msg("another end: \"%s\", \"%s\"", en, zh);
	}
}

/* Where the last column of a line begins: after its last two blanks. 0: it has no columns. */
static size_t
last_column(char *line)
{
	size_t n = strcspn(line, "\n");
	char was, *p = line + n;

	while (p - line >= 2 && (p[-1] != ' ' || p[-2] != ' '))
		p--;
	if (p - line < 2)
		return 0;
	was = *p;
	*p = '\0';
	n = text_width(line);
	*p = was;
	return n;
}

/* A help text's explanations stand below each other, however wide what they explain is. */
static void
test_columns(void **state)
{
	char en[2048], zh[2048], *e, *z;

	(void)state;
	for (unsigned w = 0; w < W_COUNT; w++) {
		e = words_in(LANGUAGE_EN, en, sizeof(en), (enum word)w, "1", "2", "3");
		z = words_in(LANGUAGE_ZH, zh, sizeof(zh), (enum word)w, "1", "2", "3");
		for (; e != NULL && z != NULL; e = strchr(e, '\n'), z = strchr(z, '\n')) {
			e += *e == '\n';
			z += *z == '\n';
			if (strncmp(e, "  ", 2) == 0 && last_column(e) != last_column(z))
				fail_msg("other columns: \"%s\", \"%s\"", e, z);
		}
	}
}

static bool
is_chinese(int32_t cp)
{
	return cp >= 0x4e00 && cp <= 0x9fff;
}

/* Chinese beside a mark of the other width looks like a mistake, and is one. */
static void
test_chinese_is_chinese(void **state)
{
	static const char narrow[] = ",;:?!()";
	char text[2048];

	(void)state;
	for (unsigned w = 0; w < W_COUNT; w++) {
		int32_t cp, before = ' ';
		bool any = false;

		words_in(LANGUAGE_ZH, text, sizeof(text), (enum word)w, "x", "x", "x");
		for (const char *p = text; *p != '\0'; before = cp) {
			p += text_decode(p, &cp);
			any |= cp > 0x7f;
			assert_false(text_unsafe(cp) && cp != '\n');
			if ((is_chinese(cp) && before < 0x80 && strchr(narrow, before) != NULL) ||
			    (is_chinese(before) && cp < 0x80 && strchr(narrow, cp) != NULL))
				fail_msg("a narrow mark: \"%s\"", text);
		}
		any |= is_same((enum word)w);
		words_in(LANGUAGE_ZH, text, sizeof(text), (enum word)w, NULL, NULL, NULL);
		if (!any && text[strspn(text, " \n0123456789-")] != '\0')
			fail_msg("not translated: \"%s\"", text);
	}
}

static void
test_arguments(void **state)
{
	char text[128];

	(void)state;
	assert_string_equal(words(text, sizeof(text), W_AMBIGUOUS, "web", "2", NULL),
	    "web is ambiguous: 2 containers match.\n");
	assert_string_equal(words(text, sizeof(text), W_AMBIGUOUS, "{2}%s", NULL, NULL),
	    "{2}%s is ambiguous:  containers match.\n");
}

static void
test_cut(void **state)
{
	char text[16];

	(void)state;
	for (size_t size = 1; size <= sizeof(text); size++) {
		memset(text, 'x', sizeof(text));
		assert_int_equal(
		    strlen(words(text, size, W_AMBIGUOUS, "a-long-name", "2", NULL)), size - 1);
	}
	assert_string_equal(text, "a-long-name is ");
}

/* Of three bytes a character: a cut one would spoil the terminal. */
static void
test_cut_between_characters(void **state)
{
	char text[16];

	(void)state;
	words_speak(LANGUAGE_ZH);
	assert_string_equal(words(text, 8, W_CANCELLED, NULL, NULL, NULL), "已取");
	assert_string_equal(words(text, 6, W_NOT_YOURS, NULL, NULL, NULL), "找");
	words_speak(LANGUAGE_EN);
}

static void
test_languages(void **state)
{
	static const struct {
		const char *text;
		bool known;
		enum language language;
	} all[] = {
		{ "zh", true, LANGUAGE_ZH },
		{ "en", true, LANGUAGE_EN },
		{ "zh_CN.UTF-8", false, LANGUAGE_EN },
		{ "zhu", false, LANGUAGE_EN },
		{ "z", false, LANGUAGE_EN },
		{ "", false, LANGUAGE_EN },
	};
	enum language l;

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		l = LANGUAGE_COUNT;
		assert_int_equal(language_parse(all[i].text, &l), all[i].known);
		assert_int_equal(l, all[i].known ? all[i].language : LANGUAGE_COUNT);
	}
}

/* Chinese goes only to a terminal that says it shows UTF-8. */
static void
test_locales(void **state)
{
	static const struct {
		const char *locale;
		enum language language;
	} all[] = {
		{ "zh_CN.UTF-8", LANGUAGE_ZH },
		{ "zh_CN.utf8", LANGUAGE_ZH },
		{ "zh_TW.Utf-8@x", LANGUAGE_ZH },
		{ "zh-Hans_CN.UTF-8", LANGUAGE_ZH },
		{ "zh.UTF-8", LANGUAGE_ZH },
		{ "zh_CN", LANGUAGE_EN },
		{ "zh", LANGUAGE_EN },
		{ "zh_CN.GBK", LANGUAGE_EN },
		{ "zh_CN.GB18030", LANGUAGE_EN },
		{ "zh_CN.UTF-16", LANGUAGE_EN },
		{ "zh_CN.UTF-8x", LANGUAGE_EN },
		{ "zh_CN@x.UTF-8", LANGUAGE_EN },
		{ "en_GB.UTF-8", LANGUAGE_EN },
		{ "de_DE.UTF-8", LANGUAGE_EN },
		{ "zhu_CN.UTF-8", LANGUAGE_EN },
		{ "C.UTF-8", LANGUAGE_EN },
		{ "POSIX", LANGUAGE_EN },
		{ "", LANGUAGE_EN },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		assert_int_equal(language_of_locale(all[i].locale), all[i].language);
}

/* What an operator reads stays English; what a user reads is nothing but the catalogue. */
static void
test_errors(void **state)
{
	struct errtext e;

	(void)state;
	assert_int_equal(err_words(NULL, JB_DENIED, W_WITHDRAWN, "web", NULL, NULL), JB_DENIED);
	words_speak(LANGUAGE_ZH);
	assert_int_equal(err_words(&e, JB_DENIED, W_WITHDRAWN, "web", NULL, NULL), JB_DENIED);
	assert_string_equal(e.s, "your access to web was withdrawn");
	assert_string_equal(e.say, "您对 web 的访问权限已被收回");
	assert_int_equal(err_set(&e, JB_INTERNAL, "%s", "/secret: ENOENT"), JB_INTERNAL);
	assert_string_equal(e.s, "/secret: ENOENT");
	assert_string_equal(e.say, "跳板机内部出错；请联系管理员，原因见其日志");
	words_speak(LANGUAGE_EN);
	err_words(&e, JB_DENIED, W_WITHDRAWN, "web", NULL, NULL);
	assert_string_equal(e.say, e.s);
}

static void
test_what_is_kept_in_english(void **state)
{
	char text[256];

	(void)state;
	words_speak(LANGUAGE_ZH);
	assert_string_equal(words_again(text, sizeof(text), "node n1 did not answer in time", "n1"),
	    "节点 n1 未及时响应");
	assert_string_equal(words_again(text, sizeof(text), "node n1 did not answer in time", "n2"),
	    "node n1 did not answer in time");
	assert_string_equal(
	    words_again(text, sizeof(text), "of another version", "n1"), "of another version");
	words_speak(LANGUAGE_EN);
	assert_string_equal(words_again(text, sizeof(text), "node n1 did not answer in time", "n1"),
	    "node n1 did not answer in time");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_word_is_there),
		cmocka_unit_test(test_the_languages_have_one_shape),
		cmocka_unit_test(test_columns),
		cmocka_unit_test(test_chinese_is_chinese),
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_cut_between_characters),
		cmocka_unit_test(test_languages),
		cmocka_unit_test(test_locales),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_what_is_kept_in_english),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
