#!/usr/bin/env bash
# The story so far, in one script: two bodies found a commons, let the town vote, count
# together, and anybody can check it. Synthetic throughout; throw-away keys; offline.
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
  sed '/^$/d' "$here/talk" | fold -s -w 80
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

say "1. A library and a school found a commons; a neighbour will witness its log."
library_key=$(as library key new library-desk --demo)
school_key=$(as school key new school-office --demo)
as neighbour key new neighbour --demo > /dev/null
witness_key=$(as neighbour key show demo/neighbour --witness)
quiet as library init town --name "Example town (synthetic)" --demo --edit \
  --principal "library=$library_key" --principal "school=$school_key"
article='{ id = "floor.1", text = "Nobody is refused an answer because of who they are." }'
replace 's/^quorum = 0/quorum = 1/' town/governance.toml
replace "s|^keys = \[\]|keys = [\"$witness_key\"]|" town/governance.toml
replace "s|^rights_floor = \[\]|rights_floor = [$article]|" town/governance.toml
pending=$(quiet as library propose governance --commons town --key demo/library-desk)
echo "The library wrote the rules (town/governance.toml) and signed them."

say "2. The rules need both. The library's signature alone is refused:"
refused as library commit "$pending" --commons town
cp "$pending" school-inbox.dsse
quiet as school sign school-inbox.dsse --yes > /dev/null
root=$(quiet as library commit school-inbox.dsse --commons town | awk '{ print $NF }')
echo "The school reads them and signs too. Now they are committed."
echo "root of the commons: $root"

say "3. They record minutes of a meeting; the list of those present stays private."
printf 'Example minutes (synthetic): we will ask the town what its assistant should do.\n' > minutes.txt
printf 'resident-17\n' > present.txt
pending=$(quiet as library propose document --commons town --title "Minutes of the first meeting" \
  --blob minutes=minutes.txt --private-blob present=present.txt --about resident-17 --key demo/library-desk)
minutes=$(quiet as library commit "$pending" --commons town | awk '{ print $NF }')
pending=$(quiet as school propose endorsement "$minutes" --claim read --commons town --key demo/school-office)
quiet as library commit "$pending" --commons town > /dev/null
echo "The library signed the minutes; the school put on record that it read them."

say "4. The town has voted in Polis (160 synthetic voters). The votes come in:"
show as library deliberate import "$recipes/town-votes" --name assistant --licence CC0-1.0 \
  --commons town --key demo/library-desk | grep -v committed
show as library deliberate tally --commons town --key demo/library-desk > counted
tally=$(awk '/committed/ { print $NF }' counted)
grep -v committed counted
rm counted
echo "Both are signed: the snapshot of the votes, and the tally that counts them."

say "5. The school counts again, from the ballots that the library handed over:"
quiet as library deliberate hand-over for-the-school --commons town > /dev/null
cp -r town/ledger the-schools-copy
show as school deliberate recount "$tally" --commons the-schools-copy --ballots for-the-school
rm -r for-the-school the-schools-copy
pending=$(quiet as school propose endorsement "$tally" --claim recomputed --commons town --key demo/school-office)
quiet as library commit "$pending" --commons town > /dev/null
echo "It put that on record. What the town agrees on, and what sets groups apart:"
quiet as visitor deliberate stats --commons town --most 5 --html votes.html
quiet as visitor deliberate stats --commons town --most 5 | sed -n '/^What all groups/,/^Below each/p' | sed '$d'
echo "All of it, with a map of opinions: votes.html"

say "6. Articles are selected in proportion to those who agree, with a certificate:"
show as library deliberate ratify --commons town --key demo/library-desk > selected
selection=$(awk '/committed/ { print $NF }' selected)
grep -v committed selected
rm selected

say "7. The neighbour checks the log and cosigns it: two places know this history."
quiet as neighbour cosign town --root "$root" --key demo/neighbour > /dev/null
echo "The neighbour verified all $(sed -n 2p town/ledger/checkpoint) entries and signed that it saw them."
echo "It will refuse to cosign any log that does not continue them."

say "8. Anybody verifies a copy of the published folder, with the root they know:"
mkdir published
cp -r town/ledger/. published/
show as visitor verify published --root "$root"

say "9. From the articles, backwards and forwards:"
show as library trace "$selection" --root "$root" --commons town

say "10. resident-17 asks to be forgotten. The bytes go, a signed tombstone stays:"
show as library forget resident-17 --commons town --key demo/library-desk
quiet as neighbour cosign town --root "$root" --key demo/neighbour > /dev/null
show as library trace "$minutes" --root "$root" --commons town

say "11. Somebody changes one word of the published minutes:"
cp -r published forged
file=$(grep -rl 'ask the town' forged/blobs)
replace 's/ask the town/tell the town/' "$file"
refused as visitor verify forged --root "$root"

say "12. A proof file for one record, to keep or to mail, checked against the log:"
quiet as library prove "$minutes" --commons town --output minutes.tlog-proof > /dev/null
show as visitor verify minutes.tlog-proof --root "$root" --commons town

rm -f talk
say "Done. Everything is in $folder. Look around:"
echo "${auzolan#"$start"/} log --commons $folder/town"
