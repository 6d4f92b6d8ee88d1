/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* entity_rules_test.c - whole deployments against what the published validator answers
 * (tests/vectors/entity-rules.json), and what it does not know. */
#include "producers/content/entity_check.h"
#include "t.h"
#include "vectors.h"

#include <stdlib.h>
#include <string.h>

enum { FILES = 16 };

static json_t *vectors;
static struct entity_rules *rules;

static struct entity_rules *rules_with(const char *const (*pairs)[2], size_t count)
{
    struct settings *settings;
    struct entity_rules *made;
    struct ll_error err = {0};

    OK(settings_load("/dev/null", &settings, &err) == LL_OK);
    for (size_t i = 0; i < count; i++)
        OK(settings_set(settings, text_of(pairs[i][0]), text_of(pairs[i][1]), "the test",
                        &err) == LL_OK);
    if (entity_rules_new(settings, &made, &err) != LL_OK) OK(err.text[0] != '\0');
    settings_free(settings); /* no rule of these tests has a text of it */
    return made;
}

static bool is_stored(void *context, struct text hash, uint64_t *size)
{
    const json_t *stored = context;

    for (size_t i = 0; i < json_array_size(stored); i++) {
        const json_t *row = json_array_get(stored, i);

        if (!text_is(hash, json_string_value(json_array_get(row, 0)))) continue;
        *size = (uint64_t)json_integer_value(json_array_get(row, 1));
        return true;
    }
    return false;
}

static int by_hash(const void *a, const void *b)
{
    return text_compare(((const struct entity_upload *)a)->hash,
                        ((const struct entity_upload *)b)->hash);
}

/* The row's uploads and the entity file itself. */
static size_t read_uploads(const json_t *row, struct entity_upload out[FILES])
{
    const json_t *list = vectors_get(row, "uploads");
    size_t n = 0;

    out[n++] = (struct entity_upload){vectors_text(row, "id"), 0};
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *file = json_array_get(list, i);

        out[n++] =
            (struct entity_upload){text_of(json_string_value(json_array_get(file, 0))),
                                   (uint64_t)json_integer_value(json_array_get(file, 1))};
    }
    qsort(out, n, sizeof(*out), by_hash);
    return n;
}

static bool is_said(const struct entity_errors *errors, const json_t *messages)
{
    if (errors->count != json_array_size(messages)) return false;
    for (size_t i = 0; i < errors->count; i++)
        if (!text_is(errors->items[i], json_string_value(json_array_get(messages, i))))
            return false;
    return true;
}

static void explain(const json_t *row, const struct entity_errors *errors)
{
    char *messages = json_dumps(vectors_get(row, "errors"), JSON_COMPACT);

    printf("  %s\n  wanted: %s\n", vectors_text(row, "name").ptr, messages);
    free(messages);
    for (size_t i = 0; i < errors->count; i++)
        printf("  said: %.*s\n", TEXT_ARGS(errors->items[i]));
}

static void check_row(const json_t *row, const struct entity_rules *by,
                      struct entity_errors *errors)
{
    char *file = json_dumps(vectors_get(row, "entity"), JSON_COMPACT);
    struct entity_upload uploads[FILES];
    struct ll_error err = {0};
    struct entity entity;
    struct entity_deployment d = {.entity = &entity,
                                  .uploads = uploads,
                                  .upload_count = read_uploads(row, uploads),
                                  .deployer = vectors_text(row, "deployer"),
                                  .signature_problem = vectors_text(row, "signature"),
                                  .is_stored = is_stored,
                                  .is_stored_context = vectors_get(row, "stored")};

    if (entity_parse(text_of(file), vectors_text(row, "id"), errors->arena, &entity,
                     &err) != LL_OK) {
        entity_refuse(errors, "%s", err.text);
    } else {
        OK(entity_check(&d, by, errors) == (errors->count == 0));
        entity_fini(&entity);
    }
    free(file);
}

static void every_answer_is_the_published_one(void)
{
    const json_t *cases = vectors_get(vectors, "cases");

    OK(json_array_size(cases) > 250);
    for (size_t i = 0; i < json_array_size(cases); i++) {
        const json_t *row = json_array_get(cases, i);
        struct entity_errors errors;
        struct arena arena;
        bool ok;

        arena_init(&arena, ENTITY_ARENA);
        entity_errors_init(&errors, &arena);
        check_row(row, rules, &errors);
        ok = is_said(&errors, vectors_get(row, "errors"));
        OK(ok);
        if (!ok) explain(row, &errors);
        arena_fini(&arena);
    }
}

