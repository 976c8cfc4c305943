"""A word that is the whole message means us; a word within a sentence means nothing by itself."""

import pytest

from domain.replies import WORDS, Reply, meaning


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("STOP", Reply.STOP),
        ("  Stop!  ", Reply.STOP),
        ("stop\nall", Reply.STOP),
        ("ＳＴＯＰ", Reply.STOP),
        ("“Отписаться”.", Reply.STOP),
        ("Бас  тарту", Reply.STOP),
        ("Start", Reply.START),
        ("БАСТАУ", Reply.START),
        ("Көмек?", Reply.HELP),
        ("don't stop", Reply.OTHER),
        ("stop it please", Reply.OTHER),
        ("yes", Reply.OTHER),
        ("да", Reply.OTHER),
        ("", Reply.OTHER),
        ("!!!", Reply.OTHER),
        ("👍", Reply.OTHER),
    ],
)
def test_what_a_whole_message_means(text: str, means: Reply) -> None:
    assert meaning(text) is means


def test_no_word_means_two_things_and_each_is_found_as_it_stands() -> None:
    words = [word for found in WORDS.values() for word in found]

    assert len(set(words)) == len(words)
    assert [reply for reply, found in WORDS.items() for word in found if meaning(word) is not reply] == []
