#!/bin/bash
# Builds the JavaScript runtime: QuickJS-ng with the guest ABI (runtimes/ABI.md), React and the web's globals.
#
#   build.sh            writes ../quickjs.wasm.zst, ../SHA256SUMS and the digest in ../digest.go
#   build.sh --check    builds and fails if the result differs from what is committed
#
# SOURCES=dir   look there first for the files of inputs.sha256, which otherwise come from Debian sid by apt-get
# WORK=dir      build there and keep it, instead of in a temporary directory
#
# The result depends on the inputs alone, not on the directory. It needs, beside Go:
#   apt-get install clang-19 lld-19 libclang-rt-19-dev-wasm32 nodejs npm patch
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=$(dirname "$here")
clang_version=19.1.7
target=wasm32-wasip1

die() { echo "build.sh: $*" >&2; exit 1; }

check=false
case ${1-} in
'') ;;
--check) check=true ;;
*) die "unknown argument $1" ;;
esac

for tool in clang-19 wasm-ld-19 npm go patch dpkg-deb sha256sum; do
	command -v "$tool" >/dev/null ||
		die "$tool is missing; apt-get install clang-19 lld-19 libclang-rt-19-dev-wasm32 nodejs npm patch"
done
[[ $(clang-19 -dumpversion) == "$clang_version" ]] ||
	die "clang-19 is version $(clang-19 -dumpversion), but the committed module was made with $clang_version"
builtins=$(clang-19 -print-resource-dir)/lib/wasi/libclang_rt.builtins-wasm32.a
[[ -f $builtins ]] || die "$builtins is missing; apt-get install libclang-rt-19-dev-wasm32"

if [[ -n ${WORK-} ]]; then
	work=$WORK
	mkdir -p "$work"
else
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
fi
work=$(cd "$work" && pwd)

# --- inputs

sha_of() { awk -v f="$1" '$2 == f { print $1 }' "$here/inputs.sha256"; }
is_input() { [[ -f $1 ]] && echo "$(sha_of "$(basename "$1")")  $1" | sha256sum --check --status; }

# apt_sid makes an apt configuration of its own with sid on the machine's own mirror, and runs apt-get with it.
apt_sid() {
	local apt=$work/apt uri
	if [[ ! -f $apt/sources.list ]]; then
		uri=$(apt-get indextargets --format '$(REPO_URI)' 'Identifier: Packages' | grep -v -e -security | head -n 1)
		[[ -n $uri ]] || die "this machine's apt knows no mirror (run apt-get update), and SOURCES has not all files"
		mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
		echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri sid main" >"$apt/sources.list"
		apt_sid update
	fi
	apt-get -qq -o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts=- \
		-o Dir::State::lists="$apt/lists" -o Dir::Cache="$apt/cache" -o APT::Sandbox::User=root "$@"
}

# fetch puts a file of inputs.sha256 into $work and unpacks it.
fetch() {
	local file=$1 package version
	if [[ -n ${SOURCES-} ]] && is_input "$SOURCES/$file"; then
		cp "$SOURCES/$file" "$work/$file"
	elif ! is_input "$work/$file"; then
		package=${file%%_*}
		version=${file#*_}
		version=${version%_*}
		(cd "$work" && apt_sid download "$package=$version")
	fi
	is_input "$work/$file" || die "$file does not have the digest in inputs.sha256"
	dpkg-deb -x "$work/$file" "$work/${file%%_*}"
}

rm -rf "$work/qjs-src" "$work/wasi-libc" "$work/npm" "$work/obj"
while read -r _ file; do
	fetch "$file"
done <"$here/inputs.sha256"
sysroot=$work/wasi-libc/usr
src=$work/qjs-src/usr/src/quickjs-ng
wipe=$here/../../wipe

while read -r name; do
	patch --quiet --no-backup-if-mismatch -p1 -d "$src" <"$here/patches/$name"
done <"$here/patches/series"

mkdir -p "$work/npm" "$work/obj"
cp -R "$here/package.json" "$here/package-lock.json" "$here/guest" "$work/npm/"
(cd "$work/npm" && npm ci --ignore-scripts --no-audit --no-fund --silent)

# --- build

(cd "$here" && go run ./bundle "$work/npm" "$work/obj/prelude.js")

# -O2 without LTO: -O3, LTO and wasm-opt gain nothing that can be measured.
flags=(
	--target=$target --sysroot="$sysroot" -isystem "$sysroot/include/$target" -O2
	-msimd128 -mbulk-memory -mnontrapping-fptoint -msign-ext -mmutable-globals -mno-multivalue -mno-reference-types
	-DNDEBUG -D_GNU_SOURCE -fno-strict-aliasing -funsigned-char -fvisibility=hidden
	-ffile-prefix-map="$work"=. -ffile-prefix-map="$here"=. -I"$src" -I"$wipe" '-DWIPE_CONTROL="control"'
)
compile() { # source file, further flags
	clang-19 "${flags[@]}" "${@:2}" -c "$1" -o "$work/obj/$(basename "$1" .c).o"
}
# The stack comes first, so that an overflow traps instead of overwriting data.
link() { # name, further objects
	local objects=()
	for f in "${@:2}" wipe quickjs dtoa libregexp libunicode; do
		objects+=("$work/obj/$f.o")
	done
	clang-19 --target=$target --sysroot="$sysroot" -fuse-ld="$(command -v wasm-ld-19)" -mexec-model=reactor \
		-L"$sysroot/lib/$target" -nodefaultlibs -nostartfiles "$sysroot/lib/$target/crt1-reactor.o" \
		"${objects[@]}" -lc -lm "$builtins" \
		-Wl,--wrap=free,--wrap=realloc,--stack-first,-z,stack-size=4194304,--gc-sections,--strip-all -o "$work/obj/$1.wasm"
}

compile "$src/quickjs.c" -std=gnu11 -w &
quickjs=$!
for f in dtoa libregexp libunicode; do
	compile "$src/$f.c" -std=gnu11 -w
done
wait $quickjs
ours=(-std=gnu23 -Wall -Wno-unknown-attributes)
compile "$wipe/wipe.c" "${ours[@]}"
compile "$here/shim/compile.c" "${ours[@]}"
link compile compile
(cd "$here" && go run ./precompile "$work/obj/compile.wasm" "$work/obj/prelude.js" "$work/obj/prelude.bin")

for f in shim hostcall frame result native clock; do
	compile "$here/shim/$f.c" "${ours[@]}" -DPRELUDE="\"$work/obj/prelude.bin\""
done
link quickjs shim hostcall frame result native clock
(cd "$here" && go run ./pack "$work/obj/quickjs.wasm" "$work/obj/quickjs.wasm.zst")

# --- result

sums=$(cd "$work/obj" && sha256sum quickjs.wasm quickjs.wasm.zst)
digest=${sums%% *}
if $check; then
	diff <(echo "$sums") "$out/SHA256SUMS" || die "the result differs from the committed one"
	cmp "$work/obj/quickjs.wasm.zst" "$out/quickjs.wasm.zst"
	grep -q "\"$digest\"" "$out/digest.go" || die "digest.go has another digest"
	echo "build.sh: the committed module is what this builds: $digest"
	exit
fi
cp "$work/obj/quickjs.wasm.zst" "$out/"
echo "$sums" >"$out/SHA256SUMS"
cat >"$out/digest.go" <<GO
// Code generated by build/build.sh. DO NOT EDIT.

package javascript

// digest is the SHA-256 of the uncompressed module.
const digest = "$digest"
GO
ls -l "$work/obj/quickjs.wasm" "$work/obj/quickjs.wasm.zst" | awk '{ print $5, $NF }'
