"""`auzolan run`: its commands and their options; what they do is loaded when they are called."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auzolan.cli.govern import CommonsOption, KeyOption, LedgerOption
from auzolan.cli.output import JsonOption, handled

if TYPE_CHECKING:
    from auzolan.cli.run.answering import Job
    from auzolan.cli.run.declared import Declared

app = typer.Typer(help="A model is served locally, under the community's rules.", no_args_is_help=True)

PORT = 8642
ServiceArgument = Annotated[
    str | None, typer.Argument(metavar="[SERVICE]", help="Its name or id; default: the newest service.")
]
ModelOption = Annotated[
    str, typer.Option("--model", metavar="WHERE", help="`pocket`, a folder as transformers reads it, or a GGUF file.")
]
StateOption = Annotated[
    Path | None,
    typer.Option("--state", metavar="FOLDER", help="Where log and token are kept; default: beside your keys."),
]
TokenOption = Annotated[
    Path | None, typer.Option("--token-file", metavar="FILE", help="Default: that of the service on this machine.")
]
OfServiceOption = Annotated[
    str | None, typer.Option("--service", metavar="NAME", help="Whose token, where several run on this machine.")
]
PortOption = Annotated[int, typer.Option("--port", min=1, max=65535, help="On 127.0.0.1.")]
BackendOption = Annotated[
    str,
    typer.Option(
        "--backend", metavar="URL", help="An OpenAI-compatible server that answers, instead of the engine here."
    ),
]
JudgeOption = Annotated[str, typer.Option("--judge", metavar="URL", help="A server with a judge model.")]
SandboxOption = Annotated[
    bool, typer.Option("--sandbox/--no-sandbox", help="Lock the engine in (bubblewrap); off is said in every receipt.")
]
KeepOption = Annotated[
    int,
    typer.Option("--keep-contents", metavar="DAYS", min=0, help="Keep texts on this machine; said in every receipt."),
]
BatchOption = Annotated[
    int,
    typer.Option(
        "--batch", metavar="SECONDS", min=1, max=600, help="Between batches of the log; less than 600 is said."
    ),
]


@app.command("prepare")
@handled
def prepare(
    name: Annotated[
        str, typer.Option("--name", help="As clients name the model: lower-case letters, digits, hyphens.")
    ],
    model: ModelOption = "pocket",
    folder: Annotated[Path, typer.Option("--folder", help="Where the two files are written.")] = Path(),
    commons: CommonsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write service.toml and rules.toml, to be read and changed."""
    from auzolan.cli.run.declare import prepare as write

    write(name, model, folder, commons, as_json)


@app.command("declare")
@handled
def declare(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="service.toml; it names its rules.")],
    key: KeyOption = None,
    commons: CommonsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Sign what is served and under which rules, and put it on record.

    A service that is running keeps its old rules until it is started again.
    """
    from auzolan.cli.run.declare import declare as put

    put(file, key, commons, as_json)


@app.command("doctor")
@handled
def doctor(
    service: ServiceArgument = None,
    model: ModelOption = "pocket",
    state: StateOption = None,
    port: PortOption = PORT,
    backend: BackendOption = "",
    judge: JudgeOption = "",
    sandbox: SandboxOption = True,
    keep_contents: KeepOption = 0,
    batch: BatchOption = 600,
    commons: LedgerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Go through the start checklist without serving.

    Exit code 0: it can be served, 1: something stands against it.
    """
    from auzolan.cli.run.checklist import Choices
    from auzolan.cli.run.declared import state_folder
    from auzolan.cli.run.doctor import show

    def choices(declared: Declared) -> Choices:
        place = state_folder(declared.service, state)
        return Choices(model, backend, judge, sandbox, keep_contents, batch, place, port)

    show(service, choices, commons, as_json)


