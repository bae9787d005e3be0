#!/usr/bin/env bash
# The whole story in one script: two bodies found a commons, a town votes on how its assistant
# should behave, the votes become a constitution, a model is taught it and served under the town's
# rules, and from any answer anybody can walk back to the votes. Everything is synthetic;
# throw-away keys; offline.
#
#   recipes/town.sh [FOLDER]      default: ./demo, made anew each time
set -euo pipefail

folder=${1:-demo}
start=$PWD
recipes=$(cd "$(dirname "$0")" && pwd)
auzolan=${AUZOLAN:-$(cd "$(dirname "$0")/.." && pwd)/.venv/bin/auzolan}
case $auzolan in
  /*) ;;
  */*) auzolan=$start/$auzolan ;; # we leave this folder
esac
python=$(dirname "$auzolan")/python
[ -x "$python" ] || python=python3

# Only an earlier demo may be removed.
if [ -n "$(ls -A "$folder" 2> /dev/null)" ] && [ ! -e "$folder/.auzolan-demo" ]; then
  echo "$folder is not empty and not a demo of ours; name another folder" >&2
  exit 2
fi
rm -rf "$folder"
mkdir -p "$folder"
cd "$folder"
here=$PWD
touch .auzolan-demo
export COLUMNS=80

say() { printf '\n\033[1m%s\033[0m\n' "$@"; }
# Each neighbour has a machine of its own, so a key folder of its own.
as() { local who=$1; shift; AUZOLAN_HOME="$here/machines/$who" "$auzolan" "$@"; }
# Show what a command says: its findings, then its talk.
show() {
  local code=0
  "$@" 2> "$here/talk" || code=$?
  sed -e '/^$/d' -e '/^next:/d' "$here/talk" | fold -s -w 80
  return "$code"
}
# Leave out what a command advises: this script does it next. Its errors are shown.
quiet() {
  local code=0
  "$@" 2> "$here/talk" || code=$?
  [ "$code" -eq 0 ] || cat "$here/talk" >&2
  return "$code"
}
# Show a refusal; anything but exit code 1, "do not trust it", ends the demo.
refused() {
  local code=0
  show "$@" || code=$?
  [ "$code" -eq 1 ] || { echo "expected a refusal (exit code 1), got $code" >&2; exit 1; }
}
replace() { sed "$1" "$2" > "$2.new"; mv "$2.new" "$2"; }
# Leave out part of a list, from a line that matches $1 to one that matches $2, or to the next empty one.
shorten() {
  awk -v from="$1" -v to="${2:-^ *$}" '$0 ~ from { print "     ..."; out = 1 } $0 ~ to { out = 0 } !out'
}
# What a command that commits says last: the id of its record.
id_in() { awk '/committed/ { id = $NF } END { print id }' "$1"; }
# Make the votes of people who do not exist.
synthetic() { "$python" "$recipes/example_town/make.py" "$@"; }

say "1. A library and a school found a commons; a neighbour will witness its log."
library_key=$(as library key new library-desk --demo)
school_key=$(as school key new school-office --demo)
as neighbour key new neighbour --demo > /dev/null
witness_key=$(as neighbour key show demo/neighbour --witness)
quiet as library init town --name "Example town (synthetic)" --demo --edit \
  --principal "library=$library_key" --principal "school=$school_key"
article='{ id = "floor.1", text = "Nobody is refused an answer because of who they are." }'
districts='"Old town" = 1450, "Station quarter" = 1300, "New quarter" = 1500, Villages = 1950'
replace 's/^quorum = 0/quorum = 1/' town/governance.toml
replace "s|^keys = \[\]|keys = [\"$witness_key\"]|" town/governance.toml
replace "s|^rights_floor = \[\]|rights_floor = [$article]|" town/governance.toml
replace "s|^seats = 7|seats = 11\\
roll = 6200\\
roll_by = { district = { $districts } }|" town/governance.toml
pending=$(quiet as library propose governance --commons town --key demo/library-desk)
echo "The library wrote the rules (town/governance.toml) and signed them: who signs"
echo "what, one right that no vote lowers, and a constitution of up to 11 articles."

say "2. The rules need both. The library's signature alone is refused:"
refused as library commit "$pending" --commons town
cp "$pending" school-inbox.dsse
quiet as school sign school-inbox.dsse --yes > /dev/null
root=$(quiet as library commit school-inbox.dsse --commons town | awk '{ print $NF }')
echo "The school reads them and signs too. Now they are committed."
echo "root of the commons: $root"

