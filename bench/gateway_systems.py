"""The gateways of bench/gateway.py: how each is started before the stand-in, and how much it can be asked.

Each runs one worker, listens on loopback, writes no line per request where
that can be turned off, and is told not to use the network.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from bench.gateway_ours import LISTED, N_PATTERNS, start_ours
from bench.gateway_place import Launch, Place, environment
from bench.gateway_tree import Tree, running
from bench.gateway_work import MODEL
from bench.measure import ROOT

GRANIAN = ("--interface", "rsgi", "--workers", "1", "--loop", "uvloop", "--no-ws", "--host", "127.0.0.1")
KEY = "sk-" + hashlib.sha256(b"synthetic key of a benchmark").hexdigest()  # LiteLLM refuses weak ones


class Share(NamedTuple):
    """How many of the requests a gateway gets, so that the slow ones are done in seconds: one in so many."""

    one_by_one: int = 1
    at_once: int = 1
    streams: int = 1
    long: int = 1


class System(NamedTuple):
    """One of the gateways.

    Attributes:
        name: as it stands in the tables.
        start: writes what it needs and tells how it is started.
        about: how it is set up, in a few words.
        share: of the requests.
        venv: its environment; "" where it is ours.
        package: whose version is told.
        refuses: a question that it must not pass on; "" where it refuses none.
    """

    name: str
    start: Callable[[Place], Launch]
    about: str
    share: Share = Share()
    venv: str = ""
    package: str = "granian"
    refuses: str = ""

    def python(self, venvs: Path) -> Path:
        """Return the interpreter that it runs in."""
        return venvs / self.venv / "bin" / "python" if self.venv else Path(sys.executable)

    def version(self, venvs: Path) -> str:
        """Return what was installed."""
        asked = f"from importlib.metadata import version; print(version({self.package!r}))"
        told = subprocess.run([str(self.python(venvs)), "-c", asked], capture_output=True, text=True, check=True)
        return f"{self.package} {told.stdout.strip()}, {self.about}"


def _granian(app: str, port: int) -> tuple[str, ...]:
    return (sys.executable, "-m", "granian", *GRANIAN, "--port", str(port), "--log-level", "warning", app)


def start_bare(place: Place) -> Launch:
    """Start the proxy that only passes on."""
    return Launch(_granian("bench.peers.bare_proxy:app", place.port), {"BACKEND": place.backend})


def start_litellm(place: Place) -> Launch:
    """Start LiteLLM's proxy without a database and without callbacks."""
    parameters = {"model": f"openai/{MODEL}", "api_base": f"{place.backend}/v1", "api_key": "none"}
    config = {
        "model_list": [{"model_name": MODEL, "litellm_params": parameters}],
        "litellm_settings": {"telemetry": False, "callbacks": []},
        "general_settings": {"master_key": KEY},
    }
    (place.folder / "config.yaml").write_text(json.dumps(config))  # JSON is YAML
    options = ("--config", str(place.folder / "config.yaml"), "--host", "127.0.0.1", "--port", str(place.port))
    quiet = {
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_TELEMETRY": "False",
        "LITELLM_MODE": "PRODUCTION",
        "LITELLM_LOG": "ERROR",
        "LITELLM_DONT_SHOW_FEEDBACK_BOX": "true",
    }
    headers = f"Authorization: Bearer {KEY}\r\n"
    program = str(place.venvs / ".venv-litellm" / "bin" / "litellm")
    return Launch((program, *options, "--num_workers", "1"), quiet, headers)


# A list for each direction; few, because NeMo tries one expression after the other.
NEMO_PATTERNS = tuple(rf"\bforbidden-word-{number}\b" for number in range(8))
NEMO_REFUSES = "what is forbidden-word-3 ?"


def _start_nemo(place: Place, more: Mapping[str, str]) -> Launch:
    lists = {"patterns": list(NEMO_PATTERNS), "case_insensitive": True}
    model = {"type": "main", "engine": "openai", "model": MODEL, "parameters": {"base_url": f"{place.backend}/v1"}}
    rails = {
        "config": {"regex_detection": {"input": lists, "output": lists}},
        "input": {"flows": ["regex check input"]},
        "output": {"flows": ["regex check output"], "streaming": {"enabled": True}},
    }
    folder = place.folder / "rails"
    folder.mkdir()
    (folder / "config.yml").write_text(json.dumps({"models": [model], "rails": rails, "passthrough": True}))
    quiet = {
        "NEMO_GUARDRAILS_NO_USAGE_STATS": "1",
        "DO_NOT_TRACK": "1",
        "HF_HUB_OFFLINE": "1",
        "OPENAI_API_KEY": "none",
        "MAIN_MODEL_BASE_URL": f"{place.backend}/v1",
    }
    side = ROOT / "bench" / "peers" / "nemo_side.py"
    command = (str(place.venvs / ".venv-nemo" / "bin" / "python"), str(side), str(folder), str(place.port))
    return Launch(command, {**quiet, **more})


def start_nemo(place: Place) -> Launch:
    """Start NeMo Guardrails with expressions for questions and answers, on its default engine."""
    return _start_nemo(place, {})


def start_nemo_io(place: Place) -> Launch:
    """Start the same on its engine for input and output rails alone."""
    return _start_nemo(place, {"NEMO_GUARDRAILS_IORAILS_ENGINE": "1"})


OURS, BARE, LITELLM = "ours", "bare proxy", "LiteLLM"
SYSTEMS = {
    "ours": System(
        OURS,
        start_ours,
        f"auzolan in this tree: default rules and {N_PATTERNS} patterns, receipts, bearer token",
        refuses=LISTED,
    ),
    "bare": System(BARE, start_bare, "aiohttp and uvloop: passes on, checks nothing"),
    "litellm": System(
        LITELLM,
        start_litellm,
        "no database, no callbacks, a master key",
        Share(5, 5, 10, 10),
        ".venv-litellm",
        "litellm",
    ),
    "nemo": System(
        "NeMo Guardrails",
        start_nemo,
        f"regex rails on questions and answers, {len(NEMO_PATTERNS)} patterns each, default engine",
        Share(10, 20, 20, 50),
        ".venv-nemo",
        "nemoguardrails",
        NEMO_REFUSES,
    ),
    "nemo-io": System(
        "NeMo Guardrails, IORails",
        start_nemo_io,
        "the same rails, NEMO_GUARDRAILS_IORAILS_ENGINE=1",
        Share(2, 2, 5, 5),
        ".venv-nemo",
        "nemoguardrails",
        NEMO_REFUSES,
    ),
}


@contextmanager
def stand_in(port: int, cpu: int, folder: Path) -> Iterator[Tree]:
    """Run the stand-in for a model."""
    command = _granian("bench.gateway_backend:app", port)
    with running(command, environment(folder, {}), cpu, folder / "stand-in.txt") as tree:
        yield tree
