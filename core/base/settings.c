/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* settings.c - see settings.h. */
#include "core/base/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MAX = 64 * 1024, OPEN_MAX = 64, NAME_MAX_LENGTH = 96 };

#define ROW_STRING(n, d, h) \
    { \
        .name = (n), .fallback = (d), .kind = SETTING_STRING, .help = (h) \
    }
#define ROW_SECRET(n, d, h) \
    { \
        .name = (n), .fallback = (d), .kind = SETTING_STRING, .help = (h), \
        .secret = true \
    }
#define ROW_NUMBER(n, d, lo, hi, h) \
    { \
        .name = (n), .fallback = (d), .kind = SETTING_NUMBER, .min = (lo), .max = (hi), \
        .help = (h) \
    }

const struct setting_info setting_table[SETTING_COUNT] = {
    [SETTING_POSTGRES] =
        ROW_SECRET("postgres", "dbname=landlog",
                   "libpq connection of the role that owns the log and the projections"),
    [SETTING_POSTGRES_QUERY] = ROW_SECRET(
        "postgres.query", "",
        "libpq connection of a role that can only read; empty: as `postgres`, read-only"),
    [SETTING_KAFKA_BROKERS] = ROW_STRING(
        "kafka.brokers", "", "host:port list of the Kafka cluster; empty: none"),
    [SETTING_KAFKA_TOPIC_PREFIX] =
        ROW_STRING("kafka.topic-prefix", "",
                   "before each topic's name on Kafka, where a cluster is shared"),
    [SETTING_KAFKA_LAG_LIMIT] =
        ROW_NUMBER("kafka.lag-limit", "10000", 1, 1000000000,
                   "events the relay may be behind before commands are refused with 503"),
    [SETTING_HTTP_ADDRESS] =
        ROW_STRING("http.address", "127.0.0.1", "address to listen on"),
    [SETTING_HTTP_PORT] = ROW_NUMBER("http.port", "8080", 1, 65535, "port to listen on"),
    [SETTING_HTTP_WORKERS] =
        ROW_NUMBER("http.workers", "1", 1, 256, "worker processes, each one event loop"),
    [SETTING_HTTP_DOMAIN] = ROW_STRING(
        "http.domain", "",
        "a service also answers at <service>.<domain>; empty: only under its prefix"),
    [SETTING_HTTP_BODY_LIMIT] =
        ROW_NUMBER("http.body-limit", "1048576", 1024, 16777216,
                   "bytes of a request's body, where its route says nothing else"),
    [SETTING_HTTP_CONNECTIONS] =
        ROW_NUMBER("http.connections", "10000", 1, 1000000, "open connections a worker"),
    [SETTING_HTTP_CONNECTIONS_PER_ADDRESS] =
        ROW_NUMBER("http.connections-per-address", "1000", 1, 1000000,
                   "open connections a worker and client address"),
    [SETTING_HTTP_WAIT] = ROW_NUMBER(
        "http.wait", "5000", 10, 60000,
        "ms a request waits for a position, or for its own event to be applied"),
    [SETTING_HTTP_PROXIES] =
        ROW_STRING("http.proxies", "",
                   "addresses trusted to say X-Forwarded-For, separated by commas"),
    [SETTING_PROJECT_WORKERS] = ROW_NUMBER(
        "project.workers", "1", 1, 64, "threads a projection; they share its partitions"),
    [SETTING_PROJECT_BATCH] = ROW_NUMBER("project.batch", "1000", 1, 10000,
                                         "events of one transaction, at most"),
    [SETTING_ETHEREUM_RPC] = ROW_STRING(
        "ethereum.rpc", "",
        "JSON-RPC endpoint that answers for contract wallets; empty: ask `catalyst`"),
    [SETTING_CATALYST] = ROW_STRING(
        "catalyst", "",
        "origin whose /lambdas/crypto/validate-signature is asked; empty: none"),
    [SETTING_BLOBS_FOLDER] =
        ROW_STRING("blobs.folder", "",
                   "folder of content files; empty: blobs beside the configuration file"),
    [SETTING_BLOBS_GRACE] =
        ROW_NUMBER("blobs.grace", "86400", 0, 31536000,
                   "seconds that a content file stays which nothing refers to"),
    [SETTING_BLOBS_RESERVE] =
        ROW_NUMBER("blobs.reserve", "256", 0, 1048576,
                   "MiB of free disk below which uploads are refused with 507"),
    [SETTING_LOG_LEVEL] = {.name = "log.level",
                           .fallback = "info",
                           .kind = SETTING_LEVEL,
                           .help = "debug, info, warning or error"},
};

