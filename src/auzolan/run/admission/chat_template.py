"""Which chat template a folder's files give, and which tokens are the marks of roles and turns in it.

As transformers chooses it, and as `teach.model_folder` does, whose digests must be the same; files are arguments.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from auzolan.core.record.errors import MalformedError

OWN_FILE, OLD_FILE, SETTINGS = "chat_template.jinja", "chat_template.json", "tokenizer_config.json"
SPECIALS_MAP = "special_tokens_map.json"
_OPENING, _CLOSING = "<[{|", ">]}|"
_TOKEN_KEYS = (
    "additional_special_tokens", "bos_token", "cls_token", "eos_token", "extra_special_tokens", "mask_token",
    "pad_token", "sep_token", "unk_token",
)  # fmt: skip


def template_of(own: bytes | None, settings: Mapping[str, Mapping[str, object]], what: str) -> str | None:
    """Return the text of the chat template; its own file comes first.

    Args:
        own: bytes of `chat_template.jinja`, None where there is none.
        settings: the objects in `chat_template.json` and `tokenizer_config.json`, by file name.
        what: how to call the folder in errors.

    Raises:
        MalformedError: the template is not text, or one name is given to two.
    """
    if own is not None:
        try:
            return own.decode("utf-8")
        except UnicodeDecodeError:
            raise MalformedError(f"{what}/{OWN_FILE}: expected UTF-8") from None
    for name in (OLD_FILE, SETTINGS):
        template = settings.get(name, {}).get("chat_template")
        if isinstance(template, list):
            template = _by_name(template, f"{what}/{name}").get("default")
        if template is not None:
            if not isinstance(template, str):
                raise MalformedError(f"{what}/{name}: expected the chat template to be text")
            return template
    return None


def _by_name(templates: list[object], what: str) -> dict[object, object]:
    found: dict[object, object] = {}
    for each in templates:
        name = each.get("name") if isinstance(each, dict) else None
        if not isinstance(each, dict) or not isinstance(name, str):
            raise MalformedError(f"{what}: expected each chat template to have a name")
        if name in found:
            raise MalformedError(f"{what}: chat template {name[:40]!r} stands twice")
        found[name] = each.get("template")
    return found


def is_marker(token: str, template: str) -> bool:
    """Say whether a token that its maker did not call special marks something in the template, such as "<|user|>"."""
    plain = len(token) < 3 or token[0] not in _OPENING or token[-1] not in _CLOSING or any(map(str.isspace, token))
    return not plain and token in template


def special_tokens_of(
    settings: Mapping[str, Mapping[str, object]], tokenizer: Mapping[str, object], template: str
) -> tuple[str, ...]:
    """Return the texts of special tokens, sorted: those that no request's text may turn into.

    Args:
        settings: the objects in `tokenizer_config.json` and `special_tokens_map.json`, by file name.
        tokenizer: the object in `tokenizer.json`; may be empty.
        template: the chat template.
    """
    found: set[str] = set()
    for name in (SETTINGS, SPECIALS_MAP):
        for key in _TOKEN_KEYS:
            found.update(_texts(settings.get(name, {}).get(key)))
    decoder = settings.get(SETTINGS, {}).get("added_tokens_decoder")
    added = [*(decoder.values() if isinstance(decoder, dict) else ()), *_list(tokenizer.get("added_tokens"))]
    for each in added:
        text = each.get("content") if isinstance(each, dict) else None
        if isinstance(each, dict) and isinstance(text, str) and (each.get("special") or is_marker(text, template)):
            found.add(text)
    return tuple(sorted(found - {""}))


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _texts(value: object) -> Iterator[str]:
    """Yield the tokens of a setting: a text, an object with `content`, or a list or an object of these."""
    if isinstance(value, dict) and "content" not in value:
        value = list(value.values())
    for each in value if isinstance(value, list) else [value]:
        text = each.get("content") if isinstance(each, dict) else each
        if isinstance(text, str):
            yield text
