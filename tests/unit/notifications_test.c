/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* notifications_test.c - the pure parts of the notifications service: types and ids,
 * subscriptions, what the intake takes. */
#include "core/base/embedded.h"
#include "producers/notifications_subscription.h"
#include "producers/notifications_told.h"
#include "producers/notifications_types.h"
#include "t.h"

#include <string.h>

static json_t *json(const char *text)
{
    json_t *value = NULL;

    if (json_parse(text_of(text), JSON_DEPTH, &value, NULL) != LL_OK)
        printf("not JSON: %s\n", text);
    return value;
}

/* ---- types ---- */

static void types_are_known_each_once(void)
{
    for (size_t i = 0; i < NOTIFICATION_TYPES; i++) {
        OK(notification_type_is_known(text_of(notification_types[i])));
        for (size_t k = 0; k < i; k++)
            OK(strcmp(notification_types[i], notification_types[k]) != 0);
    }
    OK(strcmp(notification_types[0], "badge_granted") == 0);
    OK(strcmp(notification_types[NOTIFICATION_TYPES - 1], "ban_lifted") == 0);
    OK(!notification_type_is_known(TEXT("badge_grante")));
    OK(!notification_type_is_known(TEXT("")));
}

/* The second quoted text of each row of the notifier's rules is a type. */
static void the_notifiers_rules_make_known_types(void)
{
    static const char row[] = "\n    ('platform.";
    struct text schema;
    const char *at;
    size_t rows = 0;

    OK(embedded_find("consumers/notifier/schema.sql", &schema));
    for (at = strstr(schema.ptr, row); at != NULL; at = strstr(at + 1, row), rows++) {
        struct text rest = text_of(at), one = TEXT("");

        for (int quotes = 0; quotes < 4; quotes++) text_cut(&rest, '\'', &one);
        OK(notification_type_is_known(one));
    }
    OK(rows == 66);
}

static void an_id_is_of_key_type_and_recipient(void)
{
    struct uuid a = notification_id(TEXT("k"), TEXT("item_sold"), TEXT("0xa"));
    struct uuid b = notification_id(TEXT("k"), TEXT("item_sold"), TEXT(""));
    struct uuid c = notification_id(TEXT("k-"), TEXT("item_sold"), TEXT(""));
    char text[UUID_TEXT];

    OK(!uuid_equal(&a, &b) && !uuid_equal(&b, &c));
    uuid_print(&a, text); /* as sha256('k-item_sold-0xa') of Postgres has it */
    OK(strcmp(text, "ebfb8079-2d16-872b-88e9-6fb3f6ed4391") == 0);
}

static void a_revision_is_of_what_is_told(void)
{
    json_t *one = json("{\"a\":1,\"b\":2}"), *same = json("{\"b\":2,\"a\":1}");
    json_t *other = json("{\"a\":1}");
    struct uuid a = notification_revision(one, 5), b = notification_revision(same, 5);
    struct uuid c = notification_revision(other, 5), d = notification_revision(one, 6);

    OK(uuid_equal(&a, &b) && !uuid_equal(&a, &c) && !uuid_equal(&a, &d));
    json_decref(one);
    json_decref(same);
    json_decref(other);
}

/* ---- subscriptions ---- */

static json_t *defaults(void)
{
    struct builder b;
    json_t *details;

    builder_init(&b, 64 * 1024);
    subscription_print(NULL, &b);
    details = json(builder_view(&b).ptr);
    builder_fini(&b);
    return details;
}

static bool says(const json_t *details, const char *message)
{
    struct builder why;
    bool is_it;

    builder_init(&why, 64 * 1024);
    is_it = !subscription_check(details, &why) && text_is(builder_view(&why), message);
    if (!is_it) printf("%s\n", builder_view(&why).ptr ? builder_view(&why).ptr : "");
    builder_fini(&why);
    return is_it;
}

static void the_defaults_are_whole(void)
{
    json_t *details = defaults();
    struct builder why;

    builder_init(&why, 1024);
    OK(json_object_size(json_object_get(details, "message_type")) == NOTIFICATION_TYPES);
    OK(json_is_false(json_object_get(details, "ignore_all_email")));
    OK(subscription_check(details, &why));
    builder_fini(&why);
    json_decref(details);
}