struct value {
    char *text, *origin;
};

/* Settings whose names this file does not know: those behind one prefix. */
struct open_settings {
    char *names[OPEN_MAX], *values[OPEN_MAX];
    size_t count;
};

struct settings {
    struct value values[SETTING_COUNT];
    struct open_settings kafka, service;
    char *file;
};

static const char *const levels[] = {"debug", "info", "warning", "error"};

static ll_rc check_value(const struct setting_info *info, struct text value,
                         const char *origin, struct ll_error *err)
{
    uint64_t n;

    if (info->kind == SETTING_NUMBER &&
        (!text_to_u64(value, info->max, &n) || n < info->min))
        return ll_fail(
            err, LL_EINVAL,
            "%s: setting `%s` must be a number from %llu to %llu, not \"%.*s\"", origin,
            info->name, (unsigned long long)info->min, (unsigned long long)info->max,
            TEXT_ARGS(value));
    if (info->kind == SETTING_LEVEL) {
        for (size_t i = 0; i < LL_LENGTH(levels); i++)
            if (text_is(value, levels[i])) return LL_OK;
        return ll_fail(err, LL_EINVAL,
                       "%s: setting `%s` is debug, info, warning or error", origin,
                       info->name);
    }
    return LL_OK;
}

static char *copy(struct text t)
{
    char *s = ll_malloc(t.len + 1);

    LL_CHECK(t.ptr != NULL || t.len == 0);
    if (t.len > 0) memcpy(s, t.ptr, t.len);
    s[t.len] = '\0';
    return s;
}

static ll_rc set_open(struct open_settings *o, struct text name, struct text value,
                      const char *origin, struct ll_error *err)
{
    for (size_t i = 0; i < o->count; i++) {
        if (!text_is(name, o->names[i])) continue;
        free(o->values[i]);
        o->values[i] = copy(value);
        return LL_OK;
    }
    if (o->count == OPEN_MAX)
        return ll_fail(err, LL_EFULL, "%s: more than %d settings like `%.*s`", origin,
                       OPEN_MAX, TEXT_ARGS(name));
    o->names[o->count] = copy(name);
    o->values[o->count++] = copy(value);
    return LL_OK;
}

static struct text behind(struct text name, const char *prefix)
{
    size_t n = strlen(prefix);

    return text_starts_with(name, prefix) ? (struct text){name.ptr + n, name.len - n}
                                          : TEXT("");
}

ll_rc settings_set(struct settings *s, struct text name, struct text value,
                   const char *origin, struct ll_error *err)
{
    if (memchr(value.ptr ? value.ptr : "", '\0', value.len) != NULL)
        return ll_fail(err, LL_EINVAL, "%s: a value holds a NUL byte", origin);
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        ll_rc rc;

        if (!text_is(name, setting_table[i].name)) continue;
        rc = check_value(&setting_table[i], value, origin, err);
        if (rc != LL_OK) return rc;
        free(s->values[i].text);
        free(s->values[i].origin);
        s->values[i] = (struct value){copy(value), ll_strdup(origin)};
        return LL_OK;
    }
    if (behind(name, "kafka.").len > 0)
        return set_open(&s->kafka, behind(name, "kafka."), value, origin, err);
    if (behind(name, "service.").len > 0)
        return set_open(&s->service, behind(name, "service."), value, origin, err);
    return ll_fail(err, LL_EINVAL, "%s: unknown setting `%.*s`", origin, TEXT_ARGS(name));
}

