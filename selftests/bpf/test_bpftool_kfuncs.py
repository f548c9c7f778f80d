#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
#
# bpftool prog kfuncs, bpftool struct_ops kfuncs: which kfunc a call names, and what
# it is bound to. The calls are those of progs/bpftool_kfuncs.c, the struct_ops that
# relocates them is bpf_testmod_table_ops.

import json
import os
import re
import shutil
import subprocess
import sys
import unittest

KSFT_SKIP = 4

TEST_DIR = os.path.dirname(os.path.realpath(__file__))
BPF_FILE = os.path.join(TEST_DIR, "bpftool_kfuncs.bpf.o")
SRC_FILE = os.path.join(TEST_DIR, "progs", "bpftool_kfuncs.c")
MODULE = "bpf_testmod"
BPF_DIR = "/sys/fs/bpf/test_bpftool_kfuncs"
KPTR_RESTRICT = "/proc/sys/kernel/kptr_restrict"
OPS = "kfuncs_ops"

os.environ["PATH"] = os.path.join(TEST_DIR, "tools", "sbin") + ":" + os.environ["PATH"]


def bpftool(*args):
    return subprocess.run(["bpftool", *args], capture_output=True, text=True)


def bpftool_plain(*args):
    res = bpftool(*args)
    if res.returncode:
        raise AssertionError(f"bpftool {' '.join(args)}: {res.stderr}{res.stdout}")
    return res.stdout


def bpftool_json(*args):
    return json.loads(bpftool_plain("--json", "--pretty", *args))


def table(name):
    return "bpf_kfunc_table_" + name


OWN, INSIDE, SAME, SHARED = map(table, ["own", "inside", "same", "shared"])
FIRST, SECOND, OUTSIDE, TO_SAME = map(table, ["to_first", "to_second", "to_outside", "to_same"])

# What each call of the struct_ops is: member, subprogram, source line (the start of
# it), kfunc, function. None: bpftool cannot know, and says so.
THREE = f"arg = {OWN}(arg) + {INSIDE}(arg) + {SAME}(arg);"
STRUCT_OPS_CALLS = [
    ("first", "kfuncs_first", THREE, OWN, FIRST),
    ("first", "kfuncs_first", THREE, INSIDE, INSIDE),
    ("first", "kfuncs_first", THREE, SAME, TO_SAME),
    ("first", "static_sub", f"return {OWN}(arg);", OWN, FIRST),
    ("first", "global_sub", f"return {OWN}(arg);", OWN, FIRST),
    ("second", "kfuncs_second", f"{SHARED}(arg);", SHARED, SECOND),
    ("second", "static_sub", f"return {OWN}(arg);", OWN, SECOND),
    ("second", "loop_cb", f"*arg = {OWN}(*arg);", OWN, SECOND),
    ("third", "kfuncs_third", "arg += INSIDE(arg);", None, FIRST),
    ("third", "kfuncs_third", "arg += TWICE(arg);", None, FIRST),
    ("third", "kfuncs_third", "arg += TWICE(arg);", OWN, OWN),
    ("third", "kfuncs_third", f"arg += PASS({INSIDE}, arg);", INSIDE, FIRST),
    ("third", "kfuncs_third", f"arg += {OWN}___flavor(arg);", OWN, OWN),
    ("third", "timer_cb", f"result = {OWN}(100);", OWN, OUTSIDE),
]

PLAIN_CALLS = [
    ("kfuncs_plain", "bpf_rcu_read_lock();", "bpf_rcu_read_lock"),
    ("kfuncs_plain", "bpf_rcu_read_unlock();", "bpf_rcu_read_unlock"),
    ("kfuncs_plain", "bpf_for(i, 0, 3)", "bpf_iter_num_new"),
    ("kfuncs_plain", "bpf_for(i, 0, 3)", "bpf_iter_num_next"),
    ("kfuncs_plain", "bpf_for(i, 0, 3)", "bpf_iter_num_destroy"),
    ("kfuncs_plain", "task = bpf_task_from_pid(1);", "bpf_task_from_pid"),
    ("kfuncs_plain", "bpf_task_release(task);", "bpf_task_release"),
]


def by_key(rows):
    """Each once, as the compiler can duplicate code"""
    return sorted(set(rows), key=lambda row: [str(cell) for cell in row])


def cells(line):
    return re.split(r"\s{2,}", line.strip())


