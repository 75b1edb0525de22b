# `make help` prints the lines that begin with "#:".
#: make                 build/flowgen and build/library (names what is missing, and `make deps` installs it)
#: make deps            install what the build needs (Debian 12, 13); TESTS=1 adds what the tests and the packages need
#: make demo            deps, build, and run the demonstration
#: make install         into PREFIX=/usr/local beneath DESTDIR, stripped (INSTALL_STRIP= for not); make uninstall
#: make clean           remove build/, but not what cost a download
#:
#: make check           deps TESTS=1, build everything, fetch kernels, Kubernetes and docker, lint, run every test
#: make check-quick     no lint, no virtual machines, no cluster
#: make check-cluster   build Kubernetes and run the tests with it, which are part of `make check`
#: make tests           build the tests, and do not run them: tests/run SUITE does
#: make lint            clang-tidy, cppcheck, shellcheck, and the rules of CONTRIBUTING.md
#: make format          lay the code out with clang-format
#: make fuzz            FUZZ_SECONDS=600 for all targets together
#: make bench           every figure beside its peer and limit, with its spread [ONLY="cold sweep .."]; also build/bench.json
#: make soak            SOAK_SECONDS=600, twice
#: make fault           each system call and each allocation fails once
#: make mutate          N=100 [SEED=..] [PATHS="lib/judge .."] [SUITES=unit,prog,e2e]: change the code, and see which tests notice
#:
#: make library         build/library: libflowgen, shared and static, for other programs (part of `make`)
#: make static          build/flowgen.static: one file for any node
#: make arm64           build/aarch64/flowgen.static, cross-built: installs what that needs [then: make ARCH=arm64 dist krew]
#: make check-arm64     and start it under qemu-user
#: make image           build/flowgen.oci.tar: an OCI image for this machine's architecture and arm64
#: make dist            build/dist: it with manuals, scenarios and schemas in an archive, and an SPDX document
#: make deb             build/flowgen_VERSION_ARCH.deb, libflowgen0 and libflowgen-dev, after lintian
#: make krew            build/krew: kubectl's plugin for the manager krew [KREW_URL=..]
#:
#: BUILD=dir            builds there; SAN=1 with the address and undefined-behaviour sanitizers; V=1 shows the commands
VERSION := 0.2.0
# Of libflowgen: one more whenever programs that use it have to be compiled again.
ABI := 0

PREFIX ?= /usr/local
DESTDIR ?=
SBINDIR ?= $(PREFIX)/sbin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
BINDIR ?= $(PREFIX)/bin
DATADIR ?= $(PREFIX)/share
ZSHDIR ?= $(DATADIR)/zsh/site-functions
# Of install(1).
INSTALL_STRIP ?= -s
BUILD ?= build
DEPS ?= build/deps
FUZZ_SECONDS ?= 600

# What flowgen is built for. Of another machine than this one there is the static binary alone, in a directory of its own, with
# libraries of its own: `make arm64`.
machine := $(shell uname -m)
ARCH := $(machine)
arch := $(patsubst arm64,aarch64,$(patsubst amd64,x86_64,$(ARCH)))
ifneq ($(arch),$(machine))
BUILD := build/$(arch)
DEPS := $(CURDIR)/build/deps-$(arch)
CC := $(arch)-linux-gnu-gcc
OBJCOPY := $(arch)-linux-gnu-objcopy
INSTALL_STRIP := $(if $(INSTALL_STRIP),-s --strip-program=$(arch)-linux-gnu-strip)
LDFLAGS += -L$(DEPS)/usr/lib/$(arch)-linux-gnu
export PKG_CONFIG_LIBDIR := $(DEPS)/usr/lib/$(arch)-linux-gnu/pkgconfig
export PKG_CONFIG_SYSROOT_DIR := $(DEPS)
# $(shell) of make 4.3 knows nothing of what is exported.
PKG_CONFIG := PKG_CONFIG_LIBDIR=$(PKG_CONFIG_LIBDIR) PKG_CONFIG_SYSROOT_DIR=$(DEPS) pkg-config
endif

CLANG ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool /usr/local/sbin/bpftool) bpftool)
PKG_CONFIG ?= pkg-config
OBJCOPY ?= objcopy
MAKEFLAGS += --no-print-directory
# All processors are used without asking; a make started by this one shares its parent's.
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc)
endif
.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:

# V=1 shows the commands.
say = $(if $(V),,@printf '  %-5s %s\n' $(1) $@;)

