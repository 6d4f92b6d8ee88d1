/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* vectors.c - see vectors.h. */
#include "vectors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn static void stop(const char *what, const char *why)
{
    printf("vectors: %s: %s\n", what, why);
    exit(1);
}

json_t *vectors_load(const char *name)
{
    char path[512];
    json_error_t why;
    json_t *json;

    snprintf(path, sizeof(path), LANDLOG_SOURCE_DIR "/tests/vectors/%s", name);
    json = json_load_file(path, 0, &why);
    if (json == NULL) stop(path, why.text);
    return json;
}

json_t *vectors_get(const json_t *object, const char *name)
{
    json_t *value = json_object_get(object, name);

    if (value == NULL) stop(name, "is not there");
    return value;
}

bool vectors_has(const json_t *object, const char *name)
{
    return json_object_get(object, name) != NULL;
}

struct text vectors_text(const json_t *object, const char *name)
{
    struct text t;

    if (!json_member_text(object, name, &t)) stop(name, "is no string");
    return t;
}

static struct text copy(struct text t, size_t times)
{
    char *s = ll_malloc(t.len * times + 1);

    for (size_t i = 0; i < times; i++)
        if (t.len > 0) memcpy(s + i * t.len, t.ptr, t.len);
    return (struct text){s, t.len * times};
}

static struct text copy_repeated(const json_t *repeat)
{
    size_t count = (size_t)json_integer_value(vectors_get(repeat, "count"));
    char byte;

    if (vectors_has(repeat, "char")) return copy(vectors_text(repeat, "char"), count);
    byte = (char)json_integer_value(vectors_get(repeat, "byte"));
    return copy((struct text){&byte, 1}, count);
}

struct text vectors_bytes(const json_t *object)
{
    struct text t;

    if (json_member_text(object, "utf8", &t) || json_member_text(object, "message", &t))
        return copy(t, 1);
    if (vectors_has(object, "repeat"))
        return copy_repeated(vectors_get(object, "repeat"));
    t = vectors_text(object, "hex");
    char *bytes = ll_malloc(t.len / 2);
    if (!hex_decode((struct text){t.ptr + 2, t.len - 2}, bytes, t.len / 2 - 1))
        stop(t.ptr, "is no hexadecimal text");
    return (struct text){bytes, t.len / 2 - 1};
}