/* The first message for the case of that name; "" when it passes. */
static const char *first_message(const char *name, const struct entity_rules *by)
{
    static char message[ENTITY_ERROR_TEXT + 1];
    const json_t *cases = vectors_get(vectors, "cases");

    snprintf(message, sizeof(message), "no case of that name");
    for (size_t i = 0; i < json_array_size(cases); i++) {
        const json_t *row = json_array_get(cases, i);
        struct entity_errors errors;
        struct arena arena;

        if (strcmp(vectors_text(row, "name").ptr, name) != 0) continue;
        arena_init(&arena, ENTITY_ARENA);
        entity_errors_init(&errors, &arena);
        check_row(row, by, &errors);
        snprintf(message, sizeof(message), "%.*s",
                 errors.count > 0 ? (int)errors.items[0].len : 0,
                 errors.count > 0 ? errors.items[0].ptr : "");
        arena_fini(&arena);
        return message;
    }
    return message;
}

static void what_a_signature_shows_holds_unless_all_is_ignored(void)
{
    static const char *const pairs[][2] = {
        {"service.content.ignore-blockchain-access-checks", "2"}};
    static const char *const names[] = {"profile: of another", "store: of another",
                                        "profile: default", "scene: pointer x"};
    struct entity_rules *none = rules_with(pairs, 1);

    for (size_t i = 0; i < LL_LENGTH(names); i++) {
        OK(strcmp(first_message(names[i], rules), "") != 0);
        OK(strcmp(first_message(names[i], none), "") == 0);
    }
    /* Whose outfits they are is among the rules of their type. */
    OK(strncmp(first_message("outfits: of another", none), "You can only", 12) == 0);
    entity_rules_free(none);
}

static void what_nobody_can_answer_is_refused(void)
{
    static const char *const pairs[][2] = {
        {"service.content.ignore-blockchain-access-checks", "0"}};
    static const struct {
        const char *name, *message;
    } cases[] = {
        {"scene: right", "Cannot validate deployment"},
        {"wearable: right", "Cannot validate deployment"},
        {"wearable: third party: right", "Cannot validate deployment"},
        {"outfits: extra with name", "Cannot validate deployment"},
        {"profile: wearables repeated in two avatars", "Cannot validate deployment"},
        {"profile: right", ""},
        {"store: right", ""},
        {"outfits: right", ""},
        {"profile: wearable urn:decentraland:off-chain:base-avatars:hat", ""},
        {"profile: wearable dance", ""},
        {"profile: default by Decentraland", ""},
    };
    struct entity_rules *full = rules_with(pairs, 1);

    for (size_t i = 0; i < LL_LENGTH(cases); i++)
        OK(strcmp(first_message(cases[i].name, full), cases[i].message) == 0);
    entity_rules_free(full);
}

/* Says no to everything that is asked. */
static enum entity_access_answer no_land(void *context, struct text address, int64_t x,
                                         int64_t y, int64_t timestamp)
{
    (void)context, (void)address, (void)x, (void)y, (void)timestamp;
    return ENTITY_ACCESS_NO;
}

static enum entity_access_answer no_list(void *context, struct text address,
                                         const struct text *list, size_t count,
                                         int64_t timestamp, bool *owned)
{
    (void)context, (void)address, (void)list, (void)timestamp;
    for (size_t i = 0; i < count; i++) owned[i] = false;
    return ENTITY_ACCESS_NO;
}

static enum entity_access_answer no_item(void *context, struct text address,
                                         const struct urn *item, struct text item_text,
                                         int64_t timestamp)
{
    (void)context, (void)address, (void)timestamp;
    OK(text_is(item->item, "0"));
    OK(text_starts_with(item_text, "{\"content\":[{\"key\":\"a.glb\",\"hash\":\"baff"));
    return ENTITY_ACCESS_NO;
}

static enum entity_access_answer no_root(void *context, struct text third_party,
                                         const uint8_t root[32], int64_t timestamp)
{
    (void)context, (void)root, (void)timestamp;
    OK(text_is(third_party, "urn:decentraland:matic:collections-thirdparty:acme"));
    return ENTITY_ACCESS_NO;
}

