#!/bin/sh
# Runs once, when the volume is new: a role and its database for Tropa, a role and two for Temporal.
set -eu
psql -v ON_ERROR_STOP=1 -U postgres -d postgres \
  -v tropa="$TROPA_DB_PASSWORD" -v temporal="$TEMPORAL_DB_PASSWORD" <<'SQL'
CREATE ROLE tropa LOGIN PASSWORD :'tropa';
CREATE ROLE temporal LOGIN PASSWORD :'temporal';
CREATE DATABASE tropa OWNER tropa;
CREATE DATABASE temporal OWNER temporal;
CREATE DATABASE temporal_visibility OWNER temporal;
SQL
