"""What a program runs as: its user, its group and its resource limits."""

from __future__ import annotations

import errno
import os

# Linux has this limit, and the module `resource` has no name for it.
RLIMIT_LOCKS = 10


class Account:
    """A user of this machine."""

    def __init__(self, name: str, uid: int, gid: int, home: str) -> None:
        self.name = name
        self.uid = uid
        self.gid = gid
        self.home = home


def become(user: str, group: str, env: dict[str, bytes]) -> None:
    """Become a user and a group, each by name or number, and set the variables that name the user."""
    account = find_account(user) if user else None
    if group:
        gid = find_group(group)
    elif account:
        gid = account.gid
    else:
        return
    is_other = account is not None and account.uid != os.getuid()
    if account and is_other:
        # A program that opens /dev/stdout opens the pipe by its file.
        os.fchown(1, account.uid, gid)
        os.initgroups(account.name, gid)
    if gid != os.getgid():
        os.setgid(gid)
    if account and is_other:
        os.setuid(account.uid)
    if account:
        env["HOME"] = os.fsencode(account.home)
        env["USER"] = env["LOGNAME"] = os.fsencode(account.name)


def find_account(user: str) -> Account | None:
    """
    Find a user as `run` does (run/accounts.ts). A number without an entry has a group of the same number, and no home;
    None if this process already runs as that number.
    """
    import pwd  # noqa: PLC0415 - Only the copy that becomes the program needs it.

    try:
        entry = pwd.getpwuid(int(user)) if user.isdigit() else pwd.getpwnam(user)
    except KeyError:
        if not user.isdigit():
            raise OSError(errno.ENOENT, "there is no user " + user) from None
        return None if int(user) == os.getuid() else Account(user, int(user), int(user), "/")
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, entry.pw_dir)


def find_group(group: str) -> int:
    """Find the number of a group. Any number is a group."""
    import grp  # noqa: PLC0415 - Only the copy that becomes the program needs it.

    try:
        return int(group) if group.isdigit() else grp.getgrnam(group).gr_gid
    except KeyError:
        raise OSError(errno.ENOENT, "there is no group " + group) from None


def set_limits(limits: dict[str, str]) -> None:
    """Set resource limits in their canonical form (core/limits.ts): BOTH, SOFT:HARD, SOFT: or :HARD."""
    if not limits:
        return
    import resource  # noqa: PLC0415 - Only the copy that becomes the program needs it.

    def number(text: str, default: int) -> int:
        if text == "":
            return default
        return resource.RLIM_INFINITY if text == "unlimited" else int(text)

    for name, value in limits.items():
        limit = RLIMIT_LOCKS if name == "locks" else getattr(resource, "RLIMIT_" + name.upper())
        soft, colon, hard = value.partition(":")
        try:
            now = resource.getrlimit(limit)
            resource.setrlimit(limit, (number(soft, now[0]), number(hard if colon else soft, now[1])))
        except (ValueError, OverflowError, OSError) as error:
            raise OSError(getattr(error, "errno", None) or errno.EINVAL, f"{name}={value}: {error}") from error
