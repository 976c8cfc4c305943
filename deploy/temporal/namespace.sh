#!/bin/sh
# The namespace with its retention. Search attributes are registered by the worker when it starts.
set -eu
temporal operator namespace describe --namespace tropa >/dev/null 2>&1 ||
  temporal operator namespace create --namespace tropa --retention "$RETENTION"
