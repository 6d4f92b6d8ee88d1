/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* deny_list.c - denylist.txt beside the blobs, read again whenever it has changed.
 *
 * A file that cannot be read leaves the list as it was: what was hidden stays hidden.
 */
#include "core/blob/blob_private.h"

#include "core/base/note.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LIST_MOST = 64 * 1024 * 1024, ID_MOST = 256 };

static struct text trim(struct text t)
{
    while (t.len > 0 && strchr(" \t\r", t.ptr[0]) != NULL) t.ptr++, t.len--;
    while (t.len > 0 && strchr(" \t\r", t.ptr[t.len - 1]) != NULL) t.len--;
    return t;
}

static int compare_ids(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;

    return strcmp(*x, *y);
}

/* Sorted views into one buffer of ids, each with its NUL. */
static void sort_ids(struct blob_store *s, size_t len)
{
    size_t n = 0;

    for (size_t at = 0; at < len; at += strlen(s->denied + at) + 1) n++;
    s->denied_ids = ll_realloc(s->denied_ids, (n + 1) * sizeof(*s->denied_ids));
    s->denied_count = 0;
    for (size_t at = 0; at < len; at += strlen(s->denied + at) + 1)
        s->denied_ids[s->denied_count++] = s->denied + at;
    if (n > 0) qsort(s->denied_ids, n, sizeof(*s->denied_ids), compare_ids);
}

static void take_lines(struct blob_store *s, struct text lines)
{
    struct builder ids;
    struct text line, id;
    size_t len;

    builder_init(&ids, LIST_MOST);
    while (lines.len > 0) {
        text_cut(&lines, '\n', &line);
        text_cut(&line, '#', &id);
        id = trim(id);
        if (id.len == 0 || id.len > ID_MOST || !text_is_utf8(id)) continue;
        builder_text(&ids, id);
        builder_char(&ids, '\0');
    }
    free(s->denied);
    len = ids.len;
    s->denied = builder_take(&ids);
    sort_ids(s, len);
}

static bool read_file(int fd, struct builder *out)
{
    char buffer[BLOB_BUFFER];
    ssize_t n;

    while ((n = read(fd, buffer, sizeof(buffer))) > 0)
        builder_add(out, buffer, (size_t)n);
    return n == 0 && !out->full;
}

static void read_again(struct blob_store *s, const char *path, const struct stat *st)
{
    struct builder lines;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    builder_init(&lines, LIST_MOST);
    if (fd >= 0 && read_file(fd, &lines)) {
        take_lines(s, builder_view(&lines));
        s->deny_time = st->st_mtim;
        s->deny_size = st->st_size;
    } else {
        note(NOTE_WARNING, "cannot read the deny-list, the old one stays",
             NOTE_S("path", path), NOTE_S("error", strerror(errno)));
    }
    if (fd >= 0) close(fd);
    builder_fini(&lines);
}

/* The mutex is held. */
static void look_again(struct blob_store *s)
{
    char path[BLOB_PATH];
    struct stat st;

    blob_path_of(s, "denylist.txt", path);
    if (stat(path, &st) != 0) {
        if (errno == ENOENT) s->denied_count = 0, s->deny_size = -1;
        return;
    }
    if (st.st_size == s->deny_size && st.st_mtim.tv_sec == s->deny_time.tv_sec &&
        st.st_mtim.tv_nsec == s->deny_time.tv_nsec)
        return;
    read_again(s, path, &st);
}

bool blob_is_denied(struct blob_store *s, struct text id)
{
    char key[ID_MOST + 1];
    const char *wanted = key;
    bool is_denied;

    if (id.len > ID_MOST || memchr(id.len > 0 ? id.ptr : "", '\0', id.len) != NULL)
        return false;
    memcpy(key, id.len > 0 ? id.ptr : "", id.len);
    key[id.len] = '\0';
    pthread_mutex_lock(&s->mutex);
    look_again(s);
    is_denied =
        s->denied_count > 0 && bsearch(&wanted, s->denied_ids, s->denied_count,
                                       sizeof(*s->denied_ids), compare_ids) != NULL;
    pthread_mutex_unlock(&s->mutex);
    return is_denied;
}

void blob_denied_json(struct blob_store *s, struct builder *out)
{
    builder_char(out, '[');
    pthread_mutex_lock(&s->mutex);
    look_again(s);
    for (size_t i = 0; i < s->denied_count; i++) {
        if (i > 0) builder_char(out, ',');
        builder_json_string(out, text_of(s->denied_ids[i]));
    }
    pthread_mutex_unlock(&s->mutex);
    builder_char(out, ']');
}