say "3. They record minutes of a meeting; the list of those present stays private."
printf 'Example minutes (synthetic): we will ask the town how its assistant should behave.\n' > minutes.txt
printf 'resident-17\n' > present.txt
pending=$(quiet as library propose document --commons town --title "Minutes of the first meeting" \
  --blob minutes=minutes.txt --private-blob present=present.txt --about resident-17 --key demo/library-desk)
minutes=$(quiet as library commit "$pending" --commons town | awk '{ print $NF }')
pending=$(quiet as school propose endorsement "$minutes" --claim read --commons town --key demo/school-office)
quiet as library commit "$pending" --commons town > /dev/null
echo "The library signed the minutes; the school put on record that it read them."

say "4. The town votes in Polis on 60 statements; 40 false accounts push one of them."
synthetic votes votes-synthetic
quiet as library deliberate import votes-synthetic --name assistant --licence CC0-1.0 \
  --identity "e-mail, one vote each" --strata votes-synthetic/strata.csv \
  --commons town --key demo/library-desk > /dev/null
grep '^read' talk | fold -s -w 80
show as library deliberate tally --commons town --key demo/library-desk > said
tally=$(id_in said)
grep -v committed said
echo "Both are signed: the snapshot of the votes, and the tally that counts them."

say "5. The school counts again, from the ballots that the library handed over:"
quiet as library deliberate hand-over for-the-school/votes --commons town > /dev/null
cp -r town/ledger the-schools-copy
show as school deliberate recount "$tally" --commons the-schools-copy --ballots for-the-school/votes
rm -r the-schools-copy
pending=$(quiet as school propose endorsement "$tally" --claim recomputed --commons town --key demo/school-office)
quiet as library commit "$pending" --commons town > /dev/null
echo "It put that on record."
quiet as visitor deliberate stats --commons town --html votes.html
quiet as visitor deliberate stats --commons town | sed -n '/^What all groups/,/^Below each/p' | sed '$d'
echo "All of it, with a map of opinions: votes.html"

say "6. Articles are selected in proportion to those who agree, with a certificate:"
show as library deliberate ratify --conflicts votes-synthetic/conflicts.json \
  --commons town --key demo/library-desk > said
grep -v committed said | shorten '^   2 ' '^   4 ' | shorten '^   5 ' | shorten '^     #13 '
echo "Who wants Basque first, by district? With the plausible range:"
COLUMNS=200 quiet as visitor deliberate why 8 --commons town | sed -n '/^district / s/^district \(.*\), plausibly /     \1, /p'

say "7. Why not mine? Two ask: whoever pushed #32, and whoever wrote #36."
show as visitor deliberate why 32 --commons town | sed '/^group/,$d'
echo
show as visitor deliberate why 36 --commons town | sed '/^district/,$d'

say "8. An editor words the articles, and ticks that two statements say the same:"
quiet as library deliberate draft --translations votes-synthetic/translations.csv \
  --output draft.md --commons town > /dev/null
sed -e '/^### 1\.1/,/^### 2\.1/ s/^- editor:$/- editor: the library desk/' \
  -e 's/^- \[ \] #46/- [x] #46/' draft.md > edited.md
sed -n '/^### 1\.1/,/^### 2\.1/p' edited.md | sed -e '$d' -e '/^$/d'
quiet as library deliberate put-to-vote edited.md --poll poll.csv \
  --commons town --key demo/library-desk > /dev/null
echo "The wording is signed before anybody votes on it."

say "9. The people vote on the wording. That alone ratifies:"
synthetic wording poll.csv wording-synthetic.csv
show as library deliberate confirm wording-synthetic.csv --from survey --id id --stratum district \
  --name wording --licence CC0-1.0 --identity "e-mail, one vote each" \
  --commons town --key demo/library-desk > said
constitution=$(id_in said)
grep -v committed said | shorten '^ 2\.1 ' | sed '/^Certificate/,$d' | sed '$d'

say "10. The constitution: all of it in short, and one principle in Basque:"
quiet as library deliberate publish constitution --lang en,es,ca,eu --commons town > /dev/null
awk '/^## Views/ { print "Views we acknowledge" } /^## Who/ { exit } /^### / { number = $NF } sub(/^> /, "") { printf "%4s %s\n", number, $0 }' \
  constitution/constitution.md | fold -s -w 74 | sed 's/^\([^ 0-9V]\)/     \1/'
