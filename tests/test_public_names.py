"""Public names of tinylib: none is dead, none is public by mistake, and both would be found."""

import ast
from pathlib import Path

from authoring.checks import public
from authoring.checks.public import Name

HERE = Path(__file__)


def test_every_public_name_is_reached():
    found = public.findings()
    assert not found, "\n".join(found)


def name(word, *words, path=HERE):
    return Name(path, 1, word, True, frozenset(words))


def test_what_is_alive_keeps_alive_what_it_names():
    chain = [name("a", "b"), name("b", "c"), name("c"), name("d", "d", "c")]
    assert [n.name for n in public.unreached(chain, frozenset({"a"}))] == ["d"]
    assert public.unreached(chain, frozenset()) == chain


def test_an_import_and_a_list_of_names_are_no_use():
    found = public.words(ast.parse("from x import a, b as c\nd.e\nf = getattr(g, 'h')\n'two words'"))
    assert {"b", "d", "e", "g", "h"} <= found and not {"a", "two", "words"} & found


def test_a_module_is_taken_apart(tmp_path):
    path = tmp_path / "x.py"
    path.write_text("A, B = 1, 2\n__all__ = ['f']\ndef f(): return g()\nclass C:\n    x: int = B\nh()\n")
    names, runs = public.taken_apart(path)
    assert {n.name: n.function for n in names} == {"A": False, "B": False, "f": True, "C": False}
    assert "g" in names[2].words and runs == {"h"}


def test_a_function_used_at_home_alone_is_internal(tmp_path):
    home, away = tmp_path / "home.py", tmp_path / "away.py"
    home.write_text("def used(): return helper()\ndef helper(): return 1\n")
    away.write_text("from home import used\ndef other(): return used()\n")
    parts = {p: public.taken_apart(p) for p in (home, away)}
    assert [n.name for n in public.internal(parts, frozenset({"other"}))] == ["helper"]
