#!/bin/sh
# Says how the application is doing: whether it reaches what it depends on, at
# the addresses that LightShuttle put into its environment.
printf 'Content-Type: text/plain\r\n\r\n'
cat /greeting
reach() {
	if nc -z -w 1 "$2" "$3"; then echo "$1: reached"; else echo "$1: not reached"; fi
}
reach cache "$LSH_CACHE_HOST" "$LSH_CACHE_PORT"
reach db "$LSH_DB_HOST" "$LSH_DB_PORT"