# --- libraries -------------------------------------------------------------------------------------------------------
# Nothing here may fail if tools are missing: `make deps` has to work on a bare system.
LIBBPF_MIN := 1.4
PKGS := libnl-3.0 jansson yaml-0.1 libpcap libseccomp
deps_libbpf := $(firstword $(wildcard $(DEPS)/usr/lib/*/libbpf.a))
ifneq ($(deps_libbpf),)
libbpf_found := yes
sys_includes := -isystem $(DEPS)/usr/include -isystem $(DEPS)/usr/include/$(arch)-linux-gnu
libbpf_libs := $(deps_libbpf) -lelf -lz
libbpf_careful := $(BUILD)/libbpf.a
else
libbpf_found := $(shell $(PKG_CONFIG) --atleast-version=$(LIBBPF_MIN) libbpf 2>/dev/null && echo yes)
sys_includes := $(addprefix -isystem ,$(wildcard /usr/include/$(arch)-linux-gnu))
libbpf_libs := $(shell $(PKG_CONFIG) --libs libbpf 2>/dev/null) -lelf -lz
endif
pkg_missing := $(shell for p in $(PKGS); do $(PKG_CONFIG) --exists $$p 2>/dev/null || printf ' %s' $$p; done)
pkg_missing += $(if $(libbpf_found),,libbpf>=$(LIBBPF_MIN))
pkg_missing += $(foreach tool,$(firstword $(CC)) $(CLANG) $(BPFTOOL),$(if $(shell command -v $(tool)),,$(tool)))
pkg_cflags := $(shell $(PKG_CONFIG) --cflags-only-I $(PKGS) 2>/dev/null)
pkg_libs := $(shell $(PKG_CONFIG) --libs $(PKGS) 2>/dev/null)

# --- flags -----------------------------------------------------------------------------------------------------------
CFLAGS ?= -O2 -g
WERROR ?= -Werror
warnings := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wformat=2 -Wvla \
	-Wpointer-arith -Wwrite-strings -Wundef -Wno-missing-field-initializers \
	-Wno-unknown-warning-option -Wno-format-truncation $(WERROR)
harden := -fstack-protector-strong -fPIE
ifneq ($(SAN),)
sanitize := -fsanitize=address,undefined
harden += $(sanitize) -fno-sanitize-recover=undefined -fno-omit-frame-pointer
else
harden += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
endif
cppflags := -D_GNU_SOURCE -DFLOWGEN_VERSION='"$(VERSION)"' -Ilib -I. -I$(BUILD) $(sys_includes) \
	$(patsubst -I%,-isystem %,$(pkg_cflags)) $(CPPFLAGS)
# The same source gives the same bytes, wherever it is built.
anywhere := -ffile-prefix-map=$(CURDIR)/= -ffile-prefix-map=$(CURDIR)=. -ffile-prefix-map=$(abspath $(BUILD))=build \
	-ffile-prefix-map=$(DEPS)=build/deps
cflags := -std=gnu11 $(warnings) $(harden) $(anywhere) $(CFLAGS)
ldflags := -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(sanitize) $(LDFLAGS)
# What these libraries are told of memory is in lib/base/grow.c, so that comes once more after them.
libseccomp_a := $(wildcard $(shell $(PKG_CONFIG) --variable=libdir libseccomp 2>/dev/null)/libseccomp.a)
ifneq ($(libseccomp_a),)
seccomp_careful := $(BUILD)/libseccomp.a
pkg_libs := $(patsubst -lseccomp,$(seccomp_careful) $(BUILD)/lib/libflowgen.a,$(pkg_libs))
endif
careful := $(libbpf_careful) $(seccomp_careful)
libs := $(if $(libbpf_careful),$(libbpf_careful) $(BUILD)/lib/libflowgen.a -lelf -lz,$(libbpf_libs)) $(pkg_libs) -lpthread
fuzz_libs := $(libbpf_libs) $(shell $(PKG_CONFIG) --libs $(PKGS) 2>/dev/null) -lpthread
bpf_arch := $(patsubst aarch64,arm64,$(patsubst x86_64,x86,$(arch)))
bpf_cflags := -target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Werror -Wno-unused-parameter -Wno-missing-declarations \
	-D__TARGET_ARCH_$(bpf_arch) -Ibpf $(anywhere) $(sys_includes)

# --- sources ---------------------------------------------------------------------------------------------------------
# The programs that share maps are linked to one object; each other program file is an object and a skeleton of its own.
DATAPATH_BPF := inject path tap
datapath_srcs := $(wildcard $(DATAPATH_BPF:%=bpf/%.bpf.c))
bpf_names := $(patsubst bpf/%.bpf.c,%,$(filter-out $(datapath_srcs),$(wildcard bpf/*.bpf.c)))
skeletons := $(bpf_names:%=$(BUILD)/bpf/%.skel.h) $(if $(datapath_srcs),$(BUILD)/bpf/datapath.skel.h)
lib_srcs := $(filter-out lib/static/%,$(wildcard lib/*/*.c))
lib_objs := $(lib_srcs:lib/%.c=$(BUILD)/lib/%.o)
cmd_srcs := $(wildcard cmd/*.c)
cmd_objs := $(cmd_srcs:cmd/%.c=$(BUILD)/cmd/%.o)
lib := $(BUILD)/lib/libflowgen.a
support_srcs := $(wildcard tests/support/*.c)
support_objs := $(support_srcs:%.c=$(BUILD)/%.o)
support := $(if $(support_srcs),$(BUILD)/tests/libsupport.a)
cmocka_srcs := $(wildcard tests/unit/test_*.c tests/unit/*/test_*.c tests/prog/test_*.c)
cmocka_bins := $(cmocka_srcs:%.c=$(BUILD)/%)
tool_srcs := $(wildcard tests/tool/*.c tests/bench/*.c)
tool_bins := $(tool_srcs:%.c=$(BUILD)/%)
preloads := $(patsubst %.c,$(BUILD)/%.so,$(wildcard tests/preload/*.c))
test_bpf := $(patsubst tests/bpf/%.bpf.c,$(BUILD)/tests/bpf/%.bpf.o,$(wildcard tests/bpf/*.bpf.c))
fuzz_srcs := $(wildcard tests/fuzz/fuzz_*.c)
fuzz_bins := $(fuzz_srcs:tests/fuzz/%.c=$(BUILD)/fuzz/%)

.PHONY: help all library tests deps deps-test demo check check-quick check-cluster check-build docker cluster vm-kernels fault fuzz fuzz-build bench bench-build static arm64 check-arm64 image dist deb krew \
	lint format install uninstall clean have-libs have-tests have-fuzz have-lint have-bench FORCE

# The library takes a second, and what `sudo make install` installs was not compiled by root.
all: $(BUILD)/flowgen library

# `make format lint` looks at, and compiles, what format has written.
formatted := $(filter format,$(MAKECMDGOALS))

help:
	@sed -n 's/^#: \{0,1\}//p' $(firstword $(MAKEFILE_LIST))

have-libs:
ifneq ($(strip $(pkg_missing)),)
	@echo 'flowgen: missing here: $(strip $(pkg_missing)). On Debian 12 or 13, run: make deps' >&2; exit 1
endif

# What only a developer needs: each of these names what its target misses.
lacks = $(foreach tool,$(1),$(if $(shell command -v $(tool)),,$(tool)))
in_tests := On Debian 12 or 13, run: make deps TESTS=1
stop_if = $(if $(strip $(1)),@echo 'flowgen: missing here: $(strip $(1)). $(in_tests)' >&2; exit 1)
have-tests: have-libs
	$(call stop_if,$(if $(wildcard $(addsuffix /cmocka.h,/usr/include /usr/local/include)),,cmocka))
have-fuzz: have-libs
	$(call stop_if,$(if $(wildcard $(dir $(shell $(CLANG) -print-libgcc-file-name --rtlib=compiler-rt 2>/dev/null))*fuzzer*),,libFuzzer))
have-lint: have-libs
	$(call stop_if,$(call lacks,clang-format clang-tidy cppcheck shellcheck mandoc python3))
have-bench: have-tests
	$(call stop_if,$(call lacks,jq nmap trafgen iperf3 conntrack nft bpftool pgrep))

# --- stages: what is installed decides how the rest is built, so each of these starts make anew ----------------------
deps:
	@.ci/deps build $(if $(TESTS),test)

deps-test:
	@.ci/deps build test

# Where all is there already, it does not matter which system this is.
demo:
	@$(if $(strip $(pkg_missing)),.ci/deps build)
	@$(MAKE) all
	@$(BUILD)/flowgen demo

check:
	@.ci/deps build test arm64
	@$(MAKE) check-build docker cluster vm-kernels
	@tests/run

check-quick:
	@.ci/deps build test arm64
	@$(MAKE) check-build docker
	@tests/run quick

check-cluster:
	@.ci/deps build test
	@$(MAKE) all tests static cluster
	@tests/run cluster

# Each system call and each allocation fails once: some minutes for each verb. FAULT_OPTIONS="--verb pods" chooses one.
fault: all tests
	@FAULT_SECONDS=0 BUILD=$(abspath $(BUILD)) FLOWGEN=$(abspath $(BUILD)/flowgen) bats tests/e2e/failing_calls.bats

tests: $(cmocka_bins) $(tool_bins) $(test_bpf) $(preloads)
check-build: all tests fuzz-build static krew

# --- BPF -------------------------------------------------------------------------------------------------------------
$(BUILD)/bpf/%.bpf.o: bpf/%.bpf.c $(BUILD)/flags | have-libs $(formatted)
	@mkdir -p $(@D)
	$(call say,BPF)$(CLANG) $(bpf_cflags) -MMD -MP -c $< -o $@

# `gen object` of a single file drops its debugging sections and keeps its BTF.
$(BUILD)/bpf/datapath.o: $(datapath_srcs:bpf/%.c=$(BUILD)/bpf/%.o)
	$(call say,LINK)$(BPFTOOL) gen object $@ $^

$(bpf_names:%=$(BUILD)/bpf/%.o): $(BUILD)/bpf/%.o: $(BUILD)/bpf/%.bpf.o
	$(call say,LINK)$(BPFTOOL) gen object $@ $<

$(skeletons): $(BUILD)/bpf/%.skel.h: $(BUILD)/bpf/%.o
	$(call say,SKEL){ echo '/* NOLINTBEGIN: bpftool wrote this */'; \
		$(BPFTOOL) gen skeleton $< name $(subst -,_,$*)_bpf && echo '/* NOLINTEND */'; } > $@

$(BUILD)/tests/bpf/%.bpf.o: tests/bpf/%.bpf.c $(BUILD)/flags | have-libs $(formatted)
	@mkdir -p $(@D)
	$(call say,BPF)$(CLANG) $(bpf_cflags) -MMD -MP -c $< -o $@

# --- texts that are part of the program -------------------------------------------------------------------------------
deployed := $(BUILD)/deploy/agent-pod.h $(BUILD)/deploy/daemonset.h
$(deployed): $(BUILD)/deploy/%.h: doc/deploy/%.yaml Makefile
	@mkdir -p $(@D)
	$(call say,TEXT){ echo 'static const char fg_deploy_$(subst -,_,$*)[] ='; \
		sed -e '/^ *#/d' -e 's/[\\"]/\\&/g' -e 's/.*/"&\\n"/' $<; echo ';'; } > $@

# --- C ---------------------------------------------------------------------------------------------------------------
# Another compiler or other flags rebuild everything, and the same ones nothing.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' $(call quote,$(CC) $(CLANG) $(cppflags) $(cflags) $(ldflags) $(libs) $(bpf_cflags)) | \
		cmp -s - $@ || printf '%s\n' $(call quote,$(CC) $(CLANG) $(cppflags) $(cflags) $(ldflags) $(libs) $(bpf_cflags)) > $@
quote = '$(subst ','\'',$(1))'

