"""Several people in the app at once: nobody's λ or photograph reaches another's page."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
STUDENTS = 4


def test_sessions_at_once_each_get_their_own_pictures(server, monkeypatch):
    """The benchmark's students, who compare every answer with files coded for their own λ and photograph; here none
    of them stops to think, and each moves λ once."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import classroom

    monkeypatch.setattr(classroom, "THINK_S", (0.0, 0.0))
    lesson = classroom.lesson(server, STUDENTS, 0, 1, classroom.answers(STUDENTS, 1))
    with ThreadPoolExecutor(1) as elsewhere:  # where no browser's loop runs
        times = elsewhere.submit(asyncio.run, lesson).result(600)
    assert {name: len(seconds) for name, seconds in times.items()} == dict.fromkeys(
        ("Laboratory", "File", "R-D curves"), STUDENTS
    )
