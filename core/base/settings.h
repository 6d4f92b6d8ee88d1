/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* settings.h - the configuration: one table, one file, and the environment over it.
 *
 * The file has lines `name = value`, `#` starts a comment. Each setting's environment
 * name is LANDLOG_ and its name in capitals with `.` and `-` as `_`. Order, last wins:
 * default, file, environment, --set. A mistake names the setting, the file and the line.
 * `kafka.<property>` passes any librdkafka property through; `service.<service>.<name>`
 * is a service's own setting, which it reads by name. In the environment these are
 * LANDLOG_KAFKA__SASL_PASSWORD and LANDLOG_SERVICE__SOCIAL__ACTIONS_PER_MINUTE.
 */
#ifndef LL_SETTINGS_H
#define LL_SETTINGS_H

#include "core/base/text.h"

enum setting {
    SETTING_POSTGRES,       /* conninfo of the role that owns the log and projections */
    SETTING_POSTGRES_QUERY, /* conninfo of the role that can only read */
    SETTING_KAFKA_BROKERS,  /* host:port list; "" when there is no Kafka */
    SETTING_KAFKA_TOPIC_PREFIX, /* before each topic's name on Kafka */
    SETTING_KAFKA_LAG_LIMIT, /* events: the relay is behind by more: commands get 503 */
    SETTING_HTTP_ADDRESS,
    SETTING_HTTP_PORT,
    SETTING_HTTP_WORKERS,
    SETTING_HTTP_DOMAIN,      /* virtual hosts are <service>.<domain>; "" for none */
    SETTING_HTTP_BODY_LIMIT,  /* bytes, where a route says nothing else */
    SETTING_HTTP_CONNECTIONS, /* per worker */
    SETTING_HTTP_CONNECTIONS_PER_ADDRESS,
    SETTING_HTTP_WAIT,       /* ms a request waits for a position or its own event */
    SETTING_HTTP_PROXIES,    /* trusted for X-Forwarded-For: comma list of addresses */
    SETTING_PROJECT_WORKERS, /* threads a projection */
    SETTING_PROJECT_BATCH,   /* events a transaction */
    SETTING_ETHEREUM_RPC,    /* for contract wallets; "" asks the catalyst */
    SETTING_CATALYST,      /* origin of /lambdas/crypto/validate-signature; "" for none */
    SETTING_BLOBS_FOLDER,  /* "": beside the configuration file */
    SETTING_BLOBS_GRACE,   /* seconds an unreferenced blob stays */
    SETTING_BLOBS_RESERVE, /* MiB of free disk below which no blob is taken */
    SETTING_LOG_LEVEL,
    SETTING_COUNT
};

struct settings;

struct setting_info {
    const char *name;
    const char *fallback;
    enum { SETTING_STRING, SETTING_NUMBER, SETTING_LEVEL } kind;
    uint64_t min, max; /* of a number */
    const char *help;
    bool secret; /* `landlog config` hides a password in it */
};

extern const struct setting_info setting_table[SETTING_COUNT];

/* Read the file (NULL: LANDLOG_CONFIG, var/landlog.conf, /etc/landlog.conf, the first
 * that is there; none is no error) and the environment. The caller frees. */
ll_rc settings_load(const char *path, struct settings **out,
                    struct ll_error *err) LL_MUST_CHECK;
void settings_free(struct settings *s);
/* `origin` says in `landlog config` where the value came from. */
ll_rc settings_set(struct settings *s, struct text name, struct text value,
                   const char *origin, struct ll_error *err) LL_MUST_CHECK;

/* Valid until the settings are freed or set again. */
const char *settings_string(const struct settings *s, enum setting which);
uint64_t settings_number(const struct settings *s, enum setting which);
const char *settings_origin(const struct settings *s, enum setting which);
/* The file that was read; "" when there was none. */
const char *settings_file(const struct settings *s);
/* The i-th passed-through Kafka property; false past the last. */
bool settings_kafka_property(const struct settings *s, size_t i, const char **name,
                             const char **value);

/* A service's own number, such as "social.actions-per-minute"; `fallback` when it is not
 * set. LL_EINVAL naming the setting when it is no number from min to max. */
ll_rc settings_service_number(const struct settings *s, const char *name, uint64_t min,
                              uint64_t max, uint64_t fallback, uint64_t *out,
                              struct ll_error *err) LL_MUST_CHECK;
/* A service's own text, such as "platform.token"; `fallback` when it is not set. */
const char *settings_service_string(const struct settings *s, const char *name,
                                    const char *fallback);
/* The i-th such setting as it was given; false past the last. */
bool settings_service_at(const struct settings *s, size_t i, const char **name,
                         const char **value);

#endif
