#!/bin/sh
# A backup of a production installation into a folder of this day. Settings: the environment of the service.
#
#   deploy/backup.sh /var/backups/rushlight
#
# The log's head comes first: an older head never contradicts a newer log. The readers' secrets lie beside the days and are
# written over each time, so that who is forgotten stays so. Files in the bucket are the bucket's business: keep its versions
# for as long as a restored database may name what was removed since (docs/production.md).
set -eu
umask 077
into=${1:?name the folder that takes the backups}
: "${RUSHLIGHT_HOME:?}" "${RUSHLIGHT_DATABASE_URL:?}" "${RUSHLIGHT_SECRETS_URL:?}"
KEEP_DAYS=${KEEP_DAYS:-14}

plain() { printf '%s' "$1" | sed 's/^postgresql+psycopg:/postgresql:/'; }

day=$(date -u +%Y-%m-%d)
part=$into/.$day.part
rm -rf "$part"
mkdir -p "$part"
[ ! -f "$RUSHLIGHT_HOME/audit-head.json" ] || cp "$RUSHLIGHT_HOME/audit-head.json" "$part/"
pg_dump --format=custom --no-owner --file="$part/rushlight.dump" "$(plain "$RUSHLIGHT_DATABASE_URL")"
pg_restore --list "$part/rushlight.dump" >"$part/contents.txt"
pg_dump --format=custom --no-owner --file="$into/.secrets.part" "$(plain "$RUSHLIGHT_SECRETS_URL")"
mv "$into/.secrets.part" "$into/secrets.dump"
sync "$part"/* "$into/secrets.dump"
rm -rf "${into:?}/$day"
mv "$part" "$into/$day"
find "$into" -mindepth 1 -maxdepth 1 -type d -name '20??-??-??' -mtime "+$KEEP_DAYS" -exec rm -rf {} +
echo "$into/$day"
