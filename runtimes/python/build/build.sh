#!/bin/bash
# Builds python.wasm from Debian packages, bit for bit the same every time.
#
#	build.sh            writes ../python.wasm.zst, ../SHA256SUMS and ../LICENSES
#	build.sh --check    builds, and compares with what is committed
#
# SOURCES  folder with inputs that need not be downloaded (see fetch.sh)
# WORK     folder to build in; it is kept, and finished steps are not done again
# JOBS     how many compilers run at a time
#
# Needs the Debian packages clang-19, lld-19, llvm-19, libclang-rt-19-dev-wasm32,
# dpkg, gcc, make, patch, xz-utils and Go.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
runtime=$(dirname "$here")
check=
case "${1:-}" in
"") ;;
--check) check=1 ;;
*) sed -n '2,12s/^# \?//p' "$0" >&2; exit 2 ;;
esac

if [ -n "${WORK:-}" ]; then
	mkdir -p "$WORK"
	work=$(cd "$WORK" && pwd)
else
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
fi
jobs=${JOBS:-$(nproc)}

export LC_ALL=C TZ=UTC PYTHONHASHSEED=0
export SOURCE_DATE_EPOCH=1767225600     # 2026-01-01, also the clock of every boot

# ---- tools ----

want=1:19.1.7-3~deb12u1
for p in clang-19 lld-19 llvm-19 libclang-rt-19-dev-wasm32; do
	have=$(dpkg-query -W -f '${Version}' "$p" 2>/dev/null || echo none)
	if [ "$have" != "$want" ]; then
		echo "build.sh: $p is $have, not $want: the result will differ" >&2
		[ -z "$check" ] || exit 1
	fi
done

sys=$work/sysroot/usr
lib=$sys/lib/wasm32-wasi
builtins=$(clang-19 --print-resource-dir)/lib/wasi/libclang_rt.builtins-wasm32.a
cc="clang-19 --target=wasm32-wasi --sysroot=$sys -isystem $sys/include/wasm32-wasi"
arch="-msimd128 -mbulk-memory -msign-ext -mnontrapping-fptoint -mmutable-globals"
arch="$arch -ffile-prefix-map=$work=."
wipe='-DWIPE_CONTROL="hot"' # see ../../wipe/wipe.h
opt="-O2 -DNDEBUG -g0"

# step NAME: runs the function of this name, once in a WORK folder.
step() {
	[ -e "$work/.done-$1" ] && return
	echo "== $1" >&2
	local status=0
	# Bash ignores -e in whatever stands before || or after if.
	set +e
	(set -e; cd "$work"; "$1") > "$work/$1.log" 2>&1
	status=$?
	set -e
	if [ $status != 0 ]; then
		tail -n 30 "$work/$1.log" >&2
		echo "build.sh: step $1 failed; see $work/$1.log" >&2
		trap - EXIT
		exit 1
	fi
	touch "$work/.done-$1"
}

# ---- steps ----

fetch() {
	bash "$here/fetch.sh" "$work/inputs"
}

unpack() {
	mkdir -p src src-wasm zlib sqlite sysroot debs gen inst/include inst/lib obj
	tar xf inputs/python3.13_*.orig.tar.xz -C src --strip-components=1
	tar xf inputs/python3.13_*.orig.tar.xz -C src-wasm --strip-components=1
	while read -r p; do
		patch -d src-wasm -p1 --no-backup-if-mismatch < "$here/patches/$p"
	done < "$here/patches/series"
	cp "$here/../../wipe/wipe.h" src-wasm/Objects/
	tar xf inputs/zlib_*.orig.tar.gz -C zlib --strip-components=1
	tar xf inputs/sqlite3_*.orig.tar.xz -C sqlite --strip-components=1
	tar xf inputs/sqlite3_*.debian.tar.xz -C sqlite debian/patches
	for p in sqlite/debian/patches/CVE-*.patch; do
		patch -d sqlite -p1 --no-backup-if-mismatch < "$p"
	done
	dpkg -x inputs/wasi-libc_*.deb sysroot
	for d in jinja2 markupsafe; do dpkg -x inputs/python3-"${d}"_*.deb debs; done
	dpkg -x inputs/tzdata_*.deb debs
	mkdir -p site
	cp -r debs/usr/lib/python3/dist-packages/{jinja2,markupsafe} site/
}