$(BUILD)/%.o: %.c $(BUILD)/flags | have-libs $(skeletons) $(deployed) $(formatted)
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(cppflags) $(cflags) $(extra) -MMD -MP -c $< -o $@

# Tests are run from anywhere and must find the build.
$(BUILD)/tests/%.o: private extra = -Itests/support -DFLOWGEN_BUILD_DIR='"$(abspath $(BUILD))"' -DFLOWGEN_SOURCE_DIR='"$(CURDIR)"'

$(cmocka_bins:%=%.o) $(support_objs): | have-tests

# Made anew each time: ar would keep members whose source is gone. Appended, not replaced: two rooms may each have a file of a
# name.
$(lib): $(lib_objs)
	@rm -f $@
	$(call say,AR)$(AR) qcs $@ $^

$(BUILD)/tests/libsupport.a: $(support_objs)
	@rm -f $@
	$(call say,AR)$(AR) qcs $@ $^

# Both crash where memory is short: adjust_prog_btf_ext_info() of libbpf 1.5 is one such place, and libseccomp 2.5 frees twice,
# hangs, or makes a filter without some of its rules.
must_get := $(OBJCOPY) $(foreach f,malloc calloc realloc strdup,--redefine-sym $(f)=fg_grow_$(f))
$(BUILD)/libseccomp.a: $(libseccomp_a) Makefile
	@mkdir -p $(@D)
	$(call say,COPY)$(must_get) $< $@

