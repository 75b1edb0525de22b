#!/usr/bin/env bats
# bats file_tags=novm
# What is handed out: the Debian package in a root of its own, the archive of `make dist`, the RPM's description, and make's own answers.
# Debian's tools are installed by `make deps TESTS=1`.
# Alone: it compiles, and takes both processors.
# Seconds: 800

BUILD=${BUILD:-$(realpath "$BATS_TEST_DIRNAME/../../build")}

setup_file() {
	bats_require_minimum_version 1.5.0
	top=$(realpath "$BATS_TEST_DIRNAME/../..")
	# Not by the name that make knows, or everything would be built anew: what is found there is among the flags.
	deps=$(realpath -m "$BUILD/../build/deps")
	[ -d "$deps" ] || deps=$top/build/deps
	version=$(sed -n 's/^VERSION := //p' "$top/Makefile")
	# As `make check` names it, for the same reason.
	made=${BUILD#"$top/"}
	export top deps version BUILD made
}

needs() {
	local tool
	for tool; do
		command -v "$tool" > /dev/null || skip "$tool is not installed (make deps TESTS=1)"
	done
}

# copy DIR: the tree without what was built.
copy() {
	mkdir -p "$1"
	tar -C "$top" --exclude=./build --exclude=./.git -cf - . | tar -C "$1" -xf -
}

@test "the same source gives the same bytes, in another directory" {

	copy "$BATS_TEST_TMPDIR/elsewhere/flowgen"
	cd "$BATS_TEST_TMPDIR/elsewhere/flowgen"
	env -u MAKEFLAGS -u MAKELEVEL make all DEPS="$deps" BUILD="$BATS_TEST_TMPDIR/made" > "$BATS_TEST_TMPDIR/log" 2>&1 || { tail "$BATS_TEST_TMPDIR/log" && false; }
	cmp "$BATS_TEST_TMPDIR/made/flowgen" "$BUILD/flowgen"
	run ! grep -qF -e "$BATS_TEST_TMPDIR" "$BATS_TEST_TMPDIR/made/flowgen"
}

@test "Debian: lintian has nothing to say, and the package works in a root that has nothing else" {
	needs dpkg-buildpackage dh lintian debootstrap
	local mirror root=$BATS_TEST_TMPDIR/root package
	mkdir "$BATS_TEST_TMPDIR/deb"
	run -0 env -u BUILD "$top/packaging/deb" "$BATS_TEST_TMPDIR/deb" "$version"
	echo "$output"
	[ "${#lines[@]}" = 3 ] # the packages' names, and no word of lintian
	for package in "${lines[@]}"; do
		cp "$package" "$BATS_TEST_TMPDIR/deb/$(basename "${package%%_*}").deb"
	done
	# What depends on it starts it, so one of any architecture will do: the library is there for each.
	[ "$(dpkg-deb -f "$BATS_TEST_TMPDIR/deb/flowgen.deb" Multi-Arch)" = foreign ]
	[ "$(dpkg-deb -f "$BATS_TEST_TMPDIR/deb/libflowgen0.deb" Multi-Arch)" = same ]
	. "$top/.ci/private-apt"
	mirror=$(private_apt_mirror)
	[ -n "$mirror" ] || skip 'apt knows no mirror here'
	(cd "$BATS_TEST_TMPDIR" && private_apt_open "$(. /etc/os-release && echo "$VERSION_CODENAME")" && private_apt download base-files &&
		rm -r "$PRIVATE_APT") > "$BATS_TEST_TMPDIR/log" 2>&1 ||
		skip "the mirror cannot be reached: $(tail -n 1 "$BATS_TEST_TMPDIR/log")"
	debootstrap --variant=minbase "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$root" "$mirror" > "$BATS_TEST_TMPDIR/log" 2>&1 ||
		{ tail "$BATS_TEST_TMPDIR/log" && false; }
	cp "$BATS_TEST_TMPDIR/deb"/{flowgen,libflowgen0,libflowgen-dev}.deb "$root/"
	chroot "$root" sh -c 'apt-get -qq update && apt-get -qq install -y --no-install-recommends /*.deb gcc libc6-dev pkgconf' > "$BATS_TEST_TMPDIR/log" 2>&1 ||
		{ tail "$BATS_TEST_TMPDIR/log" && false; }
	run -0 chroot "$root" flowgen --version
	[ "$output" = "flowgen $version" ]
	# A dry run packs a packet; what is linked is all there.
	run -0 --separate-stderr chroot "$root" flowgen inject --dry-run --src 10.0.0.1 --dst 10.0.0.2 --proto udp --dport 53 --output json
	jq -e '.packet' <<< "$output"
	local file
	for file in man/man8/flowgen.8.gz bash-completion/completions/flowgen zsh/vendor-completions/_flowgen fish/vendor_completions.d/flowgen.fish; do
		echo "$file"
		[ -e "$root/usr/share/$file" ]
	done
	# The library finds its flowgen; what it asks for needs no privileges.
	chroot "$root" sh -c 'cc -o /example /usr/share/doc/libflowgen-dev/examples/flowgen-example.c $(pkg-config --cflags --libs flowgen)'
	run ! --separate-stderr unshare --mount --propagation private sh -c 'mount -t proc proc "$0/proc" && exec chroot "$0" /example /etc/hostname' "$root"
	echo "$stderr"
	[[ $stderr == *'failed (2): scenario:'* ]]
	[ -e "$root/usr/share/man/man3/libflowgen.3.gz" ]
	chroot "$root" dpkg --purge libflowgen-dev libflowgen0 flowgen
	run -0 find "$root/usr" -name '*flowgen*'
	[ -z "$output" ]
}

# Debian's packages, and a name that make deps does not know: what is installed is found, and nothing is to be installed.
@test "another distribution: make demo works where the libraries are, and else says what is missing" {
	printf 'ID=other\nID_LIKE=debian\nVERSION_ID=1\n' > "$BATS_TEST_TMPDIR/os-release"
	# there COMMAND...: with that name, and no device of this host.
	there() {
		unshare --mount --net bash -c 'mount --bind "$0" "$(readlink -f /etc/os-release)" && ip link set lo up && exec "$@"' \
			"$BATS_TEST_TMPDIR/os-release" env -u MAKEFLAGS -u MAKELEVEL "$@"
	}
	run -0 there make -C "$top" demo BUILD="$made"
	[[ $output == *'DENIED by deny_port '* ]]
	[[ $output != *'deps: '* ]]
	run -2 there make -C "$top" demo BUILD="$made" LIBBPF_MIN=99 DEPS="$BATS_TEST_TMPDIR/none"
	[[ $output == *'deps: knows how to install on Debian 12 and 13 only; this is other 1. Needed here:'*'libbpf-dev (>= '* ]]
}

# answers PROGRAM...: what needs no host: a packed packet, the help, and scenarios that are looked at.
answers() {
	"$@" inject --dry-run --src 10.0.0.1 --dst 10.0.0.2 --proto tcp --dport 53 --sport 4000 --seed 7 --output json | jq -S 'del(.run, .time)'
	"$@" --help
	"$@" inject --help=all
	"$@" run --validate "$top/scenarios"
	"$@" run --list "$top/scenarios/demo.yaml"
}

@test "arm64: cross-built, it answers under qemu-user as it does here, with the same BPF" {
	needs qemu-aarch64 aarch64-linux-gnu-gcc readelf
	local object machine
	if ! env -u MAKEFLAGS -u MAKELEVEL make -C "$top" arm64 BUILD="$made" > "$BATS_TEST_TMPDIR/log" 2>&1; then
		! grep "^arm64-libs: Debian's archive" "$BATS_TEST_TMPDIR/log" || skip "$(grep '^arm64-libs: Debian' "$BATS_TEST_TMPDIR/log")"
		tail "$BATS_TEST_TMPDIR/log" && false
	fi
	machine=$(readelf -h "$BUILD/aarch64/flowgen.static" | sed -n 's/^ *Machine: *//p')
	[ "$machine" = AArch64 ]
	run ! grep NEEDED <(readelf -d "$BUILD/aarch64/flowgen.static")
	answers "$BUILD/flowgen" > "$BATS_TEST_TMPDIR/here"
	answers qemu-aarch64 "$BUILD/aarch64/flowgen.static" > "$BATS_TEST_TMPDIR/there"
	grep -q '"bytes": "0\{24\}0800450' "$BATS_TEST_TMPDIR/here"
	grep -q ': valid, 9 probes$' "$BATS_TEST_TMPDIR/here"
	diff "$BATS_TEST_TMPDIR/here" "$BATS_TEST_TMPDIR/there"
	run -2 --separate-stderr qemu-aarch64 "$BUILD/aarch64/flowgen.static" run --validate - <<< 'name: [x]'
	[[ $stderr == *'standard input:1:7: name: '* ]]
	for object in "$BUILD"/bpf/*.o; do
		cmp "$object" "$BUILD/aarch64/bpf/${object##*/}"
	done
}

