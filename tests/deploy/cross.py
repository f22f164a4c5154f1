"""What tests of the device road share: a skip with its reason, and the same program run on this computer."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tinylib.deploy import toolchain


def device_tools() -> None:
    """Skips the module where the extra `device` is not installed; with CI set that is a failure."""
    try:
        toolchain.chosen("zig")
        import elftools  # noqa: F401
        import unicorn  # noqa: F401
    except (ImportError, toolchain.MissingTool) as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"the extra device is not installed: {error}", allow_module_level=True)


def on_host(cc: str, sources: Mapping[str, str], input: bytes, folder: Path) -> bytes:
    """Output of a program compiled by `cc` for this computer; undefined behaviour stops it."""
    for name, text in sources.items():
        (folder / name).write_text(text, encoding="utf-8")
    files = [name for name in sources if name.endswith(".c")]
    trap = ["-fsanitize=undefined", "-fsanitize-undefined-trap-on-error"]
    include = [f"-I{toolchain.RUNTIME}", str(toolchain.RUNTIME / "hosted.c")]
    call = [cc, *toolchain.STRICT, "-std=c99", *trap, *files, *include, "-o", "program"]
    subprocess.run(call, cwd=folder, check=True)
    return subprocess.run([str(folder / "program")], input=input, capture_output=True, check=True).stdout
