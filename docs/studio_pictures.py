"""Photograph the studio's page for README and docs/studio.md: desktop and phone, dark and light.

Run it from the repository's root as `python -m docs.studio_pictures`; it needs Chromium. The songs are the bundled
ones; everything is done as a person would do it.
"""

import argparse
import io
import json
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from tests.studio.support.nm_test_studio import Studio
from tests.support.nm_test_browser import Browser, find_chromium

IMAGES = Path(__file__).parent / "images"
PACKAGE = Path(__file__).parents[1] / "neural_mastering"
DEMO = PACKAGE / "assets" / "demo"
TOKENS = PACKAGE / "studio" / "static" / "css" / "tokens.css"
SONGS = ("s6_cinematic.ogg", "s2_dnb.ogg", "s5_house.ogg")
DESKTOP, PHONE = (1440, 900), (390, 844)
DRAWN = "studio.store.session?.decided?.corridor && !studio.store.deciding && studio.store.sections"


def main() -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--to", type=Path, default=IMAGES, help="folder for the pictures")
    folder = parser.parse_args().to
    with tempfile.TemporaryDirectory() as name:
        songs = [str(shutil.copy(DEMO / song, Path(name) / f"{song[3:-4].title()}.ogg")) for song in SONGS]
        with Studio(Path(name) / "project", *songs) as studio, _tab(Path(name) / "profile") as tab:
            _set_up(studio, tab)
            for shot in (_desktop, _phone, _proposals, _chain):
                for path in shot(tab, folder):
                    print(f"wrote {path} ({path.stat().st_size / 1000:.0f} kB)")
            tab.call("Page.navigate", url="about:blank")


@contextmanager
def _tab(profile: Path) -> Iterator[Browser]:
    program = find_chromium()
    if program is None:
        raise SystemExit("no Chromium: install one, or name it in CHROMIUM")
    tab = Browser(program, profile)
    try:
        yield tab
    finally:
        tab.close()


def _set_up(studio: Studio, tab: Browser) -> None:
    """A song that has been worked on a little."""
    _look(tab, DESKTOP, dark=True)
    tab.call("Page.navigate", url=studio.url)
    tab.wait_for("globalThis.studio && !document.body.classList.contains('starting')")
    tab.wait_for(DRAWN, 90.0)
    tab.run("studio.store.editSettings((s) => { s.intensity = 'strong'; s.words = { warm: 0.4 }; })")
    time.sleep(0.3)
    tab.wait_for(DRAWN, 60.0)
    tab.run(
        "studio.store.editControls(({ eq }) => eq.push({ kind: 'peak', frequency_hz: 600, gain_db: -1.8, q: 1.4 }))"
    )
    tab.run("studio.store.selectBand(studio.store.session.used.eq.length - 1)")
    tab.run("studio.sound.seek(3.4)")
    tab.run("studio.sound.setLoop([2.5, 7.5])")
    tab.wait_for("[...studio.store.songs.values()].every((song) => song.readings)", 60.0)


def _desktop(tab: Browser, folder: Path) -> Iterator[Path]:
    for dark in (True, False):
        _look(tab, DESKTOP, dark)
        yield _shot(tab, folder / f"studio_{'dark' if dark else 'light'}.png")


def _phone(tab: Browser, folder: Path) -> Iterator[Path]:
    """Three screens of a phone side by side."""
    pictures = []
    for dark, place in ((True, "#head"), (True, "#eq"), (False, "#sound")):
        _look(tab, PHONE, dark)
        tab.run(f"document.querySelector({json.dumps(place)}).scrollIntoView()")
        pictures.append(_picture(tab))
    gap = 24
    sheet = Image.new("RGB", (3 * PHONE[0] + 2 * gap, PHONE[1]), "#8a8f98")
    for i, picture in enumerate(pictures):
        sheet.paste(picture, (i * (PHONE[0] + gap), 0))
    yield _saved(sheet, folder / "studio_phone.png")
    tab.run("scrollTo(0, 0)")


def _proposals(tab: Browser, folder: Path) -> Iterator[Path]:
    _look(tab, (1100, 560), dark=True)
    tab.run("document.querySelector('#sound .panel-tools button').click()")
    tab.wait_for("document.querySelectorAll('.proposal').length === 3", 60.0)
    yield _shot(tab, folder / "studio_proposals.png")
    tab.run("document.querySelector('dialog').close()")


def _chain(tab: Browser, folder: Path) -> Iterator[Path]:
    """The chain with a compressor in the exact loop, and a master that was made."""
    _look(tab, (1440, 1000), dark=True)
    for stage in ("compressor", "stereo"):
        tab.run(
            "(() => { const list = document.querySelector('#stages select');"
            f"list.value = '{stage}'; list.dispatchEvent(new Event('change')); }})()"
        )
    tab.run(
        "studio.store.editControls(({ stages }) => {"
        "Object.assign(stages.compressor, { mix: 0.7, threshold_db: -7, ratio: 2.2, attack_ms: 20 });"
        "stages.stereo.width = 1.15; })"
    )
    tab.run("studio.sound.setExact(true)")
    tab.wait_for("studio.sound.meters?.compressor", 60.0)
    tab.run("document.querySelector('#render').click()")
    tab.wait_for("!document.querySelector('.result').hidden", 180.0)
    tab.run("document.querySelectorAll('#stages details')[0].open = true")
    tab.run("document.activeElement.blur()")
    tab.run("document.querySelector('#stages').scrollIntoView()")
    yield _shot(tab, folder / "studio_chain.png")


def _look(tab: Browser, size: tuple[int, int], dark: bool) -> None:
    tab.size(*size)
    feature = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    tab.call("Emulation.setEmulatedMedia", features=[feature])


def _picture(tab: Browser) -> Image.Image:
    time.sleep(0.6)  # two frames, and fonts
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "shot.png"
        tab.picture(file)
        return Image.open(io.BytesIO(file.read_bytes())).convert("RGB")


def _shot(tab: Browser, path: Path) -> Path:
    return _saved(_picture(tab), path)


def _saved(picture: Image.Image, path: Path) -> Path:
    """A PNG of 256 colours, so that the repository stays small: those of the page, and the commonest others."""
    path.parent.mkdir(parents=True, exist_ok=True)
    own = [
        int(code[i : i + 2], 16) for code in re.findall(r"#(\w{6})", TOKENS.read_text()) for i in (0, 2, 4)
    ]
    common = picture.quantize(256 - len(own) // 3, dither=Image.Dither.NONE, kmeans=3).getpalette() or []
    palette = Image.new("P", (1, 1))
    palette.putpalette(own + common[: 3 * 256 - len(own)])
    picture.quantize(palette=palette, dither=Image.Dither.NONE).save(path, optimize=True)
    return path


if __name__ == "__main__":
    main()
