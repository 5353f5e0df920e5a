"""The search for garbage in cycles is off while it is asked for, and as before afterwards."""

from __future__ import annotations

import gc

import pytest

from vocwatch.collecting import no_collecting


def test_it_is_off_until_the_last_has_ended() -> None:
    assert gc.isenabled()
    with no_collecting():
        with pytest.raises(ValueError, match="x"), no_collecting():
            raise ValueError("x")
        assert not gc.isenabled()
    assert gc.isenabled()


def test_who_had_it_off_keeps_it_off() -> None:
    gc.disable()
    try:
        with no_collecting():
            assert not gc.isenabled()
        assert not gc.isenabled()
    finally:
        gc.enable()