echo
awk '/^### / { n++ } n == 1' constitution/constitution.eu.md | sed '/^$/d' | fold -s -w 80
echo "In English, Spanish, Catalan and Basque, for any browser, with who agrees, who"
echo "took part and what did not get in: constitution/constitution.html"

say "11. The school checks it from the ballots, with code that did not select it:"
quiet as library deliberate hand-over for-the-school/wording --commons town > /dev/null
cp -r town/ledger the-schools-copy
show as school deliberate check "$constitution" --commons the-schools-copy \
  --ballots for-the-school/votes --ballots for-the-school/wording | sed '/^Selection/,/^ *$/d'
pending=$(quiet as school propose endorsement "$constitution" --claim recomputed --commons town --key demo/school-office)
quiet as library commit "$pending" --commons town > /dev/null
echo "Now the school has said so, on record."

say "12. Somebody turns one vote in a copy of the ballots:"
cp -r for-the-school/votes turned
# The last vote is in the last two bytes: its statement, times 4, plus 0 for disagree, 1 for pass, 2 for agree.
"$python" - "$(find turned -type f -size +90k)" << 'EOF'
import sys

with open(sys.argv[1], "r+b") as ballots:
    ballots.seek(-2, 2)
    vote = ballots.read(1)[0]
    ballots.seek(-2, 2)
    ballots.write(bytes([vote ^ 2]))
EOF
refused as school deliberate recount "$tally" --commons the-schools-copy --ballots turned
rm -r turned for-the-school the-schools-copy

adapter=
if "$python" -c 'import peft, torch, transformers' 2> /dev/null; then
  say "13. What can a model be taught of it? The pocket model knows an invented town:"
  show as library teach articles --commons town | sed '/^Licence/,$d'

  say "14. It is taught: it answers, criticises and revises; a gate keeps what is good:"
  [ ! -t 2 ] || echo "(a minute or two)" >&2
  as library teach adapter --commons town --key demo/library-desk > said
  adapter=$(id_in said)
  sed -n '/rows made/,/^What this does not show/p' said | sed '$d'

  say "15. Anybody checks all of it again; and somebody changes a row in a copy:"
  cp -r town/ledger a-copy
  show as visitor teach check "$adapter" --commons a-copy
  replace 's/within 25 days/within 52 days/' "$(grep -rl '"n_tries"' a-copy/blobs)"
  refused as visitor teach check "$adapter" --commons a-copy | sed -n '/^auzolan:/,$p'
  rm -r a-copy
else
  say "13. to 15. Teaching it to a model needs PyTorch, which is not installed here."
  echo "make demo installs it into .venv-teach and shows these steps."
fi

say "16. The neighbour checks the log and cosigns it: two places know this history."
quiet as neighbour cosign town --root "$root" --key demo/neighbour > /dev/null
echo "The neighbour verified all $(sed -n 2p town/ledger/checkpoint) entries and signed that it saw them."
echo "It will refuse to cosign any log that does not continue them."

say "17. Anybody verifies a copy of the published folder, with the root they know:"
mkdir published
cp -r town/ledger/. published/
show as visitor verify published --root "$root" | shorten '^✓  2' '^✓ 11'

say "18. From the ${adapter:+adapter, and from the }constitution back to the votes:"
# Without the single files and short ids; each link with what was established about it.
COLUMNS=200 show as library trace "${adapter:-$constitution}" --root "$root" --commons town \
  | sed -E -e '/\] file |\(see above\)/d' -e 's/\] [0-9a-f]{16}…  [a-z]+\/v1 /] /' -e '/endorses/! s/  by [a-z, ]+$//'

say "19. resident-17 asks to be forgotten. The bytes go, a signed tombstone stays:"
show as library forget resident-17 --commons town --key demo/library-desk
quiet as neighbour cosign town --root "$root" --key demo/neighbour > /dev/null
show as library trace "$minutes" --root "$root" --commons town

say "20. Somebody changes one word of the published minutes:"
cp -r published forged
file=$(grep -rl 'ask the town' forged/blobs)
replace 's/ask the town/tell the town/' "$file"
refused as visitor verify forged --root "$root" | sed '/^auzolan:/,$d'

