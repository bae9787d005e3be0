"""Attacks on authority: the root and the rules (steps 4, 5). The log is in order in all of them."""

from __future__ import annotations

import base64
from hashlib import sha256

from auzolan.core.record.canonical import JsonObject
from auzolan.core.record.governance import GOVERNANCE_KIND
from auzolan.core.record.keys import ED25519, SigningKey
from auzolan.core.record.record import Record
from tests.attacks.forge import (
    FLOOR,
    NEXT,
    OUTSIDER,
    ROOT,
    TWO,
    WITNESSED,
    Forged,
    Operator,
    counts,
    document,
    fails,
    held,
    loan,
    opening,
    stewards,
    town_next,
    town_root,
    unchecked,
    witnessed,
)
from tests.town import CLINIC, LIBRARY, LOG, ORIGIN, SCHOOL, WITNESS, key, rules, sign

LOAN = loan()
FALSE_LIBRARY, FALSE_SCHOOL, FALSE_LOG = (
    SigningKey(true.name, sha256(true.seed).digest()) for true in (LIBRARY, SCHOOL, LOG)
)
DEMO = key("demo/library-desk")


def begun_with(root: Record, *keys: SigningKey) -> Forged:
    """Publish a town of three records that begins with `root`."""
    return Operator(sign(root, *keys), sign(document(root=root)), sign(loan(root))).publish()


def succeeded_by(record: Record, *keys: SigningKey) -> Forged:
    """Publish the honest town, then further rules."""
    return opening().log(sign(record, *keys)).publish()


# 4. Root


@fails(4, "not with the pinned root")
def forged_root() -> Forged:
    """Somebody built a whole commons with the town's name, the same rules and texts, but keys of their own."""
    owners = {"library": held("Town library", FALSE_LIBRARY), "school": held("Town school", FALSE_SCHOOL)}
    root = town_root(principals=owners, log={"origin": ORIGIN, "key": str(FALSE_LOG.public)})
    both = (FALSE_LIBRARY, FALSE_SCHOOL)
    operator = Operator(sign(root, *both), sign(document(root=root), *both), sign(loan(root), *both))
    forged = operator.publish(witnessed(operator.head(), FALSE_LOG))
    forged.root = ROOT.id
    return forged


@fails(4, "not with the pinned root")
def root_with_lower_threshold() -> Forged:
    """The town's own keys began a second commons, in which one signature is enough."""
    forged = begun_with(town_root(thresholds=counts(document=1)))
    forged.root = ROOT.id
    return forged


@fails(4, "the first record must be governance/v1, got document/v1")
def first_record_not_governance() -> Forged:
    """The log begins with a document, before any rules say who may sign one."""
    return Operator(sign(document()), sign(ROOT), sign(LOAN)).publish()


# 5. Governance: it continues the one in force


@fails(5, "is in force")
def governance_skips_version() -> Forged:
    """New rules continue the first ones and pass over the second ones, in which the clinic had joined."""
    return succeeded_by(town_next(ROOT.id, principals=TWO, roles=stewards("library", "school")))


@fails(5, "supersedes nothing")
def governance_without_predecessor() -> Forged:
    """New rules were logged as if they were the first, so that the old ones need not agree."""
    return succeeded_by(town_root(name="New town (synthetic)"))


@fails(5, "but it is the first")
def root_claims_predecessor() -> Forged:
    """The first rules claim to continue others, which nobody can see."""
    return begun_with(town_next(NEXT.id))


@fails(5, "the rights floor may only grow, but article own-language is gone")
def rights_floor_lowered() -> Forged:
    """New rules, signed by everybody, dropped a right that no vote may lower."""
    return succeeded_by(town_next(NEXT.id, rights_floor=[]), LIBRARY, SCHOOL, CLINIC)


@fails(5, "the rights floor may only grow, but article own-language is gone")
def rights_floor_reworded() -> Forged:
    """New rules kept the name of a right that no vote may lower, and turned its meaning around."""
    turned = {**FLOOR, "text": FLOOR["text"].replace("Nobody is refused", "Everybody may be refused")}
    return succeeded_by(town_next(NEXT.id, rights_floor=[turned]), LIBRARY, SCHOOL, CLINIC)


@fails(5, "key clinic-desk is held by clinic and cannot pass to bakery")
def key_handed_over() -> Forged:
    """New rules give the clinic's key to somebody else, who would sign as if the clinic's past were theirs."""
    owners = {**TWO, "bakery": held("Town bakery", CLINIC)}
    return succeeded_by(town_next(NEXT.id, principals=owners, roles=stewards("library", "school", "bakery")))


