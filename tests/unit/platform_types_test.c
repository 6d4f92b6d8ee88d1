/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* platform_types_test.c - every type has a schema, and its examples come out again. */
#include "core/event/registry.h"
#include "producers/platform_types.h"
#include "t.h"

#include <string.h>

static struct registry *registry;

static json_t *parse(const char *text)
{
    struct ll_error err;
    json_t *value;

    LL_CHECK(json_parse(text_of(text), JSON_DEPTH, &value, &err) == LL_OK);
    return value;
}

static const struct platform_type *find(const char *type, const char *sub_type)
{
    return platform_type_find(text_of(type), text_of(sub_type));
}

/* The schemas' examples, put back into what was sent, give themselves. */
static void examples_come_out_again(void)
{
    json_t *scenes = parse("{\"10,-20\":\"bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzj"
                           "evtenxquvyku\"}");
    size_t seen = 0;

    for (size_t i = 0; platform_type_at(i) != NULL; i++) {
        const struct platform_type *t = platform_type_at(i);
        const struct event_type *event = registry_find(registry, text_of(t->event), 0);
        const json_t *example;
        json_t *data;
        struct text source;
        struct ll_error err;

        OK(event != NULL);
        if (event == NULL) continue;
        example =
            json_array_get(json_object_get(event_type_schema(event), "examples"), 0);
        OK(json_member_text(example, "source", &source));
        data = platform_event_data(t, source, example, scenes, &err);
        OK(data != NULL && json_equal(data, example));
        json_decref(data);
        seen++;
    }
    OK(seen == 75);
    json_decref(scenes);
}

static void types_are_found_by_both_names(void)
{
    OK(find("client", "used-emote") != NULL);
    OK(find("blockchain", "used-emote") == NULL);
    OK(find("client", "Used-Emote") == NULL);
    OK(find("", "") == NULL);
}

static void the_keeper_is_lower_case(void)
{
    json_t *sent = parse("{\"key\":\"k\",\"timestamp\":1,\"metadata\":{\"buyer\":"
                         "\"0x5B38DA6A701C568545DCFCB03FCB875F56BEDDC4\"}}");
    struct text address = {0};
    struct ll_error err;
    json_t *data =
        platform_event_data(find("blockchain", "item-sold"), TEXT("s"), sent, NULL, &err);

    OK(data != NULL && json_member_text(data, "address", &address));
    OK(text_is(address, "0x5b38da6a701c568545dcfcb03fcb875f56beddc4"));
    json_decref(data);
    json_decref(sent);
}

static void without_a_keeper_nothing_is_made(void)
{
    static const char *const sent[] = {
        "{\"metadata\":{}}",
        "{\"metadata\":{\"userAddress\":7}}",
        "{\"metadata\":{\"userAddress\":\"0x12\"}}",
        "{\"metadata\":{\"userAddress\":\"0xZ000000000000000000000000000000000000000\"}}",
        "{}",
    };

    for (size_t i = 0; i < LL_LENGTH(sent); i++) {
        json_t *value = parse(sent[i]);
        struct ll_error err;

        OK(platform_event_data(find("client", "used-emote"), TEXT("s"), value, NULL,
                               &err) == NULL);
        OK(strstr(err.text, "metadata.userAddress") != NULL);
        json_decref(value);
    }
}

/* Parentheses and blanks go; a move to nowhere, or past any parcel, has no pointer. */
static void a_move_leads_to_a_pointer(void)
{
    static const struct {
        const char *parcel, *pointer;
    } cases[] = {
        {"10,-20", "10,-20"},
        {"(10, -20)", "10,-20"},
        {"", NULL},
        {"( )", NULL},
        {"1111111111111111111111111111111111111,1", NULL},
    };
    const struct platform_type *move = find("client", "move-to-parcel");

    for (size_t i = 0; i < LL_LENGTH(cases); i++) {
        json_t *sent = json_pack("{s:{s:{s:s}}}", "metadata", "parcel", "newParcel",
                                 cases[i].parcel);
        char room[PLATFORM_POINTER];
        struct text pointer;
        bool is_there = platform_event_pointer(move, sent, room, &pointer);

        OK(is_there == (cases[i].pointer != NULL));
        OK(!is_there || text_is(pointer, cases[i].pointer));
        OK(!platform_event_pointer(find("client", "used-emote"), sent, room, &pointer));
        json_decref(sent);
    }
}

static void a_move_names_the_scene_that_was_found(void)
{
    json_t *sent = parse("{\"metadata\":{\"userAddress\":"
                         "\"0x5b38da6a701c568545dcfcb03fcb875f56beddc4\",\"parcel\":"
                         "{\"newParcel\":\"(1, 2)\",\"sceneHash\":\"anything\"}}}");
    json_t *scenes = parse("{\"1,2\":\"entity\"}"), *data;
    const struct platform_type *move = find("client", "move-to-parcel");
    struct text scene;
    struct ll_error err;

    data = platform_event_data(move, TEXT("s"), sent, scenes, &err);
    OK(data != NULL && json_member_text(data, "sceneId", &scene) &&
       text_is(scene, "entity"));
    json_decref(data);
    data = platform_event_data(move, TEXT("s"), sent, NULL, &err);
    OK(data != NULL && json_is_null(json_object_get(data, "sceneId")));
    json_decref(data);
    json_decref(scenes);
    json_decref(sent);
}

static void an_id_is_of_source_type_and_key(void)
{
    const struct platform_type *sold = find("blockchain", "item-sold");
    struct uuid a = platform_event_id(sold, TEXT("a"), TEXT("k"));
    struct uuid same = platform_event_id(sold, TEXT("a"), TEXT("k"));
    struct uuid source = platform_event_id(sold, TEXT("b"), TEXT("k"));
    struct uuid key = platform_event_id(sold, TEXT("a"), TEXT("l"));
    struct uuid type =
        platform_event_id(find("blockchain", "royalties-earned"), TEXT("a"), TEXT("k"));

    OK(uuid_equal(&a, &same));
    OK(!uuid_equal(&a, &source) && !uuid_equal(&a, &key) && !uuid_equal(&a, &type));
}

int main(void)
{
    struct ll_error err;

    if (registry_load(&registry, &err) != LL_OK) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    RUN(examples_come_out_again);
    RUN(types_are_found_by_both_names);
    RUN(the_keeper_is_lower_case);
    RUN(without_a_keeper_nothing_is_made);
    RUN(a_move_leads_to_a_pointer);
    RUN(a_move_names_the_scene_that_was_found);
    RUN(an_id_is_of_source_type_and_key);
    registry_free(registry);
    return t_done();
}
