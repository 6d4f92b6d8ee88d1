/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* content_deploy.c - POST /entities: from a form to an event (contract: catalyst, 3.1 and
 * 4.2). Nothing is signed but the entity's id: the chain in the form says who deploys.
 *
 * The files are kept, durably, before the event is appended; where the append does not
 * happen nothing refers to them and they are swept. The command's key is the entity's id,
 * and a guard on it lets one event through for ever: whoever sends an entity again hears
 * when it came first, and nothing is validated.
 *
 * A later entity on the same pointers is looked for, not guarded against: which entity is
 * active is a function of the set, so that one which slips in between does no harm.
 */
#include "core/auth/contract_wallet.h"
#include "core/base/clock.h"
#include "producers/content/entity_check.h"
#include "producers/content_chain.h"
#include "producers/content_flight.h"
#include "producers/content_service.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct deployment {
    struct text id;
    enum cid_form form;
    json_t *chain_json;
    struct auth_chain chain;
    const struct http_file **files; /* each hash once */
    size_t file_count;
    struct entity_upload *uploads; /* the same, for the rules */
    struct entity entity;
    struct content_flight flight;
    struct entity_errors errors;
    struct entity_upload *stored; /* files of it that were here before, sorted */
    size_t stored_count;
    int attempts;
};

static bool refuse(struct http_request *r, const struct deployment *d)
{
    struct builder b;

    builder_init(&b, 8 * ENTITY_ERRORS * ENTITY_ERROR_TEXT);
    entity_errors_write(&d->errors, &b);
    http_respond(r, 400, "application/json", builder_view(&b));
    builder_fini(&b);
    return false;
}

/* ---- the form ---- */

static bool read_form(struct http_request *r, struct deployment *d)
{
    const char *problem;

    if (!http_form_field(r, "entityId", &d->id) || d->id.len == 0) {
        content_refuse_as(r, 400, "Missing required field: entityId");
        return false;
    }
    problem = content_chain_read(r, &d->chain_json);
    if (problem == NULL && auth_chain_parse(d->chain_json, &d->chain, NULL) != LL_OK)
        problem = "Invalid auth chain";
    if (problem != NULL) content_refuse_as(r, 400, "%s", problem);
    d->form = cid_form(d->id) == CID_V1 ? CID_V1 : CID_V0;
    return problem == NULL;
}

/* True when it was deployed before, and answered. */
static bool was_deployed(struct http_request *r, const struct deployment *d,
                         bool *is_answered)
{
    struct http_query_value id = content_text("id", d->id);
    struct http_query_answer answer;

    *is_answered = true;
    if (!http_query(r, "deployed", &id, 1, &answer)) return true;
    *is_answered = answer.found;
    if (answer.found) http_respond_json(r, answer.status, answer.body);
    return answer.found;
}

static struct text name_of(const struct deployment *d, const struct http_file *file)
{
    return text_of(cids_name(file->cids, d->form));
}

static int compare_files(const void *a, const void *b, void *context)
{
    const struct http_file *const *x = a, *const *y = b;

    return text_compare(name_of(context, *x), name_of(context, *y));
}

/* Each hash once, sorted by it. */
static void collect_files(struct http_request *r, struct deployment *d)
{
    size_t n = 0, kept = 0;

    while (http_form_file_at(r, n) != NULL) n++;
    d->files = arena_calloc(http_arena(r), n + 1, sizeof(struct http_file *));
    d->uploads = arena_calloc(http_arena(r), n + 1, sizeof(*d->uploads));
    for (size_t i = 0; i < n; i++) d->files[i] = http_form_file_at(r, i);
    qsort_r(d->files, n, sizeof(struct http_file *), compare_files, d);
    for (size_t i = 0; i < n; i++) {
        struct text name = name_of(d, d->files[i]);

        if (kept > 0 && text_equal(d->uploads[kept - 1].hash, name)) continue;
        d->files[kept] = d->files[i];
        d->uploads[kept++] = (struct entity_upload){name, d->files[i]->cids->size};
    }
    d->file_count = kept;
}

