/* time.h: which instant does this text name?
 *
 * Instants are Unix microseconds, UTC, in an int64_t (`_us`). Leap seconds (":60")
 * are read as the second before. Years 1900 to 9999. No clock here: see sys/clock.h.
 */
#ifndef COMITY_BASE_TIME_H
#define COMITY_BASE_TIME_H

#include "base/str.h"

#include <stdint.h>

enum { TIME_TEXT_BYTES = 40 };

/* RFC 3339, and what feeds really send: 'T' or a space between date and time,
 * seconds' fraction of any length (cut to microseconds), offset "Z", "+hh:mm",
 * "+hhmm", or " UTC"; without an offset the time is UTC; a date alone is midnight.
 * Errors: ERR_BAD_TIME names what is wrong ("month 13"). */
MUST_USE int time_parse(struct span text, int64_t *us, struct err *err);

/* "2026-11-23T08:15:00+00:00", with ".ffffff" if there is a fraction; returns the
 * length. OUT has TIME_TEXT_BYTES. SUFFIX is "+00:00" (IDF) or "Z" (STIX). */
size_t time_format(int64_t us, const char *suffix, char *out);

/* STIX wants exactly milliseconds or more: always three digits and "Z". */
size_t time_format_ms(int64_t us, char *out);

/* What the node's API and log say: always six digits and "Z". */
size_t time_format_us(int64_t us, char *out);

/* Days since 1970-01-01 of a date of the Gregorian calendar. */
int64_t time_days(int64_t year, unsigned month, unsigned day);

#endif