/* One change to the defaults, and what is said of it. */
static void what_is_wrong_is_said_as_the_contract_does(void)
{
    static const struct {
        const char *type, *entry, *says;
    } cases[] = {
        {"item_sold", NULL,
         "Invalid subscription. Missing configuration for the following message types: "
         "item_sold"},
        {"item_sold", "5", "Invalid subscription. message_type/item_sold must be object"},
        {"item_sold", "{\"email\":true}",
         "Invalid subscription. message_type/item_sold must have required property "
         "'in_app'"},
        {"item_sold", "{\"email\":1,\"in_app\":true,\"x\":1}",
         "Invalid subscription. message_type/item_sold must NOT have additional "
         "properties, message_type/item_sold/email must be boolean"},
        {"unheard_of", "{\"email\":true,\"in_app\":true}",
         "Invalid subscription. message_type must NOT have additional properties"},
    };

    for (size_t i = 0; i < LL_LENGTH(cases); i++) {
        json_t *details = defaults(), *types = json_object_get(details, "message_type");

        if (cases[i].entry == NULL)
            json_object_del(types, cases[i].type);
        else
            json_object_set_new(types, cases[i].type, json(cases[i].entry));
        OK(says(details, cases[i].says));
        json_decref(details);
    }
}

static void the_first_kind_of_trouble_counts(void)
{
    json_t *empty = json("{}"), *list = json("[]"), *details = defaults();

    OK(says(empty, "Invalid subscription. Missing required fields: ignore_all_email, "
                   "ignore_all_in_app, message_type"));
    OK(says(list, "Invalid subscription.  must be object"));
    json_object_set_new(details, "ignore_all_email", json_integer(1));
    OK(says(details, "Invalid subscription. ignore_all_email must be boolean"));
    json_object_del(json_object_get(details, "message_type"), "bid_accepted");
    json_object_del(json_object_get(details, "message_type"), "badge_granted");
    OK(says(details, "Invalid subscription. Missing configuration for the following "
                     "message types: badge_granted, bid_accepted"));
    json_decref(empty);
    json_decref(list);
    json_decref(details);
}

static void stored_details_lie_over_the_defaults(void)
{
    json_t *stored =
        json("{\"ignore_all_email\":true,\"message_type\":{\"item_sold\":{\"email\":"
             "false},\"gone\":{\"email\":true,\"in_app\":true},\"tip_received\":7}}");
    struct builder b;
    json_t *merged, *types;

    builder_init(&b, 64 * 1024);
    subscription_print(stored, &b);
    merged = json(builder_view(&b).ptr);
    types = json_object_get(merged, "message_type");
    OK(json_is_true(json_object_get(merged, "ignore_all_email")));
    OK(json_object_get(types, "gone") == NULL);
    OK(json_is_false(json_object_get(json_object_get(types, "item_sold"), "email")));
    OK(json_is_true(json_object_get(json_object_get(types, "item_sold"), "in_app")));
    OK(json_is_true(json_object_get(json_object_get(types, "tip_received"), "email")));
    builder_fini(&b);
    json_decref(stored);
    json_decref(merged);
}

/* ---- the intake ---- */

#define A "0x5B38Da6a701c568545dCfcB03FcB875f56beddC4"
#define WHOLE \
    "\"type\":\"item_sold\",\"eventKey\":\"k\",\"metadata\":{},\"timestamp\":" \
    "1767607200000"

static void the_first_thing_that_is_wrong_is_told(void)
{
    static const struct {
        const char *body, *says;
    } cases[] = {
        {"{}", "\"value\" must be an array"},
        {"[5]", "\"[0]\" must be of type object"},
        {"[{}]", "\"[0].type\" is required"},
        {"[{\"type\":5}]", "\"[0].type\" must be a string"},
        {"[{\"type\":\"x\"}]", "Invalid notification type: x"},
        {"[{" WHOLE ",\"address\":\"0x12\"}]",
         "\"[0].address\" fails to match the required pattern: /^0x[a-fA-F0-9]{40}$/"},
        {"[{" WHOLE ",\"address\":null}]", "\"[0].address\" must be a string"},
        {"[{\"type\":\"item_sold\"}]", "\"[0].eventKey\" is required"},
        {"[{\"type\":\"item_sold\",\"eventKey\":\"\"}]",
         "\"[0].eventKey\" is not allowed to be empty"},
        {"[{\"type\":\"item_sold\",\"eventKey\":\"k\"}]", "\"[0].metadata\" is required"},
        {"[{\"type\":\"item_sold\",\"eventKey\":\"k\",\"metadata\":[]}]",
         "\"[0].metadata\" must be of type object"},
        {"[{\"type\":\"item_sold\",\"eventKey\":\"k\",\"metadata\":{}}]",
         "\"[0].timestamp\" is required"},
        {"[{\"type\":\"item_sold\",\"eventKey\":\"k\",\"metadata\":{},\"timestamp\":1.5}"
         "]",
         "\"[0].timestamp\" must be an integer"},
        {"[{\"type\":\"item_sold\",\"eventKey\":\"k\",\"metadata\":{},"
         "\"timestamp\":1672531200000}]",
         "\"[0].timestamp\" must be greater than 1672531200000"},
        {"[{" WHOLE "},{" WHOLE ",\"more\":1}]", "\"[1].more\" is not allowed"},
    };
    static struct told told[TOLD_MOST];

    for (size_t i = 0; i < LL_LENGTH(cases); i++) {
        json_t *body = json(cases[i].body);
        const char *why = "";
        struct arena arena;
        size_t n;

        arena_init(&arena, 64 * 1024);
        OK(!told_read(body, &arena, told, &n, &why));
        OK(strcmp(why, cases[i].says) == 0);
        if (strcmp(why, cases[i].says) != 0) printf("%s\n", why);
        arena_fini(&arena);
        json_decref(body);
    }
}

