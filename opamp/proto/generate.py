"""Generates the Python code and type stubs of the .proto files beside this one: `make proto`.

Needs grpcio-tools (a development dependency). The generated files are kept in the tree, so that
running Telflo needs no compiler.
"""

import sys
from importlib import resources
from pathlib import Path

from grpc_tools import protoc  # type: ignore[import-untyped]  # grpcio-tools ships no types

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCES = ("opamp/proto/anyvalue.proto", "opamp/proto/opamp.proto")


def generate(target: Path = ROOT) -> int:
    """Write `*_pb2.py` and `*_pb2.pyi` below `target`; answers protoc's exit code, 0 is success."""
    well_known = resources.files("grpc_tools") / "_proto"
    arguments = ["protoc", f"-I{ROOT}", f"-I{well_known}"]
    outputs = [f"--python_out={target}", f"--pyi_out={target}"]
    code = int(protoc.main([*arguments, *outputs, *SOURCES]))
    if code == 0:
        for source in SOURCES:
            complete_stub((target / source).with_name(f"{Path(source).stem}_pb2.pyi"))
    return code


def complete_stub(stub: Path) -> None:
    """Give protoc's bare Mapping its type arguments, which mypy --strict wants."""
    text = stub.read_text()
    stub.write_text(text.replace("_Mapping]", "_Mapping[str, object]]"))


if __name__ == "__main__":
    sys.exit(generate())
