/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* inbox.c - see inbox.h. */
#include "inbox.h"

#include <string.h>
#include <time.h>

enum { WAIT_TRIES = 300 };

bool inbox_start(struct inbox *b, const char *name)
{
    FILE *f;

    if (!world_prepare(&b->world, name, false)) return false;
    f = fopen(b->world.config, "ae");
    if (f == NULL) world_fail("cannot write %s", b->world.config);
    fprintf(f, "service.notifications.token = " TOKEN "\n");
    fclose(f);
    world_up(&b->world);
    client_init(&b->client, b->world.url);
    return true;
}

int inbox_stop(struct inbox *b)
{
    client_fini(&b->client);
    return world_stop(&b->world);
}

long inbox_ask(struct inbox *b, const struct person *who, const char *method,
               const char *path, const char *body)
{
    return client_send(&b->client,
                       &(struct client_request){
                           .who = who, .method = method, .path = path, .body = body});
}

long inbox_post(struct inbox *b, const char *body)
{
    return client_send(
        &b->client, &(struct client_request){
                        .method = "POST", .path = INBOX, .body = body, .bearer = TOKEN});
}

long inbox_mark(struct inbox *b, const struct person *who, const char *id)
{
    char body[128];

    snprintf(body, sizeof(body), "{\"notificationIds\":[\"%s\"]}", id);
    return inbox_ask(b, who, "PUT", READ, body);
}

const char *inbox_answer(const struct inbox *b)
{
    const char *bytes = builder_view(&b->client.body).ptr;

    return bytes != NULL ? bytes : "";
}

bool inbox_says(const struct inbox *b, const char *words)
{
    if (strstr(inbox_answer(b), words) != NULL) return true;
    printf("\"%s\" is not in: %s\n", words, inbox_answer(b));
    return false;
}

json_t *inbox_json(const struct inbox *b)
{
    json_t *value = NULL;

    if (json_parse(text_of(inbox_answer(b)), JSON_DEPTH, &value, NULL) != LL_OK)
        world_fail("not JSON: %s", inbox_answer(b));
    return value;
}

json_t *inbox_list(struct inbox *b, const struct person *who, const char *path)
{
    json_t *body, *items;

    if (inbox_ask(b, who, "GET", path, NULL) != 200)
        world_fail("%s: %s", path, inbox_answer(b));
    body = inbox_json(b);
    items = json_incref(json_object_get(body, "notifications"));
    json_decref(body);
    return items;
}

size_t inbox_count(struct inbox *b, const struct person *who, const char *path)
{
    json_t *items = inbox_list(b, who, path);
    size_t n = json_array_size(items);

    json_decref(items);
    return n;
}

json_t *inbox_wait(struct inbox *b, const struct person *who, size_t n)
{
    struct timespec pause = {0, 100 * 1000000};
    json_t *items = inbox_list(b, who, INBOX);

    for (int i = 0; i < WAIT_TRIES && json_array_size(items) < n; i++) {
        json_decref(items);
        nanosleep(&pause, NULL);
        items = inbox_list(b, who, INBOX);
    }
    if (json_array_size(items) != n)
        world_fail("%zu notifications, not %zu: %s", json_array_size(items), n,
                   inbox_answer(b));
    return items;
}

const char *inbox_member(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text != NULL ? text : "";
}
