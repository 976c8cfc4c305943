"""Rehearsal: the real journeys on a virtual clock, in one process, without a Temporal server."""