$(BUILD)/libbpf.a: $(deps_libbpf) Makefile
	@mkdir -p $(@D)
	$(call say,COPY)$(must_get) $< $@

$(BUILD)/flowgen: $(cmd_objs) $(lib) | $(careful)
	$(call say,LD)$(CC) $(cflags) $(ldflags) $^ $(libs) -o $@

$(cmocka_bins): $(BUILD)/%: $(BUILD)/%.o $(support) $(lib) | $(careful)
	$(call say,LD)$(CC) $(cflags) $(ldflags) $^ -lcmocka $(libs) -o $@

$(tool_bins): $(BUILD)/%: $(BUILD)/%.o $(support) $(lib) | $(careful)
	$(call say,LD)$(CC) $(cflags) $(ldflags) $^ $(libs) -o $@

# What a test puts into a process with LD_PRELOAD.
$(preloads): $(BUILD)/%.so: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,SO)$(CC) -std=gnu11 $(warnings) -D_GNU_SOURCE -O1 -g -fPIC -shared $< -o $@

# --- libflowgen, for other programs: only the names of its header are exported ------------------------------------------
soname := libflowgen.so.$(ABI)
library_base := buffer clock error fd grow visible
library_objs := $(patsubst lib/%.c,$(BUILD)/library/%.o,$(wildcard lib/flowgen/*.c) $(library_base:%=lib/base/%.c))
library_flags = $(filter-out -fPIE,$(cflags)) -fPIC -ffunction-sections
library_libs := $(shell $(PKG_CONFIG) --libs jansson 2>/dev/null)
library := $(BUILD)/library/libflowgen.so.$(VERSION) $(BUILD)/library/libflowgen.a
library: $(library)

# Where the program will be is known to the library.
$(BUILD)/library/flowgen/process.o: private extra = -DFLOWGEN_PROGRAM='"$(SBINDIR)/flowgen"'
$(BUILD)/library/flowgen/process.o: $(BUILD)/library/program
$(BUILD)/library/program: FORCE
	@mkdir -p $(@D)
	@echo '$(SBINDIR)/flowgen' | cmp -s - $@ || echo '$(SBINDIR)/flowgen' > $@

$(BUILD)/library/%.o: lib/%.c $(BUILD)/flags | have-libs $(formatted)
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(cppflags) $(library_flags) $(extra) -MMD -MP -c $< -o $@

$(BUILD)/library/libflowgen.so.$(VERSION): $(library_objs) lib/flowgen/flowgen.map
	$(call say,SO)$(CC) $(library_flags) -shared -Wl,-soname,$(soname) -Wl,--version-script=lib/flowgen/flowgen.map -Wl,--gc-sections \
		$(if $(SAN),,-Wl,-z,defs) $(filter-out -pie,$(ldflags)) $(library_objs) $(library_libs) -o $@

# One object, in which all other names are local.
$(BUILD)/library/libflowgen.a: $(library_objs)
	@rm -f $@
	$(call say,AR)$(CC) -r -nostdlib $^ -o $(@D)/flowgen.o && $(OBJCOPY) --wildcard --keep-global-symbol='flowgen_*' $(@D)/flowgen.o && \
		$(AR) qcsD $@ $(@D)/flowgen.o

# --- fuzzing: the library once more, instrumented --------------------------------------------------------------------
fuzz_cflags := -std=gnu11 -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
fuzz_lib := $(BUILD)/fuzz/libflowgen.a

$(BUILD)/fuzz/lib/%.o: lib/%.c $(BUILD)/flags | have-fuzz $(skeletons) $(deployed)
	@mkdir -p $(@D)
	$(call say,FUZZ)$(CLANG) $(cppflags) $(fuzz_cflags) -fsanitize=fuzzer-no-link -MMD -MP -c $< -o $@

$(fuzz_lib): $(lib_srcs:%.c=$(BUILD)/fuzz/%.o)
	@rm -f $@
	$(call say,AR)$(AR) qcs $@ $^

$(fuzz_bins): $(BUILD)/fuzz/%: tests/fuzz/%.c $(fuzz_lib)
	$(call say,FUZZ)$(CLANG) $(cppflags) $(fuzz_cflags) -fsanitize=fuzzer -MMD -MP -MF $@.d $< $(fuzz_lib) $(fuzz_libs) -o $@

fuzz-build: $(fuzz_bins)

# Each target gets its share of FUZZ_SECONDS; what it finds interesting stays in build/fuzz/corpus for the next run.
fuzz: fuzz-build
	@BUILD=$(abspath $(BUILD)) FUZZ_SECONDS=$(FUZZ_SECONDS) tests/run fuzz

# --- small changes to a copy of the code, one at a time: do the tests notice? ------------------------------------------
.PHONY: mutate
N ?= 100
LEAST ?= 0
mutate:
	@BUILD=$(abspath $(BUILD)) tests/mutate/mutate --count $(N) --least $(LEAST) $(if $(SEED),--seed $(SEED)) \
		$(if $(SUITES),--suites $(SUITES)) $(if $(PATHS),--paths $(PATHS))

# --- virtual machines ------------------------------------------------------------------------------------------------
vm-kernels: build/vm/6.1/release build/vm/6.12/release build/vm/7.3/release
build/vm/6.1/release: private suite = bookworm
build/vm/6.12/release: private suite = bookworm-backports
build/vm/7.3/release: private suite = trixie-backports
build/vm/%/release: | build/vm
	tests/vm/fetch-kernel $(suite) build/vm/$*
build/vm:
	@mkdir -p $@

# For tests with its pods; without docker they are skipped, and say so.
docker: build/docker/dockerd
build/docker/dockerd:
	-tests/realpods/fetch-docker build/docker

# Likewise Kubernetes, for tests with a cluster: 77 says that this machine cannot.
cluster: build/cluster/kubernetes
build/cluster/kubernetes: tests/cluster/go.mod tests/cluster/go.sum tests/cluster/main.go
	tests/cluster/build build/cluster || [ $$? = 77 ]

# --- measuring, releasing --------------------------------------------------------------------------------------------
bench-build: all $(tool_bins) $(test_bpf)
bench: bench-build | have-bench
	@BUILD=$(abspath $(BUILD)) ONLY="$(ONLY)" tests/bench/run

# Ten minutes at 1,000 probes a second, and ten of 100,000 flows: nothing may grow. SOAK_SECONDS=30 is a first look.
.PHONY: soak
SOAK_SECONDS ?= 600
soak: all tests
	@BUILD=$(abspath $(BUILD)) tests/soak/run --seconds $(SOAK_SECONDS)

# One file for any node: nothing of the node is needed but its kernel. The linker's warnings are of functions that look up names
# of hosts and protocols, which no part of flowgen calls.
static_libs := $(if $(libbpf_careful),$(libbpf_careful) $(BUILD)/lib/libflowgen.a,-lbpf) \
	$(patsubst -lseccomp,$(if $(seccomp_careful),$(seccomp_careful) $(BUILD)/lib/libflowgen.a,-lseccomp),$(shell $(PKG_CONFIG) \
	--static --libs $(filter-out libpcap,$(PKGS)) libelf zlib 2>/dev/null)) -lpcap -lpthread
static: $(BUILD)/flowgen.static
$(BUILD)/flowgen.static: $(cmd_objs) $(BUILD)/lib/static/missing.o $(lib) | $(careful)
	$(call say,LD)$(CC) $(cflags) -static -Wl,-z,relro,-z,now,--no-warnings $(LDFLAGS) $^ $(static_libs) -o $@
	@! readelf -d $@ | grep NEEDED

# Cross-built with the libraries of Debian's arm64, which are no part of this system; `make ARCH=arm64 dist krew` follows.
arm64_build := $(if $(filter aarch64,$(machine)),$(BUILD),$(BUILD)/aarch64)
arm64:
	@.ci/deps build arm64
	@$(if $(filter aarch64,$(machine)),,.ci/arm64-libs build/deps-aarch64)
	@$(MAKE) ARCH=aarch64 BUILD=$(arm64_build) static

check-arm64:
	@.ci/deps build test arm64
	@$(MAKE) all static arm64
	@BUILD=$(abspath $(BUILD)) bats -f '^arm64' tests/e2e/packages.bats

# An image index with this machine's architecture and arm64, as one file: podman, skopeo and containerd take it, and push it to
# where images are kept.
image: static arm64
	$(call stop_if,$(call lacks,podman))
	@packaging/image $(VERSION) $(BUILD)/flowgen.oci.tar $(sort $(krew_arch)=$(BUILD)/flowgen.static arm64=$(arm64_build)/flowgen.static)

# A plugin of kubectl: the archive, and the manifest for it. KREW_URL: the folder where the archive will be published.
KREW_URL ?= https://flowgen.invalid/v$(VERSION)
krew_arch := $(patsubst aarch64,arm64,$(patsubst x86_64,amd64,$(arch)))
krew_archive := flowgen-v$(VERSION)-linux-$(krew_arch).tar.gz
krew: $(BUILD)/krew/flowgen.yaml
$(BUILD)/krew/flowgen.yaml: doc/deploy/krew.yaml LICENSE $(BUILD)/flowgen.static Makefile
	@mkdir -p $(@D)/files
	@cp $(BUILD)/flowgen.static $(@D)/files/kubectl-flowgen && cp LICENSE $(@D)/files/
	$(call say,TAR)tar -C $(@D)/files --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -cf - kubectl-flowgen LICENSE | \
		gzip -n > $(@D)/$(krew_archive)
	@sed -e '/^ *#/d' -e 's|\$$VERSION|$(VERSION)|; s|\$$HOMEPAGE|$(KREW_URL)|; s|\$$ARCH|$(krew_arch)|' \
		-e 's|\$$URI|$(KREW_URL)/$(krew_archive)|' \
		-e "s|\$$SHA256|$$(sha256sum < $(@D)/$(krew_archive) | cut -d' ' -f1)|" $< > $@

# What is installed on a node by hand: the binary, everything that `make install` has, and what is linked into it.
dist_arch := $(krew_arch)
dist_name := flowgen-$(VERSION)-linux-$(dist_arch)
# The commit's time, so that the same commit gives the same bytes whenever it is built.
dist_epoch = $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct 2>/dev/null),0)
dist: $(BUILD)/dist/$(dist_name).tar.gz
$(BUILD)/dist/$(dist_name).tar.gz: $(BUILD)/flowgen.static $(library_objs) packaging/flowgen.pc.in packaging/sbom LICENSE README.md CHANGELOG.md $(wildcard doc/* scenarios/*) Makefile
	@rm -rf $(BUILD)/dist && mkdir -p $(BUILD)/dist/$(dist_name)
	@$(MAKE) install-files install-archive DESTDIR=$(abspath $(BUILD))/dist/$(dist_name) PREFIX= PROGRAM=$(BUILD)/flowgen.static > $(BUILD)/dist/log
	@install -m 644 LICENSE README.md CHANGELOG.md doc/metrics.md $(BUILD)/dist/$(dist_name)/
	@install -D -m 644 -t $(BUILD)/dist/$(dist_name)/deploy doc/deploy/*
	@install -D -m 644 -t $(BUILD)/dist/$(dist_name)/examples doc/flowgen-example.c
	@PKG_CONFIG_PATH=$(firstword $(wildcard $(DEPS)/usr/lib/*/pkgconfig)) SOURCE_DATE_EPOCH=$(dist_epoch) packaging/sbom $(VERSION) $(BUILD)/dist/$(dist_name)/sbin/flowgen > $(BUILD)/dist/$(dist_name).spdx.json
	$(call say,TAR)tar -C $(BUILD)/dist --sort=name --owner=0 --group=0 --numeric-owner --mtime=@$(dist_epoch) --mode=go=u-w \
		-cf - $(dist_name) | gzip -n > $@

