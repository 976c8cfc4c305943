"""What staff call a message."""

import pytest

from adapters.message_titles import title_in


@pytest.mark.parametrize(
    ("source", "title"),
    [
        ("subject: Did it work out?\npreview: Tell us\n\n<mj-text>", "Did it work out?"),
        ("subject: {% if event.title %}Here it is{% else %}A good place{% endif %}\n", "A good place"),
        ("subject: {% if customer.first_name %}{{ customer.first_name }}, {% endif %}welcome\n", "Welcome"),
        ("subject: New: {{ event.title or 'something to read' }}\n", "New: something to read"),
        ("subject: Your discount: {{ code.discount }}\n", "Your discount"),
        ('title = "Look at this"\ntext = "…"\n', "Look at this"),
        (
            "{{ company.name }}: we have it{% if event.about %} ({{ event.about }}){% endif %}! More: {{ url }}",
            "We have it!",
        ),
    ],
)
def test_a_title_is_the_subject_without_what_differs_by_customer(source: str, title: str) -> None:
    assert title_in(source) == title
