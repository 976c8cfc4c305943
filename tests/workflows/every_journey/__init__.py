"""What every journey is held to, whoever wrote it: nothing to register and nothing to write.

branches    everything that can happen in it is searched, and each way it can end
walks       the real house: silence, goals and exits, leaving, doubled and late events
messages    each in every language, by every channel

That its recorded walks replay, `test_histories` shows.
"""
