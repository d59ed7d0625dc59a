"""Clean the names that people give to instances."""

from __future__ import annotations

import nh3

from polyvalent.errors import BadRequest

LONGEST_NAME = 255


def clean_name(text: str) -> str:
    """
    Strip markup and scripts from a name: '<a href="#">shop</a>' → "shop".

    Raises BadRequest if nothing is left or the name is longer than 255 characters.
    """
    # The cleaner escapes a bare "&"; in a name, which is text and not markup, it stays as written.
    cleaned = nh3.clean(text, tags=set()).replace("&amp;", "&").replace("\x00", "").strip()
    if not cleaned:
        raise BadRequest(
            "The instance's name is empty. Give `name` at least one visible character."
        )
    if len(cleaned) > LONGEST_NAME:
        raise BadRequest(
            f"The instance's name has {len(cleaned)} characters; {LONGEST_NAME} are the most."
        )
    return cleaned
