"""Children: acts done in a process of their own, so that the time and the memory of each are its own."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time

from bench.figures import Value


@dataclass(frozen=True, slots=True)
class Child:
    """What an act took: seconds by the clock and of the processor, the most memory (MiB), and the number it gave."""

    seconds: float
    processor: float
    memory: float
    gave: float

    def values(self, id_: str, what: str) -> list[Value]:
        """Its time and its memory as rows."""
        said = {"processor_s": round(self.processor, 2)}
        return [
            Value(id_, what, "s", [self.seconds], said),
            Value(f"{id_}-memory", f"{what}: most memory", "MiB", [self.memory]),
        ]


def alone(act: Callable[[], float | None]) -> Child:
    """Do it in a child of this process. Raises RuntimeError when it failed; why stands above."""
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        try:
            Path("/proc/self/clear_refs").write_text("5")
            begun, processor = perf_counter(), process_time()
            gave = act()
            took = perf_counter() - begun, process_time() - processor
            os.write(writing, json.dumps((*took, peak_of(), gave or 0)).encode())
        except BaseException:
            import traceback

            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    _, code = os.waitpid(child, 0)
    if code:
        raise RuntimeError("a process failed")
    return Child(*json.loads(told))


def peak_of(process: int | str = "self") -> float:
    """Most memory of a process so far (MiB); 0 for one that has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)
