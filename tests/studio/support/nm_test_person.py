"""Somebody at the studio's page: a mouse, a keyboard and eyes in headless Chromium."""

import json
import time
from pathlib import Path
from typing import Any

from nm_test_browser import Browser

from neural_mastering.controls import controls_of
from neural_mastering.studio.sections import sections_of

KEYS = {"Tab": 9, "Enter": 13, "Escape": 27, " ": 32, "PageUp": 33, "PageDown": 34, "End": 35, "Home": 36}
KEYS |= {"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Delete": 46, "Backspace": 8}
ALT, CTRL, SHIFT = 1, 2, 8

_NAME = "((node) => node.getAttribute('aria-label') || (node.labels?.[0]?.innerText ?? '') || node.innerText || '')"


class Person:
    """What somebody does to a page in a tab."""

    def __init__(self, tab: Browser) -> None:
        self.tab = tab

    def open(
        self, url: str, width: int = 1440, height: int = 900, dark: bool = True, calm: bool = False
    ) -> None:
        """Go to an address; forgets what the page before complained about."""
        self.tab.size(width, height)
        self.look(dark, calm)
        self.tab.call("Page.navigate", url="about:blank")
        self.tab.events.clear()
        self.tab.call("Page.navigate", url=url)
        self.until("globalThis.studio && !document.body.classList.contains('starting')", 30.0)

    def look(self, dark: bool, calm: bool = False) -> None:
        """What the system says of colours and motion."""
        features = [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce" if calm else "no-preference"},
        ]
        self.tab.call("Emulation.setEmulatedMedia", features=features)

    def run(self, script: str) -> Any:
        return self.tab.run(script)

    def until(self, condition: str, seconds: float = 60.0) -> None:
        self.tab.wait_for(condition, seconds)

    def decided(self, seconds: float = 90.0) -> None:
        """Until the song on the table is measured, decided and drawn."""
        same = "JSON.stringify(studio.store.session?.decidedFor) === JSON.stringify(studio.store.session?.settings)"
        self.until(f"studio.store.session?.decided && {same} && studio.store.sections", seconds)
        self.until("studio.store.session.decided.corridor", seconds)

    def text(self, selector: str) -> str:
        return self.run(f"document.querySelector({json.dumps(selector)}).innerText")

    def place(self, selector: str) -> tuple[float, float]:
        """The middle of an element, scrolled into view."""
        found = self.run(
            f"(() => {{ const node = document.querySelector({json.dumps(selector)});"
            "node.scrollIntoView({ block: 'center', behavior: 'instant' });"
            "const r = node.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })()"
        )
        return found[0], found[1]

    def mouse(self, kind: str, x: float, y: float, clicks: int = 1, **more: object) -> None:
        self.tab.call(
            "Input.dispatchMouseEvent",
            type=kind,
            x=x,
            y=y,
            button="left",
            buttons=1,
            clickCount=clicks,
            **more,
        )

    def click(self, selector: str, clicks: int = 1) -> None:
        x, y = self.place(selector)
        for n in range(1, clicks + 1):
            self.mouse("mousePressed", x, y, n)
            self.mouse("mouseReleased", x, y, n)

    def drag(self, selector: str, right: float, down: float, steps: int = 12) -> None:
        """Take an element and move it by so many pixels."""
        x, y = self.place(selector)
        self.mouse("mousePressed", x, y)
        for n in range(1, steps + 1):
            self.mouse("mouseMoved", x + right * n / steps, y + down * n / steps)
        self.mouse("mouseReleased", x + right, y + down)

    def carry(self, selector: str, onto: str) -> None:
        """Drag an element that is draggable and let it fall on another; drags must be intercepted."""
        x, y = self.place(selector)
        self.tab.events.clear()
        self.mouse("mousePressed", x, y)
        self.mouse("mouseMoved", x + 4, y + 4)
        self.mouse("mouseMoved", x + 12, y + 12)
        end = time.monotonic() + 10.0
        while not (seen := [e for e in self.tab.events if e.get("method") == "Input.dragIntercepted"]):
            assert time.monotonic() < end, "nothing is dragged"
            self.run("0")
        data = seen[-1]["params"]["data"]
        x, y = self.place(onto)
        for kind in ("dragEnter", "dragOver", "drop"):
            self.tab.call("Input.dispatchDragEvent", type=kind, x=x, y=y, data=data)
        self.mouse("mouseReleased", x, y)

    def settled(self, controls: dict[str, Any]) -> None:
        """Until the page has the sections of these controls."""
        wanted = json.dumps(sections_of(controls_of(controls), self.run("studio.store.song.sample_rate")))
        close = (
            "((a, b) => a.stages.length === b.stages.length && a.stages.every((stage, i) => "
            "['sos', 'side', 'mid'].every((key) => (stage[key] ?? []).flat().every((v, k) => "
            "Math.abs(v - (b.stages[i][key] ?? []).flat()[k]) < 1e-9)) && "
            "Math.abs((stage.gain ?? 1) - (b.stages[i].gain ?? 1)) < 1e-9))"
        )
        self.until(f"{close}(studio.store.sections, {wanted})")

    def wheel(self, selector: str, down: float) -> None:
        x, y = self.place(selector)
        self.mouse("mouseWheel", x, y, deltaX=0, deltaY=down)

    def drop(self, selector: str, *files: Path) -> None:
        """Let files fall on an element, as from a file manager."""
        x, y = self.place(selector)
        data = {"items": [], "files": [str(file) for file in files], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            self.tab.call("Input.dispatchDragEvent", type=kind, x=x, y=y, data=data)

    def choose(self, selector: str, value: str) -> None:
        """Take an entry of a list."""
        self.run(
            f"(() => {{ const list = document.querySelector({json.dumps(selector)});"
            f"list.value = {json.dumps(value)}; list.dispatchEvent(new Event('change', {{ bubbles: true }})); }})()"
        )

    def key(self, key: str, modifiers: int = 0) -> None:
        """Press one key; letters are typed."""
        code = KEYS.get(key, ord(key.upper()) if len(key) == 1 else 0)
        text = {"Enter": "\r", " ": " "}.get(
            key, key if len(key) == 1 and not modifiers & (ALT | CTRL) else ""
        )
        shared = {"key": key, "code": key, "windowsVirtualKeyCode": code, "modifiers": modifiers}
        down = {"text": text} if text else {}
        self.tab.call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", **shared, **down)
        self.tab.call("Input.dispatchKeyEvent", type="keyUp", **shared)

    def write(self, text: str) -> None:
        self.tab.call("Input.insertText", text=text)

    def focused(self) -> str:
        """The name of what has the focus, as a screen reader would begin."""
        return self.run(f"{_NAME}(document.activeElement)").strip()

    def tab_to(self, name: str, most: int = 120) -> None:
        """Press Tab until something of this name has the focus."""
        for _ in range(most):
            self.key("Tab")
            if self.focused().startswith(name):
                return
        raise AssertionError(f"Tab never came to {name!r}")

    def pick_by_keyboard(self, name: str, *files: Path) -> None:
        """Open the file dialogue of a button with Enter, and choose files in it."""
        self.tab.call("Page.setInterceptFileChooserDialog", enabled=True)
        self.tab_to(name)
        self.key("Enter")
        end = time.monotonic() + 10.0
        while not (seen := [e for e in self.tab.events if e.get("method") == "Page.fileChooserOpened"]):
            assert time.monotonic() < end, "no file dialogue"
            self.run("0")
        node = seen[-1]["params"]["backendNodeId"]
        self.tab.call("DOM.setFileInputFiles", files=[str(file) for file in files], backendNodeId=node)
        self.tab.call("Page.setInterceptFileChooserDialog", enabled=False)

    def alerts(self) -> list[str]:
        return self.run("[...document.querySelectorAll('#alerts .alert')].map((node) => node.dataset.text)")
