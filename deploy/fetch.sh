# shellcheck shell=sh
# What the scripts share that fetch something for the tests: `fetch.sh` of a folder
# sets name and lost, and reads this. They put what they fetch into .cache/NAME of the
# checkout, or into the folder named as first argument.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
target=${1:-$(dirname -- "$(dirname -- "$here")")/.cache/$name}

# fail WHAT REMEDY says what cannot be tested, and ends well; in CI it is an error.
fail() {
	echo "$name: $1" >&2
	[ "${CI:-}" != true ] || exit 1
	echo "$name: $lost; $2" >&2
	exit 0
}

# install_packages WHAT PACKAGE… installs Debian packages where it is root.
install_packages() {
	[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 || return 1
	echo "$name: installing $1 with apt-get (once)" >&2
	shift
	export DEBIAN_FRONTEND=noninteractive
	apt-get install -y -qq --no-install-recommends "$@" >/dev/null 2>&1 ||
		{ apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@"; } >/dev/null 2>&1
}

need_node() {
	for tool in node npm; do
		command -v $tool >/dev/null 2>&1 ||
			fail "$tool was not found" "install Node.js 20 or newer to run them"
	done
	[ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ] ||
		fail "Node.js is older than 20" "install Node.js 20 or newer to run them"
}

# fetched FILE STAMP tells whether what the file pins is there. The stamp is written
# last, so a stopped fetch is never taken for a whole one.
fetched() { cmp -s "$here/$1" "$target/$2"; }

# npm_packages WHAT fetches what package-lock.json pins; npm verifies its integrity
# hashes and runs none of the packages' scripts.
npm_packages() {
	fetched package-lock.json fetched-lock.json && return
	echo "$name: fetching $1 into $target (once)" >&2
	mkdir -p "$target"
	rm -f "$target/fetched-lock.json"
	cp "$here/package.json" "$here/package-lock.json" "$target/"
	(cd "$target" && npm ci --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error >&2) ||
		fail "npm could not fetch the packages" "check the network and npm's registry setting"
	cp "$here/package-lock.json" "$target/fetched-lock.json"
}

# go_programs VERSION PACKAGE… builds the programs of a Go module into a folder of that
# version. Go's checksum database vouches for the sources that the module proxy hands
# out. A program gets its name last, so a stopped build is never taken for a whole one.
go_programs() {
	version=$1
	shift
	for package; do
		program=${package##*/}
		[ ! -x "$target/$version/$program" ] || continue
		echo "$name: building $program $version in $target (once)" >&2
		mkdir -p "$target/$version"
		work=$(mktemp -d "$target/$version/.build-XXXXXX")
		GOBIN="$work" GOFLAGS='' CGO_ENABLED=0 go install -ldflags '-s -w' "$package@$version" >&2 ||
			{ rm -rf "$work"; fail "$program could not be built" "check the network and GOPROXY"; }
		mv "$work/$program" "$target/$version/$program"
		rmdir "$work"
	done
}