@test "arm64: the image has both architectures, each with its own program" {
	needs podman jq
	[ -x "$BUILD/flowgen.static" ] || skip 'there is no static binary (make static)'
	[ -x "$BUILD/aarch64/flowgen.static" ] || skip 'there is no static binary of arm64 (make arm64)'
	[ "$(uname -m)" = x86_64 ] || skip 'the names of the files are those of amd64'
	local image=$BATS_TEST_TMPDIR/image arch manifest file
	run -0 "$top/packaging/image" "$version" "$image.tar" amd64="$BUILD/flowgen.static" arm64="$BUILD/aarch64/flowgen.static"
	[ "$output" = "$image.tar" ]
	mkdir "$image"
	tar -C "$image" -xf "$image.tar"
	# blob DIGEST
	blob() { cat "$image/blobs/${1/://}"; }
	index=$(blob "$(jq -r '.manifests[0].digest' "$image/index.json")")
	[ "$(jq -r '[.manifests[].platform | "\(.os)/\(.architecture)"] | sort | join(" ")' <<< "$index")" = 'linux/amd64 linux/arm64' ]
	for arch in amd64 arm64; do
		manifest=$(blob "$(jq -r --arg arch "$arch" '.manifests[] | select(.platform.architecture == $arch).digest' <<< "$index")")
		blob "$(jq -r .config.digest <<< "$manifest")" |
			jq -e --arg arch "$arch" '.architecture == $arch and .config.Entrypoint == ["/flowgen"]'
		file=$BUILD/flowgen.static
		[ "$arch" = amd64 ] || file=$BUILD/aarch64/flowgen.static
		[ "$(jq '.layers | length' <<< "$manifest")" = 1 ]
		blob "$(jq -r '.layers[0].digest' <<< "$manifest")" | tar -xzOf - flowgen | cmp - "$file"
	done
}