# The same version for this machine: it compiles the frozen modules.
native() {
	mkdir -p native
	cd native
	../src/configure -q --disable-test-modules --without-ensurepip
	make -s -j"$jobs"
}

zlib() {
	cp zlib/zlib.h zlib/zconf.h inst/include/
	local f objs=()
	for f in adler32 compress crc32 deflate infback inffast inflate inftrees trees uncompr zutil; do
		$cc $arch $opt -c "zlib/$f.c" -o "obj/z_$f.o"
		objs+=("obj/z_$f.o")
	done
	llvm-ar-19 rcsD inst/lib/libz.a "${objs[@]}"
}

sqlite() {
	mkdir -p sqlite-build
	# With no Tcl about, the amalgamation is made by the small one in the source.
	(cd sqlite-build && ../sqlite/configure --disable-tcl --disable-readline && make sqlite3.c)
	cp sqlite-build/sqlite3.h inst/include/
	local flags="-DSQLITE_OS_OTHER=1 -DSQLITE_THREADSAFE=0 -DSQLITE_TEMP_STORE=3
		-DSQLITE_OMIT_LOAD_EXTENSION -DSQLITE_OMIT_WAL -DSQLITE_OMIT_SHARED_CACHE
		-DSQLITE_OMIT_DEPRECATED -DSQLITE_DEFAULT_MEMSTATUS=0 -DSQLITE_ENABLE_MATH_FUNCTIONS
		-DSQLITE_ENABLE_FTS5"
	$cc $arch $opt $flags -c sqlite-build/sqlite3.c -o obj/sqlite3.o
	$cc $arch $opt $flags -Iinst/include -c "$here/shim/sqlite_vfs.c" -o obj/sqlite_vfs.o
	llvm-ar-19 rcsD inst/lib/libsqlite3.a obj/sqlite3.o obj/sqlite_vfs.o
}

libpython() {
	mkdir -p wasm
	cd wasm
	export CC=$cc CPP="$cc -E" AR=llvm-ar-19 RANLIB=llvm-ranlib-19 NM=llvm-nm-19
	export READELF=llvm-readelf-19 CFLAGS=$arch LDFLAGS="-L$lib"
	export ZLIB_CFLAGS="-I$work/inst/include" ZLIB_LIBS="-L$work/inst/lib -lz"
	export LIBSQLITE3_CFLAGS="-I$work/inst/include" LIBSQLITE3_LIBS="-L$work/inst/lib -lsqlite3"
	# Nothing of this machine's libraries may be found.
	export PKG_CONFIG=/bin/false PKG_CONFIG_LIBDIR=/nonexistent
	local m
	for m in _socket _ctypes readline _lzma _bz2 _uuid _ssl _hashlib _curses _dbm _gdbm \
		_codecs_cn _codecs_hk _codecs_iso2022 _codecs_jp _codecs_kr _codecs_tw \
		_multibytecodec _lsprof _posixsubprocess fcntl mmap resource syslog termios grp; do
		export "py_cv_module_$m=n/a"
	done
	# It would sleep until a point in time, which hosts need not support.
	export ac_cv_func_clock_nanosleep=no ac_cv_lib_rt_clock_nanosleep=no
	CONFIG_SITE=../src-wasm/Tools/wasm/config.site-wasm32-wasi ../src-wasm/configure -q \
		--host=wasm32-unknown-wasip1 --build="$(../src-wasm/config.guess)" \
		--with-build-python="$work/native/python" --prefix=/usr \
		--disable-test-modules --without-ensurepip --without-doc-strings \
		--with-pymalloc --without-mimalloc --disable-ipv6 --disable-shared \
		--with-system-libmpdec=no OPT="$opt"
	make -s -j"$jobs" libpython3.13.a Modules/_hacl/libHacl_Hash_SHA2.a
}

