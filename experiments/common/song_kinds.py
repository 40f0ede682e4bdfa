"""Kinds of songs by title and package; nobody listened.

Packages whose songs are of many kinds are labelled by title where a title says it, else left out. "classical" is
all orchestral and acoustic music, folk included: kinds that only one large package has (folk, pop) can't be told
from that package's sound, and nothing could be measured on other packages.
"""

from fnmatch import fnmatch

LABELS: tuple[tuple[str, str, str], ...] = (
    ("0ad-data", "*", "classical"),
    ("flare-game", "*", "classical"),
    ("megaglest-data", "*", "classical"),
    ("lordsawar-data", "*", "classical"),
    ("renpy-demo", "sunflower-slow-drag", "classical"),  # a ragtime by Joplin, on a piano
    ("berusky2-data", "Piano*", "classical"),
    ("naev-data", "pirates_orchestra", "classical"),
    ("naev-data", "ambi*", "electronic"),
    ("naev-data", "automat", "electronic"),
    ("naev-data", "machina", "electronic"),
    ("naev-data", "cosmostation", "electronic"),
    ("naev-data", "terminal", "electronic"),
    ("naev-data", "collective*", "electronic"),
    ("naev-data", "heartofmachine", "electronic"),
    ("naev-data", "empire*", "classical"),
    ("singularity-music", "*", "electronic"),
    ("noiz2sa-data", "*", "electronic"),
    ("colobot-common-sounds", "*", "electronic"),
    ("pax-britannica-data", "*", "electronic"),
    ("berusky2-data", "Trip*", "electronic"),
    ("berusky2-data", "Space*", "electronic"),
    ("redeclipse-data", "*", "electronic"),
    ("ufoai-music", "Marine*", "rock"),
    ("ufoai-music", "van_*", "electronic"),
    ("ufoai-music", "Crystan-*", "electronic"),
    ("ufoai-music", "Psymong*", "electronic"),
    ("fretsonfire-songs-muldjord", "*", "rock"),
    ("supertuxkart-data", "Battle_Theme_1", "rock"),
    ("supertuxkart-data", "kart_grand_prix", "rock"),
    ("hex-a-hop-data", "*", "electronic"),
    ("wesnoth-1.16-music", "*", "classical"),
    ("nexuiz-music", "*", "electronic"),
    ("davegnukem-data", "*Techno*", "electronic"),
    ("davegnukem-data", "8-Bit*", "electronic"),
    ("trackballs-data", "c64revival", "electronic"),
    ("pushover-data", "electro", "electronic"),
    ("warmux-data", "Olivier_Militon.-.Like_a_rock", "rock"),
    ("warmux-data", "Divertissement_pour_flute", "classical"),
    ("hedgewars-data", "Rock", "rock"),
    ("hedgewars-data", "hell", "rock"),
)


def label_of(package: str, name: str) -> str:
    """The kind that the first matching row gives; empty for none."""
    return next((kind for p, n, kind in LABELS if p == package and fnmatch(name, n)), "")
