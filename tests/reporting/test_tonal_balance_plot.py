"""The tonal-balance picture draws what it is given."""

import io

import numpy as np

from neural_mastering.reporting.tonal_balance_plot import QUARTILE_SIGMA, TENTH_SIGMA, tonal_balance

AT_HZ = np.geomspace(25.0, 16_000.0, 29)


def test_corridors_hold_the_shares_that_they_are_named_after() -> None:
    songs = np.random.default_rng(0).standard_normal(100_000)
    assert abs(np.mean(np.abs(songs) < QUARTILE_SIGMA) - 0.5) < 0.01
    assert abs(np.mean(np.abs(songs) < TENTH_SIGMA) - 0.8) < 0.01


def test_song_corridors_and_regions_are_drawn_and_gaps_stay_gaps() -> None:
    usual = -0.5 * np.arange(29.0)
    song = usual + 3.0
    song[-2:] = np.nan
    figure = tonal_balance(
        AT_HZ, usual, np.full(29, 4.0), song, "my $ong$", "rock $ongs", [("sub", 30.0, 60.0)]
    )
    axes = figure.axes[0]
    assert axes.get_title(loc="left") == r"my \$ong\$ among rock \$ongs"
    lines = {line.get_label(): np.asarray(line.get_ydata()) for line in axes.lines}
    np.testing.assert_array_equal(lines[r"my \$ong\$"], song)
    corridor = np.asarray(axes.collections[0].get_paths()[0].vertices)
    assert np.isclose(corridor[:, 1].max(), (usual + TENTH_SIGMA * 4.0).max())
    assert [text.get_text() for text in axes.texts] == ["sub"]
    low, high = axes.get_ylim()
    assert low < np.nanmin(song) and high > np.nanmax(song)


def test_it_is_drawn_where_nothing_is_known() -> None:
    nothing = np.full(29, np.nan)
    drawn = io.BytesIO()
    tonal_balance(AT_HZ, nothing, nothing, nothing, "silence", "x").savefig(drawn, format="png")
    assert drawn.getvalue().startswith(b"\x89PNG")
