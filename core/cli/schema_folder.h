/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* schema_folder.h - schema files from a folder instead of from the binary, for whoever
 * writes them. */
#ifndef LL_SCHEMA_FOLDER_H
#define LL_SCHEMA_FOLDER_H

#include "core/base/embedded.h"

struct schema_folder;

/* Read every *.json of `path` and of its folders; dies when that cannot be done. Their
 * names begin with "schemas/", whatever `path` is. */
struct schema_folder *schema_folder_read(const char *path);
/* Rows as registry_load_files() takes them; they end with the folder. */
const struct embedded_file *schema_folder_files(const struct schema_folder *f);
/* False when there is no such file. */
bool schema_folder_find(const struct schema_folder *f, const char *path,
                        struct text *out);
void schema_folder_free(struct schema_folder *f);

#endif
