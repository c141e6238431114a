"""A folder of the package imports only from folders that stand above it."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "sk_mlp"
TOP = "the private modules"
ABOVE = {
    "_backend": set(),
    "_network": {"_backend"},
    "_data": {"_backend", "_network"},
    "_solvers": {"_backend"},
    "_training": {"_backend", "_network", "_data", "_solvers"},
    TOP: {"_backend", "_network", "_data", "_solvers", "_training"},
    **{
        optional: {"_backend", "_network", "_data", "_solvers", "_training", TOP}
        for optional in ("_displays", "onnx", "dask")
    },
}
# __init__ and __main__ gather what the package offers; the quick start uses the package as users do
FILES = [
    path
    for path in sorted(ROOT.rglob("*.py"))
    if path not in (ROOT / "__init__.py", ROOT / "__main__.py", ROOT / "_quickstart.py")
]


def imported_parts(path):
    """Folder (or TOP) of each module of the package that a file imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno} has a relative import"
            # from sk_mlp._network import activations names a folder too
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            package, *inside = name.split(".")
            if package == "sk_mlp" and inside and inside[0] != "__version__":
                yield inside[0] if inside[0] in ABOVE else TOP


def part_of(path):
    inside = path.relative_to(ROOT).parts
    return inside[0] if len(inside) > 1 else TOP


def test_every_folder_has_its_place():
    assert {part_of(path) for path in FILES} == set(ABOVE)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_from_above_only(path):
    part = part_of(path)
    assert set(imported_parts(path)) <= ABOVE[part] | {part}


def test_every_module_is_in_the_table_of_the_contributors_guide():
    text = (ROOT.parent / "docs" / "contributing.rst").read_text(encoding="utf-8")
    table = text[text.index(".. list-table::") : text.index("The parameters are one flat vector")]
    for path in FILES:
        if path.stem != "__init__":
            assert f"``{path.stem}``" in table, path
