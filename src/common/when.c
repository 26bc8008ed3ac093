/*
 * Points in time as a person types and reads them.  Pure, but for the time
 * zone of the machine.  Every process.
 */
#include "jumpbox/util.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MINUTE = 60, HOUR = 60 * MINUTE, DAY = 24 * HOUR, FARTHEST_DAYS = 36500 };

static const struct {
	char letter;
	int seconds;
} units[] = {
	{ 'm', MINUTE },
	{ 'h', HOUR },
	{ 'd', DAY },
};

static int
refuse(const char *s, struct errtext *e)
{
	return err_set(e, JB_BAD_INPUT,
	    "'%.64s' is not a time: write 2027-01-31, 2027-01-31T18:00, +8h, +30d or never", s);
}

/* Exactly n digits at *s; moves past them. */
static bool
digits(const char **s, int n, int *value)
{
	*value = 0;
	for (; n > 0; n--, (*s)++) {
		if (**s < '0' || **s > '9')
			return false;
		*value = *value * 10 + (**s - '0');
	}
	return true;
}

static bool
literal(const char **s, char c)
{
	if (**s != c)
		return false;
	(*s)++;
	return true;
}

/* +NUMBER and a unit, at most a hundred years. */
static int
parse_offset(const char *s, int64_t now, int64_t *at)
{
	char *end;
	size_t i;
	long n;

	if (s[1] < '0' || s[1] > '9')
		return JB_BAD_INPUT;
	n = strtol(s + 1, &end, 10);
	for (i = 0; i < sizeof units / sizeof units[0]; i++) {
		if (end[0] != units[i].letter || end[1] != '\0')
			continue;
		if (n > (long)FARTHEST_DAYS * DAY / units[i].seconds)
			return JB_BAD_INPUT;
		*at = now + n * units[i].seconds;
		return 0;
	}
	return JB_BAD_INPUT;
}

static int
days_in_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

/* THH:MM[:SS][Z]; utc is set by the Z. */
static bool
parse_clock(const char **s, struct tm *tm, bool *utc)
{
	if (!literal(s, 'T') || !digits(s, 2, &tm->tm_hour) || !literal(s, ':') ||
	    !digits(s, 2, &tm->tm_min))
		return false;
	if (literal(s, ':') && !digits(s, 2, &tm->tm_sec))
		return false;
	*utc = literal(s, 'Z');
	return tm->tm_hour < 24 && tm->tm_min < 60 && tm->tm_sec < 60;
}

static int
parse_date(const char *s, int64_t *at)
{
	struct tm tm = { .tm_isdst = -1 };
	bool utc = false;
	int year, month;

	if (!digits(&s, 4, &year) || !literal(&s, '-') || !digits(&s, 2, &month) ||
	    !literal(&s, '-') || !digits(&s, 2, &tm.tm_mday))
		return JB_BAD_INPUT;
	if (year < 1970 || month < 1 || month > 12 || tm.tm_mday < 1 ||
	    tm.tm_mday > days_in_month(year, month))
		return JB_BAD_INPUT;
	if (*s != '\0' && !parse_clock(&s, &tm, &utc))
		return JB_BAD_INPUT;
	if (*s != '\0')
		return JB_BAD_INPUT;
	tm.tm_year = year - 1900;
	tm.tm_mon = month - 1;
	*at = utc ? timegm(&tm) : mktime(&tm);
	return 0;
}

int
when_parse(const char *s, int64_t now, int64_t *at, struct errtext *e)
{
	int r;

	if (s[0] == '\0' || strcmp(s, "never") == 0) {
		*at = 0;
		return 0;
	}
	r = s[0] == '+' ? parse_offset(s, now, at) : parse_date(s, at);
	return r < 0 ? refuse(s, e) : 0;
}

/*
 * The civil date is computed here: gmtime_r may open the time zone's file,
 * which a process without a file system must not do.  Years that begin in
 * March put the leap day last; they are counted in eras of 400 years, the
 * first of which began on 0000-03-01, 719468 days before 1970.
 */
void
when_format(int64_t at, char dst[static 32])
{
	static const int64_t last = 253402300799; /* 9999-12-31T23:59:59Z */
	unsigned day, era, year, month, rest;

	at = at < 0 ? 0 : at > last ? last : at;
	rest = (unsigned)(at % DAY);
	day = (unsigned)(at / DAY) + 719468;
	era = day / 146097;
	day %= 146097;
	year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	day -= 365 * year + year / 4 - year / 100;
	month = (5 * day + 2) / 153;
	day -= (153 * month + 2) / 5;
	year += era * 400 + (month >= 10);
	month = month < 10 ? month + 3 : month - 9;
	snprintf(dst, 32, "%04u-%02u-%02uT%02u:%02u:%02uZ", year % 10000, month % 100,
	    (day + 1) % 100, rest / HOUR % 24, rest % HOUR / MINUTE, rest % MINUTE);
}
