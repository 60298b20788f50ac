#!/bin/sh
# Fetches the pinned ClickHouse library of the embedded default into
# .cache/engine of the checkout (or into the folder named as first argument).
# npm verifies the integrity hash of package-lock.json. A second run with the
# right version in place changes nothing and needs neither npm nor a network.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
target=${1:-$(dirname -- "$(dirname -- "$here")")/.cache/engine}
package=@chdb/lib-linux-x64-gnu
library=$target/node_modules/$package/libchdb.so

fail() {
	echo "engine: error: $1" >&2
	echo "engine: hint: $2" >&2
	exit 1
}

elsewhere='point assay at a running ClickHouse with --clickhouse ADDRESS instead'

case "$(uname -s)/$(uname -m)" in
Linux/x86_64) ;;
*) fail "no library is pinned for $(uname -s)/$(uname -m)" "$elsewhere" ;;
esac

# The stamp is written last, so a stopped fetch is never taken for a whole one.
if [ -s "$library" ] && cmp -s "$here/package-lock.json" "$target/fetched-lock.json"; then
	exit 0
fi

command -v npm >/dev/null 2>&1 ||
	fail "npm was not found; it fetches $package" "install Node.js (npm 9 or newer), or $elsewhere"

echo "engine: fetching $package into $target (about 170 MB, once)" >&2
mkdir -p "$target"
rm -f "$target/fetched-lock.json"
cp "$here/package.json" "$here/package-lock.json" "$target/"
(cd "$target" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2) ||
	fail "npm could not fetch $package" "check the network and npm's registry setting, or $elsewhere"
[ -s "$library" ] || fail "npm left no $library" "remove $target and run make engine again"
cp "$here/package-lock.json" "$target/fetched-lock.json"
