/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* iso_date.h - the forms of a date that clients put into ephemeral payloads. */
#ifndef LL_ISO_DATE_H
#define LL_ISO_DATE_H

#include "core/base/text.h"

/* ISO 8601 as ECMAScript has it ("2030-01-01T00:00:00.000Z": fraction of any length, cut
 * to ms; Z, an offset, or none, which is UTC; the time or the day and month may be left
 * out; years beyond 9999 have a sign and six digits), or JavaScript's Date.toString()
 * ("Tue Jan 01 2030 00:00:00 GMT+0000 (Coordinated Universal Time)"). ms since 1970
 * through `out`; false for anything else, days that do not exist included. */
bool iso_date_parse(struct text t, int64_t *out);

#endif