static void who_owns_nothing_may_do_nothing(void)
{
    static const struct entity_access nothing = {no_land, no_list, no_list, no_item,
                                                 no_root};
    static const struct {
        const char *name, *message;
    } cases[] = {
        {"scene: right", "The provided Eth Address does not have access to the following "
                         "parcel: (0,0)"},
        {"wearable: right",
         "The provided Eth Address '0x1234567890ABCDEF1234567890abcdef12345678' does not "
         "have access to the following item: "
         "(0x28abf2dba6fb1a58a6b21f2a7fb4a5b7f4a8e0aa, "
         "0)"},
        {"wearable: third party: right",
         "Couldn't verify merkle proofed entity for third-party wearable"},
        {"outfits: extra with name",
         "The following names (a) are not owned by the address "
         "0x1234567890abcdef1234567890abcdef12345678)."},
        {"profile: wearable dcl://base-avatars/hat", ""},
        {"profile: right", ""},
    };
    struct entity_rules *strict = rules_with(NULL, 0);

    strict->access = &nothing;
    for (size_t i = 0; i < LL_LENGTH(cases); i++) {
        const char *said = first_message(cases[i].name, strict);

        OK(strcmp(said, cases[i].message) == 0);
        if (strcmp(said, cases[i].message) != 0) printf("  %s\n", said);
    }
    entity_rules_free(strict);
}

static void dates_and_addresses_are_settings(void)
{
    static const char *const later[][2] = {
        {"service.content.adr-173-timestamp", "1800000000000"}};
    static const char *const wrong[][2] = {
        {"service.content.additional-decentraland-address", "0x12"}};
    struct entity_rules *made = rules_with(later, 1);

    OK(strncmp(first_message("scene: world", rules), "The scene.json", 14) == 0);
    OK(strcmp(first_message("scene: world", made), "") == 0);
    entity_rules_free(made);
    OK(rules_with(wrong, 1) == NULL);
    OK(entity_is_decentraland(rules, TEXT("0x1337E0507EB4AB47E08A179573ED4533D9E22A7B")));
    OK(!entity_is_decentraland(rules, TEXT("")));
    OK(rules->dates[ENTITY_ADR_290_REJECTED] == 1770519600000);
}

static void newer_rules_are_switched_on(void)
{
    static const char *const pairs[][2] = {
        {"service.content.newer-rules", "1"},
        {"service.content.entity-file-caps-timestamp", "1790000000001"}};
    static const struct {
        const char *name, *message;
    } cases[] = {
        {"scene: right", ""},
        {"scene: size of two parcels", ""},
        {"scene: pointers far away", "The parcels of the scene must be its pointers."},
        {"scene: pointer x", "The parcels of the scene must be its pointers."},
        {"profile: right", ""},
        {"profile: of another",
         "The ethAddress of an avatar must be the profile's pointer."},
        {"profile: default by Decentraland", ""},
        {"wearable: right", ""},
        {"store: right", ""},
    };
    struct entity_rules *newer = rules_with(pairs, 2);

    for (size_t i = 0; i < LL_LENGTH(cases); i++) {
        OK(strcmp(first_message(cases[i].name, newer), cases[i].message) == 0);
        OK(cases[i].message[0] == '\0' ||
           strcmp(first_message(cases[i].name, rules), cases[i].message) != 0);
    }
    entity_rules_free(newer);
}

/* A file of 256 KiB is the largest of a profile, from a day on. */
static void files_have_caps(void)
{
    static const char *const pairs[][2] = {
        {"service.content.newer-rules", "1"},
        {"service.content.adr-45-timestamp", "1790000000001"}};
    struct entity_rules *newer = rules_with(pairs, 2);
    struct text pointers[] = {TEXT("0x1234567890abcdef1234567890abcdef12345678")};
    struct entity e = {.type = ENTITY_PROFILE,
                       .id = TEXT("Qm"),
                       .version = TEXT("v3"),
                       .timestamp = 1790000000000,
                       .pointers = pointers,
                       .pointer_count = 1};
    struct entity_deployment d = {
        .entity = &e, .deployer = pointers[0], .is_stored = is_stored};
    struct entity_errors errors;
    struct arena arena;

    arena_init(&arena, ENTITY_ARENA);
    for (size_t over = 0; over < 2; over++) {
        entity_errors_init(&errors, &arena);
        e.file_size = 256 * 1024 + over;
        OK(!entity_check(&d, newer, &errors) && errors.count == 1);
        OK(text_is(errors.items[0],
                   over == 1 ? "The entity file is too big. The maximum allowed "
                               "size for profile is 256 KB."
                             : "Profile must have emotes after ADR 74."));
    }
    arena_fini(&arena);
    entity_rules_free(newer);
}

