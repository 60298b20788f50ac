#!/bin/sh
# Makes a Python with clickhouse-connect for the test of docs/notebooks in .cache/python
# of the checkout (or in the folder named as first argument). A second run with the right
# version in place changes nothing and needs no network.
#
# Without Python 3.10 that test leaves the script in Python out, so this says so and ends
# well; with CI=true it is an error.
name=python
lost='the script in Python of docs/notebooks will not be tested'
. "$(dirname -- "$0")/../fetch.sh"

fetched requirements.txt fetched.txt && exit
command -v python3 >/dev/null 2>&1 || fail "python3 was not found" "install Python 3.10 or newer"
python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null ||
	fail "python3 is older than 3.10 or has no venv" "install Python 3.10 or newer (Debian: python3-venv)"
echo "python: making a Python with clickhouse-connect in $target (once)" >&2
mkdir -p "$target"
rm -f "$target/fetched.txt"
python3 -m venv "$target" || fail "no environment could be made" "look at what python3 -m venv says"
"$target/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt" >&2 ||
	fail "pip could not fetch the packages" "check the network and pip's index setting"
cp "$here/requirements.txt" "$target/fetched.txt"
