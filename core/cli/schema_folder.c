/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* schema_folder.c - see schema_folder.h. */
#include "core/cli/schema_folder.h"

#include "core/base/arena.h"
#include "core/cli/command.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FILES = 2000, FILE_BYTES = 1 << 20 };

struct schema_folder {
    struct arena arena;
    size_t count;
    struct embedded_file files[FILES + 1];
};

static void add_file(struct schema_folder *f, const char *path, const char *name)
{
    FILE *in = fopen(path, "re");
    char *bytes = ll_malloc(FILE_BYTES + 1);
    struct text text;
    size_t n;

    if (in == NULL) die("cannot open %s", path);
    n = fread(bytes, 1, FILE_BYTES + 1, in);
    if (ferror(in)) die("cannot read %s", path);
    if (n > FILE_BYTES) die("%s is larger than %d bytes", path, FILE_BYTES);
    if (f->count == FILES) die("more than %d files", FILES);
    text = arena_text(&f->arena, (struct text){bytes, n});
    f->files[f->count++] =
        (struct embedded_file){arena_string(&f->arena, name), text.ptr, text.ptr + n};
    fclose(in);
    free(bytes);
}

static bool is_folder(const char *path)
{
    struct stat s;

    return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

static bool is_json(const char *name)
{
    size_t n = strlen(name);

    return n > 5 && strcmp(name + n - 5, ".json") == 0;
}

/* The *.json of a folder; `inner` makes its folders looked into as well. */
static void add_folder(struct schema_folder *f, const char *path, const char *name,
                       bool inner)
{
    DIR *folder = opendir(path);
    struct dirent *entry;

    if (folder == NULL) die("cannot open the folder %s", path);
    while ((entry = readdir(folder)) != NULL) {
        const char *inside = arena_printf(&f->arena, "%s/%s", path, entry->d_name);
        const char *called = arena_printf(&f->arena, "%s/%s", name, entry->d_name);

        if (entry->d_name[0] == '.') continue;
        if (is_json(entry->d_name))
            add_file(f, inside, called);
        else if (inner && is_folder(inside))
            add_folder(f, inside, called, false);
    }
    closedir(folder);
}

struct schema_folder *schema_folder_read(const char *path)
{
    struct schema_folder *f = ll_calloc(1, sizeof(*f));

    arena_init(&f->arena, (size_t)FILES * FILE_BYTES);
    add_folder(f, path, "schemas", true);
    return f;
}

const struct embedded_file *schema_folder_files(const struct schema_folder *f)
{
    return f->files;
}

bool schema_folder_find(const struct schema_folder *f, const char *path, struct text *out)
{
    for (size_t i = 0; i < f->count; i++) {
        if (strcmp(f->files[i].path, path) != 0) continue;
        *out = (struct text){f->files[i].start,
                             (size_t)(f->files[i].end - f->files[i].start)};
        return true;
    }
    return false;
}

void schema_folder_free(struct schema_folder *f)
{
    if (f == NULL) return;
    arena_fini(&f->arena);
    free(f);
}
