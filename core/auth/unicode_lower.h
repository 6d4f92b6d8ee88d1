/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* unicode_lower.h - lower case as JavaScript's toLowerCase() has it, since older clients
 * sign a text that went through that. */
#ifndef LL_UNICODE_LOWER_H
#define LL_UNICODE_LOWER_H

#include "core/base/arena.h"

/* Append the lower case of well-formed UTF-8 (other bytes are kept as they are). A final
 * sigma becomes the ordinary one: JavaScript looks at what is around it, we do not. */
void unicode_lower(struct text t, struct builder *out);
/* A copy with ASCII letters in lower case: enough for addresses. */
struct text ascii_lower(struct text t, struct arena *arena);

#endif