static void what_comes_twice_counts_as_it_came_last(void)
{
    static struct told told[TOLD_MOST];
    json_t *body =
        json("[{" WHOLE ",\"address\":\"" A "\"},{" WHOLE "},"
             "{\"type\":\"item_sold\",\"eventKey\":\"k\",\"metadata\":{\"x\":1},"
             "\"timestamp\":1767607200001,\"address\":\"" A "\"}]");
    const char *why = "";
    struct arena arena;
    size_t n = 0;

    arena_init(&arena, 64 * 1024);
    OK(told_read(body, &arena, told, &n, &why) && n == 2);
    OK(text_is(told[0].address, "0x5b38da6a701c568545dcfcb03fcb875f56beddc4"));
    OK(told[0].timestamp == 1767607200001 && told[1].address.len == 0);
    arena_fini(&arena);
    json_decref(body);
}

static void more_than_a_hundred_are_too_many(void)
{
    static struct told told[TOLD_MOST];
    json_t *body = json_array();
    const char *why = "";
    struct arena arena;
    size_t n;

    for (int i = 0; i <= TOLD_MOST; i++) json_array_append_new(body, json("{" WHOLE "}"));
    arena_init(&arena, 64 * 1024);
    OK(!told_read(body, &arena, told, &n, &why));
    json_array_remove(body, 0);
    OK(told_read(body, &arena, told, &n, &why) && n == 1);
    arena_fini(&arena);
    json_decref(body);
}

static const char *member(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static void it_is_created_then_updated_then_nothing(void)
{
    static struct told told[TOLD_MOST];
    json_t *body = json("[{" WHOLE "}]"), *event, *before = json_object();
    const char *why = "", *type = "";
    struct arena arena;
    size_t n;

    arena_init(&arena, 64 * 1024);
    LL_CHECK(told_read(body, &arena, told, &n, &why));
    event = told_event(&told[0], NULL, &type);
    OK(strcmp(type, "notifications.notification-created") == 0);
    OK(strcmp(member(event, "inbox"), member(event, "id")) == 0);
    OK(json_is_null(json_object_get(event, "address")));
    json_decref(event);
    json_object_set_new(before, "metadata", json_object());
    json_object_set_new(before, "timestamp", json_integer(1767607200001));
    event = told_event(&told[0], before, &type);
    OK(strcmp(type, "notifications.notification-updated") == 0 &&
       member(event, "revision") != NULL);
    json_decref(event);
    json_object_set_new(before, "timestamp", json_integer(1767607200000));
    OK(told_event(&told[0], before, &type) == NULL);
    arena_fini(&arena);
    json_decref(before);
    json_decref(body);
}

int main(void)
{
    RUN(types_are_known_each_once);
    RUN(the_notifiers_rules_make_known_types);
    RUN(an_id_is_of_key_type_and_recipient);
    RUN(a_revision_is_of_what_is_told);
    RUN(the_defaults_are_whole);
    RUN(what_is_wrong_is_said_as_the_contract_does);
    RUN(the_first_kind_of_trouble_counts);
    RUN(stored_details_lie_over_the_defaults);
    RUN(the_first_thing_that_is_wrong_is_told);
    RUN(what_comes_twice_counts_as_it_came_last);
    RUN(more_than_a_hundred_are_too_many);
    RUN(it_is_created_then_updated_then_nothing);
    return t_done();
}
