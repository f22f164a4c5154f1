"""How soon the browser edition can be used, and how large it is, in a real Chromium from a plain file server.

Cold: a browser that has never seen the site. Warm: the same page once more, its files in the browser's cache.
Readable: text and saved figures are there. Usable: a slider was moved and Python has drawn the first canvas
anew. Moved: from the slider to the changed picture, with Python running. Nothing outside is in reach;
requests are counted.

    python benchmarks/site.py [--rounds 5] [--folder site/out]
"""

import argparse
import functools
import gzip
import http.server
import os
import shutil
import statistics
import subprocess
import sys
import threading
from pathlib import Path
from time import perf_counter

ROOT = Path(__file__).resolve().parents[1]
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync")
FLAGS += ("--disable-background-networking", "--disable-component-update")
FLAGS += ("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",)  # a route would switch the cache off
GOAL_COLD_S, GOAL_WARM_S = 20, 5
MOVE = """async () => {
  const picture = document.querySelector('figure .picture'), slider = document.querySelector('figure input');
  const what = { childList: true, subtree: true };
  const changed = new Promise((seen) => new MutationObserver(seen).observe(picture, what));
  const start = performance.now();
  slider.value = Number(slider.value) > 2018 ? 2017 : 2021;
  slider.dispatchEvent(new Event('input'));
  await changed;
  return performance.now() - start;
}"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def visits(browser, address: str, outside: list[str]) -> dict[str, dict[str, float]]:
    """Seconds of one cold and one warm visit, and milliseconds of a move afterwards."""
    context, found = browser.new_context(), {}
    context.on("request", lambda r: None if r.url.startswith(address) else outside.append(r.url))
    page = context.new_page()
    page.set_default_timeout(120_000)
    for name in ("cold", "warm"):
        start = perf_counter()
        page.goto(address + "canvases.html", wait_until="commit")
        page.locator("figure svg").first.wait_for()
        readable = perf_counter() - start
        page.locator("figure[data-live=yes]").first.wait_for()
        page.evaluate(MOVE)
        found[name] = {"readable": readable, "usable": perf_counter() - start}
    found["moved"] = {"ms": statistics.median(page.evaluate(MOVE) for _ in range(20))}
    context.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=ROOT / "site" / "out")
    options = parser.parse_args()
    if not options.folder.is_dir():
        subprocess.run([sys.executable, str(ROOT / "site" / "build.py"), str(options.folder)], check=True)
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not chromium:
        sys.exit("site: needs Chromium on the PATH: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=options.folder)
    )
    server.handle_error = lambda *_: None  # a page that is left breaks its downloads off
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address, rounds, outside = f"http://127.0.0.1:{server.server_port}/", [], []
    with sync_playwright() as p:
        for _ in range(options.rounds):  # a browser of its own each time: nothing compiled is left over
            browser = p.chromium.launch(executable_path=chromium, args=list(FLAGS))
            rounds.append(visits(browser, address, outside))
            browser.close()
    files = [f for f in options.folder.rglob("*") if f.is_file()]
    first = [f for f in files if f.parent.name in ("pyodide", "assets")]
    packed = sum(len(gzip.compress(f.read_bytes(), 6)) for f in first)
    whole, start = (sum(f.stat().st_size for f in part) / 1e6 for part in (files, first))
    print(
        f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, {options.rounds} rounds, medians"
    )
    for name, goal in (("cold", GOAL_COLD_S), ("warm", GOAL_WARM_S)):
        readable, usable = (
            statistics.median(r[name][what] for r in rounds) for what in ("readable", "usable")
        )
        print(f"{name}: readable {readable:.2f} s, usable {usable:.2f} s (goal {goal} s)")
    print(f"moved: {statistics.median(r['moved']['ms'] for r in rounds):.1f} ms")
    print(f"size: {whole:.1f} MB in {len(files)} files")
    print(f"to start Python: {start:.1f} MB, {packed / 1e6:.1f} MB where the server sends gzip")
    print(f"requests outside: {len(outside)}")


if __name__ == "__main__":
    main()
