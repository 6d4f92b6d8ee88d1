/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* vectors.h - the files of tests/vectors; a missing or odd one ends the test. */
#ifndef LL_VECTORS_H
#define LL_VECTORS_H

#include "core/base/json.h"

/* The whole file; the caller frees it. */
json_t *vectors_load(const char *name);
/* A member that must be there, of any type. */
json_t *vectors_get(const json_t *object, const char *name);
/* A string that must be there. */
struct text vectors_text(const json_t *object, const char *name);
bool vectors_has(const json_t *object, const char *name);
/* A text given as `utf8`, `message`, `hex` or `repeat`; a heap copy the caller frees. */
struct text vectors_bytes(const json_t *object);

#endif
