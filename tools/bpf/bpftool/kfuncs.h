/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */

#ifndef __BPF_TOOL_KFUNCS_H
#define __BPF_TOOL_KFUNCS_H

#include <stdbool.h>
#include <linux/types.h>

struct btf;
struct kfuncs;

/* kfuncs_new - prepare for listing the kfunc call sites of programs
 * @btf_vmlinux: BTF of the kernel, has to outlive what is returned
 *
 * Returns NULL when there is no memory. kfuncs_free() is for all that it and
 * kfuncs_add_prog() hold.
 */
struct kfuncs *kfuncs_new(struct btf *btf_vmlinux);
void kfuncs_free(struct kfuncs *k);

/* kfuncs_add_prog - find the call sites of a program
 * @member: the struct_ops member that it implements, or NULL
 *
 * Adds to those found since kfuncs_clear(). Returns 0, or -1 after an error message.
 */
int kfuncs_add_prog(struct kfuncs *k, int prog_fd, const char *member);
void kfuncs_clear(struct kfuncs *k);

/* kfuncs_show - print what was found, as a table or a JSON array
 * @struct_ops: the programs are those of a struct_ops map
 */
void kfuncs_show(const struct kfuncs *k, bool struct_ops);

#endif
