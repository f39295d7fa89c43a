"""Charts: where bars and lines stand."""

from __future__ import annotations

import pytest

from badges_plugin.web.desk.charts import HEIGHT, MOST_LABELS, WIDTH, Series, draw, step_of
from badges_plugin.web.desk.steps import percent


@pytest.mark.parametrize(
    ("up", "down", "step"),
    [
        (0, 0, 1),  # an axis, even if nothing was awarded
        (1, 0, 1),
        (4, 0, 1),
        (5, 0, 2),
        (8, 0, 2),
        (58, 3, 20),
        (3, 58, 20),  # more was lost
        (1_000_000, 0, 500_000),
        (1_000_001, 0, 500_000),
        (2_000_001, 0, 1_000_000),
    ],
)
def test_lines_stand_at_round_numbers_and_are_few(up: int, down: int, step: int) -> None:
    assert step_of(up, down) == step
    assert max(up, down) <= 4 * step


def test_bars_stand_on_the_line_or_hang_from_it_in_one_scale() -> None:
    chart = draw(["a", "b"], [Series("s1", [10, 20]), Series("s2", [5, 0]), Series("s3", [0, 10], hangs=True)])
    zero = next(tick.y for tick in chart.ticks if tick.value == 0)
    heights = {(bar.name, bar.height) for bar in chart.bars}
    first, second, accepted, lost = (bar for bar in chart.bars)
    assert len(heights) == 4
    assert second.height == pytest.approx(2 * first.height, abs=0.2)
    assert accepted.height == pytest.approx(first.height / 2, abs=0.2)
    assert lost.height == pytest.approx(first.height, abs=0.2)
    assert [round(bar.y + bar.height - zero, 1) for bar in (first, second, accepted)] == pytest.approx(
        [0, 0, 0], abs=0.2
    )
    assert lost.y == pytest.approx(zero, abs=0.2)
    # Side by side, in their own half.
    assert first.x < accepted.x < WIDTH / 2 < second.x
    assert accepted.x >= first.x + first.width


@pytest.mark.parametrize("number", [1, 8, 52, 60])
@pytest.mark.parametrize("values", [(0, 0), (1, 1_000_000), (1_000_000, 1)])
def test_everything_is_inside_the_picture(number: int, values: tuple[int, int]) -> None:
    up, down = values
    chart = draw(
        [str(each) for each in range(number)], [Series("s1", [up] * number), Series("s3", [down] * number, True)]
    )
    assert chart.is_empty == (values == (0, 0))
    assert len(chart.labels) <= MOST_LABELS
    assert chart.labels[0].text == "0"
    for bar in chart.bars:
        assert bar.height > 1, "whatever was counted can be seen"
        assert 0 < bar.x < bar.x + bar.width < WIDTH
        assert 0 < bar.y < bar.y + bar.height < HEIGHT
    assert all(0 < tick.y < HEIGHT - 20 for tick in chart.ticks)
    assert len(chart.ticks) <= 9


def test_labels_have_room_where_the_chart_is_small() -> None:
    texts = [label.text for label in draw(["ديسمبر 29"] * 8, [Series("s1", [1] * 8)]).labels]
    assert len(texts) == 4
    assert len(draw(["Apr 26"] * 8, [Series("s1", [1] * 8)]).labels) == 8
    assert len(draw(["A very long name of a week"], [Series("s1", [1])]).labels) == 1


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [(0, 0, 0), (0, 5, 0), (1, 1000, 1), (999, 1000, 99), (1000, 1000, 100), (157, 196, 80), (1, 2, 50), (1, 3, 34)],
)
def test_a_share_is_whole_or_nothing_only_where_it_is(part: int, whole: int, expected: int) -> None:
    assert percent(part, whole) == expected
