"""What a drawing says and where it lies: its words, and whether all of it stands inside its frame."""

from xml.etree import ElementTree

SVG = "{http://www.w3.org/2000/svg}"


def words(drawing):
    return [e.text for e in ElementTree.fromstring(drawing).iter(f"{SVG}text")]


def drawn_inside(drawing):
    root = ElementTree.fromstring(drawing)
    width, height = (float(root.get(side)) for side in ("width", "height"))
    for element in root.iter():
        for name, limit in (("x", width), ("x1", width), ("x2", width), ("y", height), ("y1", height)):
            assert 0 <= float(element.get(name, 0)) <= limit
        assert float(element.get("font-size", 12)) >= 12
    assert root.get("role") == "img" and root.find(f"{SVG}title").text and root.find(f"{SVG}desc").text
