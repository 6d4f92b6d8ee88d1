/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* url.h - a request target as a stranger sent it (RFC 3986, RFC 9112 section 3.2). */
#ifndef LL_URL_H
#define LL_URL_H

#include "core/base/arena.h"

struct url {
    struct text path;  /* as sent, begins with a slash; what signatures are over */
    struct text query; /* as sent, without the question mark; empty: none */
};

/* Origin form, or absolute form with http or https. LL_EINVAL for anything else, and for
 * bytes that no target has (controls, spaces, beyond ASCII). Views into `target`. */
ll_rc url_parse(struct text target, struct url *out, struct ll_error *err) LL_MUST_CHECK;

/* Undo percent-encoding into the arena; `plus` makes `+` a space, as forms do. LL_EINVAL
 * for a broken escape, and where the result has a NUL or is not UTF-8. */
ll_rc url_decode(struct text encoded, bool plus, struct arena *arena, struct text *out,
                 struct ll_error *err) LL_MUST_CHECK;

/* The next `name=value` of a query, still encoded; false when there is none left. */
bool url_next_parameter(struct text *query, struct text *name, struct text *value);

#endif
