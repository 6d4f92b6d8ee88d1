/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* embedded.c - see embedded.h. */
#include "core/base/embedded.h"

#include <string.h>

bool embedded_find(const char *path, struct text *out)
{
    for (const struct embedded_file *f = embedded_files; f->path != NULL; f++) {
        if (strcmp(f->path, path) != 0) continue;
        *out = (struct text){f->start, (size_t)(f->end - f->start)};
        return true;
    }
    return false;
}
