"""A seccomp filter: the system calls that no exercise needs fail with "Operation not permitted".

No socket of any family (socketpair stays, so asyncio works), no new namespace, mount, trace of another
process, limit or turn of another process (the worker's would hold for the next student), shared memory that
outlives its process, memory file that no limit counts, keyring, or io_uring.
Source: Linux man-pages, seccomp(2) and syscalls(2).
"""

import ctypes
import errno
import platform
import struct

from grading.inside.landlock import no_new_privileges

# fmt: off
_SAME = {
    "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427, "open_tree": 428,
    "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432, "pidfd_getfd": 438,
    "mount_setattr": 442, "memfd_secret": 447,
}
_STILL_SAME = {"fchmodat2": 452, "setxattrat": 463, "removexattrat": 466, "file_setattr": 469}
_X86_64 = {
    "shmget": 29, "socket": 41, "semget": 64, "msgget": 68, "ptrace": 101, "pivot_root": 155, "chroot": 161,
    "mount": 165, "umount2": 166, "mq_open": 240, "add_key": 248, "request_key": 249, "keyctl": 250,
    "unshare": 272, "perf_event_open": 298, "name_to_handle_at": 303, "open_by_handle_at": 304, "setns": 308,
    "process_vm_readv": 310, "process_vm_writev": 311, "memfd_create": 319, "bpf": 321, "userfaultfd": 323,
    "setpriority": 141, "sched_setparam": 142, "sched_setscheduler": 144, "sched_setaffinity": 203,
    "ioprio_set": 251, "sched_setattr": 314,
}
_X86_64_STILL = {
    "chmod": 90, "fchmod": 91, "chown": 92, "fchown": 93, "lchown": 94, "utime": 132, "setxattr": 188,
    "lsetxattr": 189, "fsetxattr": 190, "removexattr": 197, "lremovexattr": 198, "fremovexattr": 199,
    "utimes": 235, "fchownat": 260, "futimesat": 261, "fchmodat": 268, "utimensat": 280,
}
_ARM64 = {
    "umount2": 39, "mount": 40, "pivot_root": 41, "chroot": 51, "unshare": 97, "ptrace": 117, "mq_open": 180,
    "msgget": 186, "semget": 190, "shmget": 194, "socket": 198, "add_key": 217, "request_key": 218,
    "keyctl": 219, "perf_event_open": 241, "name_to_handle_at": 264, "open_by_handle_at": 265, "setns": 268,
    "process_vm_readv": 270, "process_vm_writev": 271, "memfd_create": 279, "bpf": 280, "userfaultfd": 282,
    "ioprio_set": 30, "sched_setparam": 118, "sched_setscheduler": 119, "sched_setaffinity": 122,
    "setpriority": 140, "sched_setattr": 274,
}
_ARM64_STILL = {
    "setxattr": 5, "lsetxattr": 6, "fsetxattr": 7, "removexattr": 14, "lremovexattr": 15, "fremovexattr": 16,
    "fchmod": 52, "fchmodat": 53, "fchownat": 54, "fchown": 55, "utimensat": 88,
}
# fmt: on

# machine -> (audit architecture, refused calls, calls that change a file's mode, owner, times or attributes,
# number of clone, number of prlimit64)
_MACHINES = {
    "x86_64": (0xC000003E, _X86_64 | _SAME, _X86_64_STILL | _STILL_SAME, 56, 302),
    "aarch64": (0xC00000B7, _ARM64 | _SAME, _ARM64_STILL | _STILL_SAME, 220, 261),
}
_CLONE3 = 435
_X32 = 0x40000000  # numbers from here on are the second x86 table: refused as a whole
_NAMESPACES = 0x7E020000  # every CLONE_NEW* flag

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_SET_SECCOMP, _FILTER = 22, 2


def program(machine: str, still: bool = False) -> bytes:
    """The filter as classic BPF for one machine; raises KeyError for one that is not in the tables.

    still: what would change a file's mode, owner, times or attributes says that it did, and does nothing.
    Landlock lets that pass, so it would reach all that belongs to the same user.
    """
    architecture, refused, changing, clone, limits = _MACHINES[machine]
    refuse, unknown = _ERRNO | errno.EPERM, _ERRNO | errno.ENOSYS

    def step(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
        return struct.pack("=HBBI", code, yes, no, value)

    steps = [step(_LOAD, 4), step(_EQUAL, architecture, yes=1), step(_RETURN, refuse), step(_LOAD, 0)]
    steps += [step(_AT_LEAST, _X32, no=1), step(_RETURN, refuse)]
    steps += [step(_EQUAL, _CLONE3, no=1), step(_RETURN, unknown)]  # glibc then falls back to clone
    for number in refused.values():
        steps += [step(_EQUAL, number, no=1), step(_RETURN, refuse)]
    for number in changing.values() if still else ():
        steps += [step(_EQUAL, number, no=1), step(_RETURN, _ERRNO)]  # error 0: done
    steps += [step(_EQUAL, limits, no=4), step(_LOAD, 16)]  # whose limits: 0 is one's own
    steps += [step(_EQUAL, 0, no=1), step(_RETURN, _ALLOW), step(_RETURN, refuse)]
    steps += [step(_EQUAL, clone, yes=1), step(_RETURN, _ALLOW), step(_LOAD, 16)]
    steps += [step(_ANY_BIT, _NAMESPACES, no=1), step(_RETURN, refuse), step(_RETURN, _ALLOW)]
    return b"".join(steps)


def install(still: bool = False) -> bool:
    """Put the filter on this process and all it starts; False on a machine without tables or seccomp."""
    try:
        code = program(platform.machine(), still)
    except KeyError:
        return False
    no_new_privileges()
    buffer = ctypes.create_string_buffer(code, len(code))

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("steps", ctypes.c_void_p)]

    whole = Program(len(code) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    return ctypes.CDLL(None).prctl(_SET_SECCOMP, _FILTER, ctypes.byref(whole), 0, 0) == 0
