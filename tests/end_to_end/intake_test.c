/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* intake_test.c - POST /events: who may tell, what is malformed, and that an event is
 * taken once, of whatever type it is. */
#include "medals.h"
#include "unit/t.h"

#include "core/event/registry.h"
#include "producers/platform_types.h"

#include <stdlib.h>
#include <string.h>

static struct medals m;

static const char one_emote[] =
    "{\"type\":\"client\",\"subType\":\"used-emote\",\"key\":\"k\",\"timestamp\":60000,"
    "\"metadata\":{\"userAddress\":\"0xcccccccccccccccccccccccccccccccccccccccc\"}}";

static void the_intake_wants_its_token(void)
{
    OK(medals_ask(&m, NULL, "POST", "/events", one_emote) == 401 &&
       medals_says(&m, "{\"error\":\"Not Authorized\",\"message\":\"Authorization header "
                       "is missing\"}"));
    OK(medals_ask(&m, "another", "POST", "/platform/events", one_emote) == 401 &&
       medals_says(&m, "\"message\":\"Invalid authorization header\""));
    OK(medals_ask(&m, NULL, "GET", "/platform/events", NULL) == 200 &&
       medals_says(&m, "[]"));
}

static void what_is_malformed_is_named_and_nothing_taken(void)
{
    static const char *const bad[] = {
        "",
        "[]",
        "7",
        "{\"type\":\"client\"}",
        "{\"type\":\"client\",\"subType\":\"used-emote\",\"key\":\"\",\"timestamp\":1}",
        "{\"type\":\"client\",\"subType\":\"used-emote\",\"key\":\"k\",\"timestamp\":-1}",
    };
    char two[1024];

    for (size_t i = 0; i < LL_LENGTH(bad); i++)
        OK(medals_ask(&m, INTAKE_TOKEN, "POST", "/events", bad[i]) == 400);
    snprintf(two, sizeof(two),
             "[%s,{\"type\":\"client\",\"subType\":\"walked-distance\",\"key\":\"w\","
             "\"timestamp\":1,\"metadata\":{\"userAddress\":\"%s\"}}]",
             one_emote, "0xe5e0000000000000000000000000000000000003");
    OK(medals_ask(&m, INTAKE_TOKEN, "POST", "/events", two) == 400);
    OK(medals_says(&m, "\"status\":\"skipped\"") &&
       medals_says(&m, "\"status\":\"refused\",\"message\":\"\\\"/metadata\\\" fails "
                       "required: \\\"stepCount\\\" is missing\""));
    OK(medals_ask(&m, NULL, "GET", "/platform/events", NULL) == 200 &&
       medals_says(&m, "[]"));
}

static void an_event_is_taken_once(void)
{
    char many[120 * 200];
    size_t n = 0;

    OK(medals_ask(&m, INTAKE_TOKEN, "POST", "/events", one_emote) == 200 &&
       medals_says(&m, "\"status\":\"accepted\""));
    OK(medals_ask(&m, INTAKE_TOKEN, "POST", "/events", one_emote) == 200 &&
       medals_says(&m, "\"status\":\"repeated\""));
    OK(medals_tell(&m, "nobody", "knows", "k", 1, "") == 200 &&
       medals_says(&m, "\"status\":\"ignored\""));
    OK(medals_ask(&m, NULL, "GET", "/platform/events", NULL) == 200 &&
       medals_says(&m, "\"type\" : \"platform.client-used-emote\", \"count\" : 1,"));
    for (int i = 0; i <= 100; i++)
        n += (size_t)snprintf(many + n, sizeof(many) - n, "%c%s", i ? ',' : '[',
                              one_emote);
    snprintf(many + n, sizeof(many) - n, "]");
    OK(medals_ask(&m, INTAKE_TOKEN, "POST", "/events", many) == 400);
}

/* Each schema's example, sent as a platform event; nobody stumbles over one. */
static void every_type_is_taken(void)
{
    const struct platform_type *t;
    struct registry *registry;
    struct ll_error err;
    char *halted;

    if (registry_load(&registry, &err) != LL_OK) world_fail("%s", err.text);
    for (size_t i = 0; (t = platform_type_at(i)) != NULL; i++) {
        const json_t *schema =
            event_type_schema(registry_find(registry, text_of(t->event), 0));
        json_t *sent = json_copy(json_array_get(json_object_get(schema, "examples"), 0));
        char *body;

        json_object_set_new(sent, "type", json_string(t->type));
        json_object_set_new(sent, "subType", json_string(t->sub_type));
        body = json_dumps(sent, JSON_COMPACT);
        OK(medals_ask(&m, INTAKE_TOKEN, "POST", "/events", body) == 200 &&
           medals_says(&m, "\"status\":\"accepted\""));
        free(body);
        json_decref(sent);
    }
    registry_free(registry);
    medals_settle(&m);
    halted = world_query(&m.world, "select count(*) from landlog.generation where halted "
                                   "is not null");
    OK(strcmp(halted, "0") == 0);
    free(halted);
}

int main(void)
{
    if (!medals_start(&m, "intake")) return 77;
    RUN(the_intake_wants_its_token);
    RUN(what_is_malformed_is_named_and_nothing_taken);
    RUN(an_event_is_taken_once);
    RUN(every_type_is_taken);
    OK(medals_stop(&m) == 0);
    return t_done();
}
