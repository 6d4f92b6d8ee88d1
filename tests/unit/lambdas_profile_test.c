/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* lambdas_profile_test.c - what lambdas makes of a deployed profile. */
#include "producers/lambdas_profile.h"
#include "t.h"

#include <stdlib.h>
#include <string.h>

static struct arena arena;

static char *shape(const char *metadata, bool is_default)
{
    struct lambdas_profile p = {
        .entity_id = TEXT("bafk"), .cdn = "https://cdn", .is_default = is_default};
    json_t *value = json_loads(metadata, 0, NULL);
    char *text;

    OK(value != NULL);
    lambdas_profile_shape(&p, value, &arena);
    text = json_dumps(value, JSON_COMPACT);
    json_decref(value);
    return text;
}

static void becomes(const char *metadata, bool is_default, const char *expected)
{
    char *text = shape(metadata, is_default);

    OK(strcmp(text, expected) == 0);
    if (strcmp(text, expected) != 0) printf("%s\n", text);
    free(text);
}

#define SNAPSHOTS \
    "\"snapshots\":{\"face256\":\"https://cdn/entities/bafk/face.png\",\"body\":" \
    "\"https://cdn/entities/bafk/body.png\"}"

static void avatars_get_pictures_emotes_and_distinct_wearables(void)
{
    becomes(
        "{\"avatars\":[{\"name\":\"a\",\"avatar\":{\"wearables\":[\"x\",\"y\",\"x\"]}}]}",
        false,
        "{\"avatars\":[{\"name\":\"a\",\"avatar\":{\"wearables\":[\"x\",\"y\"],"
        "\"emotes\":[]," SNAPSHOTS "}}]}");
    becomes(
        "{\"avatars\":[{\"avatar\":{\"snapshots\":{\"face\":\"1\"},\"emotes\":[{\"slot\":"
        "3,\"urn\":\"wave\",\"odd\":1},{\"slot\":4}]}}]}",
        false,
        "{\"avatars\":[{\"avatar\":{\"snapshots\":{\"face\":\"1\",\"face256\":"
        "\"https://cdn/entities/bafk/face.png\",\"body\":"
        "\"https://cdn/entities/bafk/body.png\"},\"emotes\":[{\"slot\":3,\"urn\":"
        "\"wave\"}],\"wearables\":[]}}]}");
    becomes("{\"avatars\":[{\"name\":\"no avatar\"}]}", false,
            "{\"avatars\":[{\"name\":\"no avatar\"}]}");
    becomes("{\"other\":1}", false, "{\"other\":1}");
}

static void default_profiles_have_base_items_alone(void)
{
    becomes(
        "{\"avatars\":[{\"avatar\":{\"wearables\":[\"urn:a:base-avatars:b\",\"urn:c\"],"
        "\"emotes\":[{\"slot\":0,\"urn\":\"wave\"},{\"slot\":1,\"urn\":\"urn:a:base-"
        "emotes:b\"},{\"slot\":2,\"urn\":\"urn:c\"}]}}]}",
        true,
        "{\"avatars\":[{\"avatar\":{\"wearables\":[\"urn:a:base-avatars:b\"],\"emotes\":"
        "[{\"slot\":0,\"urn\":\"wave\"},{\"slot\":1,\"urn\":\"urn:a:base-emotes:b\"}]"
        "," SNAPSHOTS "}}]}");
}

static void links_are_urls_or_dropped(void)
{
    becomes(
        "{\"avatars\":[{\"links\":[{\"title\":\"1\",\"url\":\"https://a.b/c?d=%20\"},"
        "{\"title\":\"2\",\"url\":\"https%3A%2F%2Fa.b%2Fc\"},{\"title\":\"3\",\"url\":"
        "\"javascript:alert(1)\"},{\"title\":\"4\",\"url\":\"http%3A//%zz\"},{\"title\":"
        "\"5\"},{\"title\":\"6\",\"url\":\"https:///x\"}]}]}",
        false,
        "{\"avatars\":[{\"links\":[{\"title\":\"1\",\"url\":\"https://a.b/c?d=%20\"},"
        "{\"title\":\"2\",\"url\":\"https://a.b/c\"}]}]}");
}

static void dates_are_read_as_http_has_them(void)
{
    int64_t at;

    OK(lambdas_http_date(TEXT("Sun, 06 Nov 1994 08:49:37 GMT"), &at) && at == 784111777);
    OK(!lambdas_http_date(TEXT(""), &at) && !lambdas_http_date(TEXT("1994"), &at));
    OK(!lambdas_http_date(TEXT("Sun, 06 Nov 1994 08:49:37 GMT+1"), &at));
    OK(!lambdas_http_date(TEXT("Sun, 06 Nov 1994 08:49:37 CET"), &at));
}

int main(void)
{
    arena_init(&arena, 1024 * 1024);
    RUN(avatars_get_pictures_emotes_and_distinct_wearables);
    RUN(default_profiles_have_base_items_alone);
    RUN(links_are_urls_or_dropped);
    RUN(dates_are_read_as_http_has_them);
    arena_fini(&arena);
    return t_done();
}
