"""Edge: keeps the engine's child running: starts it, checks what it loaded, starts it again after a crash.

    child = EngineChild(model, adapters, settings, program, digest, bwrap)
    upstream = await child.start()      # stays the same over restarts
    await child.until_ready(seconds)    # for whoever can wait while `child.ready` is not true
    await child.stop()                  # always, also when `start` raised nothing

1 The files are opened once and stay open; each start reads these (`engine_files`).
2 The child gets its settings and a new random key through a pipe.
3 It counts as ready when it says so, answers `/health`, and `/lora-adapters` lists
  exactly the adapters asked for, each at its place and at scale 0.
4 When it ends by itself, it is started again, after 0.5 s, then twice as long each
  time up to 30 s; a minute of steady service starts over. Changed files end this.
5 One that answers `/health` no more, three times in a row, is ended, and so started again.

No texts of requests pass through here. Not checked: that the child's program is
unchanged since its digest was taken.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from auzolan.core.kinds.answer import Engine
from auzolan.core.record.errors import AuzolanError, NotCheckedError, StorageError, UsageError, VerificationError
from auzolan.run.engine import child as child_module
from auzolan.run.engine import sandbox
from auzolan.run.engine.asking import ask
from auzolan.run.engine.engine_files import EngineFile, OpenFiles, Program, digest_of_program
from auzolan.run.engine.error_log import ErrorLog
from auzolan.run.engine.sandbox import Bwrap
from auzolan.run.engine.socket_folder import SocketFolder
from auzolan.run.engine.upstream import NotReadyError, Slot, Upstream

STARTING, READY, CRASHED, STOPPED = "starting", "ready", "crashed", "stopped"
INTEGRITY = {"bubblewrap": "verified", "none": "claimed"}
"""Without a sandbox, the files were hashed all the same, but nothing holds the engine to them."""
FIRST_DELAY_S, LAST_DELAY_S, STEADY_S = 0.5, 30.0, 60.0
MISSED = 3
"""Looks without an answer after which an engine counts as hung: one may fall into a moment of great load."""
LAST_WAIT_S = 10.0
"""For the kernel to end what was killed."""


@dataclass(frozen=True)
class EngineSettings:
    """How the engine is run.

    Attributes:
        slots: requests that it computes at once.
        context: tokens of one request and its answer together.
        max_tokens: of an answer, whatever a request says.
        threads: that compute; 0 leaves one core to the rest.
        memory_bytes: that it may address; 0 for as much as the machine has, beside the files; -1 for no limit, which
            drivers of graphics cards need.
        start_seconds: that loading may take.
        grace_seconds: that it may take to end, before it is made to.
        look_seconds: between two looks at whether it still answers, and that it may take to.
        folder: where the folder of its socket is made; "" for the usual place.
    """

    slots: int = 4
    context: int = 4096
    max_tokens: int = 4096
    threads: int = 0
    memory_bytes: int = 0
    start_seconds: float = 300.0
    grace_seconds: float = 3.0
    look_seconds: float = 20.0
    folder: str = ""


class EngineChild:
    """One engine; owned by one event loop, in a thread that lives as long (else the kernel ends the child with it)."""

    def __init__(
        self,
        model: EngineFile,
        adapters: Sequence[EngineFile],
        settings: EngineSettings,
        program: Program,
        program_digest: str,
        bwrap: Bwrap,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Prepare it; nothing is started.

        Args:
            model: its weights.
            adapters: in the service's order; may be none.
            settings: how it is run.
            program: from `find_program`.
            program_digest: from `digest_of_program`.
            bwrap: from `find_bwrap`; without a path, the child runs without a sandbox, and answers say so.
            sleep: waits between restarts.

        Raises:
            UsageError: two adapters have one name.
        """
        if len({each.name for each in adapters}) != len(adapters):
            raise UsageError("engine: two adapters have the same name")
        self._files, self._settings, self._program = (model, *adapters), settings, program
        self._bwrap, self._sleep = bwrap, sleep
        self._engine = Engine(
            "xllamacpp",
            program.version.removeprefix("xllamacpp "),
            program_digest,
            "bubblewrap" if bwrap.path else "none",
        )
        self._key = secrets.token_hex(32)
        self._open: OpenFiles | None = None
        self._folder: SocketFolder | None = None
        self._process: Process | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._reader: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()
        self._given_up = False
        self.errors = ErrorLog()
        self.state = STOPPED
        self.restarts = 0

    @property
    def ready(self) -> bool:
        """Whether requests can be sent now."""
        return self._ready.is_set()

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._key}"}

    @property
    def pid(self) -> int | None:
        """Process id of the child, or of the sandbox around it."""
        return self._process.pid if self._process else None

    async def start(self) -> Upstream:
        """Start it and wait until it has loaded everything.

        Raises:
            StorageError: a file or folder cannot be opened or made.
            VerificationError: a file was changed, or other adapters are loaded than were asked for.
            NotCheckedError: it does not start; the message ends with what it said.
        """
        if self._watcher:
            raise UsageError("engine: it is started already")
        try:
            self._open = OpenFiles(self._files)
            self._folder = SocketFolder(self._settings.folder)
            await self._folder.keep()
            await self._launch()
        except BaseException:
            await self.stop()
            raise
        self._watcher = asyncio.create_task(self._watch())
        return self.upstream()

    def upstream(self) -> Upstream:
        """Return where requests go; the same before and after a restart."""
        assert self._folder, "there is one from start to stop"
        model, *adapters = self._files
        loaded = {"gguf": model.digest} | {f"gguf.adapter.{at}": each.digest for at, each in enumerate(adapters, 1)}
        return Upstream(
            base_url="http://engine",
            socket=self._folder.socket,
            kind="llama.cpp",
            engine=self._engine,
            integrity=INTEGRITY[self._engine.sandbox],
            headers=self._headers,
            slots={each.name: Slot(place, each.scale_milli) for place, each in enumerate(adapters)},
            loaded=loaded,
        )

    async def until_ready(self, seconds: float) -> None:
        """Wait until requests can be sent.

        Raises:
            NotReadyError: they cannot be, after so long; the message says why.
        """
        if self._ready.is_set():
            return
        with contextlib.suppress(TimeoutError):
            if not self._given_up and self.state != STOPPED:
                await asyncio.wait_for(self._ready.wait(), seconds)
                return
        raise NotReadyError(f"the engine cannot answer now: {self.state}")

    def check_files(self) -> None:
        """Check that no file was written to since it was opened.

        Raises:
            VerificationError: one was; nothing that the engine says may be called verified from then on.
        """
        if self._open:
            self._open.check()

    async def stop(self) -> None:
        """End it, by asking first and by force after a grace, and leave nothing behind."""
        self.state = STOPPED
        self._ready.clear()
        watcher, self._watcher = self._watcher, None
        if watcher:
            watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watcher
        await self._end()
        if self._folder:
            await self._folder.remove()
        if self._open:
            self._open.close()

    async def _watch(self) -> None:
        """Start it again whenever it ends, or hangs."""
        delay, loop = FIRST_DELAY_S, asyncio.get_running_loop()
        since = loop.time()
        while True:
            how = await self._ended()
            self._ready.clear()
            self.state = f"{CRASHED}: it {how}"
            await self._end()
            delay = FIRST_DELAY_S if loop.time() - since > STEADY_S else delay
            while not self._ready.is_set():
                await self._sleep(delay)
                delay = min(2 * delay, LAST_DELAY_S)
                try:
                    self.check_files()
                    await self._launch()
                except VerificationError as error:
                    self.state, self._given_up = f"{CRASHED}: {error}", True
                    await self._end()
                    return
                except AuzolanError as error:
                    self.state = f"{CRASHED}: {error}"
                    await self._end()
            self.restarts += 1
            since = loop.time()

    async def _ended(self) -> str:
        """Wait until it ends, or answers no more, and say which."""
        assert self._process, "it was launched"
        assert self._folder, "the folder is there"
        missed, seconds = 0, self._settings.look_seconds
        while missed < MISSED:
            with contextlib.suppress(TimeoutError):
                return _ending(await asyncio.wait_for(self._process.wait(), seconds))
            try:
                await asyncio.to_thread(ask, self._folder.socket, "/health", self._headers, seconds)
                missed = 0
            except NotCheckedError:
                missed += 1
        return "answered no more"

    async def _launch(self) -> None:
        """Start the child once; ready when this returns."""
        assert self._open, "the files are open"
        assert self._folder, "the folder is there"
        self.state, loading = STARTING, [True]
        self._folder.clear()
        # An upgrade while it runs would otherwise be told by the old one's digest after a crash.
        library = self._program.library
        if library and await asyncio.to_thread(digest_of_program, self._program) != self._engine.digest:
            raise VerificationError(f"{library}: was changed since this gateway started; start it anew")
        argv, settings = self._command(self._open, self._folder)
        try:
            self._process = await asyncio.create_subprocess_exec(
                *argv, stdin=PIPE, stdout=PIPE, stderr=PIPE, pass_fds=self._open.descriptors, env={}, cwd="/",
                start_new_session=True,  # else Ctrl-C would end it before the answers that are under way
            )  # fmt: skip
        except OSError as error:
            raise StorageError(f"{argv[0]}: cannot be started: {error.strerror}") from None
        stdin, stdout, stderr = self._process.stdin, self._process.stdout, self._process.stderr
        assert stdin, "piped"
        assert stdout, "piped"
        assert stderr, "piped"
        self._reader = asyncio.create_task(_read(stderr, self.errors, loading))
        stdin.write(json.dumps(settings).encode() + b"\n")
        try:
            line = await asyncio.wait_for(stdout.readline(), self._settings.start_seconds)
        except TimeoutError:
            raise NotCheckedError(f"the engine did not load within {self._settings.start_seconds:g} seconds") from None
        except ValueError:
            line = b""  # a line longer than any that it writes
        if line != b'{"ready": true}\n':
            raise NotCheckedError(f"the engine does not start: {await self._last_words()}")
        await asyncio.to_thread(self._check_loaded, settings["adapters"])
        self._open.check()
        loading[0] = False
        self.state = READY
        self._ready.set()

    def _command(self, files: OpenFiles, folder: SocketFolder) -> tuple[list[str], dict[str, object]]:
        """Return the child's command line and settings."""
        outside, asked = files.outside(), self._settings
        memory = asked.memory_bytes or os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") + 2 * files.size
        settings: dict[str, object] = {
            "key": self._key, "slots": asked.slots, "context": asked.context, "max_tokens": asked.max_tokens,
            "threads": asked.threads or max(1, (os.cpu_count() or 2) - 1), "memory_bytes": memory,
        }  # fmt: skip
        python = [sandbox.interpreter(), "-I", "-S", "-B"]
        program = os.path.abspath(child_module.__file__)
        if not self._bwrap.path:
            settings |= {"model": outside[0], "adapters": outside[1:], "socket": folder.socket, "parent": os.getpid()}
            settings |= {"packages": [os.path.dirname(self._program.folder)], "descriptors": files.descriptors}
            return [*python, program], settings
        # The digest stands in the path, which the engine tells back.
        inside = [f"{sandbox.FILES}/{at}-{each.digest[:64]}.gguf" for at, each in enumerate(self._files)]
        settings |= {
            "model": inside[0],
            "adapters": inside[1:],
            "socket": f"{sandbox.SOCKETS}/engine.sock",
            "parent": 0,
        }
        settings |= {"packages": [sandbox.PACKAGES], "descriptors": []}
        seen = sandbox.interpreter_folders() | {sandbox.CHILD: program}
        seen |= {f"{sandbox.PACKAGES}/xllamacpp{each}": f"{self._program.folder}{each}" for each in self._program.parts}
        seen |= dict(zip(inside, outside, strict=True))
        return sandbox.bwrap_argv(self._bwrap.path, [*python, sandbox.CHILD], seen, folder.path), settings

    def _check_loaded(self, paths: object) -> None:
        """Check in the engine itself that it has what was asked for, and nothing else."""
        assert self._folder, "the folder is there"
        headers = self._headers
        if ask(self._folder.socket, "/health", headers) != {"status": "ok"}:
            raise NotCheckedError("the engine says that it is ready, and is not healthy")
        found = ask(self._folder.socket, "/lora-adapters", headers)
        assert isinstance(paths, list), "it was made as one"
        if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
            raise VerificationError("the engine does not list its adapters")
        told = [(each.get("id"), each.get("path"), each.get("scale")) for each in found]
        if told != [(place, path, 0) for place, path in enumerate(paths)]:
            raise VerificationError(f"the engine lists {len(told)} adapters, which are not the {len(paths)} asked for")

    async def _last_words(self) -> str:
        """Return why a child that ends by itself did, as far as it said."""
        assert self._process, "it was launched"
        with contextlib.suppress(TimeoutError):
            status = await asyncio.wait_for(self._process.wait(), self._settings.grace_seconds)
            if self._reader:
                await asyncio.wait_for(asyncio.shield(self._reader), self._settings.grace_seconds)
            return "; ".join([f"it {_ending(status)}", *self.errors.lines[-5:]])
        return "it wrote something else than expected"

    async def _end(self) -> None:
        """End the process, if there is one, and wait for it."""
        process = self._process  # kept until the end, so that a stop during a restart begins again here
        if not process:
            return
        if process.stdin:
            process.stdin.close()  # asks it to end
        grace = self._settings.grace_seconds
        for force, seconds in ((process.terminate, grace), (process.kill, grace), (None, LAST_WAIT_S)):
            try:
                await asyncio.wait_for(process.wait(), seconds)
                break
            except TimeoutError:
                if force:
                    with contextlib.suppress(ProcessLookupError):
                        force()
        if self._reader and process.stdout:
            # Both pipes must be seen to end, else they stay open: what was inside the sandbox may end after it.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LAST_WAIT_S):
                    await asyncio.gather(self._reader, process.stdout.read(), return_exceptions=True)
        self._process = self._reader = None


async def _read(stream: asyncio.StreamReader, errors: ErrorLog, loading: list[bool]) -> None:
    while data := await stream.read(4096):
        errors.feed(data, loading=loading[0])


def _ending(status: int) -> str:
    """Say how a process ended; bubblewrap gives 128 and more for a signal."""
    number = -status if status < 0 else status - 128
    if number > 0:
        with contextlib.suppress(ValueError):
            return f"was ended by {signal.Signals(number).name}"
    return f"ended with status {status}"
