/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* event_print.h - an event as a line of text: JSON, or as a format says (kcat's -f). */
#ifndef LL_EVENT_PRINT_H
#define LL_EVENT_PRINT_H

#include "core/log/record.h"

/* One JSON object with a newline: the envelope, and `data` as it is on the log; where
 * that does not decode, `undecodable` is its bytes in hexadecimal. */
void event_print_json(const struct record *r, struct builder *out);

/* %t topic, %p partition, %o sequence, %k key, %s data as JSON, %S its bytes on the log,
 * %T time in ms, %d time as a date, %e type, %v version, %i id, %u subject, %g tags with
 * commas, %% and \n \t \\. LL_EINVAL names the first part of `format` that is not known.
 */
ll_rc event_format_check(const char *format, struct ll_error *err) LL_MUST_CHECK;
/* Nothing but what the format says: no newline of its own. */
void event_print_format(const char *format, const struct record *r, struct builder *out);

#endif