/* The index of an uploaded file; file_count when it is none of them. */
static size_t find_upload(const struct deployment *d, struct text hash)
{
    size_t low = 0, high = d->file_count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (text_compare(d->uploads[middle].hash, hash) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < d->file_count && text_equal(d->uploads[low].hash, hash) ? low
                                                                         : d->file_count;
}

static bool read_entity(struct http_request *r, struct deployment *d)
{
    size_t at = find_upload(d, d->id);
    struct ll_error err;
    struct text file;

    if (at == d->file_count) {
        entity_refuse_no_file(&d->errors);
        return refuse(r, d);
    }
    if (!http_file_read(r, d->files[at], ENTITY_FILE_SIZE, &file)) return false;
    if (entity_parse(file, d->id, http_arena(r), &d->entity, &err) != LL_OK) {
        entity_refuse(&d->errors, "%s", err.text);
        return refuse(r, d);
    }
    return entity_check_pointers(&d->entity, &d->errors) || refuse(r, d);
}

/* ---- one at a time on a pointer ---- */

static bool take_off(struct http_request *r, struct deployment *d)
{
    if (content_flight_begin(&d->flight, &d->entity, content_state(r), http_arena(r)))
        return true;
    entity_refuse_in_flight(&d->entity, &d->errors);
    return refuse(r, d);
}

/* ---- step 6 ---- */

static bool check_arrival(struct http_request *r, struct deployment *d)
{
    struct content_state *state = content_state(r);
    const struct entity *e = &d->entity;
    struct http_query_value values[] = {
        content_text("id", d->id),
        content_text("type", text_of(entity_type_name(e->type))),
        content_list(r, "pointers", e->pointers, e->pointer_count),
        content_number(r, "timestamp", e->timestamp),
    };
    struct entity_arrival arrival = {.now = clock_now_ms()};
    struct http_query_answer answer;
    struct text active;
    struct ll_error err;
    json_t *known;

    if (!http_query(r, "deployment_state", values, LL_LENGTH(values), &answer))
        return false;
    LL_CHECK(answer.found && json_parse(answer.body, JSON_DEPTH, &known, &err) == LL_OK);
    arrival.is_outdated = json_is_string(json_object_get(known, "newer"));
    arrival.is_limited =
        !entity_limiter_allows(state->limiter, e, clock_monotonic_us() / 1000);
    if (e->type == ENTITY_PROFILE && json_member_text(known, "activeMetadata", &active) &&
        entity_limiter_is_same_profile(
            &state->limits, e, active,
            json_integer_value(json_object_get(known, "activeSince")), arrival.now))
        arrival.is_limited = true;
    json_decref(known);
    return entity_check_arrival(e, &arrival, state->rules, &d->errors) || refuse(r, d);
}

/* ---- step 7 ---- */

struct look {
    struct blob_store *store;
    struct deployment *d;
};

static int compare_stored(const void *a, const void *b)
{
    const struct entity_upload *x = a, *y = b;

    return text_compare(x->hash, y->hash);
}

/* Which of the entity's files are here already; those stay for the grace period. */
static void look_up_files(void *context)
{
    struct look *look = context;
    struct deployment *d = look->d;

    for (size_t i = 0; i < d->entity.content_count; i++) {
        struct text hash = d->entity.content[i].hash;
        struct blob blob;

        if (find_upload(d, hash) < d->file_count || cid_form(hash) == CID_NONE ||
            blob_open(look->store, hash, &blob, NULL) != LL_OK)
            continue;
        close(blob.fd);
        if (blob_touch(look->store, hash))
            d->stored[d->stored_count++] = (struct entity_upload){hash, blob.size};
    }
    qsort(d->stored, d->stored_count, sizeof(*d->stored), compare_stored);
}

static bool is_stored(void *context, struct text hash, uint64_t *size)
{
    const struct deployment *d = context;
    const struct entity_upload wanted = {.hash = hash};
    const struct entity_upload *found =
        bsearch(&wanted, d->stored, d->stored_count, sizeof(wanted), compare_stored);

    if (found != NULL) *size = found->size;
    return found != NULL;
}

struct question {
    struct contract_wallet wallet;
    const struct deployment *d;
    const struct auth_verdict *verdict;
    struct contract_answer answer;
};

static void ask_contract(void *context)
{
    struct question *q = context;

    contract_wallet_check(&q->wallet, &q->d->chain, q->verdict, q->d->id,
                          q->d->entity.timestamp, &q->answer);
}

/* What is wrong with the chain, at the entity's own time; false: refused already. */
static bool judge_chain(struct http_request *r, const struct deployment *d,
                        struct text *problem)
{
    struct auth_verdict verdict;
    struct question q = {
        .wallet = {.rpc = settings_string(http_settings(r), SETTING_ETHEREUM_RPC),
                   .catalyst = settings_string(http_settings(r), SETTING_CATALYST)},
        .d = d,
        .verdict = &verdict};

    auth_chain_verify(&d->chain, d->id, d->entity.timestamp, NULL, http_arena(r),
                      &verdict);
    *problem = verdict.ok ? TEXT("") : verdict.message;
    if (!verdict.ok || verdict.question_count == 0) return true;
    if (!http_offload(r, ask_contract, &q)) return false;
    if (q.answer.status != 200)
        *problem = text_of(arena_string(http_arena(r), q.answer.message[0]
                                                           ? q.answer.message
                                                           : "ERROR: not signed by it"));
    return true;
}

static bool check_rules(struct http_request *r, struct deployment *d)
{
    struct look look = {http_blobs(r), d};
    struct entity_deployment asked = {.entity = &d->entity,
                                      .uploads = d->uploads,
                                      .upload_count = d->file_count,
                                      .deployer = auth_chain_owner(&d->chain),
                                      .is_stored = is_stored,
                                      .is_stored_context = d};

    d->stored =
        arena_calloc(http_arena(r), d->entity.content_count + 1, sizeof(*d->stored));
    if (!http_offload(r, look_up_files, &look) ||
        !judge_chain(r, d, &asked.signature_problem))
        return false;
    return entity_check(&asked, content_state(r)->rules, &d->errors) || refuse(r, d);
}

/* ---- step 8 ---- */

static json_t *texts_json(const struct text *texts, size_t n)
{
    json_t *array = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(array, json_stringn(texts[i].ptr, texts[i].len));
    return array;
}

static json_t *event_data_of(struct http_request *r, const struct deployment *d)
{
    struct text deployer = auth_chain_owner(&d->chain);
    struct text address = content_lower(r, deployer);
    json_t *data = json_object();

    json_object_set_new(data, "entityId", json_stringn(d->id.ptr, d->id.len));
    json_object_set_new(data, "entityType",
                        json_string(entity_type_name(d->entity.type)));
    json_object_set_new(data, "pointers",
                        texts_json(d->entity.pointers, d->entity.pointer_count));
    json_object_set_new(data, "entityTimestamp", json_integer(d->entity.timestamp));
    json_object_set_new(data, "deployer", json_stringn(deployer.ptr, deployer.len));
    json_object_set_new(data, "deployerAddress", json_stringn(address.ptr, address.len));
    json_object_set(data, "authChain", d->chain_json);
    json_object_set_new(data, "context", json_string("local"));
    return data;
}

static void decide(struct http_request *r, const json_t *state, void *context,
                   struct http_decision *out)
{
    struct deployment *d = context;
    struct ll_error err;
    json_t *data;
    ll_rc rc;

    (void)state;
    /* decided again: it has been deployed meanwhile, and that is all one could ask for */
    if (d->attempts++ > 0) return;
    data = event_data_of(r, d);
    rc = event_make(http_registry(r), TEXT("content.deployment-accepted"), data,
                    http_arena(r), &out->events[0], &err);
    json_decref(data);
    if (rc != LL_OK) {
        *out = (struct http_decision){.refused = true,
                                      .status = 400,
                                      .message =
                                          arena_text(http_arena(r), text_of(err.text))};
        return;
    }
    out->events[0].source = TEXT("/content");
    out->event_count = 1;
    out->guards[0] =
        text_of(arena_printf(http_arena(r), "entity:%.*s", TEXT_ARGS(d->id)));
    out->guard_count = 1;
}

static void store(struct http_request *r, struct deployment *d)
{
    struct uuid key = uuid_v5(
        &uuid_landlog,
        text_of(arena_printf(http_arena(r), "deployment %.*s", TEXT_ARGS(d->id))));
    struct http_mutation mutation = {.key = &key, .decide = decide, .context = d};
    struct http_outcome outcome;
    bool is_answered;

    if (!http_files_keep(r, d->files, d->file_count, d->form) ||
        !http_mutate(r, &mutation, &outcome))
        return;
    entity_limiter_note(content_state(r)->limiter, &d->entity,
                        clock_monotonic_us() / 1000);
    if (outcome.sequence > 0)
        http_respond_json(
            r, 200,
            text_of(arena_printf(http_arena(r), "{\"creationTimestamp\":%lld}",
                                 (long long)outcome.time)));
    else if (!was_deployed(r, d, &is_answered) && !is_answered)
        content_refuse_as(r, 500, "Internal Server Error");
}

void content_post_entity(struct http_request *r)
{
    struct deployment *d = arena_calloc(http_arena(r), 1, sizeof(*d));
    bool is_answered;

    entity_errors_init(&d->errors, http_arena(r));
    if (read_form(r, d) &&
        (cid_form(d->id) == CID_NONE || !was_deployed(r, d, &is_answered))) {
        collect_files(r, d);
        if (read_entity(r, d) && take_off(r, d)) {
            if (check_arrival(r, d) && check_rules(r, d)) store(r, d);
            content_flight_end(&d->flight, content_state(r));
        }
        entity_fini(&d->entity);
    }
    json_decref(d->chain_json);
}
