#!/bin/sh
# Brings Temporal's two databases to this server's schema. Harmless when repeated.
set -eu
schema=/etc/temporal/schema/postgresql/v12
for pair in temporal:temporal temporal_visibility:visibility; do
  database=${pair%%:*}
  # setup-schema refuses a database that has one already; update-schema then does what is missing.
  temporal-sql-tool --database "$database" setup-schema -v 0.0 || true
  temporal-sql-tool --database "$database" update-schema -d "$schema/${pair##*:}/versioned"
done
