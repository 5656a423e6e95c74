"""PostgreSQL refuses to run as root. Root becomes a plain user for it: in a user namespace, else by another account.

The namespace needs no account, no change of ownership and works below /root; containers often forbid it.
"""

import ctypes
import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from deploy.local.report import Trouble

_CLONE_NEWUSER = 0x10000000
_libc = ctypes.CDLL(None, use_errno=True)


def needed() -> bool:
    """True when this process is root."""
    return os.geteuid() == 0


def by_namespace() -> None:
    """Make this process (between fork and exec) uid 1000 in a user namespace; files stay root's outside."""
    uid, gid = os.getuid(), os.getgid()
    if _libc.unshare(_CLONE_NEWUSER):
        raise OSError(ctypes.get_errno(), "unshare")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"1000 {uid} 1")
    Path("/proc/self/gid_map").write_text(f"1000 {gid} 1")


def namespace_works() -> bool:
    """Try it once, in a process that does nothing else."""
    if sys.platform != "linux" or os.environ.get("RUJUKAN_USERNS") == "off":
        return False
    try:
        subprocess.run(["/bin/sh", "-c", ":"], preexec_fn=by_namespace, check=True)
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def account() -> pwd.struct_passwd:
    """The account that stands in for root where namespaces are forbidden."""
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise Trouble("PostgreSQL", "it refuses to run as root", "Run this as a plain user.")


def by_account(folder: Path) -> Callable[[], None]:
    """Give `folder` to the account and return what makes a child (between fork and exec) that account."""
    user = account()
    folder.parent.chmod(0o711)  # the data folder is ours; what is secret in it has modes of its own
    for above in folder.resolve().parents:
        if not above.stat().st_mode & 0o001:
            raise Trouble(
                "PostgreSQL",
                f"it refuses to run as root, and the account {user.pw_name} may not enter {above}",
                "Run this as a plain user, or give --data a folder that everybody may enter.",
            )
    for path in (folder, *folder.rglob("*")):
        os.chown(path, user.pw_uid, user.pw_gid)

    def enter() -> None:
        os.setgroups([])
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)

    return enter


def reachable(tree: Path) -> Path:
    """The tree itself if every account may enter it, else a copy of it below /var/tmp."""
    if all(above.stat().st_mode & 0o001 for above in (tree, *tree.resolve().parents)):
        return tree
    copy = Path("/var/tmp") / f"rujukan-{sha256(str(tree).encode()).hexdigest()[:12]}"  # noqa: S108 - checked below
    if copy.exists() and copy.stat().st_uid != 0:
        raise Trouble(str(copy), "it belongs to somebody else", "Remove it, then start again.")
    shutil.copytree(tree, copy, symlinks=True, dirs_exist_ok=True)
    copy.chmod(0o755)
    return copy
