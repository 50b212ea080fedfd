"""Generates the Python code and type stubs of the .proto files beside this one: `make proto`.

Needs grpcio-tools (a development dependency). The generated files are kept in the tree, so that
running Telflo needs no compiler.
"""

import sys
from importlib import resources
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parent.parent
SOURCES = ("opamp/proto/anyvalue.proto", "opamp/proto/opamp.proto")


def generate(target: Path = ROOT) -> int:
    """Write `*_pb2.py` and `*_pb2.pyi` below `target`; answers protoc's exit code, 0 when all went well."""
    from grpc_tools import protoc  # only developers have it

    well_known = resources.files("grpc_tools") / "_proto"
    arguments = ["protoc", f"-I{ROOT}", f"-I{well_known}"]
    return int(
        protoc.main([*arguments, f"--python_out={target}", f"--pyi_out={target}", *SOURCES])
    )


if __name__ == "__main__":
    sys.exit(generate())