static struct text trim(struct text t)
{
    while (t.len > 0 && strchr(" \t\r", t.ptr[0]) != NULL) t.ptr++, t.len--;
    while (t.len > 0 && strchr(" \t\r", t.ptr[t.len - 1]) != NULL) t.len--;
    return t;
}

static ll_rc take_line(struct settings *s, struct text line, const char *origin,
                       struct ll_error *err)
{
    struct text name, value = trim(line);

    if (value.len == 0 || value.ptr[0] == '#') return LL_OK;
    if (!text_cut(&value, '=', &name))
        return ll_fail(err, LL_EINVAL, "%s: expected `name = value`, found \"%.*s\"",
                       origin, TEXT_ARGS(name));
    return settings_set(s, trim(name), trim(value), origin, err);
}

static ll_rc take_file(struct settings *s, const char *path, struct ll_error *err)
{
    char bytes[FILE_MAX], origin[512];
    FILE *file = fopen(path, "re");
    struct text rest = {bytes, 0}, line;
    size_t number = 0;

    if (file == NULL)
        return ll_fail(err, LL_ESYSTEM, "cannot read \"%s\": %s", path, strerror(errno));
    rest.len = fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
    if (rest.len == sizeof(bytes))
        return ll_fail(err, LL_EFULL, "\"%s\" is larger than %d bytes", path,
                       FILE_MAX - 1);

    free(s->file);
    s->file = ll_strdup(path);
    while (rest.len > 0) {
        ll_rc rc;

        text_cut(&rest, '\n', &line);
        snprintf(origin, sizeof(origin), "%s:%zu", path, ++number);
        rc = take_line(s, line, origin, err);
        if (rc != LL_OK) return rc;
    }
    return LL_OK;
}

/* LANDLOG_HTTP_PORT for http.port. */
static void environment_name(const char *name, char out[NAME_MAX_LENGTH])
{
    size_t n = (size_t)snprintf(out, NAME_MAX_LENGTH, "LANDLOG_%s", name);

    LL_CHECK(n < NAME_MAX_LENGTH);
    for (char *c = out; *c != '\0'; c++) {
        if (*c == '.' || *c == '-')
            *c = '_';
        else if (*c >= 'a' && *c <= 'z')
            *c = (char)(*c - 'a' + 'A');
    }
}

/* "kafka.sasl.password" for LANDLOG_KAFKA__SASL_PASSWORD, whose words dots part, and
 * "service.social.actions-per-minute" for LANDLOG_SERVICE__SOCIAL__ACTIONS_PER_MINUTE. */
static void open_name(const char *variable, size_t len, bool is_kafka,
                      char out[NAME_MAX_LENGTH])
{
    size_t n =
        (size_t)snprintf(out, NAME_MAX_LENGTH, "%s", is_kafka ? "kafka." : "service.");
    const char *c = variable + strlen(is_kafka ? "LANDLOG_KAFKA__" : "LANDLOG_SERVICE__");

    for (; c < variable + len && n < NAME_MAX_LENGTH - 1; c++) {
        bool is_double = c[0] == '_' && c[1] == '_';

        if (*c == '_')
            out[n++] = is_kafka || is_double ? '.' : '-';
        else
            out[n++] = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
        if (is_double) c++;
    }
    out[n] = '\0';
}

static ll_rc take_open_environment(struct settings *s, struct ll_error *err)
{
    for (char **e = environ; *e != NULL; e++) {
        bool is_kafka = strncmp(*e, "LANDLOG_KAFKA__", 15) == 0;
        char name[NAME_MAX_LENGTH], origin[NAME_MAX_LENGTH + 16];
        struct text variable, value = text_of(*e);
        ll_rc rc;

        if (!is_kafka && strncmp(*e, "LANDLOG_SERVICE__", 17) != 0) continue;
        if (!text_cut(&value, '=', &variable)) continue;
        open_name(variable.ptr, variable.len, is_kafka, name);
        snprintf(origin, sizeof(origin), "environment %.*s", (int)(variable.len % 90),
                 variable.ptr);
        rc = settings_set(s, text_of(name), value, origin, err);
        if (rc != LL_OK) return rc;
    }
    return LL_OK;
}

