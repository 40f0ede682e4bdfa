"""The table that ships: sixteen words with shapes of one size, refusals with numbers, nothing raw."""

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import yaml

from neural_mastering.dsp.ltas import third_octave_centres_hz
from neural_mastering.dsp.third_octaves import CENTRES_HZ
from neural_mastering.errors import InputError
from neural_mastering.metering import profile
from neural_mastering.words import compressor_presets, read_table, word_table
from neural_mastering.words.derive import to_text
from neural_mastering.words.listing import markdown, plain_text
from neural_mastering.words.shape import HEARD, correlation, rms_db
from neural_mastering.words.table import from_text

WORDS = {
    *("warm", "bright", "airy", "thin", "loud", "heavy", "smooth", "clear"),
    *("hard", "crisp", "dark", "mellow", "sharp", "tinny", "deep", "light"),
}
REFUSED = (
    "cold",
    "cool",
    "happy",
    "harsh",
    "beautiful",
    "gentle",
    "full",
    "aggressive",
    "soft",
    "muddy",
    "boomy",
)
TEXT = files("neural_mastering.assets").joinpath("words.yaml").read_text(encoding="utf-8")


def test_the_words_and_their_evidence() -> None:
    table = word_table()
    assert set(table.words) == WORDS
    for word in table.words.values():
        assert word.evidence.n >= 6 and word.evidence.agreement >= 0.2 and word.evidence.reliability >= 0.7
        assert (word.tier == "low") == (word.evidence.n < 8)
        people = word.evidence.users or word.evidence.n
        r = word.evidence.agreement
        assert word.evidence.reliability == pytest.approx(people * r / (1 + (people - 1) * r), abs=0.002)
        assert table.sources[word.evidence.source].citation


def test_strength_one_is_one_size() -> None:
    for word in word_table().words.values():
        assert rms_db(word.shape_db) == pytest.approx(1.5, abs=0.002)
        assert word.shape_db[HEARD].mean() == pytest.approx(0.0, abs=0.002)
        assert np.all(word.shape_db[~HEARD] == word.shape_db[HEARD][0]) and np.abs(word.shape_db).max() < 3.5


def test_shapes_mean_what_the_words_say() -> None:
    """Directions that nobody would dispute, from the frequencies alone."""
    shapes = {name: word.shape_db for name, word in word_table().words.items()}
    low, high = (HEARD & (CENTRES_HZ < 400.0)), (CENTRES_HZ > 2_000.0) & (CENTRES_HZ < 9_000.0)
    for name in ("warm", "dark", "deep", "smooth", "mellow", "heavy"):
        assert shapes[name][low].mean() > 0.5 > -0.3 > shapes[name][high].mean(), name
    for name in ("bright", "crisp", "sharp", "tinny", "thin", "light", "airy"):
        assert shapes[name][low].mean() < -0.5 < 0.5 < shapes[name][high].mean(), name


def test_opposites_and_neighbours_are_those_of_the_curves() -> None:
    table = word_table()
    for name, word in table.words.items():
        if word.antonym is not None:
            other, value = word.antonym
            assert value <= -0.75
            assert correlation(word.shape_db, table.words[other].shape_db) == pytest.approx(value, abs=0.006)
        near = {
            other: correlation(word.shape_db, table.words[other].shape_db) for other in WORDS if other != name
        }
        assert {other for other, _ in word.neighbours} <= {o for o, value in near.items() if value > 0.89}
        assert {o for o, value in near.items() if value > 0.91} <= {other for other, _ in word.neighbours}
    assert word_table().words["warm"].antonym == ("bright", pytest.approx(-0.79, abs=0.01))


def test_refusals_name_supported_words() -> None:
    table = word_table()
    for name in REFUSED:
        assert name in table.refused and name not in table.words
    for entry in table.refused.values():
        assert len(entry.nearest) == 3 and all(word in table.words for word, _ in entry.nearest)
        weak = (
            entry.evidence.n < 6
            or entry.evidence.agreement < 0.2
            or entry.evidence.reliability < 0.7
            or entry.reason in ("mood", "fault")
        )
        assert weak, entry


def test_one_grid_of_third_octaves() -> None:
    np.testing.assert_allclose(CENTRES_HZ, profile.CENTRES_HZ)
    np.testing.assert_allclose(CENTRES_HZ, third_octave_centres_hz().double().numpy(), rtol=1e-6)


def test_the_file_holds_curves_and_no_rows() -> None:
    tree = yaml.safe_load(TEXT)
    assert set(tree) == {"centres_hz", "sources", "words", "refused"} and len(TEXT) < 20_000
    for entry in tree["words"].values():
        assert all(not isinstance(value, list) or len(value) == 29 for value in entry.values())


def test_text_and_table_are_inverse(tmp_path: Path) -> None:
    assert to_text(word_table()) == TEXT
    path = tmp_path / "own.yaml"
    path.write_text(TEXT, encoding="utf-8")
    assert to_text(read_table(path)) == TEXT


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("tier: supported", "tier: certain", "tier"),
        ("source: safe_mixes", "source: hearsay", "unknown source"),
        ("shape_db: [", "shape_db: [9.0, ", "shape_db"),
        ("reason: few", "reason: taste", "reason"),
        ("    agreement: 0.218\n", "", "agreement"),
        ("centres_hz: [25.12", "centres_hz: [20.0", "centres_hz"),
        ("words:", "words: [", "no table of words"),
    ],
)
def test_broken_tables_are_explained(old: str, new: str, message: str) -> None:
    assert old in TEXT
    with pytest.raises(InputError, match=message):
        from_text(TEXT.replace(old, new, 1), "mine.yaml")


def test_a_shape_of_another_size_is_refused() -> None:
    tree = yaml.safe_load(TEXT)
    tree["words"]["warm"]["shape_db"] = [2.0 * v for v in tree["words"]["warm"]["shape_db"]]
    with pytest.raises(InputError, match="warm: shape_db"):
        from_text(yaml.safe_dump(tree), "mine.yaml")


def test_listings_show_all_words_with_their_numbers() -> None:
    for text in (plain_text(), markdown()):
        for name, word in word_table().words.items():
            assert name in text and f"{word.evidence.agreement:.2f}" in text
        assert "punchy" in text and "compressor.smooth" in text and "glue" in text and "low evidence" in text
        assert all(name in text for name in word_table().refused)


def test_the_page_shows_the_tables_that_the_command_prints() -> None:
    page = (Path(__file__).parents[2] / "docs" / "words.md").read_text(encoding="utf-8")
    assert page.split("<!-- words:begin -->")[1].split("<!-- words:end -->")[0].strip() == markdown()


def test_presets_are_gentle_and_complete() -> None:
    from neural_mastering.processors import Compressor

    specs = Compressor().specs
    presets = compressor_presets()
    assert {name: preset.n for name, preset in presets.items()} == {"punchy": 20, "smooth": 9, "glue": 3}
    for preset in presets.values():
        stage = preset.stage(0.5, -14.0)
        assert set(stage) == {*specs, "sidechain_hz", "link_max", "input_lufs"} and stage["mix"] == 0.5
        for key, control in specs.items():
            assert isinstance(control.low, float) and isinstance(control.high, float)
            assert control.low <= stage[key] <= control.high, key
        assert stage["ratio"] <= 2.0
