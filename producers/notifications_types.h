/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* notifications_types.h - the types of notifications, as data (contract: notifications,
 * 4.1), and which notification is which. Pure. */
#ifndef LL_NOTIFICATIONS_TYPES_H
#define LL_NOTIFICATIONS_TYPES_H

#include "core/base/json.h"
#include "core/base/uuid.h"

enum { NOTIFICATION_TYPES = 72 };

/* In the order of the contract's enumeration, which messages and details keep. */
extern const char *const notification_types[NOTIFICATION_TYPES];

bool notification_type_is_known(struct text type);

/* The same event key, type and recipient (lower case; empty: everybody) are the same
 * notification, whoever tells of it: consumers/notifier/apply.sql makes the same id. */
struct uuid notification_id(struct text event_key, struct text type, struct text address);

/* Of what is told: the same metadata and time are the same revision. */
struct uuid notification_revision(const json_t *metadata, int64_t timestamp);

#endif
