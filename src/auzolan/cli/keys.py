"""`auzolan key`: make and list the keys of this person."""

from __future__ import annotations

from typing import Annotated

import typer

from auzolan.cli.commons import create_key, key_store
from auzolan.cli.output import JsonOption, handled, hint, out, print_json
from auzolan.core.record.errors import MalformedError, UsageError
from auzolan.core.record.keys import COSIGNATURE, DEMO_PREFIX, PublicKey, check_key_name

app = typer.Typer(help="Make and list your keys; secrets stay sealed on this machine.", no_args_is_help=True)


@app.command("new")
@handled
def key_new(
    name: Annotated[str, typer.Argument(help="What others will see, such as 'library-desk'.")],
    demo: Annotated[
        bool, typer.Option("--demo", help="A throw-away key, without passphrase and marked as such.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Make a key pair and print its public key, which you give to the others."""
    if name.startswith(DEMO_PREFIX) and not demo:
        raise UsageError(f"names that begin with {DEMO_PREFIX!r} mark throw-away keys; add --demo, or choose another")
    full = name if name.startswith(DEMO_PREFIX) or not demo else DEMO_PREFIX + name
    try:
        check_key_name(full)
    except MalformedError as error:
        raise UsageError(str(error)) from None
    _print_key(create_key(full, demo), as_json)


@app.command("list")
@handled
def key_list(as_json: JsonOption = False) -> None:
    """List your keys."""
    keys = key_store().public_keys()
    if as_json:
        print_json([_key_json(key) for key in keys])
    for key in () if as_json else keys:
        out().print(str(key), soft_wrap=True)
    if not keys and not as_json:
        hint("no keys yet; make one with `auzolan key new NAME`")


@app.command("show")
@handled
def key_show(
    name: Annotated[str, typer.Argument(help="One of your keys.")],
    witness: Annotated[bool, typer.Option("--witness", help="As a witness presents it.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Print one public key."""
    public = key_store().find(name)
    _print_key(PublicKey(public.name, public.raw, COSIGNATURE) if witness else public, as_json)


def _key_json(key: PublicKey) -> dict[str, object]:
    return {"name": key.name, "public": str(key), "id": key.keyid, "demo": key.is_demo}


def _print_key(key: PublicKey, as_json: bool) -> None:
    if as_json:
        print_json(_key_json(key))
    else:
        out().print(str(key), soft_wrap=True)