@fails(5, "key clinic-desk was held by clinic and cannot pass to bakery")
def key_handed_over_later() -> Forged:
    """The clinic's key was withdrawn by one version of the rules and given to somebody else by the next."""
    without = town_next(NEXT.id, principals=TWO, roles=stewards("library", "school"))
    owners = {**TWO, "bakery": held("Town bakery", CLINIC)}
    after = town_next(without.id, principals=owners, roles=stewards("library", "school", "bakery"))
    return opening().log(sign(without), sign(after)).publish()


@fails(5, "this commons began with throw-away keys")
def demo_mark_dropped() -> Forged:
    """A commons that began with throw-away demo keys took real keys and no longer says what it began as."""
    owners = {**TWO, "library": held("Town library", DEMO)}
    root = town_root(demo=True, principals=owners)
    grown_up = town_next(root.id, principals=TWO, roles=stewards("library", "school"))
    begun = Operator(sign(root, DEMO, SCHOOL), sign(document(root=root), DEMO, SCHOOL))
    return begun.log(sign(grown_up, DEMO, SCHOOL, LIBRARY)).publish()


# 5. Governance: it says what it seems to say


@fails(5, "key demo/library-desk is a throw-away demo key")
def demo_key_unmarked() -> Forged:
    """The rules give a vote to a throw-away key, whose secret everybody has, and do not say so."""
    return begun_with(town_root(principals={**TWO, "library": held("Town library", DEMO)}), DEMO, SCHOOL)


@fails(5, "is also held by library; one key, one hand")
def one_key_two_ids() -> Forged:
    """The library holds the school's vote too: its one key is listed for both, under two names."""
    renamed = SigningKey("school-office", LIBRARY.seed)
    return begun_with(town_root(principals={**TWO, "school": held("Town school", renamed)}), LIBRARY)


@fails(5, "is also held by library; one key, one hand")
def shared_key() -> Forged:
    """Two bodies share one key, so that one of them can sign for both."""
    return begun_with(town_root(principals={**TWO, "school": held("Town school", SCHOOL, LIBRARY)}))


@fails(5, "thresholds.document/v1.count: expected an integer, got true or false")
def bool_for_integer() -> Forged:
    """The number of signatures that a document needs was written as "true", which some programs read as one."""
    thresholds: JsonObject = {**counts(), "document/v1": {"role": "steward", "count": True}}
    return begun_with(town_root(thresholds=thresholds))


@fails(5, "thresholds.document/v1.count: expected at least 1, got 0")
def threshold_zero() -> Forged:
    """The rules ask for no signature at all on documents."""
    return begun_with(town_root(thresholds=counts(document=0)))


@fails(5, "asks for 3 of role steward, which has 2 principals")
def threshold_out_of_reach() -> Forged:
    """The rules ask for more signatures than there are people, so that they can never be changed again."""
    return begun_with(town_root(thresholds=counts(governance=3)))


@fails(5, "thresholds.document/v1: unknown key 'at_least'")
def threshold_misspelt() -> Forged:
    """A condition stands in the rules under a word that no program knows, so that it binds nobody."""
    threshold: JsonObject = {"role": "steward", "count": 1, "at_least": 2}
    return begun_with(town_root(thresholds={**counts(), "document/v1": threshold}))


@fails(5, "expected a record kind such as 'document/v1', or 'default'")
def lookalike_threshold() -> Forged:
    """The rule for documents is spelt with a Cyrillic letter: it is read by people and applies to nothing."""
    thresholds = {name: value for name, value in counts().items() if name != "document/v1"}
    return begun_with(town_root(thresholds={**thresholds, "d\u043ecument/v1": {"role": "steward", "count": 2}}))


@fails(5, "expected an id of lower-case letters, digits and hyphens")
def lookalike_principal() -> Forged:
    """Beside the school stands a second "school" with a Cyrillic letter, who has a vote too."""
    double = "sch\u043eol"
    owners = {**TWO, double: held("Town school", OUTSIDER)}
    return begun_with(town_root(principals=owners, roles=stewards("library", "school", double)))


@fails(5, "expected an id of lower-case letters, digits and hyphens")
def escape_sequence_in_rules() -> Forged:
    """A name in the rules is a terminal command that clears the screen and writes "verified" in green."""
    name = "\x1b[2J\x1b[32mverified\x1b[0m"
    return begun_with(town_root(principals={**TWO, name: held("x", OUTSIDER)}))


@fails(5, "log.origin: expected")
def origin_written_backwards() -> Forged:
    """The name of the log holds an invisible sign that turns the direction of writing, so that it reads as another."""
    origin = "auzolan/\u202enwot"
    rules_of_it = town_root(log={"origin": origin, "key": str(LOG.public)})
    operator = Operator(sign(rules_of_it), sign(document(root=rules_of_it)), sign(loan(rules_of_it)))
    return operator.publish(witnessed(operator.head(), origin=origin))


