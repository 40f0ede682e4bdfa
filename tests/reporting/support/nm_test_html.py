"""A strict reading of a page: every element closed, and what each one holds."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "input", "img", "br", "hr"}


@dataclass
class Element:
    name: str
    attributes: dict[str, str | None]
    # not in the representation: a failed assertion would print the whole page
    children: list["Element"] = field(default_factory=list, repr=False)
    pieces: list["str | Element"] = field(default_factory=list, repr=False)

    @property
    def text(self) -> str:
        return "".join(p if isinstance(p, str) else p.text for p in self.pieces)

    @property
    def classes(self) -> list[str]:
        return (self.attributes.get("class") or "").split()

    def all(self, name: str | None = None, class_: str | None = None) -> list["Element"]:
        """Descendants of this name and class, in order."""
        found = []
        for child in self.children:
            if (name is None or child.name == name) and (class_ is None or class_ in child.classes):
                found.append(child)
            found += child.all(name, class_)
        return found

    def one(self, name: str | None = None, class_: str | None = None) -> "Element":
        found = self.all(name, class_)
        assert len(found) == 1, f"{len(found)} elements {name} .{class_}"
        return found[0]

    def by_id(self, id_: str) -> "Element":
        found = [e for e in self.all() if e.attributes.get("id") == id_]
        assert len(found) == 1, f"{len(found)} elements with id {id_}"
        return found[0]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("root", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> has an attribute twice: {names}"
        element = Element(tag, dict(attrs))
        self.open[-1].children.append(element)
        self.open[-1].pieces.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].name == tag, f"</{tag}> closes <{self.open[-1].name}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].pieces.append(data)


def read(text: str) -> Element:
    """The page as a tree; fails where an element is left open, closed twice or has an attribute twice."""
    assert text.startswith("<!doctype html>\n")
    reader = _Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == [reader.root], f"left open: {[e.name for e in reader.open[1:]]}"
    ids = [e.attributes["id"] for e in reader.root.all() if "id" in e.attributes]
    assert len(ids) == len(set(ids)), f"ids twice: {ids}"
    return reader.root


def loads(page: Element) -> list[str]:
    """All that a browser would fetch or follow from this page, but for data and places in the page itself."""
    found = []
    for element in page.all():
        for name in ("src", "href", "srcset", "data", "action", "poster", "background", "formaction"):
            value = element.attributes.get(name) or ""
            if value and not value.startswith(("data:", "#")):
                found.append(f"{element.name} {name}={value[:60]}")
        assert element.name not in ("link", "iframe", "object", "embed", "base"), element.name
        assert not any(name.startswith("on") for name in element.attributes), element.attributes
        css = element.text if element.name == "style" else element.attributes.get("style") or ""
        if "url(" in css or "@import" in css:
            found.append(f"{element.name} css {css[:60]}")
    return found
