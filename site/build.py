"""Build the browser edition.

python site/build.py [FOLDER]      default site/out
"""

import shlex
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from edition.build import build  # noqa: E402
from edition.core import NoCore  # noqa: E402

if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else HERE / "out").resolve()
    try:
        print(build(target))
    except (NoCore, ValueError) as problem:
        sys.exit(f"site: {problem}")
    print(f"to read it: python3 -m http.server -d {shlex.quote(str(target))}")
