# What an editor sends to the standard input of `sh` on the host, after one
# line that sets id, dir, where and beat.  Any other byte on standard output
# than what it prints itself is an error to the editor.
echo "$id: running"
uname -rsv >/dev/null || exit 1
echo "$id%%1%%"
mkdir -p "$dir" || exit 1
if mkdir "$dir/lock" 2>/dev/null; then
	if [ ! -e "$dir/server" ]; then
		echo "$id:trigger_server_download"
		echo "$id:osReleaseId==$(sed -n 's/^ID=//p' /etc/os-release)=="
		echo "$id:destFolder==$dir=="
		n=0
		while [ ! -e "$dir/server.tar.gz.done" ]; do
			n=$((n + 1))
			[ "$n" -lt 400 ] || exit 1
			sleep 0.1
		done
		tar -xzf "$dir/server.tar.gz" -C "$dir" || exit 1
	fi
	"$dir/server" "$where" --parent-process-id $$ >"$dir/log" 2>&1 </dev/null &
	echo $! >"$dir/pid"
fi
n=0
until [ -s "$dir/pid" ] && grep -q "^listening on " "$dir/log"; do
	n=$((n + 1))
	[ "$n" -lt 600 ] || exit 1
	sleep 0.1
done
kill -0 "$(cat "$dir/pid")" || exit 1
echo "$id: start"
echo "listeningOn==$(sed -n 's/^listening on //p' "$dir/log")=="
echo "shell==$$=="
echo "server==$(cat "$dir/pid")=="
echo "$id: end"
while sleep "$beat"; do
	printf ' '
done
