"""Rehearsal: the engine, its ground, and what comes out."""
