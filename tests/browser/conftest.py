"""A real JupyterLab on loopback and one Chromium for all browser tests; screenshots go to screenshots/."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

import bootstrap

ROOT = Path(__file__).resolve().parents[2]
SHOTS = ROOT / "screenshots"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PANEL = "[...window.jupyterapp.shell.widgets('main')].find(w => w.context && w.sessionContext)"
READY = """async () => {
  await window.jupyterapp.restored;
  const panel = PANEL;
  if (!panel?.sessionContext) return false;
  await panel.context.ready;
  await panel.sessionContext.ready;
  if (!panel.sessionContext.session) return false;
  await panel.sessionContext.session.kernel.info;
  return true;
}"""


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium():
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert found, "the browser tests need Chromium on the PATH: apt-get install chromium"
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """JupyterLab over a learner's copy of the course; gives the folder and the address."""
    home = tmp_path_factory.mktemp("learner home")
    root = home / "my"
    copies = bootstrap.deliver(ROOT, root)
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    env = {
        **{k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "NBGRADER"))},
        "HOME": str(home),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "TINYML_PROGRESS": str(root / "progress.jsonl"),
    }
    notebooks = [str(p) for p in copies if p.suffix == ".ipynb"]
    subprocess.run([sys.executable, "-c", bootstrap.SIGN, *notebooks], env=env, check=True)
    options = [
        "--no-browser",
        f"--port={port}",
        "--ServerApp.ip=127.0.0.1",
        "--IdentityProvider.token=",
        "--LabApp.expose_app_in_browser=True",
        "--ServerApp.kernel_websocket_connection_class=tinylib.lab.prompt.PromptConnection",
        f"--LabApp.extra_labextensions_path={bootstrap.FRONT}",
        f"--ServerApp.root_dir={root}",
    ]
    if os.name != "nt" and os.geteuid() == 0:
        options.append("--allow-root")
    command = [sys.executable, "-m", "jupyter", "lab", *options]
    with (home / "lab.log").open("w") as log:
        server = subprocess.Popen(command, env=env, cwd=root, stdout=log, stderr=subprocess.STDOUT)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(address + "/api/status", server, home / "lab.log")
        yield root, address
    finally:
        server.terminate()
        server.wait(20)


def wait_for(url: str, server: subprocess.Popen, log: Path, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert server.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"JupyterLab did not answer in {seconds} s:\n{log.read_text()}")


def wait_until_ready(page, panel: str = PANEL, seconds: float = 60) -> None:
    """Until the notebook is loaded and its kernel answers: earlier, a command may be lost."""
    end = time.monotonic() + seconds
    while not page.evaluate(READY.replace("PANEL", panel)):
        assert time.monotonic() < end, "the notebook's kernel did not come up"
        page.wait_for_timeout(100)


@pytest.fixture
def open_notebook(lab, chromium):
    """open_notebook(path) -> page, with the kernel up; pages are closed afterwards."""
    contexts = []

    def open_one(path: str, dark: bool = False):
        context = chromium.new_context(viewport={"width": 1280, "height": 960})
        contexts.append(context)
        page = context.new_page()
        page.goto(f"{lab[1]}/lab/tree/{path}?reset")  # a clean workspace: one notebook, this one
        page.wait_for_function("() => window.jupyterapp")
        wait_until_ready(page)
        return page

    yield open_one
    for context in contexts:
        context.close()


def run_all(page) -> None:
    """Run every cell; comes back when the last one has run."""
    page.evaluate(f"() => window.jupyterapp.shell.activateById({PANEL}.id)")
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")


def show_cell(page, text: str) -> None:
    """Scroll to the first cell whose source holds the text."""
    page.evaluate(
        f"""text => {{ const cells = {PANEL}.content;
        const i = cells.widgets.findIndex(w => w.model.sharedModel.getSource().includes(text));
        return cells.scrollToItem(i, 'center'); }}""",
        text,
    )
