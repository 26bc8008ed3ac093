#!/bin/sh
# What an editor leaves running in a container that has nothing but busybox:
# server.py's addresses but its WebSocket, and ports but no sockets.  Started
# once more for each connection.
if [ -n "$SERVER" ]; then
	read -r _ path _
	while read -r line && [ ${#line} -gt 1 ]; do :; done
	parent=gone
	case $(cut -d ' ' -f 3 "/proc/$PARENT/stat" 2>/dev/null) in [!Z]) parent=there ;; esac
	case $path in
	/alive) page="echo $SERVER $parent" ;;
	/bytes/*) page="head -c ${path#/bytes/} /dev/zero" ;;
	*) printf 'HTTP/1.0 404 Not Found\r\n\r\n' && exit ;;
	esac
	printf 'HTTP/1.0 200 OK\r\n\r\n'
	exec $page
fi
export SERVER=$$ PARENT=$3
port=$((20000 + $$ % 10000))
nc -ll -s 127.0.0.1 -p $port -e "$0" &
until grep -q ":$(printf %04X $port) 00000000:0000 0A" /proc/net/tcp; do
	sleep 0.1
done
echo "listening on $port"
wait
