"""Contents are kept only where that is turned on, readable by their owner alone, and never too long."""

from __future__ import annotations

from pathlib import Path

import pytest

from auzolan.core.record.canonical import read_json
from auzolan.core.record.errors import MalformedError, StorageError, UsageError
from auzolan.run.answers.contents import DAY_S, HOUR_S, Contents
from tests.run.answers.world import ANSWER, MESSAGES, NOW, digest

ID, OTHER = digest("answer"), digest("other answer")


def test_what_is_kept_is_found_until_its_time(tmp_path: Path) -> None:
    contents = Contents(tmp_path / "contents", 30, 2)
    contents.keep(ID, MESSAGES, ANSWER, NOW)

    found = contents.find(ID, NOW + 2 * DAY_S - HOUR_S)

    assert found
    assert {"messages": MESSAGES, "answer": ANSWER} == read_json(found)
    assert contents.find(OTHER, NOW) is None
    assert contents.find(ID, NOW + 2 * DAY_S) is None  # also before anybody has removed it


@pytest.mark.parametrize("second", [0, 1, HOUR_S - 1, HOUR_S, 12_345])
def test_nothing_outlives_its_time_and_little_goes_early(tmp_path: Path, second: int) -> None:
    contents = Contents(tmp_path / "contents", 1, 1)
    start = NOW // HOUR_S * HOUR_S
    contents.keep(ID, MESSAGES, ANSWER, start + second)

    early = contents.expire(start + second + DAY_S - HOUR_S)
    late = contents.expire(start + second + DAY_S)

    assert (0, 1) == (early, late)
    assert [] == list((tmp_path / "contents").iterdir())


def test_expiry_leaves_what_is_younger(tmp_path: Path) -> None:
    contents = Contents(tmp_path / "contents", 1, 1)
    contents.keep(ID, MESSAGES, ANSWER, NOW)
    contents.keep(OTHER, MESSAGES, ANSWER, NOW + DAY_S // 2)

    assert 1 == contents.expire(NOW + DAY_S)
    assert contents.find(OTHER, NOW + DAY_S)


def test_a_shorter_time_counts_for_what_was_kept_before(tmp_path: Path) -> None:
    Contents(tmp_path / "contents", 30, 30).keep(ID, MESSAGES, ANSWER, NOW)

    assert 1 == Contents(tmp_path / "contents", 30, 1).expire(NOW + DAY_S)


def test_nothing_is_kept_where_it_is_not_turned_on(tmp_path: Path) -> None:
    contents = Contents(tmp_path / "contents", 30, 0)
    contents.keep(ID, MESSAGES, ANSWER, NOW)

    assert not (tmp_path / "contents").exists()
    assert not contents.kept
    assert 0 == contents.expire(NOW)


def test_what_an_earlier_setting_kept_goes_when_it_is_turned_off(tmp_path: Path) -> None:
    Contents(tmp_path / "contents", 30, 30).keep(ID, MESSAGES, ANSWER, NOW)
    contents = Contents(tmp_path / "contents", 0, 0)

    assert contents.find(ID, NOW) is None
    assert 1 == contents.expire(NOW)
    assert [] == list((tmp_path / "contents").iterdir())


@pytest.mark.parametrize(("allowed", "days"), [(0, 1), (7, 8), (7, -1)])
def test_an_operator_cannot_keep_longer_than_the_service_allows(tmp_path: Path, allowed: int, days: int) -> None:
    with pytest.raises(UsageError):
        Contents(tmp_path, allowed, days)


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    Contents(tmp_path / "contents", 1, 1).keep(ID, MESSAGES, ANSWER, NOW)
    places = [tmp_path / "contents", *(tmp_path / "contents").rglob("*")]

    assert [0o700, 0o700, 0o600] == [place.stat().st_mode & 0o777 for place in places]


def test_a_name_cannot_lead_elsewhere(tmp_path: Path) -> None:
    contents = Contents(tmp_path / "contents", 1, 1)
    with pytest.raises(MalformedError):
        contents.keep("../../escaped", MESSAGES, ANSWER, NOW)
    with pytest.raises(MalformedError):
        contents.find("../../escaped", NOW)


def test_links_are_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "000000000000").mkdir(parents=True)
    (elsewhere / "000000000000" / "letter").write_text("mine")
    (tmp_path / "contents").symlink_to(elsewhere)
    with pytest.raises(StorageError):
        Contents(tmp_path / "contents", 1, 1).expire(NOW)
    (tmp_path / "contents").unlink()
    (tmp_path / "contents").mkdir()
    (tmp_path / "contents" / "000000000000").symlink_to(elsewhere)

    assert 0 == Contents(tmp_path / "contents", 1, 1).expire(NOW)
    assert (elsewhere / "000000000000" / "letter").exists()


def test_a_second_answer_does_not_replace_the_first(tmp_path: Path) -> None:
    contents = Contents(tmp_path / "contents", 1, 1)
    contents.keep(ID, MESSAGES, ANSWER, NOW)
    with pytest.raises(StorageError):
        contents.keep(ID, MESSAGES, "another text", NOW)

    assert {"messages": MESSAGES, "answer": ANSWER} == read_json(contents.find(ID, NOW) or b"")


def test_other_files_in_the_folder_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "contents" / "notes").mkdir(parents=True)

    assert 0 == Contents(tmp_path / "contents", 0, 0).expire(NOW)
    assert (tmp_path / "contents" / "notes").is_dir()
