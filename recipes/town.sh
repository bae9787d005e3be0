#!/usr/bin/env bash
# The story so far, in one script: two bodies found a commons, say something together,
# and anybody can check it. Synthetic throughout; throw-away keys; offline.
#
#   recipes/town.sh [FOLDER]      default: ./demo, made anew each time
set -euo pipefail

folder=${1:-demo}
auzolan=${AUZOLAN:-auzolan}
rm -rf "$folder"
mkdir -p "$folder"
cd "$folder"
here=$PWD
export COLUMNS=${COLUMNS:-80}

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
# Each neighbour has a machine of its own, so a key folder of its own.
as() { local who=$1; shift; AUZOLAN_HOME="$here/machines/$who" "$auzolan" "$@"; }

say "1. A library and a school found a commons; a neighbouring town will witness its log."
library_key=$(as library key new library-desk --demo)
school_key=$(as school key new school-office --demo)
as neighbour key new neighbour --demo > /dev/null
witness_key=$(as neighbour key show demo/neighbour --witness)
as library init town --name "Example town (synthetic)" --demo --edit \
  --principal "library=$library_key" --principal "school=$school_key"
sed -i -e 's/^quorum = 0/quorum = 1/' -e "s|^keys = \[\]|keys = [\"$witness_key\"]|" \
  -e '0,/^rights_floor = \[\]/s//rights_floor = [{ id = "floor.1", text = "Nobody is refused an answer because of who they are." }]/' \
  town/governance.toml
pending=$(as library propose governance --commons town --key demo/library-desk)

say "2. The rules need both. The library's signature alone is refused:"
as library commit "$pending" --commons town && exit 1
cp "$pending" school-inbox.dsse
as school sign school-inbox.dsse --yes > /dev/null
root=$(as library commit school-inbox.dsse --commons town | awk '{ print $NF }')
echo "root of the commons: $root"

say "3. They put the minutes of a meeting on record, with a list of those present that stays private."
printf 'Example minutes (synthetic): we will ask the town what its assistant should do.\n' > minutes.txt
printf 'resident-17\n' > present.txt
pending=$(as library propose document --commons town --title "Minutes of the first meeting" \
  --blob minutes=minutes.txt --private-blob present=present.txt --about resident-17 --key demo/library-desk)
minutes=$(as library commit "$pending" --commons town | awk '{ print $NF }')
pending=$(as school propose endorsement "$minutes" --claim read --commons town --key demo/school-office)
as library commit "$pending" --commons town > /dev/null

say "4. The neighbouring town checks the log and cosigns it: now two places know this history."
as neighbour cosign town --root "$root" --key demo/neighbour > /dev/null

say "5. Anybody verifies a copy of the published folder, with the root they were told:"
mkdir published
cp -r town/ledger/. published/
as visitor verify published --root "$root"

say "6. From the minutes, backwards and forwards:"
as library trace "$minutes" --root "$root" --commons town

say "7. resident-17 asks to be forgotten. The bytes go, a signed tombstone stays:"
as library forget resident-17 --commons town --key demo/library-desk
as neighbour cosign town --root "$root" --key demo/neighbour > /dev/null
as library trace "$minutes" --root "$root" --commons town

say "8. Somebody changes one word of the published minutes:"
cp -r published forged
file=$(grep -rl 'first meeting\|ask the town' forged/blobs | head -1)
sed -i 's/ask the town/tell the town/' "$file"
as visitor verify forged --root "$root" && exit 1

say "9. A proof file for one record, to keep or to mail; checked against the rules and the log:"
as library prove "$minutes" --commons town --output minutes.tlog-proof > /dev/null 2>&1
as visitor verify minutes.tlog-proof --root "$root" --commons town

say "Done. Everything is in $here: try 'auzolan log --commons $folder/town'."
