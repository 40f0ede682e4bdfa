"""What the system counts as this program's memory."""

import subprocess
import sys

import pytest

CODE = """
import threading
from neural_mastering import allocator
def resident_mb():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 / 1e6
held = []
def work():
    made = [bytearray(40_000) for _ in range(4_000)]  # 160 MB, of which every hundredth stays
    held.extend(made[::100])
thread = threading.Thread(target=work)
if {keeps}:
    allocator.keep_freed_memory()
before = resident_mb()
thread.start()
thread.join()
full = resident_mb()
allocator.return_freed_memory()
print(full - before, resident_mb() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's allocator")
@pytest.mark.parametrize("keeps", [False, True])
def test_freed_memory_between_held_one_goes_back_to_the_system(keeps: bool) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE.format(keeps=keeps)], capture_output=True, text=True, check=True
    )
    full_mb, left_mb = map(float, done.stdout.split())
    if full_mb < 100.0:
        pytest.skip("this C library gives it back by itself")
    assert left_mb < 20.0