class TestBpftoolKfuncs(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        os.makedirs(BPF_DIR)
        cls.addClassCleanup(shutil.rmtree, BPF_DIR)
        bpftool_plain("prog", "loadall", BPF_FILE, BPF_DIR + "/progs")
        bpftool_plain("struct_ops", "register", BPF_FILE, BPF_DIR + "/links")
        cls.ops = bpftool_json("struct_ops", "kfuncs", "name", OPS)[0]
        cls.id = str(cls.ops["id"])
        cls.calls = cls.ops["kfuncs"]

    def prog_of(self, member):
        return next(c["prog_id"] for c in self.calls if c["member"] == member)

    def pinned(self, prog):
        return ["pinned", f"{BPF_DIR}/progs/{prog}"]

    def assert_error(self, expected, *args):
        res = bpftool(*args)
        self.assertNotEqual(res.returncode, 0)
        self.assertEqual(res.stdout, "")
        self.assertRegex(res.stderr, expected)
        res = bpftool("--json", *args)
        self.assertNotEqual(res.returncode, 0)
        self.assertRegex(res.stdout, expected)

    def test_struct_ops_json(self):
        self.assertEqual(self.ops["name"], OPS)
        self.assertEqual(self.ops["kernel_struct_ops"], "bpf_testmod_table_ops")
        self.assertEqual(by_key((c["member"], c["subprog"], c["src"], c["kfunc"], c["bound"])
                                for c in self.calls), by_key(STRUCT_OPS_CALLS))
        for call in self.calls:
            self.assertEqual(call["module"], MODULE)

    def test_source_line(self):
        with open(SRC_FILE) as f:
            lines = f.read().splitlines()
        for call in self.calls:
            self.assertEqual(os.path.basename(call["file"]), os.path.basename(SRC_FILE))
            self.assertEqual(lines[call["line_num"] - 1].strip(), call["src"])

    def test_insn(self):
        prog_id = self.prog_of("first")
        text = bpftool_plain("prog", "dump", "xlated", "id", str(prog_id))
        for call in self.calls:
            if call["prog_id"] == prog_id:
                self.assertRegex(text, rf"(?m)^ *{call['insn']}: .*call {call['bound']}#")

    def test_struct_ops_plain(self):
        lines = bpftool_plain("struct_ops", "kfuncs", "id", self.id).splitlines()
        self.assertEqual(lines[0].split(), [f"{self.id}:", OPS, "bpf_testmod_table_ops"])
        self.assertEqual(cells(lines[1]), ["Member", "Prog", "Insn", "Subprog", "Kfunc",
                                           "Bound to", "Source"])
        rows = [[c["member"], str(c["prog_id"]), str(c["insn"]), c["subprog"],
                 c["kfunc"] or "?", f"{c['bound']} [{MODULE}]",
                 f"bpftool_kfuncs.c:{c['line_num']}"] for c in self.calls]
        self.assertEqual([cells(line) for line in lines[2:]], rows)

    def test_struct_ops_all(self):
        ids = [o["id"] for o in bpftool_json("struct_ops", "kfuncs")]
        self.assertIn(self.ops["id"], ids)
        self.assertEqual(ids, [o["id"] for o in bpftool_json("struct_ops", "show")])

    def test_struct_ops_of_module(self):
        """Types of the module, as those of vmlinux"""
        ops = bpftool_json("struct_ops", "show", "id", self.id)
        self.assertEqual(ops[0]["kernel_struct_ops"], "bpf_testmod_table_ops")
        dump = bpftool_plain("struct_ops", "dump", "id", self.id)
        self.assertRegex(dump, rf'"first": "int \(int\) kfuncs_first/prog_id:{self.prog_of("first")}"')

    def test_prog_of_struct_ops(self):
        prog_id = self.prog_of("second")
        prog = bpftool_json("prog", "kfuncs", "id", str(prog_id))
        self.assertEqual((prog["id"], prog["type"], prog["name"]),
                         (prog_id, "struct_ops", "kfuncs_second"))
        self.assertEqual(by_key((c["member"], c["subprog"], c["kfunc"], c["bound"])
                                for c in prog["kfuncs"]),
                         by_key((m, s, k, b) for m, s, _, k, b in STRUCT_OPS_CALLS
                                if m == "second"))
        lines = bpftool_plain("prog", "kfuncs", "id", str(prog_id)).splitlines()
        self.assertEqual(lines[0].split()[:4], [f"{prog_id}:", "struct_ops", "name", "kfuncs_second"])
        self.assertEqual(cells(lines[1])[0], "Member")
        self.assertEqual({cells(line)[0] for line in lines[2:]}, {"second"})

    def test_prog_without_member(self):
        """Not in a registered struct_ops: bound all the same"""
        prog = bpftool_json("prog", "kfuncs", *self.pinned("kfuncs_second"))
        self.assertEqual({c["bound"] for c in prog["kfuncs"]}, {SECOND})
        self.assertFalse([c for c in prog["kfuncs"] if "member" in c])

    def test_prog_not_relocated(self):
        prog = bpftool_json("prog", "kfuncs", *self.pinned("kfuncs_plain"))
        self.assertEqual(by_key((c["subprog"], c["src"], c["kfunc"], c["bound"])
                                for c in prog["kfuncs"]),
                         by_key((s, line, kfunc, kfunc) for s, line, kfunc in PLAIN_CALLS))
        self.assertFalse([c for c in prog["kfuncs"] if "member" in c or "module" in c])
        lines = bpftool_plain("prog", "kfuncs", *self.pinned("kfuncs_plain")).splitlines()
        self.assertEqual(cells(lines[1]), ["Insn", "Subprog", "Kfunc", "Bound to", "Source"])
        self.assertEqual(len(lines), 2 + len(prog["kfuncs"]))

    def test_prog_without_kfuncs(self):
        prog = bpftool_json("prog", "kfuncs", *self.pinned("kfuncs_none"))
        self.assertEqual(prog["kfuncs"], [])
        lines = bpftool_plain("prog", "kfuncs", *self.pinned("kfuncs_none")).splitlines()
        self.assertEqual(lines[1:], ["\tno kfunc calls"])

    def test_several_progs(self):
        progs = bpftool_json("prog", "kfuncs", "name", "kfuncs_second")
        self.assertEqual([p["name"] for p in progs], ["kfuncs_second"] * 2)
        self.assertEqual({c.get("member") for c in progs[0]["kfuncs"] + progs[1]["kfuncs"]},
                         {"second", None})

    def test_restricted(self):
        with open(KPTR_RESTRICT) as f:
            before = f.read()

        def restrict(value):
            with open(KPTR_RESTRICT, "w") as f:
                f.write(value)

        self.addCleanup(restrict, before)
        restrict("2")
        select = ["struct_ops", "kfuncs", "id", self.id]
        res = bpftool(*select)
        self.assertEqual(res.returncode, 0)
        self.assertRegex(res.stderr, "kallsyms is restricted")
        for line in res.stdout.splitlines()[2:]:
            self.assertEqual(cells(line)[5], "?")

        calls = bpftool_json(*select)[0]["kfuncs"]
        self.assertEqual(len(calls), len(self.calls))
        self.assertEqual({c["bound"] for c in calls}, {None})
        # without the function there is the source line alone
        kfuncs = [(m, s, line, k if str(k) in line else None)
                  for m, s, line, k, _ in STRUCT_OPS_CALLS]
        self.assertEqual(by_key((c["member"], c["subprog"], c["src"], c["kfunc"]) for c in calls),
                         by_key(kfuncs))

    def test_bad_arguments(self):
        self.assert_error(r"get by id \(4000000000\): No such file", "prog", "kfuncs", "id", "4000000000")
        self.assert_error(r"can't parse x", "prog", "kfuncs", "id", "x")
        self.assert_error(r"bpf obj get \(/sys/fs/bpf/no_such\): No such file", "prog", "kfuncs", "pinned", "/sys/fs/bpf/no_such")
        self.assert_error(r"can't get map by id \(4000000000\): No such file",
                          "struct_ops", "kfuncs", "id", "4000000000")
        not_ops = next(m["id"] for m in bpftool_json("map", "show") if m["type"] == "array")
        self.assert_error(rf"id {not_ops} is not a struct_ops map",
                          "struct_ops", "kfuncs", "id", str(not_ops))
        res = bpftool("struct_ops", "kfuncs", "name", "no_such")
        self.assertNotEqual(res.returncode, 0)
        res = bpftool("prog", "kfuncs")
        self.assertNotEqual(res.returncode, 0)
        self.assertRegex(res.stderr, "prog kfuncs PROG")


def skip(why):
    print(f"SKIP: {why}")
    sys.exit(KSFT_SKIP)


def check_requirements():
    if os.getuid():
        skip("not root")
    if not os.path.ismount("/sys/fs/bpf"):
        skip("no bpffs on /sys/fs/bpf")
    if not os.path.exists(BPF_FILE):
        skip(f"no {BPF_FILE}: make -C tools/testing/selftests/bpf")
    if not shutil.which("bpftool"):
        skip("no bpftool")
    if os.path.exists(f"/sys/module/{MODULE}"):
        return False
    module = os.path.join(TEST_DIR, MODULE + ".ko")
    res = subprocess.run(["insmod", module], capture_output=True, text=True)
    if res.returncode:
        skip(f"cannot load {MODULE}.ko: {res.stderr.strip()}")
    return True


if __name__ == "__main__":
    loaded = check_requirements()
    result = unittest.main(verbosity=2, exit=False).result
    if loaded:
        subprocess.run(["rmmod", MODULE], check=True)
    sys.exit(not result.wasSuccessful())
