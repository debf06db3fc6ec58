#!/bin/sh
# Entry of the stand-in for the public redis image: options alone are options of
# the server, which runs as the user redis. Standard input stays open, and "-"
# stays the first argument, so that a configuration can come that way.
set -e
case "$1" in
-* | *.conf) set -- redis-server "$@" ;;
esac
if [ "$1" = redis-server ]; then
	shift
	set -- redis-server "$@" --protected-mode no
	if [ "$(id -u)" = 0 ]; then
		find . \! -user redis -exec chown redis '{}' +
		exec su -p -s /bin/sh -c 'exec "$@"' -- redis sh "$@"
	fi
fi
exec "$@"
