"""Where compiled loops are kept between runs, also where package and home are read-only; how numba is loaded."""

import importlib
import os
import stat
import sys
import tempfile
from pathlib import Path

_VARIABLE = "NUMBA_CACHE_DIR"
_NUMBA, _BLAS = "numba.np.arraymath", "scipy.linalg"
_NUMBA_CFFI, _CFFI = "numba.core.typing.cffi_utils", "cffi"


def choose_compile_cache() -> None:
    """Name a folder for numba's compiled code where its own choices can't be written.

    Numba takes NUMBA_CACHE_DIR, else the package's own folder, else the user's cache, and fails where it can write
    to none of them: a service account without a home, a read-only container. Then it is a folder of this user in
    the system's temporary one; one there that belongs to somebody else is not trusted, since what it holds is run.
    """
    if _VARIABLE in os.environ or _can_write(Path(__file__).parent / "dsp" / "__pycache__"):
        return
    if any(_can_write(folder) for folder in _user_caches()):
        return
    try:
        folder = Path(tempfile.gettempdir()) / f"neural_mastering-{_user()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        if not _is_private(folder):
            folder = Path(tempfile.mkdtemp(prefix="neural_mastering-"))
        os.environ[_VARIABLE] = str(folder)
    except OSError:
        return  # numba says what is wrong


def load_compiler() -> None:
    """Load numba's own parts at once, without `scipy.linalg` and `cffi`, which it looks for as it starts.

    The first takes as long to load as all kernels of a master, and the second brings a parser of C; numba asks for
    them again where a function of `numpy.linalg` or of a C library is compiled, which none here is. To be called
    before there are threads.
    """
    if _BLAS in sys.modules or _NUMBA in sys.modules:
        return
    _load_without(_NUMBA, _BLAS)
    _load_without(_NUMBA_CFFI, _CFFI)


def _load_without(module: str, hidden: str) -> None:
    before = sys.modules.get(hidden)
    sys.modules[hidden] = None  # pyright: ignore[reportArgumentType]  # what Python itself takes for "not there"
    try:
        importlib.import_module(module)
    finally:
        del sys.modules[hidden]
        if before is not None:
            sys.modules[hidden] = before


def _user_caches() -> list[Path]:
    named = os.environ.get("XDG_CACHE_HOME")
    if named:
        return [Path(named)]
    try:
        home = Path.home()
    except RuntimeError:
        return []
    return [home / {"darwin": "Library/Caches", "win32": "AppData/Local"}.get(sys.platform, ".cache")]


def _can_write(folder: Path) -> bool:
    """Whether files can be made in a folder, or the folder can be made."""
    try:
        while not folder.exists():
            if folder == folder.parent:
                return False
            folder = folder.parent
        return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)
    except OSError:
        return False


def _user() -> str:
    return str(os.getuid()) if hasattr(os, "getuid") else "cache"


def _is_private(folder: Path) -> bool:
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode):
        return False
    return not hasattr(os, "getuid") or (status.st_uid == os.getuid() and not status.st_mode & 0o077)
