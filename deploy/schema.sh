#!/bin/sh
# Brings the schema on as the owner of the tables, and gives the service's role its rights anew: before the first start, with each
# new release, and after a restore, whose tables would have the rights of new ones. For root on the machine of PostgreSQL.
#
#   sh deploy/schema.sh
set -eu
cd "$(dirname "$0")"
owner="postgresql+psycopg:///rushlight?host=/run/postgresql&options=-crole%3Drushlight_owner"
sudo -u postgres env "RUSHLIGHT_DATABASE_URL=$owner" ../.venv/bin/rushlight migrate
sudo -u postgres psql -q -d rushlight -v database=rushlight -v owner=rushlight_owner -v service=rushlight -f postgres-role.sql