static ll_rc take_environment(struct settings *s, struct ll_error *err)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        char name[NAME_MAX_LENGTH], origin[NAME_MAX_LENGTH + 16];
        const char *value;
        ll_rc rc;

        environment_name(setting_table[i].name, name);
        value = getenv(name);
        if (value == NULL) continue;
        snprintf(origin, sizeof(origin), "environment %s", name);
        rc = settings_set(s, text_of(setting_table[i].name), text_of(value), origin, err);
        if (rc != LL_OK) return rc;
    }
    return take_open_environment(s, err);
}

/* The file to read, or NULL for none. */
static const char *find_file(const char *path)
{
    static const char *const usual[] = {"var/landlog.conf", "/etc/landlog.conf"};

    if (path == NULL) path = getenv("LANDLOG_CONFIG");
    for (size_t i = 0; path == NULL && i < LL_LENGTH(usual); i++)
        if (access(usual[i], F_OK) == 0) path = usual[i];
    return path;
}

ll_rc settings_load(const char *path, struct settings **out, struct ll_error *err)
{
    struct settings *s = ll_calloc(1, sizeof(*s));
    ll_rc rc = LL_OK;

    s->file = ll_strdup("");
    for (size_t i = 0; i < SETTING_COUNT; i++)
        s->values[i] =
            (struct value){ll_strdup(setting_table[i].fallback), ll_strdup("default")};
    path = find_file(path);
    if (path != NULL) rc = take_file(s, path, err);
    if (rc == LL_OK) rc = take_environment(s, err);
    if (rc != LL_OK) {
        settings_free(s);
        s = NULL;
    }
    *out = s;
    return rc;
}

static void open_free(struct open_settings *o)
{
    for (size_t i = 0; i < o->count; i++) {
        free(o->names[i]);
        free(o->values[i]);
    }
}

void settings_free(struct settings *s)
{
    if (s == NULL) return;
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        free(s->values[i].text);
        free(s->values[i].origin);
    }
    open_free(&s->kafka);
    open_free(&s->service);
    free(s->file);
    free(s);
}

const char *settings_string(const struct settings *s, enum setting which)
{
    return s->values[which].text;
}

uint64_t settings_number(const struct settings *s, enum setting which)
{
    uint64_t n = 0;

    LL_CHECK(setting_table[which].kind == SETTING_NUMBER &&
             text_to_u64(text_of(s->values[which].text), UINT64_MAX, &n));
    return n;
}

const char *settings_origin(const struct settings *s, enum setting which)
{
    return s->values[which].origin;
}

const char *settings_file(const struct settings *s)
{
    return s->file;
}

static bool open_at(const struct open_settings *o, size_t i, const char **name,
                    const char **value)
{
    if (i >= o->count) return false;
    *name = o->names[i];
    *value = o->values[i];
    return true;
}

bool settings_kafka_property(const struct settings *s, size_t i, const char **name,
                             const char **value)
{
    return open_at(&s->kafka, i, name, value);
}

bool settings_service_at(const struct settings *s, size_t i, const char **name,
                         const char **value)
{
    return open_at(&s->service, i, name, value);
}

ll_rc settings_service_number(const struct settings *s, const char *name, uint64_t min,
                              uint64_t max, uint64_t fallback, uint64_t *out,
                              struct ll_error *err)
{
    const char *given, *value;

    *out = fallback;
    for (size_t i = 0; settings_service_at(s, i, &given, &value); i++) {
        if (strcmp(given, name) != 0) continue;
        if (text_to_u64(text_of(value), max, out) && *out >= min) return LL_OK;
        return ll_fail(
            err, LL_EINVAL,
            "setting `service.%s` must be a number from %llu to %llu, not \"%s\"", name,
            (unsigned long long)min, (unsigned long long)max, value);
    }
    return LL_OK;
}

const char *settings_service_string(const struct settings *s, const char *name,
                                    const char *fallback)
{
    const char *given, *value;

    for (size_t i = 0; settings_service_at(s, i, &given, &value); i++)
        if (strcmp(given, name) == 0) return value;
    return fallback;
}
