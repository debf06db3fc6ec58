#!/bin/sh
# Says how the application is doing: whether it reaches what it depends on, at
# the addresses that LightShuttle put into its environment.
status='200 OK'
reach() {
	if timeout 10 nc "$2" "$3" </dev/null >/dev/null; then
		echo "$1: reached"
	else
		echo "$1: not reached"
		return 1
	fi
}
cache=$(reach cache "$LSH_CACHE_HOST" "$LSH_CACHE_PORT") || status='503 Service Unavailable'
db=$(reach db "$LSH_DB_HOST" "$LSH_DB_PORT") || status='503 Service Unavailable'
printf 'Status: %s\r\nContent-Type: text/plain\r\n\r\n' "$status"
cat /greeting
printf '%s\n%s\n' "$cache" "$db"
