/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* field.h - a header's value with parameters: `form-data; name="a"; filename=b.png`. */
#ifndef LL_FIELD_H
#define LL_FIELD_H

#include "core/base/text.h"

struct field_parameter {
    struct text name, value; /* of a quoted value what is between its quotes */
    bool is_quoted;
};

/* True for one or more characters of a token (RFC 9110, 5.6.2). */
bool field_is_token(struct text t);
/* What is before the first parameter, without spaces; `rest` keeps the others. */
void field_begin(struct text *rest, struct text *value);
/* The next parameter. LL_ENOTFOUND: no more; LL_EINVAL: malformed. */
ll_rc field_next(struct text *rest, struct field_parameter *out) LL_MUST_CHECK;
/* Its value, in `room` where it has escapes to be taken away; false when it does not fit
 * `size` bytes with a NUL. A backslash escapes only a quote and itself, since some
 * clients send the paths of Windows as they are. */
bool field_unquote(const struct field_parameter *p, char *room, size_t size,
                   struct text *out);

#endif
