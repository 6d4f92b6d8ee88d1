/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* deployer.c - see deployer.h. */
#include "deployer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MOST = 2 * 1024 * 1024 };

const char *const deployer_types[] = {"scene", "profile", "wearable", "emote",
                                      "store", "outfits", NULL};

#define COLOR    "{\"color\":{\"r\":0.25,\"g\":0.5,\"b\":1}}"
#define MALE     "urn:decentraland:off-chain:base-avatars:BaseMale"
#define FEMALE   "urn:decentraland:off-chain:base-avatars:BaseFemale"
#define CONTRACT "0x5aeda56215b167893e80b4fe645ba6d5bab767de"

/* ---- metadata ---- */

static void write_scene(struct deployable *d, const struct person *who, int mark,
                        struct builder *out)
{
    (void)who;
    snprintf(d->pointer, sizeof(d->pointer), "%d,0", mark);
    builder_printf(
        out,
        "{\"main\":\"game.js\",\"scene\":{\"base\":\"%d,0\",\"parcels\":["
        "\"%d,0\"]},\"display\":{\"title\":\"Parcel %d \\u2713\"},\"z\":1,\"a\":"
        "1.50,\"tags\":[\"landlog\"]}",
        mark, mark, mark);
}

static void write_profile(struct deployable *d, const struct person *who, int mark,
                          struct builder *out)
{
    snprintf(d->pointer, sizeof(d->pointer), "%s", who->address);
    builder_printf(
        out,
        "{\"avatars\":[{\"hasClaimedName\":false,\"name\":\"Ann%d\",\"description\":\"\","
        "\"ethAddress\":\"%s\",\"userId\":\"%s\",\"version\":%d,\"tutorialStep\":256,"
        "\"avatar\":{\"bodyShape\":\"" MALE "\",\"eyes\":" COLOR ",\"hair\":" COLOR
        ",\"skin\":" COLOR ",\"wearables\":["
        "\"urn:decentraland:off-chain:base-avatars:blue_bandana\"],\"emotes\":[{\"slot\":"
        "0,"
        "\"urn\":\"handsair\"}]},\"links\":[{\"title\":\"a\",\"url\":"
        "\"https://example.org/\"}]}]}",
        mark, who->address, who->address, mark);
}

static const char representations[] =
    "\"representations\":[{\"bodyShapes\":[\"" MALE "\",\"" FEMALE
    "\"],\"mainFile\":\"item.glb\",\"contents\":[\"item.glb\"]%s}]";

/* What wearables and emotes have in common. */
static void write_item(struct deployable *d, int mark, struct builder *out)
{
    snprintf(d->pointer, sizeof(d->pointer),
             "urn:decentraland:matic:collections-v2:" CONTRACT ":%d", mark);
    builder_printf(
        out,
        "{\"id\":\"%s\",\"name\":\"Item %d\",\"description\":\"d\",\"i18n\":[{"
        "\"code\":\"en\",\"text\":\"Item %d\"}],\"thumbnail\":\"thumbnail.png\","
        "\"image\":\"image.png\",\"collectionAddress\":\"" CONTRACT
        "\",\"rarity\":\"epic\",\"metrics\":{\"triangles\":1,\"materials\":1,"
        "\"textures\":1,\"meshes\":1,\"bodies\":1,\"entities\":1},",
        d->pointer, mark, mark);
}

static void write_wearable(struct deployable *d, const struct person *who, int mark,
                           struct builder *out)
{
    (void)who;
    write_item(d, mark, out);
    builder_string(out, "\"data\":{\"replaces\":[],\"hides\":[],\"tags\":[\"blue\"],"
                        "\"category\":\"hat\",");
    builder_printf(out, representations, ",\"overrideHides\":[],\"overrideReplaces\":[]");
    builder_string(out, "}}");
}

static void write_emote(struct deployable *d, const struct person *who, int mark,
                        struct builder *out)
{
    (void)who;
    write_item(d, mark, out);
    builder_string(out, "\"emoteDataADR74\":{\"category\":\"dance\",\"tags\":[\"slow\"],"
                        "\"loop\":false,");
    builder_printf(out, representations, "");
    builder_string(out, "}}");
}

static void write_store(struct deployable *d, const struct person *who, int mark,
                        struct builder *out)
{
    snprintf(d->pointer, sizeof(d->pointer),
             "urn:decentraland:off-chain:marketplace-stores:%s", who->address);
    builder_printf(out,
                   "{\"id\":\"%s\",\"version\":1,\"owner\":\"%s\",\"description\":\"Shop "
                   "%d\",\"links\":[{\"name\":\"web\",\"url\":\"https://example.org\"}],"
                   "\"images\":[]}",
                   d->pointer, who->address, mark);
}

static void write_outfits(struct deployable *d, const struct person *who, int mark,
                          struct builder *out)
{
    snprintf(d->pointer, sizeof(d->pointer), "%s:outfits", who->address);
    builder_printf(out,
                   "{\"outfits\":[{\"slot\":%d,\"outfit\":{\"bodyShape\":\"" MALE
                   "\",\"eyes\":" COLOR ",\"hair\":" COLOR ",\"skin\":" COLOR
                   ",\"wearables\":[]}}],\"namesForExtraSlots\":[]}",
                   mark % 5);
}

/* ---- the entity ---- */