static bool arrives(const struct entity *e, int64_t now, bool outdated, bool limited,
                    struct entity_errors *errors)
{
    struct entity_arrival arrival = {now, outdated, limited};

    errors->count = 0;
    return entity_check_arrival(e, &arrival, rules, errors);
}

static void only_the_recent_and_newest_arrives(void)
{
    struct text pointers[] = {TEXT("0,0"), TEXT("0,1")};
    struct entity e = {.id = TEXT("bafk"),
                       .timestamp = 1790000000000,
                       .pointers = pointers,
                       .pointer_count = 2};
    const int64_t minute = 60000, t = e.timestamp;
    struct entity_errors errors;
    struct arena arena;

    arena_init(&arena, ENTITY_ARENA);
    entity_errors_init(&errors, &arena);
    OK(arrives(&e, t, false, false, &errors));
    OK(arrives(&e, t + 20 * minute, false, false, &errors));
    OK(!arrives(&e, t + 20 * minute + 1, false, false, &errors));
    OK(text_is(errors.items[0],
               "The request is not recent enough, please submit it again "
               "with a new timestamp (entityId=bafk pointers=0,0,0,1)."));
    OK(arrives(&e, t - 15 * minute, false, false, &errors));
    OK(!arrives(&e, t - 15 * minute - 1, false, false, &errors));
    OK(text_is(errors.items[0], "The request is too far in the future, please submit it "
                                "again with a new timestamp (entityId=bafk "
                                "pointers=0,0,0,1)."));
    OK(!arrives(&e, 0, true, true, &errors));
    OK(text_is(
        errors.items[0],
        "There is a newer entity pointed by one or more of the pointers you provided "
        "(entityId=bafk pointers=0,0,0,1)."));
    OK(!arrives(&e, 0, false, true, &errors) && errors.count == 1);
    OK(text_is(errors.items[0], "Entity rate limited (entityId=bafk pointers=0,0,0,1)."));
    entity_refuse_in_flight(&e, &errors);
    OK(text_is(errors.items[1], "The following pointers are currently being deployed: "
                                "'0,0,0,1'. Please try again in a few seconds."));
    arena_fini(&arena);
}

static void messages_are_few_short_and_whole(void)
{
    struct entity_errors errors;
    struct builder body;
    struct arena arena;

    arena_init(&arena, ENTITY_ARENA);
    entity_errors_init(&errors, &arena);
    builder_init(&body, 1000000);
    OK(!entity_refuse(&errors, "a \"%s\"\n", "b"));
    OK(!entity_refuse(&errors, "%4095s\xc3\xa9", ""));
    entity_errors_write(&errors, &body);
    OK(text_starts_with(builder_view(&body), "{\"errors\":[\"a \\\"b\\\"\\n\",\"    "));
    OK(errors.items[1].len == 4095 && text_is_utf8(errors.items[1]));
    for (int i = 0; i < 200; i++) entity_refuse(&errors, "again");
    OK(errors.count == ENTITY_ERRORS);
    builder_fini(&body);
    arena_fini(&arena);
}

int main(void)
{
    vectors = vectors_load("entity-rules.json");
    rules = rules_with(NULL, 0);
    RUN(every_answer_is_the_published_one);
    RUN(what_a_signature_shows_holds_unless_all_is_ignored);
    RUN(what_nobody_can_answer_is_refused);
    RUN(who_owns_nothing_may_do_nothing);
    RUN(dates_and_addresses_are_settings);
    RUN(newer_rules_are_switched_on);
    RUN(files_have_caps);
    RUN(only_the_recent_and_newest_arrives);
    RUN(messages_are_few_short_and_whole);
    entity_rules_free(rules);
    json_decref(vectors);
    return t_done();
}