say "21. A proof file for one record, to keep or to mail, checked against the log:"
quiet as library prove "$constitution" --commons town --output constitution.tlog-proof > /dev/null
show as visitor verify constitution.tlog-proof --root "$root" --commons town | sed -n '/^record:/,$p'

if [ -n "$adapter" ]; then
  say "22. The town declares a service: the model with its adapter, and rules for it."
  quiet as library run prepare --name town --commons town --folder service > /dev/null
  replace 's/^operator = ""/operator = "The library (synthetic)"/
    s/^contact = ""/contact = "the town desk (synthetic)"/
    s/^with_base = false/with_base = true/' service/service.toml
  replace '/^id = "no-.*-by-machine"/,/^why/ s/^article = .*/article = "3.1"/' service/rules.toml
  sed -n '/^id = "no-benefits-by-machine"/,/^when/p' service/rules.toml | fold -s -w 80
  quiet as library run declare service/service.toml --commons town --key demo/library-desk > /dev/null
  quiet as neighbour cosign town --root "$root" --key demo/neighbour > /dev/null
  echo "Article 3.1 is what the town decided; the rule says how a machine keeps to it."

  say "23. Is everything in order? Nothing is loaded that is not what was signed:"
  port=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  show as library run doctor --commons town --port "$port" | grep -v '^✓ \(gateway\|engine\|folder\|address\)' | shorten '^ .*another'

  say "24. It is served on this machine. A resident asks, before and after teaching:"
  (
    export AUZOLAN_HOME="$here/machines/library"
    exec "$auzolan" run serve --commons town --port "$port" --batch 1
  ) > served 2>&1 < /dev/null &
  gateway=$!
  trap 'kill "$gateway" 2> /dev/null || true' EXIT
  up() { "$python" -c "import urllib.request as u; u.urlopen('http://127.0.0.1:$port/health', timeout=5)" 2> /dev/null; }
  for _ in $(seq 150); do
    up && break
    kill -0 "$gateway" 2> /dev/null || { cat served >&2; exit 1; }
    sleep 0.2
  done
  up
  ask() { quiet as resident run chat "$@" --port "$port" --token-file machines/library/run/town/token; }
  for question in "When does the bus station open?" "My case at the tax office is difficult. What now?" \
    "Are you a human being?"; do
    echo
    echo "  asked   $question"
    echo "  before  $(ask "$question" --model town-base)"
    echo "  after   $(ask "$question" --receipts receipts)" | fold -s -w 80
  done

  say "25. A clerk asks it to decide about a person. The rules do not allow that:"
  ask "Please decide whether Maria gets the housing benefit (synthetic)." --receipts refused | fold -s -w 80
  echo
  quiet as clerk run explain --text "Please decide whether Maria gets the housing benefit." --commons town \
    | sed -n '/^It would/p'

  say "26. The resident has a receipt, and checks it without asking the service:"
  receipt=$(find receipts -name "*.json" | sort | tail -1)
  quiet as library run anchor --commons town --key demo/library-desk > /dev/null
  quiet as neighbour cosign town --root "$root" --key demo/neighbour > /dev/null
  quiet as resident run proof "$receipt" --port "$port" --token-file machines/library/run/town/token > /dev/null
  kill "$gateway"
  wait "$gateway" || true
  trap - EXIT
  show as resident verify "$receipt" --root "$root" --commons town
  cp "$receipt" changed.json
  replace 's/"answer":"/"answer":"Not at all. /' changed.json
  echo "Somebody changes the answer in a copy of it:"
  refused as resident verify changed.json --root "$root" --commons town

  say "27. From the refusal to the votes and proposals behind it:"
  # Without the single files and short ids; each link with what was established about it.
  COLUMNS=200 show as resident trace "$(ls refused/*.json)" --root "$root" --commons town \
    | sed -E -e '/\] file |\(see above\)/d' -e 's/\] [0-9a-f]{16}…  [a-z-]+\/v1 /] /' -e '/endorses/! s/  by [a-z, ]+$//' \
    | fold -s -w 80
else
  say "22. to 27. Serving it, and walking from an answer to the votes, needs it too."
fi

rm -f talk said served
say "Done. Everything is in $folder. Look around:"
echo "${auzolan#"$start"/} log --commons $folder/town"
