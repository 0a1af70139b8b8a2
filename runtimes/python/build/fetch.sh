#!/bin/bash
# Puts the inputs of the build into a folder: fetch.sh FOLDER [PACKAGE]
# With PACKAGE only those of this package.
#
# They are files of Debian packages, named here by package and version and checked
# against inputs.sha256. A file of the right name and digest in the folder SOURCES
# is taken in place of a download. Downloads use apt with a configuration of its
# own, so nothing of the machine's changes, and the machine's mirror.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
out=$1
mkdir -p "$out"

# kind, package=version, files that are needed of it
inputs="
source python3.13=3.13.15-1 python3.13_3.13.15.orig.tar.xz
source zlib=1:1.3.dfsg+really1.3.2-3 zlib_1.3.dfsg+really1.3.2.orig.tar.gz
source sqlite3=3.53.4-2 sqlite3_3.53.4.orig.tar.xz sqlite3_3.53.4-2.debian.tar.xz
binary wasi-libc=0.0~git20260423.161b319-2 wasi-libc_0.0~git20260423.161b319-2_all.deb
binary python3-jinja2=3.1.2-1+deb12u3 python3-jinja2_3.1.2-1+deb12u3_all.deb
binary python3-markupsafe=2.1.2-1+b1 python3-markupsafe_2.1.2-1+b1_amd64.deb
binary tzdata=2026b-0+deb12u1 tzdata_2026b-0+deb12u1_all.deb
"

good() {	# good FOLDER FILE: it is there, with the right digest
	[ -f "$1/$2" ] || return 1
	local want
	want=$(awk -v f="$2" '$2 == f {print $1}' "$here/inputs.sha256")
	[ -n "$want" ] && [ "$(sha256sum < "$1/$2" | cut -d' ' -f1)" = "$want" ]
}

# apt writes version epochs into file names as %3a.
rename_epochs() {
	local f
	for f in "$1"/*%3a*; do
		if [ -f "$f" ]; then mv "$f" "$(sed 's/_[0-9]*%3a/_/' <<< "$f")"; fi
	done
}

start_apt() {
	apt=$out/apt
	[ -d "$apt" ] && return
	mkdir -p "$apt"/{state,lists/partial,cache/archives/partial,parts}
	local mirror
	mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null |
		grep -v '^#' | grep -oE 'https?://[^ ]+/debian/?( |$)' | head -1 | tr -d ' ') || true
	if [ -z "$mirror" ]; then
		echo "fetch.sh: apt of this machine names no Debian mirror" >&2
		exit 1
	fi
	local suite kind
	for suite in bookworm sid; do
		for kind in deb deb-src; do echo "$kind $mirror $suite main"; done
	done > "$apt/sources.list"
	cat > "$apt/apt.conf" <<-EOF
		Dir::State "$apt/state";
		Dir::State::Lists "$apt/lists";
		Dir::State::status "/dev/null";
		Dir::Cache "$apt/cache";
		Dir::Etc::SourceList "$apt/sources.list";
		Dir::Etc::SourceParts "$apt/parts";
		Dir::Etc::Preferences "/dev/null";
		Dir::Etc::PreferencesParts "$apt/parts";
		Acquire::Check-Valid-Until "false";
		APT::Sandbox::User "root";
	EOF
	APT_CONFIG=$apt/apt.conf apt-get -qq update
}

while read -r kind package files; do
	[ -n "$kind" ] || continue
	[ -z "${2:-}" ] || [ "$2" = "${package%%=*}" ] || continue
	missing=
	for f in $files; do
		if ! good "$out" "$f"; then
			if [ -n "${SOURCES:-}" ] && good "$SOURCES" "$f"; then
				cp "$SOURCES/$f" "$out/"
			else
				missing=1
			fi
		fi
	done
	[ -n "$missing" ] || continue
	start_apt
	# A file that the mirror no longer has need not be one that is wanted.
	if [ "$kind" = source ]; then
		(cd "$out" && APT_CONFIG=$apt/apt.conf apt-get -qq source --download-only "$package") || true
	else
		(cd "$out" && APT_CONFIG=$apt/apt.conf apt-get -qq download "$package") || true
	fi
	rename_epochs "$out"
	for f in $files; do
		if ! good "$out" "$f"; then
			echo "fetch.sh: cannot get $f of $package; if you have it, put it into a folder and name that in SOURCES" >&2
			exit 1
		fi
	done
done <<< "$inputs"