@test "make image: this machine's program has this machine's name" {
	local machine pairs
	while read -r machine pairs; do
		run -0 env -u MAKEFLAGS -u MAKELEVEL make -n -C "$top" image BUILD=build machine="$machine" ARCH="$machine"
		[[ $output == *"packaging/image $version build/flowgen.oci.tar $pairs"* ]] || { echo "$machine: $output" && false; }
	done <<-'END'
		x86_64 amd64=build/flowgen.static arm64=build/aarch64/flowgen.static
		aarch64 arm64=build/flowgen.static
	END
}

@test "make dist: the archive runs as it is, and the SPDX document is of it" {
	[ -x "$BUILD/flowgen.static" ] || skip 'there is no static binary (make static)'
	local name
	env -u MAKEFLAGS -u MAKELEVEL make -C "$top" dist BUILD="$made" > "$BATS_TEST_TMPDIR/log" 2>&1 || { cat "$BATS_TEST_TMPDIR/log" && false; }
	name=$(basename "$BUILD"/dist/flowgen-"$version"-linux-*.tar.gz .tar.gz)
	tar -C "$BATS_TEST_TMPDIR" -xzf "$BUILD/dist/$name.tar.gz"
	cd "$BATS_TEST_TMPDIR/$name"
	run -0 sbin/flowgen --version
	[ "$output" = "flowgen $version" ]
	run -0 bin/kubectl-flowgen --version
	local file
	for file in share/man/man8/flowgen.8 share/man/man5/flowgen-scenario.5 share/flowgen/result.schema.json \
		share/flowgen/scenarios/default-deny.yaml share/bash-completion/completions/flowgen share/zsh/site-functions/_flowgen \
		share/fish/vendor_completions.d/flowgen.fish deploy/rbac.yaml metrics.md share/man/man3/libflowgen.3; do
		echo "$file"
		[ -e "$file" ]
	done
	# A program can be linked with what is in it, wherever it lies.
	local flags
	read -ra flags <<< "$(PKG_CONFIG_PATH=$PWD/lib/pkgconfig pkg-config --static --cflags --libs flowgen)"
	cc -o example examples/flowgen-example.c "${flags[@]}"
	run ! --separate-stderr ./example metrics.md sbin/flowgen
	[[ $stderr == *'failed (2): scenario:'* ]]
	jq -e --arg sum "$(sha256sum < sbin/flowgen | cut -d ' ' -f 1)" --arg version "$version" '
		.spdxVersion == "SPDX-2.3" and .dataLicense == "CC0-1.0" and
		(.packages | map(.SPDXID)) as $ids |
		(.packages[] | select(.name == "flowgen") | .versionInfo == $version and .checksums[0].checksumValue == $sum) and
		($ids | length) == 10 and ([.packages[] | .versionInfo | test("^[0-9]")] | all) and
		([.relationships[] | .relatedSpdxElement | IN($ids[])] | all) and
		([.packages[] | .SPDXID] | index("SPDXRef-libbpf"))' "$BUILD/dist/$name.spdx.json"
}

