/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* entity_fuzz.c - an entity file goes the whole way. It is refused with words or not at
 * all, the same again when it is written as JavaScript writes it, and never takes more
 * memory than it may. */
#include "core/base/json_js.h"
#include "producers/content/entity_check.h"
#include "producers/content/entity_hash.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static bool is_stored(void *context, struct text hash, uint64_t *size)
{
    (void)context, (void)hash;
    *size = 1;
    return true;
}

static struct entity_rules *the_rules(void)
{
    static struct entity_rules *rules; /* of the process, as libFuzzer wants it */
    struct settings *settings;

    if (rules != NULL) return rules;
    LL_CHECK(settings_load("/dev/null", &settings, NULL) == LL_OK);
    LL_CHECK(entity_rules_new(settings, &rules, NULL) == LL_OK);
    settings_free(settings);
    return rules;
}

static size_t check(const struct entity *e, const struct entity_rules *rules,
                    struct arena *arena)
{
    struct entity_upload upload = {e->id, 1};
    struct entity_deployment d = {.entity = e,
                                  .uploads = &upload,
                                  .upload_count = 1,
                                  .deployer = rules->decentraland[0],
                                  .is_stored = is_stored};
    struct entity_errors errors;
    bool ok;

    entity_errors_init(&errors, arena);
    ok = entity_check_pointers(e, &errors) && entity_check(&d, rules, &errors);
    LL_CHECK(ok == (errors.count == 0));
    for (size_t i = 0; i < errors.count; i++) LL_CHECK(text_is_utf8(errors.items[i]));
    return errors.count;
}

/* A written text is written the same again, and says the same of itself. */
static void write_again(struct text file, const struct entity *e, size_t errors)
{
    struct builder once, twice;
    struct entity again;
    struct arena arena;

    arena_init(&arena, ENTITY_ARENA);
    builder_init(&once, 64 * 1024 * 1024);
    builder_init(&twice, 64 * 1024 * 1024);
    LL_CHECK(json_js_write(file, &once, NULL) == LL_OK);
    LL_CHECK(json_js_write(builder_view(&once), &twice, NULL) == LL_OK);
    LL_CHECK(text_equal(builder_view(&once), builder_view(&twice)));
    LL_CHECK(entity_parse(builder_view(&once), e->id, &arena, &again, NULL) == LL_OK);
    LL_CHECK(check(&again, the_rules(), &arena) == errors);
    entity_fini(&again);
    builder_fini(&once);
    builder_fini(&twice);
    arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct text file = {(const char *)data, len};
    struct ll_error err = {0};
    struct entity e;
    struct arena arena;

    if (len > ENTITY_FILE_SIZE / 16) return 0;
    arena_init(&arena, ENTITY_ARENA);
    if (entity_parse(file,
                     TEXT("bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"),
                     &arena, &e, &err) == LL_OK)
        write_again(file, &e, check(&e, the_rules(), &arena));
    else
        LL_CHECK(err.text[0] != '\0');
    entity_fini(&e);
    arena_fini(&arena);
    return 0;
}