static void add_part(struct deployable *d, const char *file, const char *kind, int mark)
{
    struct deployer_part *part = &d->parts[d->part_count++];
    struct cids cids;
    char bytes[64];
    int n = snprintf(bytes, sizeof(bytes), "\x89PNG\r\n\x1a\n%s %s %d", kind, file, mark);

    part->bytes = (struct text){strndup(bytes, (size_t)n), (size_t)n};
    cids_of(part->bytes, &cids);
    memcpy(part->hash, cids.v1, sizeof(part->hash));
    snprintf(part->file, sizeof(part->file), "%s", file);
}

static void sign(struct deployable *d, const struct person *who)
{
    struct cids cids;

    cids_of(builder_view(&d->file), &cids);
    memcpy(d->id, cids.v1, sizeof(d->id));
    d->chain = identity_sign_message(&who->identity, text_of(d->id));
}

void deployable_of(struct deployable *d, const struct person *who, struct text file)
{
    *d = (struct deployable){.type = "?"};
    builder_init(&d->file, FILE_MOST);
    builder_text(&d->file, file);
    sign(d, who);
}

void deployable_make(struct deployable *d, const char *type, const struct person *who,
                     int64_t timestamp, int mark)
{
    static const struct {
        const char *type;
        void (*write)(struct deployable *, const struct person *, int, struct builder *);
        const char *files[4];
    } kinds[] = {{"scene", write_scene, {"game.js", "scene.json"}},
                 {"profile", write_profile, {NULL}},
                 {"wearable", write_wearable, {"item.glb", "thumbnail.png", "image.png"}},
                 {"emote", write_emote, {"item.glb", "thumbnail.png", "image.png"}},
                 {"store", write_store, {NULL}},
                 {"outfits", write_outfits, {NULL}}};
    struct builder metadata;
    size_t k = 0;

    while (strcmp(kinds[k].type, type) != 0) LL_CHECK(++k < LL_LENGTH(kinds));
    *d = (struct deployable){.type = kinds[k].type};
    builder_init(&d->file, FILE_MOST);
    builder_init(&metadata, FILE_MOST);
    kinds[k].write(d, who, mark, &metadata);
    for (size_t i = 0; i < 4 && kinds[k].files[i] != NULL; i++)
        add_part(d, kinds[k].files[i], type, mark);
    builder_printf(&d->file,
                   "{\"version\":\"v3\",\"type\":\"%s\",\"pointers\":[\"%s\"],"
                   "\"timestamp\":%lld,\"content\":[",
                   type, d->pointer, (long long)timestamp);
    for (size_t i = 0; i < d->part_count; i++)
        builder_printf(&d->file, "%s{\"file\":\"%s\",\"hash\":\"%s\"}", i > 0 ? "," : "",
                       d->parts[i].file, d->parts[i].hash);
    builder_printf(&d->file, "],\"metadata\":%s}", builder_view(&metadata).ptr);
    builder_fini(&metadata);
    sign(d, who);
}

void deployable_fini(struct deployable *d)
{
    for (size_t i = 0; i < d->part_count; i++)
        free((char *)(uintptr_t)d->parts[i].bytes.ptr);
    builder_fini(&d->file);
    json_decref(d->chain);
}

/* ---- the form ---- */

static void add_field(curl_mime *form, const char *name, const char *value)
{
    curl_mimepart *part = curl_mime_addpart(form);

    curl_mime_name(part, name);
    curl_mime_data(part, value, CURL_ZERO_TERMINATED);
}

static void add_file(curl_mime *form, const char *hash, struct text bytes)
{
    curl_mimepart *part = curl_mime_addpart(form);

    curl_mime_name(part, hash);
    curl_mime_filename(part, hash);
    curl_mime_data(part, bytes.ptr, bytes.len);
}

static void add_chain(curl_mime *form, const json_t *chain)
{
    static const char *const members[] = {"type", "payload", "signature"};
    const json_t *link;
    char name[64];
    size_t i;

    json_array_foreach(chain, i, link)
    {
        for (size_t k = 0; k < LL_LENGTH(members); k++) {
            const char *value = json_string_value(json_object_get(link, members[k]));

            snprintf(name, sizeof(name), "authChain[%zu][%s]", i, members[k]);
            add_field(form, name, value != NULL ? value : "");
        }
    }
}

static curl_mime *form_of(struct client *c, const struct deployable *d, bool is_json)
{
    curl_mime *form = curl_mime_init(c->curl);
    char *chain = json_dumps(d->chain, JSON_COMPACT);

    add_field(form, "entityId", d->id);
    if (is_json)
        add_field(form, "authChain", chain);
    else
        add_chain(form, d->chain);
    add_file(form, d->id, builder_view(&d->file));
    for (size_t i = 0; i < d->part_count; i++)
        add_file(form, d->parts[i].hash, d->parts[i].bytes);
    free(chain);
    return form;
}

static long send_form(struct client *c, const struct deployable *d, bool is_json)
{
    curl_mime *form;
    long status;

    curl_easy_reset(c->curl);
    form = form_of(c, d, is_json);
    status = client_send_form(c, "/content/entities", form);
    curl_mime_free(form);
    return status;
}

long deployable_send(struct client *c, const struct deployable *d)
{
    return send_form(c, d, false);
}

long deployable_send_json(struct client *c, const struct deployable *d)
{
    return send_form(c, d, true);
}
