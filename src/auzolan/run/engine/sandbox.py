"""Edge: the sandbox of the engine's child: which files it sees, and that it sees nothing else.

`bwrap_argv` is pure: names in, a command line for bubblewrap out. `find_bwrap`
tries whether it works on this machine, because many forbid the user namespaces
that it is made of (containers, hardened kernels, AppArmor's profiles).

Inside there are: the interpreter and the system's libraries, llama.cpp's
package, the child's own file and the model's files, all read-only; a private
`/tmp`, `/proc` and the smallest `/dev`; and one folder that can be written, for
the socket. No network but a loopback of its own, no capability, no variable of
the environment, no process of the outside.

Does not do: filter system calls (no seccomp), or hide how long an answer takes.
Limits of memory, descriptors and file sizes the child sets itself (`child`).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple

INSIDE = "/engine"
SOCKETS = f"{INSIDE}/sockets"
FILES = f"{INSIDE}/files"
PACKAGES = f"{INSIDE}/packages"
CHILD = f"{INSIDE}/child.py"
TRIAL_SECONDS = 20
_SYSTEM = ("/usr", "/lib", "/lib64", "/lib32", "/bin", "/nix/store", "/gnu/store", "/etc/ld.so.cache")


class Bwrap(NamedTuple):
    """Whether bubblewrap works here: its path, or "" and why not."""

    path: str
    why_not: str


def bwrap_argv(bwrap: str, command: Sequence[str], read_only: Mapping[str, str], sockets: str = "") -> list[str]:
    """Return the command line that runs `command` in the sandbox.

    Args:
        bwrap: path of bubblewrap.
        command: to be run, with paths as they are inside.
        read_only: path inside -> path outside; later ones may lie inside of earlier ones.
        sockets: folder outside that may be written, at `SOCKETS` inside; "" for none.
    """
    argv = [bwrap, "--unshare-all", "--die-with-parent", "--new-session", "--clearenv", "--cap-drop", "ALL"]
    for path in _SYSTEM:
        argv += ["--ro-bind-try", path, path]
    argv += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]  # noqa: S108 - inside, and private
    for inside, outside in read_only.items():
        argv += ["--ro-bind", outside, inside]
    if sockets:
        argv += ["--bind", sockets, SOCKETS]
    return [*argv, "--remount-ro", "/", "--chdir", "/", "--", *command]


def interpreter() -> str:
    """Return the path of this Python itself, behind the links of a virtual environment."""
    return os.path.realpath(sys.executable)


def interpreter_folders() -> dict[str, str]:
    """Return what the interpreter needs to start, outside of the system's folders: path inside -> path outside."""
    folders = dict.fromkeys([os.path.realpath(sys.base_prefix), os.path.realpath(sys.base_exec_prefix)])
    return {each: each for each in folders if not each.startswith(("/usr/bin", "/usr/lib")) and each not in _SYSTEM}


def find_bwrap() -> Bwrap:
    """Find bubblewrap and start this interpreter in it, as the child will be started."""
    path = shutil.which("bwrap")
    if not path:
        return Bwrap("", "bubblewrap is not installed (no 'bwrap' on the PATH)")
    argv = bwrap_argv(path, [interpreter(), "-I", "-S", "-c", "import ctypes, resource"], interpreter_folders())
    try:
        done = subprocess.run(  # noqa: S603 - the command is made here
            argv, capture_output=True, timeout=TRIAL_SECONDS, check=False, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        return Bwrap("", f"bubblewrap did not start a program within {TRIAL_SECONDS} seconds")
    except OSError as error:
        return Bwrap("", f"bubblewrap cannot be started: {error.strerror}")
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        return Bwrap("", f"bubblewrap does not work here: {said[-1][:200] if said else f'status {done.returncode}'}")
    return Bwrap(path, "")