@app.command("serve")
@handled
def serve(
    service: ServiceArgument = None,
    model: ModelOption = "pocket",
    state: StateOption = None,
    port: PortOption = PORT,
    token_file: Annotated[
        Path | None, typer.Option("--token-file", metavar="FILE", help="The clients' token; made if it is not there.")
    ] = None,
    host: Annotated[
        list[str] | None, typer.Option("--host", help="A further Host that is let in, such as that of a proxy.")
    ] = None,
    origin: Annotated[
        list[str] | None, typer.Option("--origin", help="A page that may ask, such as http://localhost:3000.")
    ] = None,
    backend: BackendOption = "",
    backend_kind: Annotated[
        str, typer.Option("--backend-kind", help="llama.cpp, vllm, ollama, lmstudio or openai; default: found out.")
    ] = "",
    backend_model: Annotated[str, typer.Option("--backend-model", help="The model's name there.")] = "",
    backend_key: Annotated[
        str, typer.Option("--backend-key", metavar="VARIABLE", help="Environment variable with its key.")
    ] = "",
    backend_files: Annotated[
        str, typer.Option("--backend-files", metavar="WHERE", help="Of its model: what Ollama says is compared.")
    ] = "",
    plain_http: Annotated[
        bool, typer.Option("--plain-http", help="Let texts go to another machine without encryption.")
    ] = False,
    judge: JudgeOption = "",
    judge_model: Annotated[str, typer.Option("--judge-model", help="The judge's name there.")] = "",
    judge_key: Annotated[
        str, typer.Option("--judge-key", metavar="VARIABLE", help="Environment variable with its key.")
    ] = "",
    sandbox: SandboxOption = True,
    keep_contents: KeepOption = 0,
    batch: BatchOption = 600,
    slots: Annotated[int, typer.Option("--slots", min=1, max=256, help="Answers computed at once.")] = 4,
    context: Annotated[int, typer.Option("--context", min=64, help="Tokens of a conversation with its answer.")] = 2048,
    threads: Annotated[int, typer.Option("--threads", min=0, help="Of the engine; 0: all cores but one.")] = 0,
    commons: LedgerOption = None,
) -> None:
    """Serve the model on this machine, OpenAI-compatible, until Ctrl-C."""
    from auzolan.cli.run.answering import Job
    from auzolan.cli.run.checklist import Choices
    from auzolan.cli.run.declared import state_folder
    from auzolan.cli.run.starting import start
    from auzolan.core.lm.apikey import key_from_environment

    keys = [
        key_from_environment(each).header().removeprefix("Bearer ") if each else "" for each in (backend_key, judge_key)
    ]

    def job(declared: Declared) -> Job:
        place = state_folder(declared.service, state)
        choices = Choices("" if backend else model, backend, judge, sandbox, keep_contents, batch, place, port)
        return Job(
            choices, token_file, tuple(host or ()), tuple(origin or ()), slots, context, threads, keys[0],
            backend_model, backend_kind, backend_files, plain_http, keys[1], judge_model,
        )  # fmt: skip

    start(service, job, commons)


@app.command("chat")
@handled
def chat(
    message: Annotated[
        str | None, typer.Argument(metavar="[MESSAGE]", help="One question; without it, a conversation.")
    ] = None,
    port: PortOption = PORT,
    model: Annotated[str | None, typer.Option("--model", help="As the gateway names it; default: its first.")] = None,
    service: OfServiceOption = None,
    token_file: TokenOption = None,
    human: Annotated[
        str | None,
        typer.Option(
            "--human", metavar="NAME", help="Who is responsible for what is done with the answer; not logged."
        ),
    ] = None,
    receipts: Annotated[
        Path | None, typer.Option("--receipts", metavar="FOLDER", help="Keep each receipt here, with its transcript.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Talk to a service in the terminal; each answer's receipt can be kept."""
    from auzolan.cli.run.chat import talk

    talk(message, port, model, token_file, service, human, receipts, as_json)


@app.command("proof")
@handled
def proof(
    receipt: Annotated[Path, typer.Argument(metavar="RECEIPT", help="Of an answer; the proof is put into it.")],
    port: PortOption = PORT,
    service: OfServiceOption = None,
    token_file: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fetch the proof that an answer stands in the service's log, and keep it in its receipt.

    The service must be running; it logs answers in batches, at most ten minutes later.
    """
    from auzolan.cli.run.chat import fetch_proof

    fetch_proof(receipt, port, token_file, service, as_json)


@app.command("explain")
@handled
def explain(
    receipt: Annotated[
        Path | None, typer.Argument(metavar="[RECEIPT]", help="Of an answer: which rules decided.")
    ] = None,
    text: Annotated[
        str | None, typer.Option("--text", help="Instead: what would the rules say about this question?")
    ] = None,
    answer: Annotated[str | None, typer.Option("--answer", help="Or about this answer?")] = None,
    human: Annotated[bool, typer.Option("--human", help="As if a responsible person were named.")] = False,
    service: Annotated[str | None, typer.Option("--service", help="Its name or id; default: the newest.")] = None,
    rules: Annotated[
        Path | None, typer.Option("--rules", metavar="FILE", help="Rules to try that are not signed yet.")
    ] = None,
    commons: LedgerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say which rules decide or decided, why (rule, article, votes), and what would change it."""
    from auzolan.cli.run.explaining import explain_receipt, explain_text
    from auzolan.core.record.errors import UsageError

    if receipt is not None:
        if (text, answer, rules) != (None, None, None):
            raise UsageError("a receipt says itself what was decided; give it alone, or --text or --answer without it")
        explain_receipt(receipt, commons, as_json)
    else:
        explain_text(text, answer, human, service, commons, as_json, rules)


@app.command("anchor")
@handled
def anchor(
    service: ServiceArgument = None,
    state: StateOption = None,
    key: KeyOption = None,
    commons: CommonsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put the newest checkpoint of the answers' log into the community's log.

    From then on no answer before it can be changed, left out or dated back unseen.
    """
    from auzolan.cli.run.anchoring import put_anchor

    put_anchor(service, state, key, commons, as_json)