@fails(5, "'mayor' is not a principal")
def role_of_nobody() -> Forged:
    """A role is given to somebody whom the rules do not name, to be filled in later."""
    return begun_with(town_root(roles=stewards("library", "school", "mayor")))


@fails(5, "roles.steward: a principal is listed twice")
def member_listed_twice() -> Forged:
    """The library is listed twice in a role, to count twice."""
    return begun_with(town_root(roles=stewards("library", "library", "school")))


@fails(5, "the log's own key cannot witness the log")
def log_witnesses_itself() -> Forged:
    """The keeper of the log is also its witness, so that nobody else watches."""
    return begun_with(town_root(witnesses={**WITNESSED, "keys": [str(LOG.witness_public)]}))


@fails(5, "two keys are named witness.example/neighbour")
def witnesses_share_name() -> Forged:
    """A second witness was named in the rules who bears the name of the first, to be taken for it."""
    double = SigningKey(WITNESS.name, OUTSIDER.seed).witness_public
    return begun_with(town_root(witnesses={**WITNESSED, "keys": [str(WITNESS.witness_public), str(double)]}))


@fails(5, "a point of small order, with which anyone can sign")
def key_that_fits_everything() -> Forged:
    """The rules list a specially built key with which anybody can sign anything."""
    weak = bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")
    return begun_with(town_root(principals={**TWO, "school": {"name": "Town school", "keys": [_written("any", weak)]}}))


def _written(name: str, raw: bytes) -> str:
    """Return a verifier key for any 32 bytes, with the right id; `PublicKey` would refuse to."""
    material = bytes([ED25519]) + raw
    shown = sha256(name.encode() + b"\n" + material).hexdigest()[:8]
    return f"{name}+{shown}+{base64.b64encode(material).decode()}"


@fails(5, "public key school-office: its id is")
def key_under_false_name() -> Forged:
    """An outsider's key stands in the rules under the name and short id of the school's key."""
    false = f"{SCHOOL.name}+{SCHOOL.public.note_id.hex()}+{str(OUTSIDER.public).split('+', 2)[2]}"
    return begun_with(town_root(principals={**TWO, "school": {"name": "Town school", "keys": [false]}}))


@fails(5, "expected a key of type 0x01, got 0x04")
def witness_key_votes() -> Forged:
    """The rules give a vote to a key that is made for witnessing only."""
    table = {"name": "Town school", "keys": [str(WITNESS.witness_public)]}
    return begun_with(town_root(principals={**TWO, "school": table}))


@fails(5, "witnesses.quorum: asks for 2 of 1 witnesses")
def quorum_out_of_reach() -> Forged:
    """The rules ask for more witnesses than they name, so that every later check can be explained away."""
    return begun_with(town_root(witnesses={**WITNESSED, "quorum": 2}))


@fails(5, "expected format = 'governance/v1'")
def rules_of_other_format() -> Forged:
    """The rules call themselves a version of the format in which the same words may mean something else."""
    return begun_with(Record(GOVERNANCE_KIND, {**town_root().body, "format": "governance/v2"}))


@fails(5, "rights_floor")
def rights_floor_left_out() -> Forged:
    """The rules are silent about the rights that no vote may lower, instead of saying that there are none."""
    body = {name: value for name, value in rules(witnesses=WITNESSED).items() if name != "rights_floor"}
    return begun_with(Record(GOVERNANCE_KIND, body))


@fails(5, "the log is 'auzolan/town-00000001' for ever, not 'auzolan/town-renamed'")
def log_renamed() -> Forged:
    """New rules give the log another name, so that what others remember of it is forgotten."""
    rules = town_next(ROOT.id, log={"origin": "auzolan/town-renamed", "key": str(LOG.public)})
    return Operator(sign(ROOT), sign(rules)).publish()


@unchecked(5, "governance/v2 is newer than this program")
def rules_from_the_future() -> Forged:
    """The log holds rules of a newer kind that this program cannot read; it must not go on with the old ones."""
    record = Record("governance/v2", {"name": "Town (synthetic)"}, {"supersedes": ROOT.id})
    return opening().log(sign(record)).publish()


@fails(6, "document/v2 needs 2 principals of role steward, got 1 (library)")
def version_without_threshold() -> Forged:
    """The library alone signed a "document/v2", for which the rules name no threshold, only for "document/v1"."""
    record = Record("document/v2", {"title": "Loan"}, {"commons": ROOT.id})
    return opening().log(sign(record, LIBRARY)).publish()
