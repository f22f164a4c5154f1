"""A learner without a mouse and without a network: lesson 03, lessons 07 and 16, and a01 as practice."""

import pytest

from tinylib.practice import BANK

AT = "(wanted) => document.activeElement.matches(wanted)"


class Keys:
    """Hands on the keyboard: everything after the first page is reached by keys alone."""

    def __init__(self, page) -> None:
        self.page = page

    def reach(self, wanted: str, key: str = "Tab", most: int = 250) -> None:
        """Press the key until the focus is on what a selector names."""
        for _ in range(most):
            if self.page.evaluate(AT, wanted):
                return
            self.page.keyboard.press(key)
        raise AssertionError(f"{wanted} was not reached by {most} times {key}")

    def follow(self, link: str, heading: str, key: str = "Tab") -> None:
        """Go to a link and through it, until the page with this heading is there."""
        self.reach(link, key)
        self.page.keyboard.press("Enter")
        self.page.get_by_role("heading", level=1, name=heading).wait_for()

    def home(self) -> None:
        self.follow("nav li:first-child a", "The TinyML workbook", "Shift+Tab")

    def move(self, figure: str, control: str, key: str) -> None:
        """Move a control of a figure; its picture becomes another one."""
        picture = self.page.locator(f"{figure} .picture")
        self.reach(f"{figure} {control}")
        self.page.locator(f"{figure}[data-live=yes]").wait_for()
        before = picture.inner_html()
        self.page.keyboard.press(key)
        self.page.wait_for_function(
            "([figure, before]) => document.querySelector(`${figure} .picture`).innerHTML !== before",
            arg=[figure, before],
        )

    def read(self) -> None:
        """Down to the end of the lesson, a page at a time; its last heading comes into view."""
        last = self.page.get_by_role("heading", name="Where to go from here")
        self.reach(":not(input,select)")  # there, the key would move a control
        for _ in range(60):
            self.page.keyboard.press("PageDown")
            if last.evaluate("h => h.getBoundingClientRect().top < innerHeight - 40"):
                return
        raise AssertionError(f"the end was not reached: {self.page.url}")


@pytest.fixture
def keys(visit):
    context = {"reduced_motion": "reduce"}  # pages then scroll at once
    return Keys(visit("index.html", **context).page)


def test_lessons_and_an_assignment_with_the_keyboard_alone(keys):
    keys.follow("a[href$='03_macs.html']", "03 MACs and FLOPs")
    keys.move("#figure-1", "input[type=range]", "Home")
    keys.move("#figure-2", "select", "ArrowDown")
    keys.move("#figure-2", "input[type=range]", "End")
    keys.read()
    keys.follow("a[href$='04_activations.html']", "04 Activations and peak memory")
    keys.home()
    for script, title in (
        ("07_fixed_point", "07 Fixed point"),
        ("16_xor_on_the_chip", "16 XOR in under 4 KB"),
    ):
        keys.follow(f"a[href$='{script}.html']", title)
        keys.read()
        keys.home()
    keys.follow("a[href$='a01_metrics.html']", "Assignment 01: metrics")
    asked = keys.page.locator("[data-exercise]").evaluate_all("all => all.map(e => e.dataset.exercise)")
    assert len(asked) == 5
    for name in asked:
        exercise, box = BANK[name], f"[data-exercise='{name}']"
        keys.reach(f"{box} input[type=text]")
        keys.page.keyboard.type(f"{exercise.answer(**exercise.given):.12g} {exercise.unit}")
        keys.page.keyboard.press("Enter")
        keys.page.locator(f"{box} .reply strong", has_text="Right").wait_for()
    keys.home()
    keys.page.locator("li", has_text="Assignment 01").get_by_text("5 of 5 right").wait_for()
