/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* wallet_file.c - see wallet_file.h. */
#include "core/cli/wallet_file.h"

#include "core/base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WALLET_BYTES = 64 * 1024, MARGIN_MS = 60000 };

static json_t *to_json(const struct wallet_file *w)
{
    char address[ETHEREUM_ADDRESS_TEXT], secret[ETHEREUM_KEY_TEXT];
    json_t *json;

    ethereum_address_print_checksum(&w->key.address, address);
    ethereum_key_print(&w->key, secret);
    json = json_pack("{s:s,s:s}", "address", address, "privateKey", secret);
    LL_CHECK(json != NULL);
    if (w->has_identity)
        json_object_set_new(json, "identity", identity_to_json(&w->identity));
    return json;
}

static bool write_whole(int fd, struct text t)
{
    while (t.len > 0) {
        ssize_t n = write(fd, t.ptr, t.len);

        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false;
        t = (struct text){t.ptr + n, t.len - (size_t)n};
    }
    return true;
}

ll_rc wallet_file_create(const char *path, const struct wallet_file *w,
                         struct ll_error *err)
{
    json_t *json = to_json(w);
    char *text = json_dumps(json, JSON_INDENT(2));
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    ll_rc rc = LL_OK;

    LL_CHECK(text != NULL);
    if (fd < 0) {
        rc = ll_fail(err, errno == EEXIST ? LL_ECONFLICT : LL_ESYSTEM,
                     "cannot create %s: %s", path, strerror(errno));
    } else {
        bool ok = write_whole(fd, text_of(text)) && write_whole(fd, TEXT("\n"));

        if (close(fd) != 0 || !ok) {
            rc = ll_fail(err, LL_ESYSTEM, "cannot write %s: %s", path, strerror(errno));
            unlink(path);
        }
    }
    free(text);
    json_decref(json);
    return rc;
}

ll_rc wallet_file_replace(const char *path, const struct wallet_file *w,
                          struct ll_error *err)
{
    char fresh[4096];
    int n = snprintf(fresh, sizeof(fresh), "%s.%ld", path, (long)getpid());
    ll_rc rc;

    if (n < 0 || (size_t)n >= sizeof(fresh))
        return ll_fail(err, LL_EINVAL, "the name %.100s... is too long", path);
    rc = wallet_file_create(fresh, w, err);
    if (rc != LL_OK) return rc;
    if (rename(fresh, path) == 0) return LL_OK;
    rc = ll_fail(err, LL_ESYSTEM, "cannot replace %s: %s", path, strerror(errno));
    unlink(fresh);
    return rc;
}

static ll_rc take_json(const json_t *json, struct wallet_file *out, struct ll_error *err)
{
    const json_t *identity = json_object_get(json, "identity");
    struct ethereum_address address;
    struct text secret, given;
    ll_rc rc;

    if (!json_member_text(json, "privateKey", &secret) ||
        !json_member_text(json, "address", &given))
        return ll_fail(err, LL_EINVAL, "a wallet has the members address and privateKey");
    rc = ethereum_key_parse(secret, &out->key, err);
    if (rc != LL_OK) return rc;
    if (!ethereum_address_parse(given, &address) ||
        !ethereum_address_equal(&address, &out->key.address))
        return ll_fail(err, LL_EINVAL, "the address is not that of the private key");
    if (identity == NULL) return LL_OK;
    rc = identity_from_json(identity, &out->identity, err);
    if (rc != LL_OK) return rc;
    if (!ethereum_address_equal(&out->identity.owner, &out->key.address))
        return ll_fail(err, LL_EINVAL, "the identity belongs to another address");
    out->has_identity = true;
    return LL_OK;
}

ll_rc wallet_file_load(const char *path, struct wallet_file *out, struct ll_error *err)
{
    char bytes[WALLET_BYTES];
    FILE *f = fopen(path, "re");
    json_t *json;
    size_t n;
    ll_rc rc;

    *out = (struct wallet_file){0};
    if (f == NULL)
        return ll_fail(err, LL_ENOTFOUND, "cannot open %s: %s", path, strerror(errno));
    n = fread(bytes, 1, sizeof(bytes), f);
    fclose(f);
    if (n == sizeof(bytes)) return ll_fail(err, LL_EINVAL, "%s is no wallet", path);
    rc = json_parse((struct text){bytes, n}, JSON_DEPTH, &json, err);
    if (rc == LL_OK) rc = take_json(json, out, err);
    if (rc != LL_OK) ll_error_prefix(err, "%s is no wallet", path);
    json_decref(json);
    return rc;
}

ll_rc wallet_file_identity(const char *path, int64_t lasts_ms, bool is_new,
                           struct identity *out, struct ll_error *err)
{
    int64_t now = clock_now_ms();
    struct wallet_file w;
    ll_rc rc = wallet_file_load(path, &w, err);

    if (rc != LL_OK) return rc;
    if (!w.has_identity || is_new || w.identity.expiration < now + MARGIN_MS) {
        identity_new(&w.identity, &w.key, now + lasts_ms);
        w.has_identity = true;
        rc = wallet_file_replace(path, &w, err);
    }
    *out = w.identity;
    return rc;
}

bool wallet_duration_parse(const char *text, int64_t *ms)
{
    static const struct {
        char unit;
        uint64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    const uint64_t most = UINT64_C(3650) * 86400;
    size_t n = strlen(text);
    uint64_t count;

    if (n < 2 || !text_to_u64((struct text){text, n - 1}, most, &count)) return false;
    for (size_t i = 0; i < LL_LENGTH(units); i++) {
        if (text[n - 1] != units[i].unit) continue;
        *ms = (int64_t)(count * units[i].seconds * 1000);
        return count > 0 && count <= most / units[i].seconds;
    }
    return false;
}
