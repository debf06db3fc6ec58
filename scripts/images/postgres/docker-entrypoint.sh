#!/bin/sh
# Entry of the stand-in for the public postgres image: it initialises an empty
# data folder with a server that listens on its socket alone, as the public one
# does, then runs the server as the user postgres.
set -e
: "${PGDATA:=/var/lib/postgresql/data}" "${POSTGRES_USER:=postgres}"
: "${POSTGRES_DB:=$POSTGRES_USER}"
export PGDATA

case "$1" in
-*) set -- postgres "$@" ;;
esac

if [ "$1" = postgres ] && [ "$(id -u)" = 0 ]; then
	mkdir -p "$PGDATA" /run/postgresql
	chown -R postgres "$PGDATA" /run/postgresql
	chmod 700 "$PGDATA"
	exec su -p -s /bin/sh -c 'exec "$@"' -- postgres sh "$0" "$@"
fi

initialise() {
	if [ -z "$POSTGRES_PASSWORD" ] && [ "$POSTGRES_HOST_AUTH_METHOD" != trust ]; then
		echo 'Error: Database is uninitialized and superuser password is not specified.' >&2
		echo '       You must specify POSTGRES_PASSWORD to a non-empty value for the superuser.' >&2
		exit 1
	fi
	if [ -n "$POSTGRES_PASSWORD" ]; then
		password=/tmp/password.$$
		(umask 077 && printf '%s\n' "$POSTGRES_PASSWORD" >"$password")
		initdb --username="$POSTGRES_USER" --pwfile="$password"
		rm -f "$password"
	else
		initdb --username="$POSTGRES_USER"
	fi
	printf '\nhost all all all %s\n' "${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" >>"$PGDATA/pg_hba.conf"
	pg_ctl -D "$PGDATA" -o "-c listen_addresses='' -p 5432" -w start
	if [ "$POSTGRES_DB" != postgres ]; then
		psql -v ON_ERROR_STOP=1 --no-psqlrc -U "$POSTGRES_USER" -d postgres -c "CREATE DATABASE \"$POSTGRES_DB\""
	fi
	for file in /docker-entrypoint-initdb.d/*; do
		# shellcheck source=/dev/null
		case "$file" in
		*.sh) . "$file" ;;
		*.sql) psql -v ON_ERROR_STOP=1 --no-psqlrc -U "$POSTGRES_USER" -d "$POSTGRES_DB" -f "$file" ;;
		esac
	done
	pg_ctl -D "$PGDATA" -m fast -w stop
	echo 'PostgreSQL init process complete; ready for start up.'
}

if [ "$1" = postgres ] && [ ! -s "$PGDATA/PG_VERSION" ]; then
	initialise
fi
exec "$@"