@test "one version everywhere" {
	[ "$("$BUILD/flowgen" --version)" = "flowgen $version" ]
	grep -qx "Version: *$version" "$top/packaging/flowgen.spec"
	grep -q "^flowgen ($version) " "$top/packaging/debian/changelog"
	[ "$(awk '/define FLOWGEN_VERSION_/ { print $3 }' "$top/lib/flowgen/flowgen.h" | paste -sd .)" = "$version" ]
	# And the library's, which is another.
	local abi
	abi=$(sed -n 's/^ABI := //p' "$top/Makefile")
	grep -qx "Package: libflowgen$abi" "$top/packaging/debian/control"
	grep -qx "FLOWGEN_$abi {" "$top/lib/flowgen/flowgen.map"
	grep -qF "(libflowgen.so.$abi)" "$top/lib/flowgen/flowgen.h"
}

@test "RPM: the description is one that rpm understands" {
	needs rpmspec
	run -0 rpmspec --query --queryformat '%{NAME} %{VERSION} %{LICENSE}\n' "$top/packaging/flowgen.spec"
	[ "$(sort <<< "$output")" = "$(printf '%s '"$version"' GPL-2.0-only\n' flowgen flowgen-devel flowgen-libs)" ]
	# What it packs is what `make install` makes.
	env -u MAKEFLAGS -u MAKELEVEL make -C "$top" install BUILD="$made" DESTDIR="$BATS_TEST_TMPDIR/i" PREFIX=/usr LIBDIR="$(rpm --eval '%{_libdir}')" > "$BATS_TEST_TMPDIR/log" 2>&1
	rpmspec -P "$top/packaging/flowgen.spec" | sed -n '/^%files/,/^%changelog/s,^/,,p' | while read -r path; do
		compgen -G "$BATS_TEST_TMPDIR/i/$path" > /dev/null || { echo "not installed: $path" && false; }
	done
	local file files
	mapfile -t files < <(find "$BATS_TEST_TMPDIR/i" -type f -perm -u+x | sort)
	[ "${files[*]##*/}" = "libflowgen.so.$version flowgen" ]
	for file in "${files[@]}"; do
		run -0 readelf -S "$file"
		[[ $output != *.debug_info* ]]
	done
}

@test "make: what was built is installed, and nothing is compiled again" {
	rm -rf "$BUILD/library"
	run -0 env -u MAKEFLAGS -u MAKELEVEL make -C "$top" BUILD="$made"
	run -0 env -u MAKEFLAGS -u MAKELEVEL make -C "$top" install BUILD="$made" DESTDIR="$BATS_TEST_TMPDIR/i"
	[ -e "$BATS_TEST_TMPDIR/i/usr/local/lib/libflowgen.so" ]
	run ! grep -E '^  [A-Z]+ ' <<< "$output"
}

@test "make: every target has a line in make help, and says what it misses" {
	local target tools=$BATS_TEST_TMPDIR/tools
	run -0 make -s -C "$top" help
	for target in deps demo install uninstall clean check check-quick check-cluster tests lint format fuzz bench soak fault mutate library static arm64 check-arm64 image dist deb krew; do
		[[ $output == *"make $target"* ]] || { echo "no line: $target" && false; }
	done
	mkdir "$tools"
	find /usr/bin /usr/sbin -maxdepth 1 -exec ln -sf -t "$tools" {} +
	rm -f "$tools"/{clang-tidy,nmap,lintian}
	while read -r target missing; do
		run ! env -u MAKEFLAGS -u MAKELEVEL PATH="$tools" make -s -C "$top" "$target" BUILD="$made"
		echo "$output"
		grep -qE "missing here: $missing. .*make deps TESTS=1" <<< "$output"
	done <<-'END'
		lint clang-tidy
		format clang-tidy
		bench nmap
		deb lintian
	END
}