frozen() {
	native/python -I "$here/gen_tzdata.py" gen debs/usr/share/zoneinfo
	native/python -I -X no_debug_ranges "$here/gen_frozen.py" gen \
		"$here/modules.txt" src-wasm/Lib "$here/guest" site
}

link() {
	local include="-Isrc-wasm/Include -Isrc-wasm/Include/internal -Iwasm -Iinst/include -I$here/shim -I$here/../../wipe"
	local f objs=()
	$cc $arch $opt -Wall -Werror "$wipe" -c "$here/../../wipe/wipe.c" -o obj/wipe.o
	objs+=(obj/wipe.o)
	for f in boot call frame heap host result seal; do
		$cc $arch $opt -Wall -Werror $include "$wipe" -c "$here/shim/$f.c" -o "obj/$f.o"
		objs+=("obj/$f.o")
	done
	for f in frozen zones; do
		$cc $arch -O1 -std=c23 $include -c "gen/$f.c" -o "obj/$f.o"
		objs+=("obj/$f.o")
	done
	# Not by clang, which would run any wasm-opt that it finds. The stack lies first,
	# so that its overflow traps; 8 MiB is what CPython's own limits need.
	wasm-ld-19 -m wasm32 --entry _initialize "$lib/crt1-reactor.o" "${objs[@]}" \
		wasm/libpython3.13.a wasm/Modules/_hacl/libHacl_Hash_SHA2.a \
		wasm/Modules/expat/libexpat.a wasm/Modules/_decimal/libmpdec/libmpdec.a \
		-Linst/lib -lz -lsqlite3 -L"$lib" -lwasi-emulated-signal -lwasi-emulated-getpid \
		-lwasi-emulated-process-clocks -ldl -lpthread -lm -lc "$builtins" \
		--wrap=free --wrap=realloc --stack-first -z stack-size=8388608 --gc-sections --strip-debug \
		--export=__stack_pointer --export=__heap_base --export=__data_end -o python.wasm
	if grep -aqF "$work" python.wasm; then
		echo "the module holds the path of the folder it was built in"
		return 1
	fi
}

pack() {
	(cd "$here" && go run ./pack "$work/python.wasm" "$work/python.wasm.zst") > SHA256SUMS.new
	mv SHA256SUMS.new SHA256SUMS
	cat SHA256SUMS
}

licences() {
	local l=$work/LICENSES doc=usr/share/doc
	mkdir -p "$l"
	cp src/LICENSE "$l/cpython"
	cp src/Modules/expat/COPYING "$l/expat"
	# These two say it at the head of their sources.
	sed -n '1,/\*\//p' src/Modules/_decimal/libmpdec/mpdecimal.h > "$l/libmpdec"
	sed -n '1,/\*\//p' src/Modules/_hacl/Hacl_Hash_SHA2.c > "$l/hacl"
	cp zlib/LICENSE "$l/zlib"
	cp sqlite/LICENSE.md "$l/sqlite"
	cp "sysroot/$doc/wasi-libc/copyright" "$l/wasi-libc"
	cp "/$doc/libclang-rt-19-dev-wasm32/copyright" "$l/llvm-compiler-rt"
	cp "debs/$doc/python3-jinja2/copyright" "$l/jinja2"
	cp "debs/$doc/python3-markupsafe/copyright" "$l/markupsafe"
	cp "debs/$doc/tzdata/copyright" "$l/tzdata"
}

for s in fetch unpack native zlib sqlite libpython frozen link pack licences; do
	step "$s"
done

if [ -n "$check" ]; then
	if ! diff "$runtime/SHA256SUMS" "$work/SHA256SUMS"; then
		echo "build.sh: the build differs from what is committed" >&2
		exit 1
	fi
	cmp "$runtime/python.wasm.zst" "$work/python.wasm.zst"
	echo "build.sh: same as what is committed"
else
	cp "$work/python.wasm.zst" "$work/SHA256SUMS" "$runtime/"
	mkdir -p "$runtime/LICENSES"
	cp "$work"/LICENSES/* "$runtime/LICENSES/"
	cat "$work/SHA256SUMS"
fi
