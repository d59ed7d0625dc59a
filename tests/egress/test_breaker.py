"""A place that fails all the time is left alone, and found again when it answers."""

import pytest

from polyvalent.egress.breaker import Breaker, place_of
from polyvalent.errors import VendorBusy

PLACE = "shop.example"


class Clock:
    def __init__(self):
        self.now_s = 100.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def breaker(clock):
    return Breaker(failures_max=3, rest_s=15, clock=clock)


def attempt(breaker, *, failed, place=PLACE):
    with breaker.calling(place) as note:
        note(failed)


def rest(breaker, place=PLACE):
    for _ in range(3):
        attempt(breaker, failed=True, place=place)


def test_it_lets_calls_through_until_enough_failed_in_a_row(breaker):
    for failed in (True, True, False, True, True, False):
        attempt(breaker, failed=failed)

    rest(breaker)

    with pytest.raises(VendorBusy, match="failed 3 times in a row") as caught:
        attempt(breaker, failed=False)
    assert caught.value.status == 503
    assert caught.value.headers == (("Retry-After", "15"),)


def test_it_leaves_other_places_alone(breaker):
    rest(breaker)

    attempt(breaker, failed=False, place="other.example")


def test_it_lets_nobody_make_a_place_rest_for_others(breaker):
    for _ in range(3):
        with breaker.calling(PLACE, whose=7) as note:
            note(True)

    with pytest.raises(VendorBusy), breaker.calling(PLACE, whose=7):
        pass
    with breaker.calling(PLACE, whose=8) as note:
        note(False)
    with pytest.raises(VendorBusy), breaker.calling(PLACE, whose=7):
        pass


def test_it_lets_one_call_through_after_the_rest(breaker, clock):
    rest(breaker)
    clock.now_s += 15

    with breaker.calling(PLACE) as note:
        with pytest.raises(VendorBusy):
            attempt(breaker, failed=False)
        note(False)

    attempt(breaker, failed=False)


def test_it_rests_again_when_that_call_fails(breaker, clock):
    rest(breaker)
    clock.now_s += 16
    attempt(breaker, failed=True)
    clock.now_s += 14

    with pytest.raises(VendorBusy) as caught:
        attempt(breaker, failed=False)

    assert caught.value.headers == (("Retry-After", "2"),)
    clock.now_s += 1
    attempt(breaker, failed=False)


def test_it_probes_anew_when_the_probe_was_given_up(breaker, clock):
    rest(breaker)
    clock.now_s += 15

    with pytest.raises(KeyboardInterrupt), breaker.calling(PLACE):
        raise KeyboardInterrupt

    attempt(breaker, failed=False)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://Shop.example/api/rest?x=1", "shop.example"),
        ("https://shop.example:443/", "shop.example"),
        ("http://shop.example/", "shop.example:80"),
        ("http://shop.example:80/", "shop.example:80"),
        ("http://127.0.0.1:8080/api", "127.0.0.1:8080"),
        ("http://[::1]/", "[::1]:80"),
        ("https://[::1]/", "[::1]"),
        ("http://[/", ""),
        ("http://user:pw@Shop.example:81?x", "shop.example:81"),
        ("http://a@b@shop.example#top", "shop.example:80"),
        ("https://" + "@" * 50_000, ""),
        ("shop.example/api", ""),
    ],
)
def test_it_knows_the_place_of_an_address(url, place):
    assert place_of(url) == place


def unblamed(breaker, *, failed):
    with breaker.calling(PLACE, blames=False) as note:
        note(failed)


def test_it_holds_nothing_against_a_place_that_anybody_could_cause(breaker):
    for _ in range(9):
        unblamed(breaker, failed=True)
    assert breaker.count() == {"failing": 0, "resting": 0}

    rest(breaker)
    with pytest.raises(VendorBusy):
        unblamed(breaker, failed=False)


def test_it_lets_nobody_probe_whom_it_does_not_believe(breaker, clock):
    rest(breaker)
    clock.now_s += 15

    # Such a call may take as long as its caller likes: the probe goes past it.
    with breaker.calling(PLACE, blames=False) as note:
        note(False)
        assert breaker.count() == {"failing": 0, "resting": 1}
        with breaker.calling(PLACE), pytest.raises(VendorBusy):
            unblamed(breaker, failed=False)
        attempt(breaker, failed=False)
    assert breaker.count() == {"failing": 0, "resting": 0}
