"""The local web page: songs, decisions, live preview, masters; everything stays on this computer."""
