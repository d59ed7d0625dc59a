"""What was made of things is found again by the things themselves, not by what they are like."""

from polyvalent.hub.same import by_identity


class Maker:
    def __init__(self, *, kept=8):
        self.made = []
        self.find = by_identity(kept=kept)(self.make)

    def make(self, *things, **named):
        self.made.append((things, named))
        return len(self.made)


def test_it_makes_once_for_one_thing():
    maker, thing = Maker(), ["a"]

    assert maker.find(thing) == maker.find(thing) == 1
    assert len(maker.made) == 1


def test_it_makes_anew_for_an_equal_thing():
    maker = Maker()

    assert [maker.find(thing) for thing in (["a"], ["a"])] == [1, 2]


def test_it_compares_named_arguments_by_value():
    maker, thing = Maker(), ["a"]
    where = b"qty > 5".decode()

    assert maker.find(thing, where=where) == maker.find(thing, where="qty > 5")
    assert maker.find(thing, where="qty > 6") == 2


def test_it_tells_the_places_of_things_apart():
    maker, one, other = Maker(), ["a"], ["b"]

    assert maker.find(one, other) != maker.find(other, one)


def test_it_does_not_mistake_a_new_thing_for_one_that_is_gone():
    maker = Maker()

    found = [maker.find(["short-lived", number]) for number in range(8)]

    assert found == list(range(1, 9))


def test_it_forgets_what_was_made_first():
    maker, things = Maker(kept=2), [["a"], ["b"], ["c"]]

    for thing in things:
        maker.find(thing)

    assert [maker.find(thing) for thing in reversed(things)] == [3, 2, 4]


def test_it_keeps_no_errors():
    asked = []

    @by_identity(kept=4)
    def refuse(thing):
        asked.append(thing)
        raise ValueError

    thing = object()
    for _ in range(2):
        try:
            refuse(thing)
        except ValueError:
            continue

    assert len(asked) == 2
