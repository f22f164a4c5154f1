"""`python -m tinylib.cost`: the printed contract, one sentence for bad files, no numpy, quiet endings."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

import tinylib.cost

DATA = Path(tinylib.cost.__file__).parent / "data" / "models.json"
TOTALS = [
    "params",
    "params_bn_folded",
    "macs",
    "weight_bytes",
    "peak_activation_elements_op_pair",
    "peak_activation_elements_live",
]


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "tinylib.cost", *map(str, arguments)], capture_output=True, text=True
    )


def test_json_in_file_order():
    done = run(DATA, "--json")
    assert done.returncode == 0 and not done.stderr
    counted, stated = json.loads(done.stdout), json.loads(DATA.read_text())["models"]
    assert [m["id"] for m in counted["models"]] == list(stated) and counted["left_out"] == []
    for m in counted["models"]:
        block = stated[m["id"]]["recomputed"]
        assert m["name"] == stated[m["id"]]["name"] and m["differences"] == []
        wanted = [block["int8_weight_bytes" if key == "weight_bytes" else key] for key in TOTALS]
        assert [m[key] for key in TOTALS] == wanted
        assert sum(row["params"] for row in m["layers"]) == m["params"]


def test_csv_and_table():
    lines = list(csv.DictReader(io.StringIO(run(DATA, "--csv").stdout)))
    totals = {line["id"]: line for line in lines if line["layer"] == "total"}
    assert totals["lenet5"]["params"] == "61706" and totals["lenet5"]["weight_bytes"] == "62414"
    assert next(line["out_shape"] for line in lines if line["id"] == "lenet5") == "28x28x6"
    assert "138,357,544" in run(DATA).stdout


def test_bits_change_weight_bytes_alone():
    eight, four = (json.loads(run(DATA, "--json", "--bits", b).stdout)["models"][2] for b in (8, 4))
    assert (eight["weight_bytes"], four["weight_bytes"]) == (62_414, 61_470 // 2 + 4 * 236)
    assert {k: v for k, v in eight.items() if k != "weight_bytes"} == {
        k: v for k, v in four.items() if k != "weight_bytes"
    }


@pytest.mark.parametrize(
    "content, words",
    [
        ("{", "must be JSON"),
        ("[]", "top level must be an object"),
        ('{"input": [4], "layers": [{"name": "a", "op": "gru"}]}', "layer 'a': 'op' must be one of"),
        (
            '{"input": [4], "layers": [{"name": "a", "op": "fc", "out": [2], "src": ["b"]}]}',
            "no layer has that name, got 'b'",
        ),
    ],
)
def test_bad_files_are_one_line_and_exit_2(tmp_path, content, words):
    path = tmp_path / "bad.json"
    path.write_text(content)
    done = run(path, "--json")
    assert done.returncode == 2 and not done.stdout
    assert words in done.stderr and "bad.json" in done.stderr and done.stderr.count("\n") == 1


def test_missing_file_directory_and_bad_bits(tmp_path):
    for arguments in [tmp_path / "none.json"], [tmp_path], [DATA, "--bits", "65"]:
        done = run(*arguments)
        assert done.returncode == 2 and done.stderr.count("\n") == 1 and "Traceback" not in done.stderr


def test_a_reader_that_leaves_early_is_no_error(tmp_path):
    path = tmp_path / "deep.json"
    path.write_text(json.dumps({"input": [3], "layers": [{"op": "fc", "out": [3]}] * 5000}))
    command = [sys.executable, "-m", "tinylib.cost", str(path), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b"" and process.wait() == 0


def test_works_without_numpy():
    program = (
        "import sys; sys.modules['numpy'] = None\n"
        "import tinylib.units, tinylib.cost\n"
        "from tinylib.cost import Conv2D, devices, memory, models, roofline\n"
        "assert not {'json', 'tomllib', 'argparse'} & set(sys.modules)\n"
        "print(models.named('lenet5').params, devices.named('course').sram_bytes, Conv2D(3, 64, 7).weights)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "61706 262144 9408\n"


def test_every_public_name_resolves():
    assert all(getattr(tinylib.cost, name) is not None for name in tinylib.cost.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Conv3D'"):
        _ = tinylib.cost.Conv3D
