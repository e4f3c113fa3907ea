"""Runs a WASI program in Wasmer, with the working directory's files, which it gets back afterwards.

python wasmer-command.py PACKAGES PROGRAM ARGUMENT…
"""

import asyncio
import sys
from pathlib import Path

packages, program, *arguments = sys.argv[1:]
sys.path.insert(0, packages)

from wasmer_sdk import Wasmer  # noqa: E402

workspace = "/workspace"


async def fetch(fs, path):
    for entry in await fs.read_dir(path):
        inside = f"{path}/{entry.name}"
        outside = Path(inside).relative_to(workspace)
        if entry.kind == "file":
            outside.write_bytes(await fs.read(inside))
        else:
            outside.mkdir(exist_ok=True)
            await fetch(fs, inside)


async def main():
    async with Wasmer(cache_root=Path(packages, "compiled")) as wasmer:
        package = await wasmer.packages.load(Path(program).read_bytes())
        files = {str(path): path.read_bytes() for path in Path().rglob("*") if path.is_file()}
        async with await wasmer.sandboxes.create(packages=[package], files=files) as sandbox:
            for path in Path().rglob("*"):
                if path.is_dir():
                    await sandbox.fs.mkdir(f"{workspace}/{path}", recursive=True)
            command = sandbox.command(package, arguments, cwd=workspace, env={"PWD": workspace})
            sys.stdout.write((await command.run()).text())
            await fetch(sandbox.fs, workspace)


asyncio.run(main())
