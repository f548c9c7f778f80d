# SPDX-License-Identifier: GPL-2.0
# Every target does what is needed of the ones before it, and nothing twice.
.NOTPARALLEL:
.PHONY: help toolbox base tree export kernel selftests schedulers run newcomer test fuzz regress \
	bisect bench s390x docs matrix vmtest shell try base-results clean distclean
# SERIES: without it, the default that scripts/lib.sh has
export SERIES ACCEL KERNEL LOAD JOBS DEBUG KCSAN STORM FROM SEED COUNT BASE

CMD ?= ./test_progs -t kfunc_reloc

help:
	@echo 'make run       from nothing to the sched_ext schedulers in a VM, their bindings shown'
	@echo 'make newcomer  the commands that README.md shows, and does it show what they print?'
	@echo 'make test      every check and test; the last line says how many passed'
	@echo 'make test ONLY="PART..."  some of them: scripts/test --help'
	@echo 'make test DEBUG=1   tests and a storm of schedulers on a kernel with KASAN, lockdep, kmemleak'
	@echo 'make test KCSAN=1   the storm on a kernel that looks for data races'
	@echo 'make regress   what make test leaves out: all of test_progs, test_verifier and the'
	@echo '               sched_ext selftests with the whole configuration, base against series'
	@echo 'make bisect    each step of the series, built and booted; FROM=N starts at one'
	@echo 'make fuzz      20,000 random struct_ops programs against a model; SEED=N COUNT=N'
	@echo 'make s390x     the series and its BPF selftests on s390x, in QEMU'
	@echo 'make bench     what it costs and saves, counted in instructions: bench/results.md'
	@echo 'make try OBJ=FILE|FOLDER  do the BPF programs of your own objects load, to what are they'
	@echo '               bound, what is refused, and what to do? scripts/try --help'
	@echo 'make matrix    every operation of sched_ext x every kfunc of sched_ext: what loads, what is bound'
	@echo 'make docs      the documentation of the kernel, as html, in build/SERIES/docs'
	@echo 'make vmtest CMD="$(CMD)"'
	@echo '               one command in the VM, in the selftests of BPF'
	@echo 'make shell     the VM, interactive; selftests and schedulers are on PATH'
	@echo
	@echo 'make toolbox   build/toolbox: a Debian 13 root that everything below runs in'
	@echo 'make base      the pristine kernel source, checked, in the cache'
	@echo 'make tree      build/SERIES/linux: a git tree, the base and the series on top of it'
	@echo 'make export    patches/ and the folders, from the commits of the trees'
	@echo 'make kernel    its kernel; make selftests: what runs in the VM'
	@echo 'make base-results  results/base/SERIES: what the tests say without the series'
	@echo 'make clean     removes what was built from build/SERIES; make distclean: all of build/'
	@echo
	@echo "SERIES=$$(cd patches && echo v* | tr ' ' '|')  which series; default $$(sed -n 's/^MAIN=//p' scripts/lib.sh)"
	@echo 'KERNEL=PATH    your own tree as the base     ACCEL=kvm|tcg  not probed but forced'
	@echo 'PK_CACHE=DIR   the cache, default ~/.cache/polymorphic-kfuncs'

toolbox:
	@scripts/toolbox
base: toolbox
	@scripts/base
tree: base
	@scripts/tree
export:
	@scripts/export
kernel: tree
	@scripts/kernel
selftests: kernel
	@scripts/selftests
schedulers: kernel
	@scripts/selftests bpftool schedulers

run: schedulers
	@scripts/vm --clean --name run --time 3600 run-schedulers
newcomer: schedulers
	@scripts/newcomer
fuzz: selftests
	@scripts/fuzz
docs: tree
	@scripts/docs
vmtest: selftests
	@scripts/vm --name vmtest $(if $(CLEAN),--clean) '$(subst ','\'',$(CMD))'
matrix: kernel
	@scripts/selftests sched_ext
	@scripts/vm --name matrix -C tools/testing/selftests/sched_ext './runner -t kfunc_matrix'
try:
	@scripts/try $(OBJ)
shell: selftests
	@scripts/vm --shell

test:
	@scripts/test $(ONLY)
regress: tree
	@scripts/regress $(ONLY)
bisect: tree
	@scripts/bisect
s390x: tree
	@scripts/s390x
bench: tree
	@scripts/bench
base-results: tree
	@scripts/base-results

clean:
	@scripts/clean
distclean:
	@scripts/clean --all
