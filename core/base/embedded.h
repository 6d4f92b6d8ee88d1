/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* embedded.h - the SQL and schema files that the binary carries, by their path in the
 * source tree ("projections/social/apply.sql"). Read-only, for the process' life. */
#ifndef LL_EMBEDDED_H
#define LL_EMBEDDED_H

#include "core/base/text.h"

struct embedded_file {
    const char *path;
    const char *start, *end;
};

/* Sorted by path; the last row has a NULL path. Made by CMakeLists.txt. */
extern const struct embedded_file embedded_files[];

/* The file's bytes, which also have a NUL behind them. False when there is none. */
bool embedded_find(const char *path, struct text *out);

#endif
