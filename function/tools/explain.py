"""One sentence for a person of what the system says, with what to do."""

from __future__ import annotations

import errno
from pathlib import Path


class UsageError(Exception):
    """The command cannot do what it was asked; the message says why, and what to do."""


OTHER_FOLDER = "name another folder"
WORKBOOKS = frozenset({".xlsx", ".xlsm", ".xls", ".ods", ".numbers"})


def sentence(error: BaseException) -> str:
    """What went wrong and what to do about it, in one line without a stop at its end."""
    if isinstance(error, UnicodeError):
        return f"a text is not UTF-8 ({error}); save the file as UTF-8"
    if not isinstance(error, OSError):
        return " ".join(str(error).split())
    return _of_system(error)


def workbook(path: Path) -> str:
    """What to do with a workbook, where a catalogue should be; "" for any other file."""
    if path.suffix.lower() not in WORKBOOKS:
        return ""
    return f"{path} is a workbook; save the sheet as “CSV UTF-8 (Comma delimited)”, as .csv"


def missing_package(error: ModuleNotFoundError) -> str:
    """A requirement that is not installed, and the command that installs it."""
    requirements = Path(__file__).parents[2] / "tests" / "requirements.txt"
    return (
        f"the package {error.name} is not installed for this Python; install what is needed: "
        f"python -m pip install -r {requirements}"
    )


def _of_system(error: OSError) -> str:
    where = str(error.filename) if error.filename is not None else "the output"
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            full = f"{where}: the disk is full" if error.filename else "the disk is full where this is written"
            return f"{full}; free some space, or {OTHER_FOLDER} on another disk"
        case errno.ENOTDIR | errno.EEXIST:
            return f"{where}: a file stands where a folder is needed; {OTHER_FOLDER}"
        case errno.EISDIR:
            return f"{where} is a folder, and a file is needed; name a file"
        case errno.EACCES | errno.EPERM:
            return f"{where} may not be read or written by you; change its rights, or name another"
        case errno.EROFS:
            return f"{where} cannot be written, its disk is read-only; {OTHER_FOLDER}"
        case errno.ENOENT if "temporary directory" in str(error):
            return "no folder for temporary files can be written; free some space, or set TMPDIR to another"
        case errno.ENOENT:
            return f"{where} is not there; correct the name"
        case errno.ENAMETOOLONG:
            return f"{where[:80]}…: the name is too long for this disk; {OTHER_FOLDER}"
        case errno.EMFILE | errno.ENFILE:
            return "too many files are open; raise the limit with `ulimit -n 4096`"
    return " ".join(str(error).split())
