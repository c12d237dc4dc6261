"""Following what is to be served: new is brought once, refused is not tried again before it changes, away is waited for."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from small_models import a_candidate, a_model

from poc import layout
from poc.acts.admit import ByAlias, InFolder
from poc.acts.following import Follower, Found
from poc.errors import EnvironmentRefused, Refused


@dataclass
class Place:
    """Points at a folder, or at none."""

    folder: Path | None

    def find(self) -> Path:
        if self.folder is None:
            raise EnvironmentRefused("MLflow cannot be reached")
        return self.folder


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(a_candidate(tmp_path / "one"))


@pytest.fixture
def follower(place: Place, tmp_path: Path) -> Follower:
    begun = Follower({"holder": InFolder(find=place.find)}, tmp_path / "served", every_s=None)
    begun.first("holder")
    return begun


def looked(follower: Follower, *, is_asked: bool = False) -> list[Found]:
    follower.look("holder", is_asked=is_asked)
    return [follower.found.get() for _ in range(follower.found.qsize())]


def broken(folder: Path) -> Path:
    (a_candidate(folder) / layout.CANDIDATE_MODEL).write_bytes(a_model(bias=-3.0))
    return folder


def test_what_is_served_already_is_brought_again_only_when_asked_for(follower: Follower) -> None:
    assert looked(follower) == []
    assert [found.admitted is not None for found in looked(follower, is_asked=True)] == [True]


def test_what_is_new_is_brought_once(follower: Follower, place: Place, tmp_path: Path) -> None:
    place.folder = a_candidate(tmp_path / "two")
    (found,) = looked(follower)
    assert found.admitted is not None and found.admitted.place == str(tmp_path / "two")
    assert looked(follower) == []


def test_what_was_refused_is_not_tried_again_before_it_changes_and_leaves_nothing(follower: Follower, place: Place, tmp_path: Path) -> None:
    place.folder = broken(tmp_path / "two")
    assert [(found.admitted, found.outcome) for found in looked(follower)] == [(None, "refused")]
    assert looked(follower) == []
    assert [path.name for path in (tmp_path / "served").iterdir()] == ["holder-1"]
    place.folder = a_candidate(tmp_path / "three")
    assert len(looked(follower)) == 1


def test_who_is_away_is_told_of_once_and_serves_nothing_anew_when_back(follower: Follower, place: Place, tmp_path: Path) -> None:
    place.folder = None
    assert [(found.outcome, "cannot be reached" in found.why) for found in looked(follower)] == [("failed", True)]
    assert looked(follower) == []
    place.folder = tmp_path / "one"
    assert looked(follower) == []


def test_what_could_not_be_brought_for_now_is_tried_again(follower: Follower, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise OSError("the disk is full")

    place.folder = a_candidate(tmp_path / "two")
    with monkeypatch.context() as patch:
        patch.setattr("shutil.copyfile", away)
        assert [found.outcome for found in looked(follower)] == ["failed"]
    assert [found.outcome for found in looked(follower)] == [None]


def test_the_first_candidate_is_refused_as_an_error(tmp_path: Path) -> None:
    with pytest.raises(Refused) as caught:
        Follower({"holder": InFolder(find=lambda: broken(tmp_path / "bad"))}, tmp_path / "served", every_s=None).first("holder")
    assert caught.value.code == "digests_agree"


def a_started_follower(place: Place, tmp_path: Path, *, is_followed: bool) -> Follower:
    follower = Follower({"holder": InFolder(find=place.find, is_followed=is_followed)}, tmp_path / "served", every_s=0.05)
    follower.first("holder")
    follower.start()
    place.folder = a_candidate(tmp_path / "two")
    return follower


def test_what_is_promoted_is_followed_by_the_clock(place: Place, tmp_path: Path) -> None:
    admitted = a_started_follower(place, tmp_path, is_followed=True).found.get(timeout=10).admitted
    assert admitted is not None and admitted.place == str(tmp_path / "two")


def test_what_nobody_promoted_is_taken_up_only_when_asked_for(place: Place, tmp_path: Path) -> None:
    follower = a_started_follower(place, tmp_path, is_followed=False)
    time.sleep(0.3)  # six turns of the clock
    assert follower.found.empty()
    follower.look_now()
    admitted = follower.found.get(timeout=10).admitted
    assert admitted is not None and admitted.place == str(tmp_path / "two")


def test_of_all_sources_only_an_alias_is_followed(place: Place) -> None:
    assert (InFolder(find=place.find).is_followed, ByAlias(project="p", alias="a").is_followed) == (False, True)