deb: have-libs
	@mkdir -p $(BUILD)
	@packaging/deb $(BUILD) $(VERSION)

manuals = $(wildcard doc/*.8)
formats = $(wildcard doc/*.5)
calls = $(wildcard doc/*.3)
schemas = $(wildcard doc/*.schema.json)
scenarios = $(wildcard scenarios/*)

PROGRAM = $(BUILD)/flowgen
.PHONY: install-files install-library install-archive
install: all install-files install-library
install-files: $(PROGRAM)
	install -D $(INSTALL_STRIP) -m 755 $(PROGRAM) $(DESTDIR)$(SBINDIR)/flowgen
	install -d $(DESTDIR)$(BINDIR)
	ln -sfr $(DESTDIR)$(SBINDIR)/flowgen $(DESTDIR)$(BINDIR)/kubectl-flowgen
	$(if $(manuals),install -D -m 644 -t $(DESTDIR)$(DATADIR)/man/man8 $(manuals))
	ln -sf flowgen.8 $(DESTDIR)$(DATADIR)/man/man8/kubectl-flowgen.8
	$(if $(formats),install -D -m 644 -t $(DESTDIR)$(DATADIR)/man/man5 $(formats))
	$(if $(wildcard doc/flowgen.bash),install -D -m 644 doc/flowgen.bash $(DESTDIR)$(DATADIR)/bash-completion/completions/flowgen)
	install -D -m 644 doc/flowgen.zsh $(DESTDIR)$(ZSHDIR)/_flowgen
	install -D -m 644 doc/flowgen.fish $(DESTDIR)$(DATADIR)/fish/vendor_completions.d/flowgen.fish
	$(if $(scenarios),install -d $(DESTDIR)$(DATADIR)/flowgen/scenarios && install -m 644 $(scenarios) $(DESTDIR)$(DATADIR)/flowgen/scenarios/)
	$(if $(schemas),install -D -m 644 -t $(DESTDIR)$(DATADIR)/flowgen $(schemas))

# A program finds the library by ld.so's cache. The PATH of su(1) does not have it; without root there is no cache to write.
ldconfig = $(if $(DESTDIR),,-PATH="$$PATH:/usr/sbin:/sbin" ldconfig)

# What the archive of `make dist` has is the static one, which needs nothing but jansson, wherever that archive lies.
install-library: $(library) install-archive
	install -D $(INSTALL_STRIP) -m 755 $(BUILD)/library/libflowgen.so.$(VERSION) $(DESTDIR)$(LIBDIR)/libflowgen.so.$(VERSION)
	ln -sf libflowgen.so.$(VERSION) $(DESTDIR)$(LIBDIR)/$(soname)
	ln -sf $(soname) $(DESTDIR)$(LIBDIR)/libflowgen.so
	$(ldconfig)
install-archive: $(BUILD)/library/libflowgen.a
	install -D -m 644 lib/flowgen/flowgen.h $(DESTDIR)$(INCLUDEDIR)/flowgen.h
	install -D -m 644 $(BUILD)/library/libflowgen.a $(DESTDIR)$(LIBDIR)/libflowgen.a
	install -d $(DESTDIR)$(LIBDIR)/pkgconfig
	sed -e 's|@PREFIX@|$(or $(PREFIX),$${pcfiledir}/../..)|; s|@LIBDIR@|$(LIBDIR:$(PREFIX)/%=$${prefix}/%)|; s|@VERSION@|$(VERSION)|' \
		-e 's|@INCLUDEDIR@|$(INCLUDEDIR:$(PREFIX)/%=$${prefix}/%)|' packaging/flowgen.pc.in > $(DESTDIR)$(LIBDIR)/pkgconfig/flowgen.pc
	install -D -m 644 -t $(DESTDIR)$(DATADIR)/man/man3 $(calls)

uninstall:
	rm -f $(DESTDIR)$(INCLUDEDIR)/flowgen.h $(addprefix $(DESTDIR)$(LIBDIR)/,libflowgen.so.$(VERSION) $(soname) libflowgen.so \
		libflowgen.a pkgconfig/flowgen.pc) $(calls:doc/%=$(DESTDIR)$(DATADIR)/man/man3/%)
	rm -f $(DESTDIR)$(SBINDIR)/flowgen $(DESTDIR)$(BINDIR)/kubectl-flowgen $(manuals:doc/%=$(DESTDIR)$(DATADIR)/man/man8/%)
	rm -f $(DESTDIR)$(DATADIR)/man/man8/kubectl-flowgen.8
	rm -f $(formats:doc/%=$(DESTDIR)$(DATADIR)/man/man5/%)
	rm -f $(DESTDIR)$(DATADIR)/bash-completion/completions/flowgen $(DESTDIR)$(ZSHDIR)/_flowgen \
		$(DESTDIR)$(DATADIR)/fish/vendor_completions.d/flowgen.fish
	rm -rf $(DESTDIR)$(DATADIR)/flowgen
	$(ldconfig)

# --- lint ------------------------------------------------------------------------------------------------------------
# clang-tidy looks again only at what was compiled again: its stamp depends on the object file.
c_files = $(wildcard lib/*/*.[ch] doc/*.c tests/e2e/*.c cmd/*.[ch] bpf/*.[ch] tests/*/*.[ch] tests/unit/*/*.[ch])
tidy_stamps := $(lib_srcs:%.c=$(BUILD)/lint/%.tidy) $(cmd_srcs:%.c=$(BUILD)/lint/%.tidy)
lint_jobs := lint-format lint-cppcheck lint-shell lint-layering lint-options lint-words lint-manuals lint-documents
.PHONY: $(lint_jobs)
lint: $(lint_jobs) $(tidy_stamps)
$(lint_jobs): | have-lint $(formatted)

$(BUILD)/lint/%.tidy: %.c $(BUILD)/%.o .clang-tidy | have-lint
	@mkdir -p $(@D)
	@echo "clang-tidy $<"
	@clang-tidy --quiet $< -- $(filter-out -Werror,$(cppflags) $(cflags)) > $@.log 2>/dev/null || { cat $@.log; exit 1; }
	@touch $@

# Each version lays a few things out in its own way: the one of Debian 12 decides.
CLANG_FORMAT_VERSION := 14
lint-format:
	@if clang-format --version | grep -q 'version $(CLANG_FORMAT_VERSION)\.'; then clang-format --dry-run -Werror $(c_files); else \
		echo 'lint-format: skipped: the code is formatted by clang-format $(CLANG_FORMAT_VERSION), and this is another'; fi

format: | have-lint
	clang-format -i $(c_files)

# cppcheck does not know cleanup attributes either: what it says of leaks is not about this code.
lint-cppcheck: | $(skeletons) $(deployed)
	@cppcheck -j2 --quiet --error-exitcode=1 --inline-suppr --std=c11 --enable=warning,portability \
		--suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches --suppress=memleak --suppress=resourceLeak --suppress=memleakOnRealloc \
		--suppress=nullPointerRedundantCheck '-DLIBBPF_OPTS(type,name,...)=struct type name = {0}' \
		'-Dnla_for_each_nested(p,n,r)=while ((p = (void *)(n)) && (r = 1))' '-Dbpf_object__for_each_program(p,o)=while ((p = (void *)(o)))' \
		-D__x86_64__ '-DFLOWGEN_VERSION=""' -Ilib -I. $(lib_srcs) $(cmd_srcs)

lint-shell:
	@tests/lint/shell
	@tests/lint/bats

lint-layering: all tests
	@tests/lint/layering $(BUILD)

lint-options: $(BUILD)/flowgen
	@tests/lint/options $(BUILD)/flowgen

lint-words:
	@tests/lint/words

lint-documents:
	@tests/lint/documents

lint-manuals:
	@for page in $(manuals) $(formats) $(calls); do mandoc -T lint -W warning $$page || exit 1; done

# What cost a download stays: `rm -r build` removes that too.
clean:
	rm -rf $(filter-out build/deps build/deps-aarch64 build/vm build/cluster,$(wildcard $(BUILD)/*))

-include $(shell find $(BUILD)/lib $(BUILD)/cmd $(BUILD)/bpf $(BUILD)/library $(BUILD)/tests $(BUILD)/fuzz -name '*.d' 2>/dev/null)
