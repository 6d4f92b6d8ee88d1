#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors
# roles.sh - run once by the Postgres image, when it makes its database: the role that
# front-ends ask with, which can read and nothing else.
set -eu
psql -v ON_ERROR_STOP=1 -v password="$POSTGRES_QUERY_PASSWORD" \
    -U "$POSTGRES_USER" -d "$POSTGRES_DB" <<'SQL'
create role landlog_query login password :'password';
SQL
